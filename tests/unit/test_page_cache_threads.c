/* The cache among threads, as in the server: workers that hit and ask, background threads that load and resize, and one
 * that closes pages and brings newer ones. What leaves is freed as soon as every thread has been at rest since; so a
 * thread that finds what it must not find shows as a use of freed memory (address sanitizer), and an order that is
 * missing between two threads as a race (thread sanitizer). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdlib.h>

#include "serve/page_cache.h"

enum {
    PAGES = 48,
    GENERATIONS = 20,
    WORKERS = 3,
    LOADERS = 2,
    THREADS = WORKERS + LOADERS + 1,
    TURNS = 1500,  /* of a worker */
    REQUESTS = 16, /* in a turn */
    BUDGET = 64 * 1024
};

#define ENDED UINT64_MAX /* the rests of a thread that has ended */

struct numbered {
    struct page_slot slot;
    unsigned number;
};

struct content {
    struct cached cached;
    struct content *next;
    unsigned number; /* of its page */
    unsigned *bytes; /* the same, again and again */
};

struct miss {
    struct page_load load;
    struct page_waiter waiter;
    const struct numbered *page;
    struct miss *next;
};

struct scene {
    struct page_cache cache;
    struct numbered pages[GENERATIONS][PAGES];
    _Atomic(struct numbered *) current[PAGES];
    pthread_mutex_t queue_lock;
    struct miss *queue;
    _Atomic uint64_t rests[THREADS]; /* how often each has been at rest */
    _Atomic uint64_t most;           /* bytes that were in memory at once */
    atomic_int hits, waiting, woken, workers_left;
};

struct actor {
    struct scene *scene;
    unsigned number;
    uint64_t random;
    struct content *newer, *older; /* retired */
    uint64_t since[THREADS];       /* the older ones may go when all have been at rest more often than that */
    pthread_t thread;
};

static unsigned draw(struct actor *actor, unsigned below)
{
    actor->random ^= actor->random << 13;
    actor->random ^= actor->random >> 7;
    actor->random ^= actor->random << 17;
    return (unsigned)((actor->random >> 20) % below);
}

/* cmocka's assertions belong to the thread that runs the test. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

/* ---- Freeing --------------------------------------------------------------------------------------------------- */

static void free_all(struct scene *scene, struct content *content)
{
    while (content) {
        struct content *next = content->next;
        page_cache_gone(&scene->cache, &content->cached);
        free(content->bytes);
        free(content);
        content = next;
    }
}

static void retire(struct actor *actor, struct cached *cached)
{
    struct content *content = (struct content *)cached;
    content->next = actor->newer;
    actor->newer = content;
}

static void retire_leavers(struct actor *actor, struct link *leavers)
{
    while (!list_empty(leavers)) {
        struct link *link = leavers->next;
        list_remove(link);
        retire(actor, (struct cached *)((char *)link - offsetof(struct cached, order.link)));
    }
}

/* This thread holds nothing any more that it has found. */
static void rest(struct actor *actor)
{
    struct scene *scene = actor->scene;

    atomic_fetch_add(&scene->rests[actor->number], 1);
    for (unsigned i = 0; i < THREADS; i++)
        if (atomic_load(&scene->rests[i]) <= actor->since[i] && actor->since[i] < ENDED)
            return;
    free_all(scene, actor->older);
    actor->older = actor->newer;
    actor->newer = NULL;
    for (unsigned i = 0; i < THREADS; i++)
        actor->since[i] = atomic_load(&scene->rests[i]);
}

static void rest_for_ever(struct actor *actor)
{
    atomic_store(&actor->scene->rests[actor->number], ENDED);
}

/* ---- Who loads ------------------------------------------------------------------------------------------------- */

static struct content *content_new(unsigned number, uint64_t size)
{
    struct content *content = calloc(1, sizeof *content);
    size_t count = size / sizeof *content->bytes + 1;

    content->number = number;
    content->cached.size = size;
    content->bytes = calloc(count, sizeof *content->bytes);
    for (size_t i = 0; i < count; i++)
        content->bytes[i] = number;
    return content;
}

