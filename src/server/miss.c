/* From a miss to the answer: on a background thread the page is read, or its file opened; back home it is answered.
 * What is needed for that lies in the arena of the exchange, which holds the page's site meanwhile.
 *
 * A file that is being written, or is not the one that the table knows, has to wait for the next generation, and then
 * the request goes its way anew. Not for long: what never holds still is sent as it is, but not if it is large, since
 * it is probably on its way to this disk. */
#include "server/miss.h"

#include "serve/loader.h"
#include "serve/static.h"
#include "server/deferred.h"
#include "server/pages.h"
#include "server/respond.h"

#include <errno.h>

enum { PATIENCE_MS = WATCHER_LATEST_MS + 200 }; /* of a request, in which the next generation comes, if any does */

struct miss {
    struct job job;
    struct page_load load;
    struct page_waiter waiter;
    struct exchange *exchange;
    struct page_reply reply;       /* its site is held */
    struct content *content;  /* held; NULL: it is sent from */
    struct static_file file;  /* this */
    struct vhost *vhost;
    const struct generation *seen; /* that it was asked for in; may be gone */
    struct vhost_waiter pause;
    uint64_t patience_ms;     /* it waits until then */
    bool moves;               /* and that was not enough */
};

/* Whatever became of the exchange. */
static void let_go(void *user)
{
    struct miss *miss = user;
    if (miss->content != NULL)
        hold_unref(&miss->content->hold);
    static_close(&miss->file);
    site_unref(miss->reply.site);
}

/* A page that is there and may not be read by us: 403. What is hidden, and what lies in a folder that may not be read,
 * has no address and is a 404 like anything else that is not there. */
static unsigned status_of(int error)
{
    if (error == ENOENT)
        return 404;
    return error == EACCES ? 403 : 503;
}

static void answer(struct exchange *exchange)
{
    struct miss *miss = exchange->done_user;
    if (miss->content != NULL)
        reply_with_content(exchange, &miss->reply, miss->content);
    else if (miss->moves)
        respond_unavailable(exchange);
    else if (miss->file.descriptor != NULL)
        reply_with_file(exchange, &miss->reply, &miss->file);
    else
        respond_error(exchange, status_of(miss->file.error), 0, SLICE(""));
}

static void again(struct exchange *exchange)
{
    let_go(exchange->done_user);
    exchange->done = NULL;
    pages_answer_again(exchange);
}

static void go_home(struct vhost_waiter *waiter)
{
    deferred_complete(LINK_OWNER(waiter, struct miss, pause)->exchange, again);
}

/* For how long it is worth waiting for something better than this file. */
static unsigned wait_ms(const struct static_file *file)
{
    unsigned still_ms = file->changed ? PATIENCE_MS : STATIC_STILL_MS;
    return file->descriptor != NULL && file->age_ms < still_ms ? still_ms - file->age_ms : 0;
}

/* A large one that has not held still in all the time there was. */
static bool moves(const struct miss *miss)
{
    bool large = !page_cache_admits(&miss->reply.site->store->cache, content_weight(miss->file.size));
    bool moving = miss->file.descriptor != NULL && miss->file.age_ms < STATIC_STILL_MS;
    return large && moving && atomic_load_explicit(&miss->vhost->followed, memory_order_relaxed);
}

/* From vhost_await on, if that says so, the miss may be gone. */
static void open_file(struct miss *miss)
{
    struct clock clock = { .now_ms = 0 };
    miss->file = static_open(miss->reply.site->store, &miss->reply.site->files, miss->reply.page);
    clock_update(&clock);
    uint64_t until_ms = clock.now_ms + wait_ms(&miss->file);
    if (until_ms > miss->patience_ms)
        until_ms = miss->patience_ms;
    miss->pause = (struct vhost_waiter){ .until_ms = until_ms, .wake = go_home };
    if (clock.now_ms < until_ms && vhost_await(miss->vhost, &miss->pause, miss->seen))
        return;
    miss->moves = moves(miss);
    deferred_complete(miss->exchange, answer);
}

void miss_wake(struct page_waiter *waiter, struct content *content)
{
    struct miss *miss = LINK_OWNER(waiter, struct miss, waiter);
    if (content == NULL) {
        open_file(miss);
        return;
    }
    hold_ref(&content->hold);
    miss->content = content;
    deferred_complete(miss->exchange, answer);
}

/* Those who wait are woken at the end, this miss among them: from then on it may be gone. */
static void load(struct job *job)
{
    struct miss *miss = (struct miss *)job;
    struct store *store = miss->reply.site->store;
    struct site *site = miss->reply.site;
    struct content *content = NULL;
    hold_ref(&site->hold); /* the miss may have been answered, and have let go, before the load has ended */
    if (loader_load(site, miss->reply.page, &miss->load, &content) != LOADED)
        content = NULL;
    loader_end(store, &miss->load, content);
    site_unref(site);
}

static void open_only(struct job *job)
{
    open_file((struct miss *)job);
}

static void submit(struct miss *miss, void (*run)(struct job *job))
{
    miss->job.run = run;
    background_submit(exchange_worker(miss->exchange)->server->background, &miss->job);
}

/* From the first of these calls on the exchange may be answered at any moment. */
static void ask(struct miss *miss, struct store *store)
{
    if (!page_cache_admits(&store->cache, content_weight(miss->reply.page->size))) {
        submit(miss, open_only);
        return;
    }
    switch (page_cache_ask(&store->cache, &miss->load, &miss->waiter)) {
    case PAGE_CACHE_WAIT:
        return;
    case PAGE_CACHE_LOAD:
        submit(miss, load);
        return;
    case PAGE_CACHE_PRESENT: /* a moment ago it was not, and soon it may not be any more: its file is there */
    case PAGE_CACHE_CLOSED:
        submit(miss, open_only);
        return;
    }
}

void miss_begin(struct exchange *exchange, const struct page_reply *reply)
{
    struct miss *miss = NULL;
    if (exchange_settle(exchange, exchange->head_size))
        miss = arena_take(&exchange->arena, sizeof *miss);
    if (miss == NULL) {
        respond_unavailable(exchange);
        return;
    }
    struct vhost *vhost = vhost_of(exchange);
    *miss = (struct miss){ .exchange = exchange, .reply = *reply, .vhost = vhost, .seen = vhost_generation(vhost),
                           .patience_ms = exchange->begun_ms + PATIENCE_MS };
    struct store *store = reply->site->store;
    uint64_t stamp = page_cache_stamp(&store->cache, exchange->session->host->clock->now_ms);
    page_load_init(&miss->load, &reply->page->slot, stamp);
    hold_ref(&reply->site->hold);
    exchange->done = let_go;
    exchange->done_user = miss;
    deferred_begin(exchange);
    ask(miss, store);
}
