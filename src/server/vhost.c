/* The life of a virtual host: load, warm, follow, end. See vhost.h. */
#include "server/vhost.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "serve/warmer.h"
#include "server/guard.h"
#include "server/warming.h"

enum {
    PRELOADED_MAX = 4096,  /* new pages read before a generation is published, so that nobody waits for them */
    RECLAIM_TRIES = 200,   /* how often it is looked whether the generation before can go, so many ms apart */
    RECLAIM_MS = 5,
    BUILD_TRIES = 30,      /* descriptors or memory may be short for a while */
    BUILD_AGAIN_MS = 1000,
    MEMORY_MAX = 64 << 20  /* of a host's texts */
};

/* ---- Generations -------------------------------------------------------------------------------------------- */

/* With those behind it. */
static void generation_free(struct generation *generation)
{
    while (generation) {
        struct generation *before = atomic_load_explicit(&generation->before, memory_order_relaxed);
        errors_free(generation->errors);
        site_unref(generation->site);
        free(generation);
        generation = before;
    }
}

static void retired(struct retired *retired)
{
    generation_free(LINK_OWNER(retired, struct generation, retired));
}

/* Takes over the site, which may be NULL. NULL: no memory; the site is still the caller's. */
static struct generation *generation_new(struct site *site)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (!generation)
        return NULL;
    generation->site = site;
    generation->errors = errors_new(site);
    if (generation->errors)
        return generation;
    free(generation);
    errno = ENOMEM;
    return NULL;
}

struct vhost *vhost_new(struct store *store)
{
    struct vhost *vhost = calloc(1, sizeof *vhost);
    if (!vhost)
        return NULL;
    vhost->store = store;
    vhost->grace_ms = VHOST_GRACE_MS;
    vhost->grace_pages = VHOST_GRACE_PAGES;
    arena_init(&vhost->memory, vhost->first, sizeof vhost->first, MEMORY_MAX);
    list_init(&vhost->waiting);
    pthread_mutex_init(&vhost->lock, NULL);
    return vhost;
}

bool vhost_load(struct vhost *vhost)
{
    struct site *site = vhost->config.root ? site_build(&vhost->config, vhost->store, NULL, NULL) : NULL;
    if (vhost->config.root && !site)
        return false;
    struct generation *generation = generation_new(site);
    if (!generation)
        site_unref(site);
    atomic_store_explicit(&vhost->generation, generation, memory_order_release);
    return generation != NULL;
}

/* ---- Following the disk ------------------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    struct clock clock = { .now_ms = 0 };
    clock_update(&clock);
    return clock.now_ms;
}

/* Those whose grace is over go, as soon as no worker sees them, but for what somebody holds of them; and of those that
 * are too many pages to be kept beside one another all but the last. False: none. */
static bool end_grace(struct vhost *vhost)
{
    struct generation *last = atomic_load_explicit(&vhost->generation, memory_order_relaxed), *before;
    uint64_t now = now_ms();
    size_t pages = 0;

    while ((before = atomic_load_explicit(&last->before, memory_order_relaxed)) && pages < vhost->grace_pages &&
           now < atomic_load_explicit(&last->before_until_ms, memory_order_relaxed)) {
        pages += before->site->tree.count;
        last = before;
    }
    if (!before)
        return false;
    atomic_store_explicit(&last->before, NULL, memory_order_release);
    qsbr_retire(vhost->store->qsbr, &before->retired, retired);
    for (unsigned tries = 0; tries < RECLAIM_TRIES && qsbr_reclaim(vhost->store->qsbr) > 0; tries++)
        poll(NULL, 0, RECLAIM_MS);
    return true;
}

bool vhost_await(struct vhost *vhost, struct vhost_waiter *waiter, const struct generation *seen)
{
    pthread_mutex_lock(&vhost->lock);
    bool followed = atomic_load_explicit(&vhost->followed, memory_order_relaxed);
    bool there = seen != atomic_load_explicit(&vhost->generation, memory_order_relaxed);
    list_init(&waiter->link);
    if (followed && !there)
        list_append(&vhost->waiting, &waiter->link);
    pthread_mutex_unlock(&vhost->lock);
    if (followed && there)
        waiter->wake(waiter);
    return followed;
}

/* Those whose time is over. Once woken they may be gone. */
static void wake(struct vhost *vhost, uint64_t now)
{
    struct link due, *next;

    list_init(&due);
    pthread_mutex_lock(&vhost->lock);
    for (struct link *at = vhost->waiting.next; at != &vhost->waiting; at = next) {
        next = at->next;
        if (LINK_OWNER(at, struct vhost_waiter, link)->until_ms > now)
            continue;
        list_remove(at);
        list_append(&due, at);
    }
    pthread_mutex_unlock(&vhost->lock);
    while (!list_empty(&due)) {
        struct vhost_waiter *waiter = LINK_OWNER(due.next, struct vhost_waiter, link);
        list_remove(&waiter->link);
        waiter->wake(waiter);
    }
}

/* The grace begins when the next one is there for all to see: whoever met this one before that has all of it. */
static void replace(struct vhost *vhost, struct generation *next)
{
    struct generation *before = atomic_load_explicit(&vhost->generation, memory_order_relaxed);

    atomic_init(&next->before, before);
    atomic_init(&next->before_until_ms, UINT64_MAX);
    pthread_mutex_lock(&vhost->lock);
    atomic_store_explicit(&vhost->generation, next, memory_order_release);
    pthread_mutex_unlock(&vhost->lock);
    atomic_store_explicit(&next->before_until_ms, now_ms() + vhost->grace_ms, memory_order_relaxed);
    wake(vhost, UINT64_MAX);
    end_grace(vhost);
}

