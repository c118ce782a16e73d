/* Which host a request is for: exact names, names beneath one ("*.example.org"), or the default. Built before it is
 * used, immutable afterwards, read by every worker.
 *
 * It knows nothing of what a host serves: the authority of a request in, the place of a host out. */
#ifndef SERVE_HOSTS_H
#define SERVE_HOSTS_H

#include "base/why.h"

enum {
    HOSTS_MAX = 1000,
    HOSTS_NAMES_MAX = 10000,
    HOSTS_NAME_SIZE_MAX = 253, /* RFC 1035 2.3.4, without the length octets */
    HOSTS_UNKNOWN = -1
};

struct hosts;

/* `names[i]` are those of the host with place i: "example.org *.example.org", separated by spaces; empty: the default.
 * False: `why`, also where there was no memory. `*hosts` is NULL where there is nothing to look up, because the default
 * is the only host. */
bool hosts_new(struct hosts **hosts, const struct slice *names, size_t count, struct why why)
    __attribute__((warn_unused_result));
void hosts_free(struct hosts *hosts);

int hosts_search(const struct hosts *hosts, struct slice authority);

/* The place of the host for this authority, of a target or a Host field, which is valid or empty. Letter case, the
 * port and a dot at the end do not count; an IPv6 address is compared as an address. An exact name comes before a
 * star, and of stars the one with the longer name; a star stands for one or more labels (as in nginx; a certificate's
 * stands for one). What is nobody's name is the default's: that is what people expect of an address, a name from a
 * test, or a health check. Where no host is the default it is HOSTS_UNKNOWN, and the answer 421 (RFC 9110 7.4,
 * 15.5.20). */
static inline int hosts_find(const struct hosts *hosts, struct slice authority)
{
    return hosts == NULL ? 0 : hosts_search(hosts, authority);
}

#endif