static void note_most(struct scene *scene)
{
    struct page_cache_stats stats = page_cache_stats(&scene->cache);
    uint64_t sum = stats.present + stats.reserved + stats.leaving;

    if (sum > atomic_load(&scene->most))
        atomic_store(&scene->most, sum);
}

/* A waiter lies in a miss of its own, whose load came to nothing, or in the one whose load this was. */
static void wake(struct scene *scene, struct page_waiter *waiter, const struct miss *own)
{
    while (waiter) {
        struct miss *miss = (struct miss *)((char *)waiter - offsetof(struct miss, waiter));
        waiter = waiter->next;
        atomic_fetch_add(&scene->woken, 1);
        if (miss != own)
            free(miss);
    }
}

/* Some cannot be read; some are smaller than was thought, some larger; some grow afterwards, as by an encoding. */
static void load(struct actor *actor, struct miss *miss)
{
    struct page_cache *cache = &actor->scene->cache;
    uint64_t size = draw(actor, 20) ? draw(actor, 4096) : draw(actor, 3 * BUDGET / 16);
    struct link leavers;

    list_init(&leavers);
    if (draw(actor, 10) && page_cache_reserve(cache, &miss->load, size, &leavers)) {
        struct content *content = content_new(miss->page->number, draw(actor, 2) ? size : draw(actor, 4096));
        if (!page_cache_keep(cache, &miss->load, &content->cached, &leavers))
            retire(actor, &content->cached);
        else if (page_cache_resize(cache, &content->cached, draw(actor, 8192), &leavers))
            require(page_cache_admits(cache, 8191));
    }
    note_most(actor->scene);
    wake(actor->scene, page_cache_finish(cache, &miss->load), miss);
    free(miss);
    retire_leavers(actor, &leavers);
}

static struct miss *take_miss(struct scene *scene)
{
    pthread_mutex_lock(&scene->queue_lock);
    struct miss *miss = scene->queue;
    if (miss)
        scene->queue = miss->next;
    pthread_mutex_unlock(&scene->queue_lock);
    return miss;
}

static void *run_loader(void *argument)
{
    struct actor *actor = argument;

    for (bool over = false; !over;) {
        bool last = atomic_load(&actor->scene->workers_left) == 0;
        struct miss *miss = take_miss(actor->scene);
        if (miss)
            load(actor, miss);
        else
            sched_yield();
        over = last && !miss;
        rest(actor);
    }
    rest_for_ever(actor);
    return NULL;
}

/* ---- Who asks -------------------------------------------------------------------------------------------------- */

static void queue_load(struct scene *scene, struct miss *miss)
{
    pthread_mutex_lock(&scene->queue_lock);
    miss->next = scene->queue;
    scene->queue = miss;
    pthread_mutex_unlock(&scene->queue_lock);
}

static void ask_for(struct scene *scene, struct numbered *page, uint64_t stamp)
{
    struct miss *miss = calloc(1, sizeof *miss);

    miss->page = page;
    page_load_init(&miss->load, &page->slot, stamp);
    switch (page_cache_ask(&scene->cache, &miss->load, &miss->waiter)) {
    case PAGE_CACHE_LOAD:
        atomic_fetch_add(&scene->waiting, 1);
        queue_load(scene, miss);
        return;
    case PAGE_CACHE_WAIT:
        atomic_fetch_add(&scene->waiting, 1);
        return;
    case PAGE_CACHE_PRESENT:
    case PAGE_CACHE_CLOSED:
        free(miss);
    }
}

/* Low numbers more often than high ones. */
static void request(struct actor *actor, uint64_t stamp)
{
    struct scene *scene = actor->scene;
    struct numbered *page = atomic_load(&scene->current[draw(actor, 1 + draw(actor, PAGES))]);
    const struct content *content = (struct content *)page_cache_hit(&page->slot, stamp);

    if (!content) {
        ask_for(scene, page, stamp);
        return;
    }
    require(content->number == page->number && content->bytes[0] == page->number);
    atomic_fetch_add(&scene->hits, 1);
}

