/* The list, with the piece that is being sent, lies in the arena of the exchange; its entries are a block of their own.
 * Their names are slices of the site's, which is held until the response is over. */
#include "server/folder_list.h"

#include "http/accept.h"
#include "serve/listing.h"
#include "serve/site_folders.h"
#include "server/deferred.h"
#include "server/respond.h"

#include <assert.h>
#include <stdlib.h>

struct folder_list {
    struct job job;
    struct exchange *exchange;
    struct site *site; /* held */
    size_t folder;
    int64_t now_s;
    enum listing_format format;
    struct listing_entry *entries; /* malloc; NULL: no memory */
    struct listing listing;
};

/* ---- What is in it ------------------------------------------------------------------------------------------ */

/* The last segment: a folder's path has no slash at its end. */
static struct slice last_segment(struct slice path)
{
    size_t from = path.size;
    while (from > 0 && path.data[from - 1] != '/')
        from--;
    return slice_skip(path, from);
}

static size_t add_folders(const struct tree *tree, const struct tree_folder *folder, struct listing_entry *entries)
{
    size_t count = 0;
    for (size_t i = folder->first_folder; i < folder->first_folder + folder->folder_count; i++)
        if (site_folders_served(tree, i))
            entries[count++] = (struct listing_entry){ .name = last_segment(tree->folders[i].path), .is_folder = true,
                                                       .modified_s = -1 };
    return count;
}

static size_t add_pages(const struct tree *tree, const struct tree_folder *folder, int64_t now_s,
                        struct listing_entry *entries)
{
    size_t count = 0;
    for (size_t i = folder->first_page; i < folder->first_page + folder->page_count; i++) {
        const struct page *page = tree->pages[i];
        if (!page->hidden)
            entries[count++] = (struct listing_entry){ .name = last_segment(page_address(page)), .size = page->size,
                                                       .modified_s = page_modified_s(page->modified_ns, now_s) };
    }
    return count;
}

/* False: no memory. */
static bool fill(struct folder_list *list)
{
    const struct tree *tree = &list->site->tree;
    const struct tree_folder *folder = &tree->folders[list->folder];
    const struct request *request = &list->exchange->request;
    size_t most = folder->folder_count + folder->page_count;
    list->entries = malloc((most > 0 ? most : 1) * sizeof *list->entries);
    if (!list->entries)
        return false;
    size_t count = add_folders(tree, folder, list->entries);
    count += add_pages(tree, folder, list->now_s, list->entries + count);
    struct listing_folder found = { .path = request->path, .entries = list->entries, .count = count };
    listing_begin(&list->listing, &found, list->format, listing_order_of(request->target.query));
    return true;
}

/* ---- The response ------------------------------------------------------------------------------------------- */

static bool add_vary(struct exchange *exchange, const struct dress *dress)
{
    for (unsigned i = 0; i < dress->vary_count; i++)
        if (!exchange_add_field(exchange, SLICE("Vary"), dress->vary[i]))
            return false;
    return exchange_add_constant(exchange, SLICE("Vary"), SLICE("Accept"));
}

/* Whatever names are in it, nothing in it is run. What is said for this path takes its place: it may say who may frame
 * it, and of two policies both would hold, so that the styles would be lost all the same. */
static bool add_policy(struct exchange *exchange, const struct dress *dress)
{
    const struct slice name = SLICE("Content-Security-Policy");
    for (unsigned i = 0; i < dress->count; i++)
        if (slice_equal_nocase(dress->fields[i].name, name))
            return true;
    return exchange_add_constant(exchange, name, SLICE("default-src 'none'; style-src 'unsafe-inline'; "
                                                       "base-uri 'none'; form-action 'none'"));
}

static bool add_said(struct exchange *exchange, const struct dress *dress)
{
    for (unsigned i = 0; i < dress->count; i++)
        if (!exchange_add_field(exchange, dress->fields[i].name, dress->fields[i].value))
            return false;
    return dress->cache_control.size == 0 ||
           exchange_add_field(exchange, SLICE("Cache-Control"), dress->cache_control);
}

/* As a page at this path has them. Without a validator, so it is sent anew each time: whether it is the same would be
 * known only once it is made. */
static bool add_fields(struct exchange *exchange, const struct site *site, enum listing_format format)
{
    const struct request *request = &exchange->request;
    struct dress dress;
    dress_page(&dress, &site->wardrobe, &(struct occasion){
        .rule = dress_rule(&site->wardrobe, request->path), .page = request->path, .path = request->path,
        .origin = fields_get(&request->fields, FIELD_ORIGIN) });
    struct slice type = dress.type.size > 0 ? dress.type : listing_type(format);
    return exchange_add_field(exchange, SLICE("Content-Type"), type) && add_vary(exchange, &dress) &&
           add_said(exchange, &dress) && (format != LISTING_HTML || add_policy(exchange, &dress));
}

/* `listing` may be NULL, where nothing of it will be pulled. */
static void answer_with(struct exchange *exchange, const struct site *site, enum listing_format format,
                        struct listing *listing)
{
    if (!add_fields(exchange, site, format)) {
        respond_unavailable(exchange);
        return;
    }
    exchange->response.body = (struct body){ .kind = BODY_PULL, .pull = listing_pull, .user = listing, .fd = -1 };
    exchange->response.status = 200;
}

static void answer(struct exchange *exchange)
{
    struct folder_list *list = exchange->done_user;
    if (list->entries)
        answer_with(exchange, list->site, list->format, &list->listing);
    else
        respond_unavailable(exchange);
}

/* ---- The way ------------------------------------------------------------------------------------------------ */

/* Whatever became of the exchange. */
static void let_go(void *user)
{
    struct folder_list *list = user;
    free(list->entries);
    site_unref(list->site);
}

static void make(struct job *job)
{
    struct folder_list *list = (struct folder_list *)job;
    if (!exchange_abandoned(list->exchange))
        fill(list); /* without memory it has no entries */
    deferred_complete(list->exchange, answer);
}

static struct folder_list *list_new(struct exchange *exchange)
{
    bool settled = exchange_settle(exchange, exchange->head_size);
    return settled ? arena_take(&exchange->arena, sizeof(struct folder_list)) : NULL;
}

void folder_list_begin(struct exchange *exchange, struct site *site, size_t folder)
{
    const struct request *request = &exchange->request;
    enum listing_format format = accept_prefers_json(&request->fields) ? LISTING_JSON : LISTING_HTML;
    assert(slice_ends(request->path, SLICE("/")) && folder < site->tree.folder_count);
    if (request->method == METHOD_HEAD) {
        answer_with(exchange, site, format, NULL);
        return;
    }
    struct folder_list *list = list_new(exchange);
    if (!list) {
        respond_unavailable(exchange);
        return;
    }
    list->job.run = make;
    list->exchange = exchange;
    list->site = site;
    list->folder = folder;
    list->now_s = exchange->session->host->clock->unix_s;
    list->format = format;
    list->entries = NULL;
    hold_ref(&site->hold);
    exchange->done = let_go;
    exchange->done_user = list;
    deferred_begin(exchange);
    background_submit(exchange_worker(exchange)->server->background, &list->job);
}
