/* The text of multipart/byteranges (RFC 9110 14.6, RFC 2046 5.1.1): what stands between the ranges of a representation
 * where a response has several of them. The ranges' own bytes are sent by others, from where they lie:
 *
 *     for each range: byteranges_head, the bytes of the range
 *     byteranges_end */
#ifndef HTTP_BYTERANGES_H
#define HTTP_BYTERANGES_H

#include "http/range.h"

enum {
    BYTERANGES_RANDOM = 16,
    BYTERANGES_BOUNDARY = 2 * BYTERANGES_RANDOM,
    BYTERANGES_TYPE = 31 + BYTERANGES_BOUNDARY,                    /* what byteranges_type writes */
    BYTERANGES_HEAD_MAX = BYTERANGES_BOUNDARY + RANGE_VALUE_MAX + 41, /* byteranges_head, beside the type */
    BYTERANGES_END = BYTERANGES_BOUNDARY + 8                       /* byteranges_end */
};

struct byteranges {
    struct slice type; /* the representation's Content-Type */
    uint64_t size;     /* of the representation */
    char boundary[BYTERANGES_BOUNDARY];
};

/* The boundary is made of the random bytes, which nobody can guess who could write it into the representation. */
void byteranges_init(struct byteranges *parts, struct slice type, uint64_t size,
                     const uint8_t random[static BYTERANGES_RANDOM]);

void byteranges_type(struct writer *w, const struct byteranges *parts); /* the response's Content-Type */
void byteranges_head(struct writer *w, const struct byteranges *parts, struct range range);
void byteranges_end(struct writer *w, const struct byteranges *parts);

/* The Content-Length: all of it, the ranges' bytes too. */
uint64_t byteranges_length(const struct byteranges *parts, const struct ranges *ranges);

#endif
