/* The budget at its edges, the states of slots, who waits for a load, and a random run in which the books are kept a
 * second time. Which of several leaves is test_eviction's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/page_cache.h"

enum {
    BUDGET = 12800,
    MARGIN = BUDGET / PAGE_CACHE_MARGIN,
    SHARE_MAX = BUDGET / PAGE_CACHE_SHARE,
    FULL = PAGE_CACHE_MARGIN - 2, /* pages of MARGIN bytes */
    NEW = FULL,                   /* the first page beside those */
    PAGES = FULL + 20
};

struct scene {
    struct page_cache cache;
    struct page_slot slots[PAGES];
    struct cached contents[PAGES];
    struct page_load loads[PAGES];
    struct link leavers;
};

static void begin_with(struct scene *scene, const char *policy, uint64_t bytes_max)
{
    *scene = (struct scene){ 0 };
    page_cache_init(&scene->cache, page_cache_policy_named(slice_text(policy)), bytes_max);
    list_init(&scene->leavers);
}

static void begin(struct scene *scene)
{
    begin_with(scene, "sieve", BUDGET);
}

static struct cached *next_leaver(struct scene *scene)
{
    if (list_empty(&scene->leavers))
        return NULL;
    struct cached *cached = (struct cached *)((char *)scene->leavers.next - offsetof(struct cached, order.link));
    list_remove(&cached->order.link);
    return cached;
}

/* All who left are gone now; how many. */
static unsigned let_go(struct scene *scene)
{
    unsigned count = 0;
    for (struct cached *cached; (cached = next_leaver(scene)); count++)
        page_cache_gone(&scene->cache, cached);
    return count;
}

static void end(struct scene *scene)
{
    let_go(scene);
    for (int i = 0; i < PAGES; i++) {
        struct cached *cached = page_cache_close(&scene->cache, &scene->slots[i]);
        if (cached)
            page_cache_gone(&scene->cache, cached);
    }
    struct page_cache_stats stats = page_cache_stats(&scene->cache);
    assert_int_equal(stats.objects, 0);
    assert_int_equal(stats.present, 0);
    assert_int_equal(stats.reserved, 0);
    assert_int_equal(stats.leaving, 0);
    page_cache_fini(&scene->cache);
}

static enum page_cache_asked ask(struct scene *scene, int page, uint64_t stamp, struct page_waiter *waiter)
{
    page_load_init(&scene->loads[page], &scene->slots[page], stamp);
    return page_cache_ask(&scene->cache, &scene->loads[page], waiter);
}

static bool reserve(struct scene *scene, int page, uint64_t size)
{
    return page_cache_reserve(&scene->cache, &scene->loads[page], size, &scene->leavers);
}

static bool keep(struct scene *scene, int page, uint64_t size)
{
    scene->contents[page].size = size;
    return page_cache_keep(&scene->cache, &scene->loads[page], &scene->contents[page], &scene->leavers);
}

static struct page_waiter *finish(struct scene *scene, int page)
{
    return page_cache_finish(&scene->cache, &scene->loads[page]);
}

/* The whole way of a miss. */
static bool load(struct scene *scene, int page, uint64_t size)
{
    assert_int_equal(ask(scene, page, 1, NULL), PAGE_CACHE_LOAD);
    bool kept = reserve(scene, page, size) && keep(scene, page, size);
    assert_null(finish(scene, page));
    assert_int_equal(kept, page_cache_find(&scene->slots[page]) != NULL);
    return kept;
}

static bool present(struct scene *scene, int page)
{
    return page_cache_find(&scene->slots[page]) == &scene->contents[page];
}

/* present, reserved, leaving */
static void assert_sums(struct scene *scene, uint64_t present_bytes, uint64_t reserved, uint64_t leaving)
{
    struct page_cache_stats stats = page_cache_stats(&scene->cache);
    assert_int_equal(stats.present, present_bytes);
    assert_int_equal(stats.reserved, reserved);
    assert_int_equal(stats.leaving, leaving);
}

/* ---- States ---------------------------------------------------------------------------------------------------- */

static void small(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct page_slot), sizeof(void *));
    assert_true(sizeof(struct cached) <= 40);
    assert_string_equal(page_cache_policy_named(SLICE("lru"))->name.data, "lru");
    assert_null(page_cache_policy_named(SLICE("fifo")));
}

