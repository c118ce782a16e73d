/* A generation of the site: every page beneath the root, and the table of all addresses. It is built beside the one
 * before it, taking over what has not changed, and then never changes. A look-up touches no disk, so a path that is not
 * here is a 404 without a system call.
 *
 * Whoever publishes it retires the one before; an exchange that outlives its turn holds it. */
#ifndef SERVE_SITE_H
#define SERVE_SITE_H

#include "serve/dress.h"
#include "serve/files.h"
#include "serve/page.h"
#include "serve/store.h"
#include "serve/tree.h"

/* What is said about a site, whatever lies in its folder. It outlives all generations. */
struct site_type {
    struct slice ending, type; /* "mjs", "text/javascript" */
};

struct site_error_page {
    unsigned status; /* 400 to 599 */
    struct slice path;
};

struct site_config {
    const char *root;
    const struct rules *rules;  /* NULL: none */
    const struct site_type *types;
    size_t type_count;
    const struct site_error_page *error_pages;
    size_t error_page_count;
    bool lists;                 /* folders without index.html are listed */
};

struct site_folders;

struct site {
    struct hold hold;
    struct retired retired; /* the publisher's */
    struct store *store;
    const struct site_config *config;
    struct wardrobe wardrobe;
    struct headers *headers; /* the site's own `_headers` and `_redirects`; NULL: there are none */
    struct rules *redirects;
    struct site_folders *folders; /* where they are listed */
    struct files files;
    struct site_slot *slots;
    uint64_t slot_count; /* at most 2^32 */
    uint64_t seed; /* names are often chosen by people who upload: they cannot make them collide */
    struct tree tree;
    size_t addresses;
};

/* Open addressing, three quarters full. A slot says at a glance whether it is the one: strings are compared only where
 * they are as good as equal. The address is a beginning of its page's path. */
struct site_slot {
    struct page *page; /* NULL: free */
    uint32_t tag;      /* the low half of the hash; the high one says where it belongs */
    uint32_t size;     /* of the address; see SITE_SLOT_HIDDEN */
};

/* Opens the root and walks it. `before` and what has changed since may be NULL. NULL: errno; what cannot be served is
 * logged and skipped. `config` and `store` stay the caller's. */
struct site *site_build(const struct site_config *config, struct store *store, const struct site *before,
                        const struct changes *changes);

/* The last reference goes: so do its pages, but for those that other generations have. It may take a while. */
void site_unref(struct site *site);

enum site_found { SITE_NOTHING, SITE_PAGE, SITE_REDIRECT };

struct site_match {
    enum site_found found;
    struct page *page; /* REDIRECT: of the folder that it should have been: see site_folder */
};

/* `path` is normal. "/" and "/docs/" find index.html in them; "/about" finds about.html, or redirects to "/about/"
 * where that folder has an index, and "/docs/index" to "/docs/"; "/about.html" and "/docs/index.html" are found as
 * themselves: whoever writes them in a link, or saves the page, means the file. */
void site_find(const struct site *site, struct slice path, struct site_match *match);

/* A page by its exact path ("/404.html"), or NULL. */
struct page *site_page(const struct site *site, struct slice path);

/* All addresses that lead to a page. Returns how many. */
enum { SITE_ADDRESSES_MAX = 3 };
unsigned site_addresses(const struct page *page, struct slice addresses[static SITE_ADDRESSES_MAX]);

/* "/docs/" of the page "/docs/index.html". */
struct slice site_folder(const struct page *index);

struct site_stats {
    size_t pages, pages_in_memory;
    uint64_t bytes, bytes_in_memory;
    size_t skipped; /* unreadable, or links that lead out: the first have a log line each */
};
struct site_stats site_stats(const struct site *site); /* of this moment */

#endif
