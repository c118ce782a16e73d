/* A page: one file of the site, with its prepared answers. Its representation (so far there is one, identity) is
 * either bytes in memory or a file that is opened when it is asked for.
 *
 * Immutable once published; it never sees a client. Each page is a block of its own and nothing in it points to its
 * site, so that generations of the site can share it (it then gets a count). Encodings will join here: `ok`,
 * `not_modified`, size and etag become a representation each. */
#ifndef SERVE_PAGE_H
#define SERVE_PAGE_H

#include <sys/stat.h>
#include "base/clock.h"
#include "http/answer.h"

enum { PAGE_ETAG_SIZE = 24, PAGE_FIELDS_MAX = 3 };

struct page {
    struct answer *ok;           /* 200 with the content, where it is in memory; else NULL */
    struct answer *not_modified; /* 304; NULL where the content is not in memory: made when it is asked for */
    struct slice path;           /* beneath the root, without leading slash, NUL-terminated: for files_open */
    struct slice type;           /* Content-Type */
    uint64_t size;
    int64_t modified_s;          /* Last-Modified, seconds since 1970: the mtime, but not in the future; -1: none */
    int64_t modified_ns;         /* the whole mtime: to notice a change */
    uint8_t etag_size;           /* 0: the file would not hold still to be hashed; then it has no validators at all */
    char etag[PAGE_ETAG_SIZE];   /* strong, with quotes: a hash of the content (XXH3, 64 bits) */
};

static inline struct slice page_etag(const struct page *page)
{
    return slice_make(page->etag, page->etag_size);
}

/* The path as a request has it, with its leading slash. It lies in the page. */
static inline struct slice page_address(const struct page *page)
{
    return slice_make(page->path.data - 1, page->path.size + 1);
}

/* A page of no content yet. `path` (without leading slash) is copied. NULL: no memory. */
struct page *page_new(struct slice path);
void page_free(struct page *page);

/* Size and times as fstat has them. */
void page_describe(struct page *page, const struct stat *st, int64_t now_s);

/* Last-Modified for a file: never later than the Date of the response (RFC 9110 8.8.2.1), and -1, none, before 1970. */
int64_t page_last_modified(const struct stat *st, int64_t now_s);

void page_set_hash(struct page *page, uint64_t hash);

/* The validators are taken away: the file changes while it is read. */
void page_unsettle(struct page *page);

/* Prepares the answers around `content` (malloc, page->size bytes), which then belongs to the page. False: no
 * memory, the content is still the caller's, and the page goes on as one that is not in memory. */
bool page_keep(struct page *page, char *content);

/* The fields of a response for a page; the slices lie in here, in the page and in static memory. */
struct page_fields {
    unsigned count;
    struct field_pair at[PAGE_FIELDS_MAX];
    char date[CLOCK_DATE_SIZE];
};

/* `etag` may be empty and `modified_s` -1: those fields are then left out. */
void page_fields_ok(struct page_fields *fields, struct slice type, struct slice etag, int64_t modified_s);
void page_fields_not_modified(struct page_fields *fields, struct slice etag, int64_t modified_s);

#endif
