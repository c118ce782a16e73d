/* IP addresses as numbers, and lists of networks. Nothing is looked up and no socket is known: text in, an answer out.
 *
 * An IPv4 address is the IPv6 address that stands for it (::ffff:192.0.2.1, RFC 4291 2.5.5.2), so there is one kind. */
#ifndef HTTP_NETWORKS_H
#define HTTP_NETWORKS_H

#include "base/why.h"
#include "base/writer.h"

struct ip {
    uint8_t at[16]; /* network byte order */
};

enum { NETWORKS_MAX = 64, IP_TEXT_MAX = 39 };

/* "192.0.2.1" or "2001:db8::1", without port, brackets or zone. False: it is none. */
bool ip_parse(struct slice text, struct ip *ip) __attribute__((warn_unused_result));

bool ip_is_v4(const struct ip *ip);

/* At most IP_TEXT_MAX bytes: the spelling of RFC 5952, IPv4 with dots. */
void ip_write(struct writer *w, const struct ip *ip);

struct network {
    struct ip ip;
    uint8_t bits; /* that are the same in all of it */
};

struct networks {
    bool unix_peers; /* those that come over a unix socket */
    unsigned count;
    struct network at[NETWORKS_MAX];
};

static inline bool networks_any(const struct networks *networks)
{
    return networks->count > 0 || networks->unix_peers;
}

/* Words separated by spaces: addresses, networks ("10.0.0.0/8"), and "loopback" (127.0.0.0/8, ::1), "private" (RFC
 * 1918, and fc00::/7 of RFC 4193), "unix". False: `why`, which begins with the word that is wrong. */
bool networks_parse(struct networks *networks, struct slice text, struct why why) __attribute__((warn_unused_result));

bool networks_have(const struct networks *networks, const struct ip *ip);

#endif
