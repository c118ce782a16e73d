/* Looking up an address: one hash and, as a rule, one comparison. How the table is filled is in site_table.c. */
#include "serve/site.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve/hosted.h"
#include "serve/loader.h"
#include "serve/redirects.h"
#include "serve/site_folders.h"
#include "serve/site_table.h"

static const struct slice index_name = SLICE_INIT("index.html");
static const struct log silent;

/* ---- Looking up --------------------------------------------------------------------------------------------- */

/* The index of the folder that is called so but for its slash, or NULL. */
static struct page *find_slashed(const struct site *site, struct slice path)
{
    char folder[PATH_MAX];
    struct writer w = writer_on(folder, sizeof folder);

    writer_put(&w, path);
    writer_byte(&w, '/');
    return path.size > 0 && !w.overflowed ? site_slot_find(site, writer_slice(&w))->page : NULL;
}

/* "/docs/index", as "/about" is about.html: the page's home is the folder. NULL: it is none, or a listed folder's. */
static struct page *find_index(const struct site *site, struct slice path)
{
    struct slice name = SLICE("/index");
    size_t folder;
    if (!slice_ends(path, name) || site_folders_find(site->folders, path, &folder))
        return NULL;
    return site_slot_find(site, slice_part(path, 0, path.size - name.size + 1))->page;
}

struct site_match site_match_folder(const struct site *site, struct slice path)
{
    struct page *index = find_slashed(site, path);
    if (!index)
        index = find_index(site, path);
    return (struct site_match){ index ? SITE_REDIRECT : SITE_NOTHING, index };
}

void site_find(const struct site *site, struct slice path, struct site_match *match)
{
    *match = site_match_of(site, path);
}

struct page *site_page(const struct site *site, struct slice path)
{
    struct page *page = site_slot_find(site, path)->page;

    return page && page_address(page).size == path.size ? page : NULL;
}

struct slice site_folder(const struct page *index)
{
    struct slice address = page_address(index);
    return slice_part(address, 0, address.size - index_name.size);
}

struct site_stats site_stats(const struct site *site)
{
    struct site_stats stats = { .pages = site->tree.count, .skipped = site->tree.skips.count };

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

static void leave_pages(struct site *site)
{
    for (size_t i = 0; i < site->tree.count; i++)
        leave_page(site, site->tree.pages[i]);
}

static void gone(struct hold *hold)
{
    struct site *site = LINK_OWNER(hold, struct site, hold);

    leave_pages(site);
    site_folders_free(site->folders);
    tree_fini(&site->tree);
    files_close_root(&site->files);
    headers_free(site->headers);
    rules_free(site->redirects);
    free(site->slots);
    free(site);
}

/* The page of this file in the generation before, be it hidden. */
static struct page *find_before(const void *user, struct slice path)
{
    const struct site *before = user;
    char address[UINT16_MAX];

    if (path.size + 1 > sizeof address)
        return NULL;
    address[0] = '/';
    memcpy(address + 1, path.data, path.size);
    struct slice exact = slice_make(address, path.size + 1);
    struct page *page = site_page(before, exact);
    return page ? page : site_slot_find_hidden(before, exact)->page;
}

/* A file at the root that is never a page. */
static const struct page *find_hosted(const struct site *site, struct slice path)
{
    const struct tree_folder *root = site->tree.folder_count > 0 ? &site->tree.folders[0] : NULL;

    for (size_t i = 0; root && i < root->page_count; i++)
        if (slice_equal(page_address(site->tree.pages[root->first_page + i]), path))
            return site->tree.pages[root->first_page + i];
    return NULL;
}

static char *read_hosted(const struct site *site, struct slice path, struct slice *text, const struct log *log)
{
    const struct page *page = find_hosted(site, path);
    char *bytes = page ? loader_read(&site->files, page, HOSTED_SIZE_MAX) : NULL;

    if (page && !bytes)
        log_write(log, LOG_LEVEL_WARN, "not used, %s: %s", strerror(errno), page->path);
    *text = slice_make(bytes, bytes ? (size_t)page->size : 0);
    return bytes;
}

static void read_words(struct site *site, const struct log *log)
{
    struct slice text;
    char *headers = read_hosted(site, SLICE("/_headers"), &text, log);

    site->headers = headers ? headers_parse(text, log) : NULL;
    free(headers);
    char *redirects = read_hosted(site, SLICE("/_redirects"), &text, log);
    site->redirects = redirects ? redirects_parse(text, log) : NULL;
    free(redirects);
    site->wardrobe = (struct wardrobe){ site->config->rules, site->headers };
}

static bool same_words(const struct site *site, const struct site *before, struct slice path)
{
    const struct page *now = find_hosted(site, path), *then = find_hosted(before, path);
    if (!now || !then)
        return now == then;
    return now->size == then->size && now->modified_ns == then->modified_ns && now->inode == then->inode;
}

/* What was skipped before is known, even where nothing else is taken over. */
static bool walk(struct site *site, const struct site *before, const struct changes *changes)
{
    struct tree_before earlier = { .changes = changes, .find = find_before, .user = before };
    if (before && changes)
        earlier.tree = &before->tree;
    if (before)
        earlier.skips = &before->tree.skips;
    return tree_walk(&site->tree, &site->files, &earlier, site->store->log);
}

/* What is prepared of a page depends on these files, so a change in them changes every page. */
static bool walk_again(struct site *site)
{
    const struct skips skips = site->tree.skips;
    leave_pages(site);
    tree_fini(&site->tree);
    return tree_walk(&site->tree, &site->files, &(struct tree_before){ .skips = &skips }, site->store->log);
}

static bool fill(struct site *site, const struct site *before, const struct changes *changes)
{
    if (!walk(site, before, changes))
        return false;
    bool same = before && same_words(site, before, SLICE("/_headers")) &&
                same_words(site, before, SLICE("/_redirects"));
    if (before && !same && !walk_again(site))
        return false;
    read_words(site, same ? &silent : site->store->log); /* what is wrong in them was told */
    if (site->config->lists && !(site->folders = site_folders_new(site)))
        return false;
    return site_table_build(site);
}

/* The very folder that the changes are about, or whatever the path leads to. */
static bool open_root(struct site *site, const struct changes *changes)
{
    if (!changes || changes->root_fd <= 0)
        return files_open_root(&site->files, site->config->root);
    char path[sizeof "/proc/self/fd/" + 3 * sizeof(int)];
    snprintf(path, sizeof path, "/proc/self/fd/%d", changes->root_fd);
    return files_open_root(&site->files, path) || files_open_root(&site->files, site->config->root);
}

struct site *site_build(const struct site_config *config, struct store *store, const struct site *before,
                        const struct changes *changes)
{
    struct site *site = calloc(1, sizeof *site);

    if (!site)
        return NULL;
    hold_init(&site->hold, gone);
    site->store = store;
    site->config = config;
    if (!open_root(site, changes)) {
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