static void once_for_all_that_wait(void **state)
{
    struct scene scene;
    struct page_waiter waiters[3];
    struct page_load other;
    (void)state;

    begin(&scene);
    assert_null(page_cache_hit(&scene.slots[0], 1));
    assert_int_equal(ask(&scene, 0, 1, &waiters[0]), PAGE_CACHE_LOAD);
    assert_null(page_cache_hit(&scene.slots[0], 1));
    page_load_init(&other, &scene.slots[0], 1);
    assert_int_equal(page_cache_ask(&scene.cache, &other, &waiters[1]), PAGE_CACHE_WAIT);
    assert_int_equal(page_cache_ask(&scene.cache, &other, NULL), PAGE_CACHE_WAIT);
    assert_int_equal(ask(&scene, 1, 1, NULL), PAGE_CACHE_LOAD); /* another page is another load */

    assert_true(reserve(&scene, 0, 100));
    assert_sums(&scene, 0, 100, 0);
    assert_int_equal(page_cache_ask(&scene.cache, &other, &waiters[2]), PAGE_CACHE_WAIT);
    assert_true(keep(&scene, 0, 90));
    assert_sums(&scene, 90, 0, 0);
    assert_true(present(&scene, 0));
    assert_ptr_equal(page_cache_hit(&scene.slots[0], 1), &scene.contents[0]);
    assert_int_equal(page_cache_ask(&scene.cache, &other, NULL), PAGE_CACHE_PRESENT);

    struct page_waiter *first = finish(&scene, 0);
    assert_ptr_equal(first, &waiters[0]);
    assert_ptr_equal(first->next, &waiters[1]);
    assert_ptr_equal(first->next->next, &waiters[2]);
    assert_null(waiters[2].next);
    assert_true(present(&scene, 0));
    assert_null(finish(&scene, 1));
    end(&scene);
}

static void in_error_too(void **state)
{
    struct scene scene;
    struct page_waiter waiter;
    (void)state;

    begin(&scene);
    assert_int_equal(ask(&scene, 0, 1, &waiter), PAGE_CACHE_LOAD);
    assert_true(reserve(&scene, 0, 100));
    assert_ptr_equal(finish(&scene, 0), &waiter);
    assert_null(waiter.next);
    assert_sums(&scene, 0, 0, 0);
    assert_true(load(&scene, 0, 100)); /* it can be tried again */
    end(&scene);
}

static void closed_for_good(void **state)
{
    struct scene scene;
    struct page_waiter waiter;
    (void)state;

    begin(&scene);
    assert_null(page_cache_close(&scene.cache, &scene.slots[0])); /* absent */
    assert_int_equal(ask(&scene, 0, 1, NULL), PAGE_CACHE_CLOSED);
    assert_null(page_cache_find(&scene.slots[0]));

    assert_true(load(&scene, 1, 100)); /* present */
    assert_ptr_equal(page_cache_close(&scene.cache, &scene.slots[1]), &scene.contents[1]);
    assert_int_equal(ask(&scene, 1, 1, NULL), PAGE_CACHE_CLOSED);
    assert_null(page_cache_find(&scene.slots[1]));
    assert_null(page_cache_close(&scene.cache, &scene.slots[1]));
    assert_sums(&scene, 0, 0, 100);
    page_cache_gone(&scene.cache, &scene.contents[1]);
    assert_sums(&scene, 0, 0, 0);

    assert_int_equal(ask(&scene, 2, 1, &waiter), PAGE_CACHE_LOAD); /* loading */
    assert_true(reserve(&scene, 2, 100));
    assert_null(page_cache_close(&scene.cache, &scene.slots[2]));
    assert_false(keep(&scene, 2, 90));
    assert_sums(&scene, 0, 0, 90); /* read, and in memory until it is freed */
    assert_ptr_equal(finish(&scene, 2), &waiter);
    assert_int_equal(ask(&scene, 2, 1, NULL), PAGE_CACHE_CLOSED);
    assert_false(page_cache_resize(&scene.cache, &scene.contents[2], 1, &scene.leavers));
    page_cache_shrink(&scene.cache, &scene.contents[2], 1);
    assert_sums(&scene, 0, 0, 90);
    page_cache_gone(&scene.cache, &scene.contents[2]);
    end(&scene);
}

