/* A page: one file of the site, with its prepared answers. Its representation (so far there is one, identity) is either
 * bytes in memory or a file that is opened when it is asked for.
 *
 * Immutable once published; it never sees a client. */
#ifndef SERVE_PAGE_H
#define SERVE_PAGE_H

#include "http/answer.h"

enum { PAGE_ETAG_SIZE = 24 };

struct page {
    struct answer *ok;           /* 200 with the content, where it is in memory; else NULL */
    struct answer *not_modified; /* 304 */
    struct slice path;           /* beneath the root, without leading slash, NUL-terminated: for files_open */
    struct slice type;           /* Content-Type */
    uint64_t size;
    int64_t modified_s;          /* mtime, seconds since 1970 */
    int64_t modified_ns;         /* its whole nanoseconds: to notice a change */
    uint8_t etag_size;
    char etag[PAGE_ETAG_SIZE];   /* strong, with quotes: a hash of the content (XXH3, 64 bits) */
};

static inline struct slice page_etag(const struct page *page)
{
    return slice_make(page->etag, page->etag_size);
}

#endif
