/* Reads a page's file into the store, with its sidecars. It blocks: for background threads.
 *
 * A file is taken only as the table knows it, and when its size and times were the same before and after, so that a
 * half- written one is never kept. */
#ifndef SERVE_LOADER_H
#define SERVE_LOADER_H

#include "serve/content.h"
#include "serve/files.h"
#include "serve/page.h"
#include "serve/store.h"

struct site;

enum loaded {
    LOADED,
    LOADED_NOT,    /* there is no room for it, or no memory */
    LOADED_OTHER,  /* the file is not what the table says, or does not hold still */
    LOADED_FAILED  /* errno: it cannot be read */
};

/* `load` is under way (page_cache_ask), and still to be ended (loader_end). LOADED: `*content` is held for the
 * caller, whatever becomes of it in the cache. */
enum loaded loader_load(const struct site *site, const struct page *page, struct page_load *load,
                        struct content **content) __attribute__((warn_unused_result));

/* Ends a load and wakes all that wait. `content` is NULL, or what was held for the caller, who gives it away. */
void loader_end(struct store *store, struct page_load *load, struct content *content);

/* A whole file that is not for the store, at most `most` bytes: malloc'd. NULL: errno (EFBIG: larger). */
char *loader_read(const struct files *files, const struct page *page, size_t most);

/* The hash of a page that is too large for the store, into the page. It may take as long as reading the file does. */
void loader_hash(const struct files *files, struct page *page);

#endif