/* The request that a page is loaded for is no hit by sieve, only those that join it are. To lru it is a use. */
static void what_content_starts_with(void **state)
{
    static const struct {
        const char *policy;
        uint64_t asked[3]; /* ms; 0: nobody */
        uint64_t mark;
    } cases[] = {
        { "sieve", { 70 }, 0 },     { "sieve", { 70, 71 }, 1 },   { "lru", { 70 }, 71 },
        { "lru", { 70, 80 }, 81 },  { "lru", { 70, 60 }, 71 },    { "lru", { 70, 90, 80 }, 91 },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene;
        begin_with(&scene, cases[i].policy, BUDGET);
        assert_int_equal(ask(&scene, 0, page_cache_stamp(&scene.cache, cases[i].asked[0]), NULL), PAGE_CACHE_LOAD);
        for (int other = 1; other < 3 && cases[i].asked[other]; other++) {
            struct page_load join;
            page_load_init(&join, &scene.slots[0], page_cache_stamp(&scene.cache, cases[i].asked[other]));
            assert_int_equal(page_cache_ask(&scene.cache, &join, NULL), PAGE_CACHE_WAIT);
        }
        assert_true(reserve(&scene, 0, 10) && keep(&scene, 0, 10));
        assert_null(finish(&scene, 0));
        assert_int_equal(atomic_load(&scene.contents[0].order.mark), cases[i].mark);
        assert_ptr_equal(page_cache_find(&scene.slots[0]), &scene.contents[0]);
        assert_int_equal(atomic_load(&scene.contents[0].order.mark), cases[i].mark);
        page_cache_hit(&scene.slots[0], page_cache_stamp(&scene.cache, 200));
        assert_int_equal(atomic_load(&scene.contents[0].order.mark), page_cache_stamp(&scene.cache, 200));
        end(&scene);
    }
}

/* ---- The budget ------------------------------------------------------------------------------------------------ */

static void admission(void **state)
{
    static const struct {
        uint64_t bytes_max, size;
        bool admitted;
    } cases[] = {
        { 0, 0, true },           { 0, 1, false },          { 7, 1, false },
        { 8, 1, true },           { 8, 2, false },          { 3200, 400, true },
        { 3200, 401, false },     { 3207, 401, false },     { 3208, 401, true },
        { UINT64_MAX, UINT64_MAX / 8, true },               { UINT64_MAX, UINT64_MAX / 8 + 1, false },
        { UINT64_MAX, UINT64_MAX, false },                  { 3200, UINT64_MAX, false },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene;
        begin_with(&scene, "sieve", cases[i].bytes_max);
        assert_int_equal(page_cache_admits(&scene.cache, cases[i].size), cases[i].admitted);
        assert_int_equal(load(&scene, 0, cases[i].size), cases[i].admitted);
        assert_sums(&scene, cases[i].admitted ? cases[i].size : 0, 0, 0);
        end(&scene);
    }
}

/* Many loads at a time share the whole budget, margin and all, and not a byte more. */
static void loads_cannot_exceed_it(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene);
    for (int i = 0; i < 10; i++)
        assert_int_equal(ask(&scene, i, 1, NULL), PAGE_CACHE_LOAD);
    for (int i = 0; i < PAGE_CACHE_SHARE; i++)
        assert_true(reserve(&scene, i, SHARE_MAX));
    assert_false(reserve(&scene, 8, 1));
    assert_true(reserve(&scene, 8, 0));
    assert_false(keep(&scene, 9, 1)); /* nor without a reservation */
    assert_int_equal(scene.contents[9].size, 0);
    assert_sums(&scene, 0, BUDGET, 0);
    assert_int_equal(page_cache_room(&scene.cache), 0);
    assert_null(finish(&scene, 0));
    assert_true(reserve(&scene, 8, 1));
    assert_true(keep(&scene, 1, SHARE_MAX));
    assert_sums(&scene, SHARE_MAX, 6 * SHARE_MAX + 1, 0);
    for (int i = 1; i < 10; i++)
        assert_null(finish(&scene, i));
    assert_sums(&scene, SHARE_MAX, 0, 0);
    assert_int_equal(page_cache_stats(&scene.cache).refusals, 2);
    end(&scene);
}

