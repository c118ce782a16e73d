/* Range requests (RFC 9110 part 14): which bytes of a representation a request asks for, and how a response says which
 * ones it has. Pure: what the bytes are, and where they come from, is for others to know. */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include "base/writer.h"
#include "http/fields.h"

/* More ranges than these are ignored, as RFC 9110 14.2 and 17.15 allow: each costs the head of a part, and nobody who
 * means well asks for so many at once. */
enum {
    RANGE_SPECS_MAX = 64, /* in one request */
    RANGES_MAX = 16       /* after those that overlap have become one */
};

struct range {
    uint64_t first, size; /* size > 0, and all of it within the representation */
};

struct ranges {
    unsigned count; /* more than one: multipart/byteranges */
    struct range at[RANGES_MAX];
};

enum range_result {
    RANGE_WHOLE,        /* nothing to be done about the field: 200 */
    RANGE_PARTIAL,      /* 206 */
    RANGE_UNSATISFIABLE /* 416 */
};

/* Whether there is a Range field to be obeyed: one, and none or one If-Range, which holds (RFC 9110 13.1.5). `etag`
 * with its quotes, empty where there is none; `modified_s` what Last-Modified says, -1: nothing. Only for GET, and only
 * where the response would be a 200 (RFC 9110 14.2). */
bool range_applies(const struct fields *fields, struct slice etag, int64_t modified_s, int64_t now_s);

/* The value of a Range field against a representation of `size` bytes, as it is encoded. Ranges that overlap or touch
 * become one, which stands where the first of them stood; the others keep the client's order (RFC 9110 15.3.7.2). A
 * malformed or abusive set and a foreign unit are ignored, and so is any of a representation without content. */
enum range_result range_parse(struct slice value, uint64_t size, struct ranges *ranges)
    __attribute__((warn_unused_result));

/* The value of Content-Range, at most RANGE_VALUE_MAX bytes: of a part, and for 416. */
enum { RANGE_VALUE_MAX = 68 };
void range_write(struct writer *w, struct range range, uint64_t size);
void range_write_unsatisfied(struct writer *w, uint64_t size);

#endif
