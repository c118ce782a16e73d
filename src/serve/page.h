/* A page: one file of the site as the table of addresses knows it, whether its content is in memory or not. What is in
 * memory of it hangs in its slot, which is page_cache's; what stands here never changes, but for the hash.
 *
 * It has no pointer to its site, so that generations share those of their pages that have not changed. There may be a
 * million of them: 72 bytes and the path. */
#ifndef SERVE_PAGE_H
#define SERVE_PAGE_H

#include <sys/stat.h>

#include "http/coding.h"
#include "serve/page_cache.h"

struct page {
    struct page_slot slot;
    uint64_t size;           /* of the file */
    int64_t modified_ns;     /* its whole mtime: to notice a change */
    uint64_t inode;
    uint64_t sidecar_mark;   /* what its sidecars look like; 0: it has none. Set by site, as are the next two */
    _Atomic uint64_t hash;   /* of content that is not to be kept in memory, once somebody had the time; 0: not known */
    struct slice type;       /* Content-Type */
    _Atomic uint32_t count;  /* of the generations that list it */
    uint16_t path_size;
    uint8_t sidecars;        /* coding_bits: files beside it that hold its content encoded */
    bool hidden : 1;         /* has no address: it is another page's sidecar, or the site's own words */
    bool ruled : 1;          /* a request for it goes by the rules: what is prepared is not for every one of them */
    char path[];             /* "/docs/index.html", NUL-terminated */
};

/* The path as a request has it, with its leading slash. */
static inline struct slice page_address(const struct page *page)
{
    return slice_make(page->path, page->path_size);
}

/* Beneath the root, without leading slash: for files_open. */
static inline const char *page_file(const struct page *page)
{
    return page->path + 1;
}

/* `path` (without leading slash) is copied. Its count is 1. NULL: no memory, or a path of 64 KiB. */
struct page *page_new(struct slice path, const struct stat *st);

/* Its slot has been closed, and no load is under way. */
void page_free(struct page *page);

/* Whether the file behind this is the one that the page was made for. */
bool page_matches(const struct page *page, const struct stat *st);

/* Whether it may be had in several codings, by what it is: a text, not too short, or with sidecars. */
bool page_negotiable(const struct page *page);

/* Last-Modified: never later than the Date of the response (RFC 9110 8.8.2.1), and -1, none, before 1970. */
int64_t page_modified_s(int64_t modified_ns, int64_t now_s);

/* A strong validator made of a hash of the content, with its quotes. Returns its size; 0 for a hash of 0: none. */
enum { PAGE_ETAG_SIZE = 24 };
uint8_t page_write_etag(char etag[static PAGE_ETAG_SIZE], uint64_t hash);

#endif
