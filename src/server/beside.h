/* What few requests have beside a request and a response: fields that go out whatever answers, values that are
 * handed on, calls for the end. It lies in the arena of the exchange, and is made at the first need. */
#ifndef SERVER_BESIDE_H
#define SERVER_BESIDE_H

#include "server/server.h"

struct middleware;
struct offer;

struct beside {
    const struct middleware *turn; /* whose turn it is; NULL: none, or all have had theirs */
    bool handed_on;                /* it has called rh_next */
    bool told;                     /* a mistake that does no harm has been logged: once is enough */
    struct kept_field *kept, **kept_end;
    struct slice id;               /* rh_request_id_of */
    struct attached *attached;
    struct offer *offer;           /* what was said about the content before it was given */
    struct ending *endings;        /* the last one first */
};

/* NULL: no memory. */
struct beside *beside_of(struct exchange *exchange);

/* Notes a field for whatever response there will be; its strings outlive the request, and are valid. False: no
 * memory. */
bool beside_keep(struct exchange *exchange, struct field_pair field) __attribute__((warn_unused_result));

/* Adds what was noted to the response, which is there, unless it has a field of this name itself. False: no memory, or
 * too many fields. A worker. */
bool beside_dress(struct exchange *exchange) __attribute__((warn_unused_result));

/* The response has gone, or the connection: calls those who want to know. */
void beside_end(struct exchange *exchange, uint64_t body_bytes);

#endif
