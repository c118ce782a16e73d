/* The site among threads, as in the server: workers that find pages, hit and load them, and hold content beyond
 * their turn; one that reads ahead; the encoder; and one that writes files and brings one generation after
 * another. What is freed too early shows as a use of freed memory (address sanitizer), an order that is missing
 * as a race (thread sanitizer), and what belongs to another page or generation by its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>

#include "scratch.h"
#include "serve/encoder.h"
#include "serve/loader.h"
#include "serve/warmer.h"

enum {
    FILES = 24,
    GENERATIONS = 100,
    WORKERS = 2,
    REQUESTS = 8, /* in a turn */
    TURNS = 20,   /* while a generation lasts */
    TEXT_SIZE = 400,
    BUDGET = 64 * 1024 /* not enough for all of them, encoded: some have to leave */
};

struct scene {
    struct scratch scratch;
    struct store store;
    struct site_config config;
    _Atomic(struct site *) current;
    atomic_bool ending;
    atomic_uint turns, hits, loads, asked, woken;
};

static struct scene scene;
static const struct log silence;

struct actor {
    unsigned number;
    uint64_t random;
    struct content *kept; /* beyond the turn */
    pthread_t thread;
};

/* cmocka's assertions belong to the thread that runs the test. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

static unsigned draw(struct actor *actor, unsigned below)
{
    actor->random = actor->random * 6364136223846793005 + 1442695040888963407;
    return (unsigned)(actor->random >> 33) % below;
}

static void wake_nobody(void *user, unsigned worker)
{
    (void)user, (void)worker;
}

static void count_woken(struct page_waiter *waiter, struct content *content)
{
    (void)content;
    free(waiter);
    atomic_fetch_add(&scene.woken, 1);
}

/* ---- Files -------------------------------------------------------------------------------------------------- */

/* "07 07 07 ...", with the generation in its last bytes. */
static void write_file(unsigned number, unsigned generation)
{
    char path[64], text[TEXT_SIZE + 1];

    for (size_t i = 0; i < TEXT_SIZE; i += 4)
        snprintf(text + i, 5, "%03u ", number);
    snprintf(text + TEXT_SIZE - 8, 9, "%08u", generation);
    scratch_write_bytes(&scene.scratch, "file", text, TEXT_SIZE);
    snprintf(path, sizeof path, "root/%03u.txt", number);
    assert_int_equal(renameat(scene.scratch.fd, "file", scene.scratch.fd, path), 0);
}

/* What never is what it says: so every now and then another one is another page. */
static void write_sidecar(unsigned number, bool there)
{
    char path[64];

    snprintf(path, sizeof path, "root/%03u.txt.gz", number);
    if (there)
        scratch_write(&scene.scratch, path, "rubbish");
    else
        unlinkat(scene.scratch.fd, path, 0);
}

static void check(const struct content *content, unsigned number)
{
    char start[8];

    snprintf(start, sizeof start, "%03u ", number);
    for (unsigned coding = 0; coding < CODING_COUNT; coding++) {
        const struct representation *one = content_in(content, coding);
        if (!one)
            continue;
        require(one->ok->body.size == one->size && one->ok->body.data == one->bytes);
        require(one->not_modified->status == 304 && one->etag_size > 2);
    }
    require(content->identity.size == TEXT_SIZE && memcmp(content->identity.bytes, start, 4) == 0);
    unsigned preferred = content_order(content).places & 3;
    require(content_in(content, preferred) != NULL);
}

/* ---- Workers ------------------------------------------------------------------------------------------------ */

static void keep(struct actor *actor, struct content *content)
{
    if (actor->kept)
        hold_unref(&actor->kept->hold);
    hold_ref(&content->hold);
    actor->kept = content;
}

/* Whoever asks is woken when the load has ended, whoever does it. */
static bool ask(struct page_load *load)
{
    struct page_waiter *waiter = malloc(sizeof *waiter);

    require(waiter != NULL);
    switch (page_cache_ask(&scene.store.cache, load, waiter)) {
    case PAGE_CACHE_LOAD:
        atomic_fetch_add(&scene.asked, 1);
        return true;
    case PAGE_CACHE_WAIT:
        atomic_fetch_add(&scene.asked, 1);
        return false;
    default:
        free(waiter);
        return false;
    }
}

/* What a background thread does, on this one. */
static void load(struct actor *actor, struct site *site, struct page *page, unsigned number)
{
    struct page_load load;
    struct content *content = NULL;

    page_load_init(&load, &page->slot, 1);
    if (!ask(&load))
        return;
    enum loaded loaded = loader_load(site, page, &load, &content);
    require((loaded == LOADED) == (content != NULL));
    if (content) {
        check(content, number);
        keep(actor, content);
        atomic_fetch_add(&scene.loads, 1);
    }
    loader_end(&scene.store, &load, content);
}

