/* Reading addresses and opening listeners, with an error text for every way in which that fails. */
#include "net/listen.h"

#include "base/writer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_port(struct slice text, in_port_t *port)
{
    uint64_t number;
    if (!slice_uint(text, &number) || number > 65535)
        return false;
    *port = htons((uint16_t)number);
    return true;
}

static struct address make_v4(in_addr_t host, in_port_t port)
{
    struct address address = { .size = sizeof(struct sockaddr_in) };
    address.name.v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = host };
    return address;
}

static struct address make_v6(struct in6_addr host, in_port_t port)
{
    struct address address = { .size = sizeof(struct sockaddr_in6) };
    address.name.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = host };
    return address;
}

static unsigned parse_unix(struct slice path, struct address *out, char *why)
{
    if (path.size == 0 || path.size >= sizeof out->name.local.sun_path) {
        snprintf(why, LISTEN_WHY_SIZE, "a unix socket needs a path of 1 to %zu bytes: unix:/run/rawhttp.sock",
                 sizeof out->name.local.sun_path - 1);
        return 0;
    }
    *out = (struct address){ .size = sizeof(struct sockaddr_un) };
    out->name.local.sun_family = AF_UNIX;
    memcpy(out->name.local.sun_path, path.data, path.size);
    return 1;
}

static unsigned parse_host(struct slice host, in_port_t port, struct address *out)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (host.size == 0 || slice_equal(host, SLICE("*"))) {
        out[0] = make_v6(in6addr_any, port);
        out[0].dual = true;
        return 1;
    }
    if (slice_equal_nocase(host, SLICE("localhost"))) {
        out[0] = make_v4(htonl(INADDR_LOOPBACK), port);
        out[1] = make_v6(in6addr_loopback, port);
        out[1].optional = true;
        return 2;
    }
    bool bracketed = host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
    if (bracketed)
        host = slice_part(host, 1, host.size - 1);
    if (host.size >= sizeof text)
        return 0;
    memcpy(text, host.data, host.size);
    text[host.size] = '\0';
    if (bracketed && inet_pton(AF_INET6, text, &v6) == 1)
        out[0] = make_v6(v6, port);
    else if (!bracketed && inet_pton(AF_INET, text, &v4) == 1)
        out[0] = make_v4(v4.s_addr, port);
    else
        return 0;
    return 1;
}

static unsigned parse(struct slice text, struct address out[ADDRESS_EXPANDED_MAX], char *why)
{
    if (slice_starts(text, SLICE("unix:")))
        return parse_unix(slice_skip(text, 5), out, why);
    size_t colon = text.size;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    in_port_t port;
    unsigned count = 0;
    if (colon > 0 && read_port(slice_skip(text, colon), &port))
        count = parse_host(slice_part(text, 0, colon - 1), port, out);
    if (count == 0)
        snprintf(why, LISTEN_WHY_SIZE,
                 "\"%.*s\" is not an address to listen on; write :8080, 127.0.0.1:8080, [::1]:8080, localhost:8080 or "
                 "unix:/path",
                 (int)(text.size < 80 ? text.size : 80), text.data);
    return count;
}

unsigned address_parse(struct slice text, struct address out[ADDRESS_EXPANDED_MAX], char why[LISTEN_WHY_SIZE])
{
    static const struct slice plain = SLICE_INIT("http://"), tls = SLICE_INIT("https://");
    bool secure = slice_starts(text, tls);
    if (secure || slice_starts(text, plain))
        text = slice_skip(text, secure ? tls.size : plain.size);
    unsigned count = parse(text, out, why);
    for (unsigned i = 0; i < count; i++)
        out[i].secure = secure;
    return count;
}

unsigned address_port(const struct address *address)
{
    switch (address->name.any.sa_family) {
    case AF_INET: return ntohs(address->name.v4.sin_port);
    case AF_INET6: return ntohs(address->name.v6.sin6_port);
    default: return 0;
    }
}

void address_text(const struct address *address, char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";
    const char *scheme = address->secure ? "https://" : "";
    switch (address->name.any.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &address->name.v4.sin_addr, host, sizeof host);
        snprintf(out, size, "%s%s:%u", scheme, host, address_port(address));
        return;
    case AF_INET6:
        inet_ntop(AF_INET6, &address->name.v6.sin6_addr, host, sizeof host);
        snprintf(out, size, "%s[%s]:%u", scheme, host, address_port(address));
        return;
    default: snprintf(out, size, "%sunix:%s", scheme, address->name.local.sun_path);
    }
}