static void reserving_again(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene);
    assert_int_equal(ask(&scene, 0, 1, NULL), PAGE_CACHE_LOAD);
    assert_true(reserve(&scene, 0, 100));
    assert_true(reserve(&scene, 0, 150));
    assert_sums(&scene, 0, 150, 0);
    assert_true(reserve(&scene, 0, 20)); /* at least so much: it is there */
    assert_sums(&scene, 0, 150, 0);
    assert_false(reserve(&scene, 0, SHARE_MAX + 1));
    assert_sums(&scene, 0, 150, 0);
    assert_true(keep(&scene, 0, SHARE_MAX)); /* it has grown meanwhile */
    assert_null(finish(&scene, 0));
    assert_sums(&scene, SHARE_MAX, 0, 0);

    assert_int_equal(ask(&scene, 1, 1, NULL), PAGE_CACHE_LOAD);
    assert_true(reserve(&scene, 1, 100));
    assert_false(keep(&scene, 1, SHARE_MAX + 1)); /* too much: it counts as far as there was room for it */
    assert_sums(&scene, SHARE_MAX, 0, 100);
    assert_null(finish(&scene, 1));
    page_cache_gone(&scene.cache, &scene.contents[1]);
    end(&scene);
}

/* As full as it gets: two margins short of the budget. */
static void fill(struct scene *scene)
{
    begin(scene);
    for (int i = 0; i < FULL; i++)
        assert_true(load(scene, i, MARGIN));
    assert_int_equal(page_cache_room(&scene->cache), 0);
    assert_true(list_empty(&scene->leavers));
}

static void who_leaves_makes_room(void **state)
{
    struct scene scene;
    (void)state;

    fill(&scene);
    page_cache_hit(&scene.slots[0], 1);
    assert_true(load(&scene, NEW, MARGIN)); /* into the margin; who leaves is what it will be */
    assert_ptr_equal(next_leaver(&scene), &scene.contents[1]);
    assert_true(list_empty(&scene.leavers));
    assert_null(page_cache_find(&scene.slots[1]));
    assert_true(present(&scene, 0));
    assert_sums(&scene, FULL * MARGIN, 0, MARGIN);
    assert_false(page_cache_resize(&scene.cache, &scene.contents[1], 1, &scene.leavers)); /* it keeps its size */
    page_cache_gone(&scene.cache, &scene.contents[1]);
    assert_sums(&scene, FULL * MARGIN, 0, 0);

    assert_true(load(&scene, 1, 1)); /* it can come again */
    assert_ptr_equal(next_leaver(&scene), &scene.contents[2]);
    assert_null(next_leaver(&scene));
    assert_int_equal(page_cache_stats(&scene.cache).evictions, 2);
    assert_int_equal(page_cache_room(&scene.cache), MARGIN - 1);
    assert_true(load(&scene, NEW + 1, MARGIN - 1));
    assert_true(list_empty(&scene.leavers));
    page_cache_gone(&scene.cache, &scene.contents[2]);
    end(&scene);
}

/* With nothing on its way out, both margins are there to come into. What is larger is served from the file when it is
 * first asked for, and finds room the next time. */
static void larger_than_the_margins(void **state)
{
    static const struct {
        uint64_t size;
        unsigned leavers;
        bool at_once;
    } cases[] = { { 2 * MARGIN, 2, true }, { 2 * MARGIN + 1, 3, false }, { SHARE_MAX, 16, false } };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene;
        fill(&scene);
        assert_int_equal(load(&scene, NEW, cases[i].size), cases[i].at_once);
        assert_sums(&scene, (FULL - cases[i].leavers) * MARGIN + (cases[i].at_once ? cases[i].size : 0), 0,
                    cases[i].leavers * MARGIN);
        assert_int_equal(let_go(&scene), cases[i].leavers);
        if (!cases[i].at_once)
            assert_true(load(&scene, NEW, cases[i].size));
        assert_int_equal(let_go(&scene), 0);
        assert_int_equal(page_cache_stats(&scene.cache).refusals, !cases[i].at_once);
        end(&scene);
    }
}