static void *run_worker(void *argument)
{
    struct actor *actor = argument;

    for (uint64_t turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < REQUESTS; i++)
            request(actor, page_cache_stamp(&actor->scene->cache, turn));
        rest(actor);
        sched_yield();
    }
    rest_for_ever(actor);
    atomic_fetch_sub(&actor->scene->workers_left, 1);
    return NULL;
}

/* ---- Who replaces pages ---------------------------------------------------------------------------------------- */

static void replace(struct actor *actor, unsigned generation, unsigned number)
{
    struct scene *scene = actor->scene;
    struct numbered *before = &scene->pages[generation - 1][number];

    atomic_store(&scene->current[number], &scene->pages[generation][number]);
    struct cached *cached = page_cache_close(&scene->cache, &before->slot);
    if (cached)
        retire(actor, cached);
}

static void *run_watcher(void *argument)
{
    struct actor *actor = argument;

    for (unsigned generation = 1; generation < GENERATIONS; generation++) {
        for (unsigned number = 0; number < PAGES; number++)
            replace(actor, generation, number);
        for (int i = 0; i < TURNS / GENERATIONS && atomic_load(&actor->scene->workers_left) > 0; i++) {
            rest(actor);
            sched_yield();
        }
    }
    rest_for_ever(actor);
    return NULL;
}

/* ---- All of them ----------------------------------------------------------------------------------------------- */

static struct scene *scene_new(const struct eviction_policy *policy)
{
    struct scene *scene = calloc(1, sizeof *scene);

    page_cache_init(&scene->cache, policy, BUDGET);
    pthread_mutex_init(&scene->queue_lock, NULL);
    for (unsigned generation = 0; generation < GENERATIONS; generation++)
        for (unsigned number = 0; number < PAGES; number++)
            scene->pages[generation][number].number = generation * PAGES + number + 1;
    for (unsigned number = 0; number < PAGES; number++)
        scene->current[number] = &scene->pages[0][number];
    scene->workers_left = WORKERS;
    return scene;
}

static void act(struct scene *scene, struct actor actors[static THREADS])
{
    for (unsigned i = 0; i < THREADS; i++) {
        void *(*run)(void *) = i < WORKERS ? run_worker : i < WORKERS + LOADERS ? run_loader : run_watcher;
        actors[i] = (struct actor){ .scene = scene, .number = i, .random = (i + 1) * 0x9E3779B97F4A7C15 };
        assert_int_equal(pthread_create(&actors[i].thread, NULL, run, &actors[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(actors[i].thread, NULL);
}

static void end(struct scene *scene, struct actor actors[static THREADS])
{
    for (unsigned generation = 0; generation < GENERATIONS; generation++)
        for (unsigned number = 0; number < PAGES; number++) {
            struct cached *cached = page_cache_close(&scene->cache, &scene->pages[generation][number].slot);
            if (cached)
                retire(&actors[0], cached);
        }
    for (unsigned i = 0; i < THREADS; i++) {
        free_all(scene, actors[i].newer);
        free_all(scene, actors[i].older);
    }
    assert_int_equal(page_cache_stats(&scene->cache).leaving, 0);
    page_cache_fini(&scene->cache);
    pthread_mutex_destroy(&scene->queue_lock);
    free(scene);
}

static void many_threads(void **state)
{
    (void)state;
    for (size_t p = 0; p < EVICTION_POLICIES; p++) {
        struct actor actors[THREADS];
        struct scene *scene = scene_new(&eviction_policies[p]);
        act(scene, actors);
        assert_null(scene->queue);
        assert_int_equal(scene->waiting, scene->woken);
        assert_true(scene->hits > 0);
        assert_true(scene->most <= BUDGET);
        assert_true(page_cache_stats(&scene->cache).evictions > 0);
        assert_int_equal(page_cache_stats(&scene->cache).reserved, 0);
        end(scene, actors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(many_threads) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
