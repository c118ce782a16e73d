/* What --health is asked to ask: the URL into addresses and the parts of a request. Pure. See health.h. */
#include "main/health.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { HTTP_PORT = 80 };

/* Digits only, 1 to 65535; 0 where it is no such number. */
static unsigned parse_port(const char *text, size_t size)
{
    unsigned port = 0;
    if (size == 0 || size > 5)
        return 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    return port <= 65535 ? port : 0;
}

static void add_v4(struct health_target *target, struct in_addr host, unsigned port)
{
    target->addresses[target->address_count++].v4 =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = host, .sin_port = htons((uint16_t)port) };
}

static void add_v6(struct health_target *target, struct in6_addr host, unsigned port)
{
    target->addresses[target->address_count++].v6 =
        (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = host, .sin6_port = htons((uint16_t)port) };
}

static bool add_host(struct health_target *target, const char *host, size_t size, unsigned port)
{
    char text[INET6_ADDRSTRLEN];
    bool bracketed = size >= 2 && host[0] == '[' && host[size - 1] == ']';
    if (size == strlen("localhost") && strncasecmp(host, "localhost", size) == 0) {
        add_v4(target, (struct in_addr){ htonl(INADDR_LOOPBACK) }, port);
        add_v6(target, in6addr_loopback, port);
        return true;
    }
    if (bracketed) {
        host++;
        size -= 2;
    }
    if (size >= sizeof text)
        return false;
    memcpy(text, host, size);
    text[size] = '\0';
    struct in_addr v4;
    struct in6_addr v6;
    if (bracketed && inet_pton(AF_INET6, text, &v6) == 1)
        add_v6(target, v6, port);
    else if (!bracketed && inet_pton(AF_INET, text, &v4) == 1)
        add_v4(target, v4, port);
    return target->address_count != 0;
}

/* A colon that stands within the brackets of an IPv6 address begins no port. */
static const char *find_port(const char *authority, size_t size)
{
    const char *colon = memrchr(authority, ':', size);
    return colon && !memchr(colon, ']', size - (size_t)(colon - authority)) ? colon : NULL;
}

static const char *parse_http(const char *authority, struct health_target *target)
{
    size_t size = strcspn(authority, "/?#");
    const char *colon = find_port(authority, size);
    size_t host_size = colon ? (size_t)(colon - authority) : size;
    unsigned port = colon ? parse_port(colon + 1, size - host_size - 1) : HTTP_PORT;
    if (port == 0)
        return "the port is not a number from 1 to 65535";
    if (!add_host(target, authority, host_size, port))
        return "the host is neither an IPv4 address, nor an IPv6 address in brackets, nor localhost";
    target->authority = authority;
    target->authority_size = (int)size;
    target->path = authority + size;
    target->path_size = (int)strcspn(target->path, "#"); /* a fragment is not sent: RFC 9110 4.2.5 */
    return NULL;
}

static const char *parse_unix(const char *path, struct health_target *target)
{
    struct sockaddr_un *local = &target->addresses[0].local;
    const char *page = strstr(path, ":/");
    size_t size = page ? (size_t)(page - path) : strlen(path);
    if (path[0] != '/')
        return "the path of a unix socket begins with a slash";
    if (size >= sizeof local->sun_path)
        return "the path of the unix socket is too long";
    *local = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(local->sun_path, path, size);
    target->address_count = 1;
    target->authority = "localhost";
    target->authority_size = (int)strlen(target->authority);
    target->path = page ? page + 1 : "/";
    target->path_size = (int)strcspn(target->path, "#");
    return NULL;
}

const char *health_parse_url(const char *url, struct health_target *target)
{
    *target = (struct health_target){ 0 };
    if (strlen(url) > HEALTH_URL_MAX)
        return "the URL is too long";
    for (const char *at = url; *at; at++)
        if (*at <= ' ' || *at == 0x7f || (*at & 0x80)) /* would break the request line, or is to be percent-encoded */
            return "the URL has a character that no URL has";
    if (strncasecmp(url, "http://", 7) == 0)
        return parse_http(url + 7, target);
    if (strncasecmp(url, "unix:", 5) == 0)
        return parse_unix(url + 5, target);
    if (strncasecmp(url, "https://", 8) == 0)
        return "it is asked by http alone; beside https a server can have --listen unix:/path, and be asked there";
    return "the URL begins with neither http:// nor unix:";
}