/* What has left is held on to by slow clients: the cache becomes smaller, but goes on taking in what is new. */
static void what_left_and_stays(void **state)
{
    struct scene scene;
    (void)state;

    fill(&scene);
    for (int held = 0; held < 15; held++) { /* each time one leaves which is never gone */
        bool kept = load(&scene, NEW + held, MARGIN);
        assert_non_null(next_leaver(&scene));
        let_go(&scene);
        if (!kept)
            assert_true(load(&scene, NEW + held, MARGIN));
        let_go(&scene);
        struct page_cache_stats stats = page_cache_stats(&scene.cache);
        assert_int_equal(stats.leaving, (held + 1) * MARGIN);
        assert_true(stats.present + stats.leaving <= BUDGET);
        assert_true(stats.present + stats.leaving >= BUDGET - 3 * MARGIN);
    }
    atomic_store(&scene.cache.leaving, 0); /* now they go */
    end(&scene);
}

/* While nothing can be freed, refused loads do not empty the cache. */
static void at_most_half_leaves(void **state)
{
    struct scene scene;
    (void)state;

    fill(&scene);
    assert_true(load(&scene, NEW, MARGIN));
    assert_true(load(&scene, NEW + 1, MARGIN));
    for (int i = 0; i < 1000; i++)
        assert_false(load(&scene, NEW + 2, MARGIN));
    struct page_cache_stats stats = page_cache_stats(&scene.cache);
    assert_true(stats.leaving <= BUDGET / 2 + 2 * MARGIN);
    assert_true(stats.present >= BUDGET / 2 - 2 * MARGIN);
    assert_true(stats.present + stats.leaving <= BUDGET);
    assert_int_equal(stats.refusals, 1000);
    let_go(&scene);
    assert_true(load(&scene, NEW + 2, MARGIN));
    end(&scene);
}

static void nobody_can_leave(void **state)
{
    struct scene scene;
    (void)state;

    fill(&scene);
    for (int i = NEW; i < NEW + 9; i++)
        assert_int_equal(ask(&scene, i, 1, NULL), PAGE_CACHE_LOAD);
    for (int i = NEW; i < NEW + 7; i++)
        while (!reserve(&scene, i, SHARE_MAX))
            assert_true(let_go(&scene) > 0);
    let_go(&scene);
    assert_true(reserve(&scene, NEW + 7, MARGIN));
    let_go(&scene);
    assert_sums(&scene, 13 * MARGIN, 113 * MARGIN, 0);

    uint64_t evictions = page_cache_stats(&scene.cache).evictions;
    assert_false(reserve(&scene, NEW + 7, SHARE_MAX + 1)); /* too large: nobody leaves in vain */
    assert_false(reserve(&scene, NEW + 8, 15 * MARGIN + 1)); /* not even if all left */
    assert_int_equal(page_cache_stats(&scene.cache).evictions, evictions);
    assert_true(list_empty(&scene.leavers));
    for (int i = NEW; i < NEW + 9; i++)
        assert_null(finish(&scene, i));
    end(&scene);
}

static void resizing(void **state)
{
    struct scene scene;
    struct cached *first = &scene.contents[0];
    (void)state;

    fill(&scene);
    assert_true(page_cache_resize(&scene.cache, first, 10, &scene.leavers));
    assert_sums(&scene, (FULL - 1) * MARGIN + 10, 0, 0);
    assert_true(page_cache_resize(&scene.cache, first, MARGIN, &scene.leavers));
    assert_true(list_empty(&scene.leavers));
    page_cache_shrink(&scene.cache, first, 10);
    assert_sums(&scene, (FULL - 1) * MARGIN + 10, 0, 0);
    assert_true(page_cache_resize(&scene.cache, first, MARGIN, &scene.leavers));

    assert_true(page_cache_resize(&scene.cache, first, 2 * MARGIN, &scene.leavers)); /* others leave, not itself */
    assert_ptr_equal(next_leaver(&scene), &scene.contents[1]);
    assert_null(next_leaver(&scene));
    page_cache_gone(&scene.cache, &scene.contents[1]);
    assert_true(present(&scene, 0));
    assert_int_equal(first->size, 2 * MARGIN);

    assert_false(page_cache_resize(&scene.cache, first, SHARE_MAX + 1, &scene.leavers));
    assert_true(list_empty(&scene.leavers));
    assert_int_equal(first->size, 2 * MARGIN);
    assert_false(page_cache_resize(&scene.cache, first, SHARE_MAX, &scene.leavers)); /* room, but not yet */
    assert_int_equal(first->size, 2 * MARGIN);
    assert_int_equal(let_go(&scene), 14);
    assert_true(page_cache_resize(&scene.cache, first, SHARE_MAX, &scene.leavers));
    assert_int_equal(let_go(&scene), 0);
    assert_sums(&scene, FULL * MARGIN, 0, 0);
    end(&scene);
}