static void explain(const struct address *address, int error, char *why)
{
    char text[ADDRESS_TEXT_SIZE];
    address_text(address, text, sizeof text);
    switch (error) {
    case EADDRINUSE:
        snprintf(why, LISTEN_WHY_SIZE,
                 "cannot listen on %s: it is in use; stop the other program or choose another address", text);
        return;
    case EACCES:
    case EPERM:
        if (address->name.any.sa_family == AF_UNIX) {
            snprintf(why, LISTEN_WHY_SIZE,
                     "cannot listen on %s: permission denied; choose a folder that this user may write to", text);
            return;
        }
        snprintf(why, LISTEN_WHY_SIZE,
                 "cannot listen on %s: permission denied; choose a port from 1024 up, or grant CAP_NET_BIND_SERVICE",
                 text);
        return;
    case ENOENT:
    case ENOTDIR:
        snprintf(why, LISTEN_WHY_SIZE,
                 "cannot listen on %s: its folder does not exist; make it, or choose another path", text);
        return;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        snprintf(why, LISTEN_WHY_SIZE, "cannot listen on %s: this machine does not have that address", text);
        return;
    default: snprintf(why, LISTEN_WHY_SIZE, "cannot listen on %s: %s", text, strerror(error));
    }
}

static int fail(int fd)
{
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

static int bind_one(const struct address *address, bool share)
{
    int family = address->name.any.sa_family, on = 1, off = 0;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (family != AF_UNIX) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* inherited by what is accepted */
        if (share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
            return fail(fd);
    }
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, address->dual ? &off : &on, sizeof on);
    if (bind(fd, &address->name.any, address->size) != 0)
        return fail(fd);
    return fd;
}

/* SO_REUSEPORT would let two servers of one user share a port without a word, so a socket without it asks first. */
static bool in_use(const struct address *address)
{
    int fd = bind_one(address, false);
    if (fd < 0)
        return errno == EADDRINUSE;
    bool used = listen(fd, 1) != 0 && errno == EADDRINUSE;
    close(fd);
    return used;
}

/* A socket file whose server is gone is taken away; one that answers is in use. */
static bool clear_stale(const struct address *address)
{
    struct stat status;
    if (lstat(address->name.local.sun_path, &status) != 0)
        return true;
    if (!S_ISSOCK(status.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool refused = fd >= 0 && connect(fd, &address->name.any, address->size) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return refused && unlink(address->name.local.sun_path) == 0;
}

/* The first socket of an address; errno says why there is none. */
static int open_first(struct address *address)
{
    if (address->name.any.sa_family == AF_UNIX && !clear_stale(address)) {
        errno = EADDRINUSE;
        return -1;
    }
    if (address_port(address) != 0 && in_use(address)) {
        errno = EADDRINUSE;
        return -1;
    }
    int fd = bind_one(address, true);
    if (fd < 0 && address->dual && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
        *address = make_v4(htonl(INADDR_ANY), address->name.v6.sin6_port);
        return open_first(address);
    }
    if (fd >= 0) {
        socklen_t size = sizeof address->name;
        if (address->name.any.sa_family != AF_UNIX)
            getsockname(fd, &address->name.any, &size);
    }
    return fd;
}

unsigned listen_open(struct address *address, int *fds, unsigned count, char why[LISTEN_WHY_SIZE])
{
    bool local = address->name.any.sa_family == AF_UNIX;
    why[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && local) {
            fds[i] = fds[0];
            continue;
        }
        fds[i] = i == 0 ? open_first(address) : bind_one(address, true);
        if (fds[i] >= 0 && listen(fds[i], LISTEN_BACKLOG) == 0)
            continue;
        int error = errno;
        if (!(address->optional && (error == EADDRNOTAVAIL || error == EAFNOSUPPORT)))
            explain(address, error, why);
        for (unsigned k = 0; k <= i; k++)
            if (fds[k] >= 0)
                close(fds[k]);
        errno = error;
        return 0;
    }
    return count;
}

/* What arrives with a lower TTL is dropped. */
static void set_least_ttl(int fd, int ttl)
{
    setsockopt(fd, IPPROTO_IP, IP_MINTTL, &ttl, sizeof ttl);
    setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &ttl, sizeof ttl);
}

void listen_refuse_new(int fd)
{
    /* A socket filter sees a segment from its TCP header on; byte 13 holds the flags. SYN without ACK is dropped. */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = { .len = sizeof code / sizeof code[0], .filter = code };
    int family = 0;
    socklen_t size = sizeof family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family == AF_UNIX)
        return;
    /* Not everybody may attach a filter everywhere. A TTL that hardly anybody begins with holds back a SYN as well, but
     * not the end of a handshake, which the kernel matches with its beginning before it looks at the listener. */
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
        set_least_ttl(fd, 255);
}

void listen_welcome(int fd)
{
    set_least_ttl(fd, 0);
}

void listen_unlink(const struct address *address)
{
    if (address->name.any.sa_family == AF_UNIX)
        unlink(address->name.local.sun_path);
}

size_t address_peer_text(const struct sockaddr *name, char *out, size_t size)
{
    const struct sockaddr_in6 *v6 = (const void *)name;
    const struct sockaddr_in *v4 = (const void *)name;
    char text[INET6_ADDRSTRLEN] = "unix";
    if (name->sa_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    else if (name->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text, sizeof text);
    else if (name->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    struct writer w = writer_on(out, size);
    writer_text(&w, text);
    return writer_used(&w);
}
