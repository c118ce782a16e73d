/* "rawhttpd --health URL": the client that a container asks whether its server answers, where there is no other
 * program to ask with. One GET over a plain socket; no redirect is followed.
 *
 * It looks up no names but localhost: a name service needs files and libraries that a container with one static
 * binary lacks. */
#ifndef MAIN_HEALTH_H
#define MAIN_HEALTH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

enum { HEALTH_TIMEOUT_MS = 3000, HEALTH_URL_MAX = 2000, HEALTH_WHY_SIZE = 200 };

/* True: the final answer came within the time and was a 2xx or 3xx. Otherwise `why` says in a few words what
 * happened. */
bool health_check(const char *url, unsigned timeout_ms, char why[static HEALTH_WHY_SIZE]);

union health_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

struct health_target {
    union health_address addresses[2]; /* localhost: both loopbacks, to be tried in turn */
    unsigned address_count;
    const char *authority, *path; /* parts of the URL, for the request */
    int authority_size, path_size;
};

/* http://HOST[:PORT][/PAGE] with HOST an IPv4 address, an IPv6 address in brackets or localhost;
 * unix:/SOCKET[:/PAGE]. NULL, or what is wrong with it. *target points into `url`. */
const char *health_parse_url(const char *url, struct health_target *target);

/* The status of the final response at the start of these bytes, interim ones (1xx) passed over; 0: not yet there; -1:
 * this is not HTTP/1. */
int health_status(const char *data, size_t size);

#endif