/* Nobody leaves in vain for one that cannot grow even then. */
static void resizing_beside_reservations(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene);
    assert_true(load(&scene, 0, 2 * MARGIN));
    assert_true(load(&scene, 1, MARGIN));
    for (int i = 2; i < 10; i++) {
        assert_int_equal(ask(&scene, i, 1, NULL), PAGE_CACHE_LOAD);
        assert_true(reserve(&scene, i, i < 9 ? SHARE_MAX : 11 * MARGIN));
    }
    assert_false(page_cache_resize(&scene.cache, &scene.contents[0], 5 * MARGIN + 1, &scene.leavers));
    assert_true(present(&scene, 1));
    assert_ptr_equal(page_cache_close(&scene.cache, &scene.slots[1]), &scene.contents[1]);
    page_cache_gone(&scene.cache, &scene.contents[1]);
    assert_true(page_cache_resize(&scene.cache, &scene.contents[0], 5 * MARGIN, &scene.leavers)); /* to the last byte */
    assert_true(list_empty(&scene.leavers));
    assert_sums(&scene, 5 * MARGIN, 123 * MARGIN, 0);
    for (int i = 2; i < 10; i++)
        assert_null(finish(&scene, i));
    end(&scene);
}

/* ---- A random run ---------------------------------------------------------------------------------------------- */

struct run {
    struct scene scene;
    uint64_t random;
    bool under_way[PAGES], in_memory[PAGES]; /* content: present, or on its way out */
    struct page_cache_stats before;
};

static unsigned draw(struct run *run, unsigned below)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return (unsigned)((run->random >> 20) % below);
}

/* Mostly small, sometimes too large. */
static uint64_t draw_size(struct run *run)
{
    return draw(run, 10) ? draw(run, 2 * BUDGET / PAGES) : draw(run, SHARE_MAX + 20);
}

/* The sums, added up anew. */
static void check_books(struct run *run)
{
    struct page_cache_stats stats = page_cache_stats(&run->scene.cache);
    uint64_t present_bytes = 0, reserved = 0, leaving = 0;
    size_t objects = 0;

    for (int i = 0; i < PAGES; i++) {
        bool found = present(&run->scene, i);
        assert_true(found || !page_cache_find(&run->scene.slots[i]));
        assert_true(!found || run->in_memory[i]);
        objects += found;
        if (found)
            present_bytes += run->scene.contents[i].size;
        else if (run->in_memory[i])
            leaving += run->scene.contents[i].size;
        if (run->under_way[i])
            reserved += run->scene.loads[i].reserved;
    }
    assert_int_equal(stats.objects, objects);
    assert_int_equal(stats.present, present_bytes);
    assert_int_equal(stats.reserved, reserved);
    assert_int_equal(stats.leaving, leaving);
    assert_true(present_bytes + reserved + leaving <= BUDGET);
}

/* Refused only where there was none: neither before nor after somebody left. */
static void check_refusal(struct run *run, uint64_t more)
{
    struct page_cache_stats *before = &run->before, after = page_cache_stats(&run->scene.cache);

    assert_true(before->present + before->reserved + before->leaving + more > BUDGET);
    assert_true(after.present + after.reserved + after.leaving + more > BUDGET);
}

static void step_load(struct run *run, int page)
{
    struct page_load *load = &run->scene.loads[page];
    uint64_t size = draw_size(run), had = load->reserved;
    unsigned what = draw(run, 4);

    if (what < 2) {
        if (!reserve(&run->scene, page, size) && size <= SHARE_MAX)
            check_refusal(run, size - had);
        return;
    }
    if (what == 2 && !run->in_memory[page]) {
        run->in_memory[page] = true;
        if (!keep(&run->scene, page, size))
            assert_true(run->scene.contents[page].size <= had && run->scene.contents[page].size <= size);
        else
            assert_ptr_equal(page_cache_find(&run->scene.slots[page]), &run->scene.contents[page]);
    }
    assert_null(finish(&run->scene, page));
    run->under_way[page] = false;
}

