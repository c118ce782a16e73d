/* Which pages have their content in memory, under one budget of bytes. Now it is decided once, when the site is
 * loaded: small pages first, because each of them saves as much work as a large one. Eviction (policies "sieve" and
 * "lru" as two rows of a table: what a hit marks, who leaves) joins here; a page that has left is a page without
 * `ok`, which static already serves. */
#ifndef SERVE_PAGE_CACHE_H
#define SERVE_PAGE_CACHE_H

#include "serve/page.h"

enum { PAGE_CACHE_SHARE = 8 }; /* no page takes more than this part of the budget */

/* Sorts the pages by size, then path, and returns how many of the first ones fit. */
size_t page_cache_plan(struct page **pages, size_t count, uint64_t bytes_max);

#endif
