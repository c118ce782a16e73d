/* `_headers`, in the form that static hosts read: which fields the pages of some paths have.
 *
 *     # for all of them
 *     /docs*
 *       X-Frame-Options: DENY
 *     /docs/:chapter/open.html
 *       ! X-Frame-Options
 *       Link: </style.css>; rel=preload
 *
 * All blocks whose path matches hold, in their order. Values of one name are joined with commas, but for Set-Cookie,
 * which is sent several times (RFC 9110 5.3), and Content-Type, of which the last one is taken. "! Name" takes away
 * what stands above it, and what the server would send under that name by itself. */
#ifndef SERVE_HEADERS_H
#define SERVE_HEADERS_H

#include "base/log.h"
#include "http/answer.h"

enum {
    HEADERS_BLOCKS_MAX = 200, /* looked at in turn for each page */
    HEADERS_LINES_MAX = 2000,
    HEADERS_SET_MAX = 64,     /* fields of one page */
    HEADERS_SET_SIZE = 8192   /* bytes of values that are joined, what each was before included */
};

struct headers;

/* NULL: there are none, or no memory, which is told. Nothing of `text` is kept. */
struct headers *headers_parse(struct slice text, const struct log *log);
void headers_free(struct headers *headers);

struct header_set {
    unsigned count;
    struct field_pair at[HEADERS_SET_MAX]; /* value NULL: there is to be no such field; the names are the headers' */
    size_t used;
    char text[HEADERS_SET_SIZE];
};

bool headers_collect(const struct headers *headers, struct slice path, struct header_set *set);

bool headers_compare(const struct headers *headers, struct slice a, struct slice b);

/* The same blocks hold for both paths. */
static inline bool headers_alike(const struct headers *headers, struct slice a, struct slice b)
{
    return headers == NULL || headers_compare(headers, a, b);
}

/* What the path's page has; for a normal path, when it is prepared, not for each request. False: it is too much, and
 * the set is what had room. */
static inline bool headers_find(const struct headers *headers, struct slice path, struct header_set *set)
{
    set->count = 0;
    return headers == NULL || headers_collect(headers, path, set);
}

#endif