struct page *vhost_find_before(const struct vhost *vhost, struct slice path, uint64_t now, struct site **site)
{
    const struct generation *at = vhost_generation(vhost), *before;
    struct site_match match;

    for (; (before = atomic_load_explicit(&at->before, memory_order_acquire)); at = before) {
        if (now >= atomic_load_explicit(&at->before_until_ms, memory_order_relaxed))
            return NULL;
        site_find(before->site, path, &match);
        if (match.found == SITE_PAGE) {
            *site = before->site;
            return match.page;
        }
    }
    return NULL;
}

/* One without pages may have come or gone, which only a list shows. */
static bool same_folders(const struct tree *a, const struct tree *b)
{
    if (a->folder_count != b->folder_count)
        return false;
    for (size_t i = 0; i < a->folder_count; i++)
        if (!slice_equal(a->folders[i].path, b->folders[i].path))
            return false;
    return true;
}

static bool same_pages(const struct site *a, const struct site *b)
{
    size_t count = a->tree.count;
    if (count != b->tree.count || count == 0)
        return count == b->tree.count;
    return memcmp(a->tree.pages, b->tree.pages, count * sizeof *a->tree.pages) == 0;
}

static void publish(struct vhost *vhost, struct site *site)
{
    struct generation *next = generation_new(site);
    if (!next) {
        site_unref(site);
        vhost->stale = true;
        log_write(vhost->store->log, LOG_LEVEL_WARN, "%s: out of memory; what was served goes on being served",
                  vhost->config.root);
        return;
    }
    replace(vhost, next);
    warming_begin(vhost->warming, site);
}

/* What could not be taken in the last time is not in these changes: then everything is looked at. */
static struct site *build(struct vhost *vhost, const struct site *before, const struct changes *changes)
{
    struct change all = { SLICE(""), true };
    const struct changes everything = { .at = &all, .count = 1, .root_fd = changes->root_fd };
    struct site *site = site_build(&vhost->config, vhost->store, before, vhost->stale ? &everything : changes);
    for (unsigned tries = 0; !site && tries < BUILD_TRIES && !atomic_load(&vhost->ending); tries++) {
        log_write(vhost->store->log, LOG_LEVEL_WARN, "%s: cannot be read: %s; what was served goes on being served",
                  vhost->config.root, strerror(errno));
        poll(NULL, 0, BUILD_AGAIN_MS);
        site = site_build(&vhost->config, vhost->store, before, &everything);
    }
    vhost->stale = site == NULL;
    return site;
}

static void changed(void *user, const struct changes *changes)
{
    struct vhost *vhost = user;
    const struct site *before = atomic_load_explicit(&vhost->generation, memory_order_relaxed)->site;
    struct site *site = build(vhost, before, changes);
    if (!site)
        return;
    if (!changes->root_replaced && same_pages(site, before) && same_folders(&site->tree, &before->tree)) {
        site_unref(site);
        return;
    }
    warmer_load_new(site, PRELOADED_MAX, &vhost->ending);
    publish(vhost, site);
}

/* There may be room now for what had none beside the generation before. */
static void tend(void *user)
{
    struct vhost *vhost = user;
    wake(vhost, now_ms());
    if (end_grace(vhost))
        warming_begin(vhost->warming, atomic_load_explicit(&vhost->generation, memory_order_relaxed)->site);
}

bool vhost_follow(struct vhost *vhost, enum vhost_watch watch)
{
    struct watcher_settings settings = { .root = vhost->config.root, .rescans = watch == VHOST_WATCH_RESCAN,
                                         .log = vhost->store->log, .changed = changed, .tend = tend, .user = vhost };
    if (!vhost->config.root || watch == VHOST_WATCH_OFF)
        return true;
    vhost->watcher = watcher_new(&settings);
    bool followed = vhost->watcher && watcher_start(vhost->watcher);
    atomic_store(&vhost->followed, followed);
    return followed;
}

void vhost_warm(struct vhost *vhost, unsigned threads, unsigned wait_ms)
{
    struct site *site = vhost_generation(vhost)->site;
    if (!site)
        return;
    vhost->warming = warming_new(threads);
    warming_begin(vhost->warming, site);
    warming_wait(vhost->warming, wait_ms);
}

/* ---- The end ------------------------------------------------------------------------------------------------ */

void vhost_stop(struct vhost *vhost)
{
    atomic_store(&vhost->ending, true);
    watcher_free(vhost->watcher);
    vhost->watcher = NULL;
    pthread_mutex_lock(&vhost->lock); /* who waits by then is woken, and nobody begins to */
    atomic_store(&vhost->followed, false);
    pthread_mutex_unlock(&vhost->lock);
    wake(vhost, UINT64_MAX);
    warming_free(vhost->warming);
    vhost->warming = NULL;
}

void vhost_free(struct vhost *vhost)
{
    if (!vhost)
        return;
    generation_free(atomic_load(&vhost->generation));
    guards_free(vhost->guards);
    rules_free(vhost->rules);
    arena_give_back(&vhost->memory);
    pthread_mutex_destroy(&vhost->lock);
    free(vhost);
}

struct site_stats vhost_stats(struct vhost *vhost)
{
    struct site_stats stats = { 0 };

    pthread_mutex_lock(&vhost->lock);
    const struct generation *generation = atomic_load_explicit(&vhost->generation, memory_order_relaxed);
    if (generation && generation->site)
        stats = site_stats(generation->site);
    pthread_mutex_unlock(&vhost->lock);
    return stats;
}
