/* Ranges of a representation (RFC 9110 part 14): what is sent of it where a request asks for a part. Which
 * representation that is, and what its conditions say, has been decided before. */
#ifndef SERVE_PARTIAL_H
#define SERVE_PARTIAL_H

#include "http/exchange.h"
#include "http/range.h"
#include "serve/static.h"

/* A whole representation, of which ranges may be asked for. */
struct whole {
    const struct field_pair *fields; /* of its 200 */
    unsigned field_count;
    struct slice type;
    struct body body;
};

/* Whether the request asks for a part of what has these validators (If-Range is seen to). */
bool partial_wanted(const struct exchange *exchange, struct slice etag, int64_t modified_s, int64_t now_s);

/* Answers with what is wanted of the whole, whose fields and bytes outlive the response or are held. False: that is all
 * of it, and the exchange is as it was. */
bool partial_take(struct exchange *exchange, const struct whole *whole, enum static_result *result);

#endif
