/* Looking up an address: one hash and, as a rule, one comparison. How the table is filled is in site_table.c. */
#include "serve/site.h"

#include <errno.h>
#include <stdlib.h>

#include "serve/content.h"
#include "serve/site_table.h"

static const struct slice index_name = SLICE_INIT("index.html");
static const struct log silent;

/* ---- Looking up --------------------------------------------------------------------------------------------- */

void site_find(const struct site *site, struct slice path, struct site_match *match)
{
    const struct site_slot *slot = site_slot_find(site, path);

    match->page = site_slot_page(slot);
    match->found = slot->page == 0 ? SITE_NOTHING : slot->page & SITE_SLOT_REDIRECT ? SITE_REDIRECT : SITE_PAGE;
}

struct page *site_page(const struct site *site, struct slice path)
{
    const struct site_slot *slot = site_slot_find(site, path);
    struct page *page = site_slot_page(slot);

    return page && page_address(page).size == path.size ? page : NULL;
}

struct slice site_folder(const struct page *index)
{
    struct slice address = page_address(index);
    return slice_part(address, 0, address.size - index_name.size);
}

struct site_stats site_stats(const struct site *site)
{
    struct site_stats stats = { .pages = site->tree.count, .skipped = site->tree.skipped };

    for (size_t i = 0; i < site->tree.count; i++) {
        const struct page *page = site->tree.pages[i];
        if (page->hidden)
            stats.pages--;
        else
            stats.bytes += page->size;
        if (!page_cache_find(&page->slot))
            continue;
        stats.pages_in_memory++;
        stats.bytes_in_memory += page->size;
    }
    return stats;
}

/* ---- A generation ------------------------------------------------------------------------------------------- */

static void leave_page(struct site *site, struct page *page)
{
    if (atomic_fetch_sub_explicit(&page->count, 1, memory_order_acq_rel) != 1)
        return;
    store_close(site->store, page);
    page_free(page);
}

static void gone(struct hold *hold)
{
    struct site *site = LINK_OWNER(hold, struct site, hold);

    for (size_t i = 0; i < site->tree.count; i++)
        leave_page(site, site->tree.pages[i]);
    tree_fini(&site->tree);
    files_close_root(&site->files);
    free(site->slots);
    free(site);
}

/* The page of this file in the generation before; hidden ones have no address and are always made anew. */
static struct page *find_before(const void *user, struct slice path)
{
    const struct site *before = user;
    char address[UINT16_MAX];

    if (path.size + 1 > sizeof address)
        return NULL;
    address[0] = '/';
    memcpy(address + 1, path.data, path.size);
    return site_page(before, slice_make(address, path.size + 1));
}

static bool fill(struct site *site, const struct site *before, const struct changes *changes)
{
    struct tree_before earlier = { .tree = before ? &before->tree : NULL, .changes = changes, .find = find_before,
                                   .user = before };
    bool again = before && changes;
    bool told = again && changes_everything(changes) && !changes->root_replaced; /* what is skipped, last time */

    if (!tree_walk(&site->tree, &site->files, again ? &earlier : NULL, told ? &silent : site->store->log))
        return false;
    tree_tell_rest(&site->tree);
    return site_table_build(site);
}

struct site *site_build(const char *root, struct store *store, const struct site *before, const struct changes *changes)
{
    struct site *site = calloc(1, sizeof *site);

    if (!site)
        return NULL;
    hold_init(&site->hold, gone);
    site->store = store;
    if (!files_open_root(&site->files, root)) {
        int error = errno;
        free(site);
        errno = error;
        return NULL;
    }
    if (fill(site, before, changes))
        return site;
    int error = errno;
    site_unref(site);
    errno = error;
    return NULL;
}

void site_unref(struct site *site)
{
    if (site)
        hold_unref(&site->hold);
}
