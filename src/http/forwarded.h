/* Who is behind the proxies: Forwarded (RFC 7239) and X-Forwarded-For, which each proxy extends at its end. Anybody can
 * write anything into them, so they are read from there, hop by hop, only as long as trusted ones tell it.
 *
 * It knows no socket: that the peer itself is trusted has been seen by the caller. */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "http/fields.h"
#include "http/networks.h"

struct forwarded {
    bool known;       /* there is a client; else it is the peer, or nobody can tell */
    struct ip client; /* the last hop that is not trusted; if all are, the first one */
    bool https;       /* so the client came to the first of the trusted proxies */
};

/* What is told of a request that a trusted peer has brought. A hop that is hidden, unknown or not understood ends
 * the way: the client is then the one who told it. Where both fields stand they have to agree, for a proxy that
 * writes one of them lets a client's own pass in the other. */
void forwarded_read(const struct fields *fields, const struct networks *trusted, struct forwarded *forwarded);

#endif
