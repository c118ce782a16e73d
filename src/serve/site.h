/* A generation of the site: the whole tree as a table from path to page, built by walking the root once (loader), then
 * immutable. A look-up touches no disk, so a path that is not here is a 404 without a system call. */
#ifndef SERVE_SITE_H
#define SERVE_SITE_H

#include "base/log.h"
#include "serve/files.h"
#include "serve/page.h"

struct site;

struct site_stats {
    size_t pages, pages_in_memory;
    uint64_t bytes, bytes_in_memory;
    size_t skipped; /* unreadable, or links that lead out: the first have a log line each */
};

/* Walks the root and reads what fits into `cache_bytes` (a page at most an eighth of it, small ones first); hashes
 * all. `threads` read in parallel. NULL: errno; unreadable files and folders are logged and skipped. `files` is
 * borrowed for the site's life. */
struct site *site_load(const struct files *files, uint64_t cache_bytes, unsigned threads, const struct log *log);
void site_free(struct site *site);

struct site_stats site_stats(const struct site *site);

enum site_found { SITE_NOTHING, SITE_PAGE, SITE_REDIRECT };

struct site_match {
    enum site_found found;
    const struct page *page; /* PAGE */
    struct slice location;   /* REDIRECT: the canonical path, percent-encoded, without query */
};

/* `path` is normal. "/" and "/docs/" find index.html in them; "/about" finds about.html, or redirects to "/about/"
 * where that folder has an index; "/about.html" and "/docs/index.html" are found as themselves. */
void site_find(const struct site *site, struct slice path, struct site_match *match);

/* A page by its exact file path ("/404.html"), or NULL. */
const struct page *site_page(const struct site *site, struct slice path);

#endif