static void step_content(struct run *run, int page)
{
    struct cached *cached = &run->scene.contents[page];
    uint64_t size = draw_size(run), had = cached->size;

    if (!present(&run->scene, page)) {
        if (draw(run, 2) == 0) {
            assert_false(page_cache_resize(&run->scene.cache, cached, size, &run->scene.leavers));
            return;
        }
        list_remove(&cached->order.link); /* where it is among the leavers: that of one turned away is no link at all */
        page_cache_gone(&run->scene.cache, cached);
        run->in_memory[page] = false;
        return;
    }
    if (page_cache_resize(&run->scene.cache, cached, size, &run->scene.leavers))
        assert_int_equal(cached->size, size);
    else {
        assert_int_equal(cached->size, had);
        assert_true(size > had);
        if (size <= SHARE_MAX)
            check_refusal(run, size - had);
    }
    assert_true(present(&run->scene, page));
}

static void step_close(struct run *run, int page)
{
    struct cached *cached = page_cache_close(&run->scene.cache, &run->scene.slots[page]);

    if (cached)
        list_append(&run->scene.leavers, &cached->order.link);
    if (run->under_way[page])
        return; /* it goes on as if nothing had happened */
    assert_int_equal(ask(&run->scene, page, 1, NULL), PAGE_CACHE_CLOSED);
    if (!run->in_memory[page])
        atomic_store(&run->scene.slots[page].state, PAGE_SLOT_ABSENT); /* another page of the same number */
}

static void step(struct run *run)
{
    int page = (int)draw(run, PAGES);
    unsigned what = draw(run, 100);

    run->before = page_cache_stats(&run->scene.cache);
    if (what < 2)
        step_close(run, page);
    else if (what < 30)
        page_cache_hit(&run->scene.slots[page], page_cache_stamp(&run->scene.cache, run->random & 0xFFFF));
    else if (run->under_way[page])
        step_load(run, page);
    else if (run->in_memory[page])
        step_content(run, page);
    else {
        list_init(&run->scene.contents[page].order.link);
        bool closed = atomic_load(&run->scene.slots[page].state) == PAGE_SLOT_CLOSED;
        run->under_way[page] = !closed;
        assert_int_equal(ask(&run->scene, page, 1, NULL), closed ? PAGE_CACHE_CLOSED : PAGE_CACHE_LOAD);
        if (closed)
            atomic_store(&run->scene.slots[page].state, PAGE_SLOT_ABSENT);
    }
    check_books(run);
}

static void random_run(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct run run = { .random = seed * 0x9E3779B97F4A7C15 };
        begin_with(&run.scene, eviction_policies[seed % EVICTION_POLICIES].name.data, BUDGET);
        for (int i = 0; i < 40000; i++)
            step(&run);
        assert_true(run.before.evictions > 100 && run.before.refusals > 100);
        for (int i = 0; i < PAGES; i++) {
            if (run.under_way[i])
                assert_null(finish(&run.scene, i));
            if (run.in_memory[i] && !present(&run.scene, i))
                page_cache_gone(&run.scene.cache, &run.scene.contents[i]);
        }
        list_init(&run.scene.leavers);
        end(&run.scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small),
        cmocka_unit_test(once_for_all_that_wait),
        cmocka_unit_test(in_error_too),
        cmocka_unit_test(closed_for_good),
        cmocka_unit_test(what_content_starts_with),
        cmocka_unit_test(admission),
        cmocka_unit_test(loads_cannot_exceed_it),
        cmocka_unit_test(reserving_again),
        cmocka_unit_test(who_leaves_makes_room),
        cmocka_unit_test(larger_than_the_margins),
        cmocka_unit_test(what_left_and_stays),
        cmocka_unit_test(at_most_half_leaves),
        cmocka_unit_test(nobody_can_leave),
        cmocka_unit_test(resizing),
        cmocka_unit_test(resizing_beside_reservations),
        cmocka_unit_test(random_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