static void request(struct actor *actor, struct site *site)
{
    unsigned number = draw(actor, FILES);
    char path[64];
    struct site_match match;

    snprintf(path, sizeof path, "/%03u.txt", number);
    site_find(site, slice_text(path), &match);
    require(match.found == SITE_PAGE && strcmp(match.page->path, path) == 0);
    struct cached *cached = page_cache_hit(&match.page->slot, 1);
    if (!cached) {
        load(actor, site, match.page, number);
        return;
    }
    check(content_of(cached), number);
    if (draw(actor, 4) == 0)
        keep(actor, content_of(cached));
    atomic_fetch_add(&scene.hits, 1);
}

static void *work(void *argument)
{
    struct actor *actor = argument;

    while (!atomic_load(&scene.ending)) {
        struct site *site = atomic_load_explicit(&scene.current, memory_order_acquire);
        for (unsigned i = 0; i < REQUESTS; i++)
            request(actor, site);
        qsbr_announce(scene.store.qsbr, actor->number);
        atomic_fetch_add(&scene.turns, 1);
        sched_yield();
    }
    if (actor->kept)
        hold_unref(&actor->kept->hold);
    qsbr_end(scene.store.qsbr, actor->number);
    return NULL;
}

/* ---- Generations -------------------------------------------------------------------------------------------- */

static void let_go(struct retired *retired)
{
    site_unref(LINK_OWNER(retired, struct site, retired));
}

static void next_generation(unsigned number)
{
    struct change all = { SLICE(""), true };
    struct site *before = atomic_load(&scene.current);

    for (unsigned i = 0; i < 8; i++)
        write_file((number * 5 + i * 7) % FILES, number);
    for (unsigned i = 0; i < 4; i++)
        write_sidecar((number * 3 + i * 5) % FILES, (number + i) % 3 != 0);
    struct site *site = site_build(&scene.config, &scene.store, before, &(struct changes){ &all, 1, false });
    assert_non_null(site);
    warmer_load(site, 2, FILES / 4, &scene.ending);
    atomic_store_explicit(&scene.current, site, memory_order_release);
    qsbr_retire(scene.store.qsbr, &before->retired, let_go);
    unsigned turns = atomic_load(&scene.turns);
    while (atomic_load(&scene.turns) - turns < TURNS)
        sched_yield();
    qsbr_reclaim(scene.store.qsbr);
}

static void prepare(void)
{
    scratch_open(&scene.scratch);
    scene.config = (struct site_config){ .root = scene.scratch.root };
    scene.store = (struct store){ .log = &silence, .wake = count_woken };
    scene.store.qsbr = qsbr_new(WORKERS, wake_nobody, NULL);
    page_cache_init(&scene.store.cache, &eviction_policies[0], BUDGET);
    assert_true(descriptors_init(&scene.store.descriptors, &eviction_policies[0], 8));
    scene.store.encoder = encoder_new(&scene.store);
    assert_non_null(scene.store.encoder);
    for (unsigned i = 0; i < FILES; i++)
        write_file(i, 0);
    atomic_init(&scene.current, site_build(&scene.config, &scene.store, NULL, NULL));
    assert_non_null(atomic_load(&scene.current));
}

static void finish(void)
{
    struct store *store = &scene.store;

    encoder_free(store->encoder);
    store->encoder = NULL;
    site_unref(atomic_load(&scene.current));
    qsbr_free(store->qsbr);
    struct page_cache_stats stats = page_cache_stats(&store->cache);
    assert_int_equal(stats.objects, 0);
    assert_int_equal(stats.present + stats.reserved + stats.leaving, 0);
    descriptors_fini(&store->descriptors);
    page_cache_fini(&store->cache);
    scratch_close(&scene.scratch);
}

static void generations_under_load(void **state)
{
    struct actor actors[WORKERS];
    (void)state;

    prepare();
    for (unsigned i = 0; i < WORKERS; i++) {
        actors[i] = (struct actor){ .number = i, .random = i + 1 };
        assert_int_equal(pthread_create(&actors[i].thread, NULL, work, &actors[i]), 0);
    }
    for (unsigned i = 1; i <= GENERATIONS; i++)
        next_generation(i);
    atomic_store(&scene.ending, true);
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(actors[i].thread, NULL);
    assert_int_equal(scene.woken, scene.asked);
    assert_true(scene.hits > 0 && scene.loads > 0);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generations_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
