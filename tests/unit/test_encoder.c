/* Encoding in the background: what is made and in which order, content that leaves while it waits or is being
 * encoded, the budget, an end that waits for nothing, and missing memory. The encoders themselves are a script
 * here, that can be held up at will; but for one test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "failing_memory.h"
#include "made_fields.h"
#include "store_fixture.h"
#include "serve/compress.h"
#include "serve/loader.h"

enum { BUDGET = 256 * 1024, TEXT_SIZE = 1000, CALLS_MAX = 64, PAUSE_US = 200 };

/* ---- The encoders ------------------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held, real;
    size_t size; /* of what is made; 0: it would be no smaller */
    unsigned calls;
    enum coding codings[CALLS_MAX];
    const char *contents[CALLS_MAX];
    int priority;
    bool hears_signals;
} script = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static bool hears_signals(void)
{
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    return !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGHUP) || !sigismember(&blocked, SIGUSR1);
}

char *__real_compress_content(enum coding coding, struct slice content, size_t *size);
char *__wrap_compress_content(enum coding coding, struct slice content, size_t *size);
char *__wrap_compress_content(enum coding coding, struct slice content, size_t *size)
{
    pthread_mutex_lock(&script.lock);
    if (script.calls < CALLS_MAX) {
        script.codings[script.calls] = coding;
        script.contents[script.calls] = content.data;
    }
    script.calls++;
    script.priority = getpriority(PRIO_PROCESS, (id_t)gettid());
    script.hears_signals = hears_signals();
    pthread_cond_broadcast(&script.changed);
    while (script.held)
        pthread_cond_wait(&script.changed, &script.lock);
    bool real = script.real;
    size_t made = script.size;
    pthread_mutex_unlock(&script.lock);
    if (real)
        return __real_compress_content(coding, content, size);
    char *bytes = made > 0 ? __real_malloc(made) : NULL;
    if (bytes)
        memset(bytes, 'z', made);
    *size = made;
    return bytes;
}

static void hold_encoders(bool held)
{
    pthread_mutex_lock(&script.lock);
    script.held = held;
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
}

static void wait_for_calls(unsigned calls)
{
    pthread_mutex_lock(&script.lock);
    while (script.calls < calls)
        pthread_cond_wait(&script.changed, &script.lock);
    pthread_mutex_unlock(&script.lock);
}

static unsigned calls_until_now(void)
{
    pthread_mutex_lock(&script.lock);
    unsigned calls = script.calls;
    pthread_mutex_unlock(&script.lock);
    return calls;
}

/* ---- Faults ------------------------------------------------------------------------------------------------- */

static bool no_threads;
static struct content *late; /* comes when the encoder is about to end */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, run, user);
}

/* Here the end has been announced, and nothing else has happened yet. */
int __real_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result)
{
    if (late)
        encoder_submit(store.encoder, late);
    hold_encoders(false);
    return __real_pthread_join(thread, result);
}

/* ---- Pages -------------------------------------------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    allocations_left = -1;
    no_threads = false;
    late = NULL;
    script.held = script.real = false;
    script.size = 100;
    script.calls = 0;
    fixture_open(BUDGET);
    store.encoder = encoder_new(&store);
    assert_non_null(store.encoder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_close();
    return 0;
}

static struct page *page_loaded(const char *name, size_t size)
{
    char path[64], *text = compressible(size);
    struct page_load load;
    struct content *content = NULL;
    struct site site = { .store = &store, .files = scratch.files };

    snprintf(path, sizeof path, "root/%s", name);
    scratch_write(&scratch, path, text);
    free(text);
    struct page *page = page_of_file(name);
    page_load_init(&load, &page->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD);
    assert_int_equal(loader_load(&site, page, &load, &content), LOADED);
    loader_end(&store, &load, content);
    assert_non_null(content_of_page(page));
    return page;
}

/* It has been begun; wait until nobody is at it any more. */
static void wait_until_done(const struct content *content)
{
    while (!hold_sole(&content->hold))
        usleep(PAUSE_US);
}

static unsigned codings_in(const struct content *content)
{
    unsigned there = 0;
    for (unsigned coding = 1; coding < CODING_COUNT; coding++)
        there |= content_in(content, coding) ? coding_bit(coding) : 0;
    return there;
}

static unsigned count_codings(void)
{
    return (unsigned)__builtin_popcount(compress_codings());
}

/* ---- Tests -------------------------------------------------------------------------------------------------- */

static void all_that_are_wanted(void **state)
{
    struct page *page = page_loaded("a.txt", TEXT_SIZE);
    struct content *content = content_of_page(page);
    (void)state;

    wait_for_calls(count_codings());
    wait_until_done(content);
    assert_int_equal(codings_in(content), compress_codings());
    assert_int_equal(content->cached.size, content_weight_all(content));
    assert_int_equal(page_cache_stats(&store.cache).present, content_weight_all(content));
    for (unsigned i = 1; i < count_codings(); i++)
        assert_true(script.codings[i - 1] < script.codings[i]);
    assert_true((content_order(content).places & 3) != CODING_IDENTITY);
    leave(page);
}

static void with_the_encoders_that_there_are(void **state)
{
    (void)state;
    script.real = true;
    struct page *page = page_loaded("a.txt", TEXT_SIZE);
    struct content *content = content_of_page(page);
    wait_for_calls(count_codings());
    wait_until_done(content);
    for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
        const struct representation *made = content_in(content, coding);
        assert_int_equal(made != NULL, (compress_codings() & coding_bit(coding)) != 0);
        if (made)
            assert_true(compress_holds(coding, slice_make(made->bytes, made->size),
                                       slice_make(content->identity.bytes, content->identity.size)));
    }
    leave(page);
}

/* What it takes of the CPUs nobody else would have had; and signals belong to the program. */
static void on_a_thread_of_the_lowest_priority(void **state)
{
    int own = getpriority(PRIO_PROCESS, 0);
    struct page *page = page_loaded("a.txt", TEXT_SIZE);
    (void)state;

    wait_for_calls(count_codings());
    wait_until_done(content_of_page(page));
    assert_int_equal(script.priority, 19);
    assert_false(script.hears_signals);
    assert_true(hears_signals());
    assert_int_equal(getpriority(PRIO_PROCESS, 0), own);
    leave(page);
}

static void what_is_not_worth_it(void **state)
{
    (void)state;
    script.size = 0;
    struct page *page = page_loaded("a.txt", TEXT_SIZE);
    struct content *content = content_of_page(page);
    wait_for_calls(count_codings());
    wait_until_done(content);
    assert_int_equal(codings_in(content), 0);
    assert_int_equal(content->cached.size, content_weight(TEXT_SIZE));
    leave(page);
}

static void what_is_not_wanted(void **state)
{
    struct page *image = page_loaded("a.png", TEXT_SIZE), *small = page_loaded("b.txt", COMPRESS_SIZE_MIN - 1);
    struct page *page = page_loaded("c.txt", TEXT_SIZE);
    (void)state;

    wait_for_calls(count_codings());
    wait_until_done(content_of_page(page));
    assert_int_equal(calls_until_now(), count_codings());
    assert_int_equal(codings_in(content_of_page(image)), 0);
    assert_int_equal(codings_in(content_of_page(small)), 0);
    leave(image);
    leave(small);
    leave(page);
}

static void one_after_another(void **state)
{
    struct page *pages[4];
    char name[16];
    (void)state;

    hold_encoders(true);
    for (unsigned i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%u.txt", i);
        pages[i] = page_loaded(name, TEXT_SIZE);
    }
    hold_encoders(false);
    wait_for_calls(4 * count_codings());
    wait_until_done(content_of_page(pages[3]));
    for (unsigned i = 0; i < 4 * count_codings(); i++)
        assert_ptr_equal(script.contents[i], content_of_page(pages[i / count_codings()])->identity.bytes);
    for (unsigned i = 0; i < 4; i++)
        leave(pages[i]);
}

/* One that is being encoded goes on first, and not again behind the others; what has left is asked for in vain. */
static void what_is_asked_for_first(void **state)
{
    struct page *pages[4];
    struct fields fields;
    unsigned each = count_codings();
    char name[16];
    (void)state;

    made_fields(&fields, "Accept-Encoding: br, gzip, zstd");
    hold_encoders(true);
    for (unsigned i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%u.txt", i);
        pages[i] = page_loaded(name, TEXT_SIZE);
    }
    wait_for_calls(1);
    struct content *first = content_of_page(pages[0]), *left = content_of_page(pages[3]);
    hold_ref(&left->hold);
    leave(pages[3]);
    encoder_hasten(store.encoder, left, &fields);
    hold_unref(&left->hold);
    struct content *hastened = content_of_page(pages[2]), *last = content_of_page(pages[1]);
    assert_true(content_unfinished(hastened));
    encoder_hasten(store.encoder, first, &fields);
    encoder_hasten(store.encoder, hastened, &fields);
    assert_false(content_unfinished(hastened));
    encoder_hasten(store.encoder, hastened, &fields);
    assert_false(encoder_idle(store.encoder));
    hold_encoders(false);
    wait_for_calls(3 * each);
    wait_until_done(last);
    const struct content *order[] = { first, hastened, last };
    for (unsigned i = 0; i < 3 * each; i++)
        assert_ptr_equal(script.contents[i], order[i / each]->identity.bytes);
    assert_false(content_unfinished(last)); /* nobody awaits it, and there is nothing to await */
    assert_int_equal(calls_until_now(), 3 * each);
    for (unsigned i = 0; i < 3; i++)
        leave(pages[i]);
}

static void what_leaves_while_it_waits(void **state)
{
    (void)state;
    hold_encoders(true);
    struct page *first = page_loaded("1.txt", TEXT_SIZE);
    wait_for_calls(1);
    struct page *second = page_loaded("2.txt", TEXT_SIZE), *third = page_loaded("3.txt", TEXT_SIZE);
    leave(second);
    fixture_settle(); /* it is gone: nobody held it */
    assert_int_equal(page_cache_stats(&store.cache).leaving, 0);
    hold_encoders(false);
    wait_for_calls(2 * count_codings());
    wait_until_done(content_of_page(third));
    assert_int_equal(calls_until_now(), 2 * count_codings());
    leave(first);
    leave(third);
}

static void what_leaves_while_it_is_encoded(void **state)
{
    (void)state;
    hold_encoders(true);
    struct page *page = page_loaded("1.txt", TEXT_SIZE);
    struct content *content = content_of_page(page);
    wait_for_calls(1);
    leave(page);
    fixture_settle();
    assert_int_equal(page_cache_stats(&store.cache).leaving, content_weight(TEXT_SIZE));
    assert_memory_equal(content->identity.bytes, "to be", 5); /* it is still there */
    struct page *next = page_loaded("2.txt", TEXT_SIZE);
    hold_encoders(false);
    wait_for_calls(1 + count_codings()); /* of the first one nothing else was begun */
    wait_until_done(content_of_page(next));
    assert_int_equal(calls_until_now(), 1 + count_codings());
    assert_int_equal(page_cache_stats(&store.cache).leaving, 0);
    leave(next);
}

static void what_has_left_before_it_comes(void **state)
{
    struct page *page = page_loaded("1.png", TEXT_SIZE);
    struct content *content = content_there(page);
    (void)state;

    hold_ref(&content->hold);
    content->wanted = (uint8_t)compress_codings();
    leave(page);
    encoder_submit(store.encoder, content);
    fixture_settle();
    page = page_loaded("2.txt", TEXT_SIZE);
    wait_for_calls(count_codings());
    wait_until_done(content_of_page(page));
    assert_ptr_equal(script.contents[0], content_of_page(page)->identity.bytes);
    leave(page);
    hold_unref(&content->hold);
}

/* ---- The budget --------------------------------------------------------------------------------------------- */

static void what_would_be_more_than_its_share(void **state)
{
    (void)state;
    script.size = BUDGET / PAGE_CACHE_SHARE;
    struct page *page = page_loaded("a.txt", TEXT_SIZE);
    struct content *content = content_of_page(page);
    wait_for_calls(count_codings());
    wait_until_done(content);
    assert_int_equal(codings_in(content), 0);
    assert_int_equal(content->cached.size, content_weight(TEXT_SIZE));
    leave(page);
}

static void just_its_share(void **state)
{
    (void)state;
    hold_encoders(true);
    struct page *page = page_loaded("a.txt", TEXT_SIZE);
    struct content *content = content_of_page(page);
    wait_for_calls(1);
    script.size = BUDGET / PAGE_CACHE_SHARE - content_weight(TEXT_SIZE) - content_weight_added(0);
    hold_encoders(false);
    wait_for_calls(count_codings());
    wait_until_done(content);
    assert_int_equal(codings_in(content), coding_bit(script.codings[0])); /* then there is no room for others */
    assert_int_equal(content->cached.size, BUDGET / PAGE_CACHE_SHARE);
    leave(page);
}

static void others_leave_for_it(void **state)
{
    enum { OTHERS = 40 };
    struct page *others[OTHERS];
    unsigned gone = 0;
    char name[16];
    (void)state;

    hold_encoders(true);
    struct page *page = page_loaded("a.txt", TEXT_SIZE);
    struct content *content = content_of_page(page);
    wait_for_calls(1);
    for (unsigned i = 0; i < OTHERS; i++) {
        snprintf(name, sizeof name, "%u.png", i);
        others[i] = page_loaded(name, 4500);
    }
    script.size = 1500;
    hold_encoders(false);
    wait_for_calls(count_codings());
    wait_until_done(content);
    assert_true(codings_in(content) != 0);
    assert_ptr_equal(content_of_page(page), content); /* never itself */
    assert_int_equal(content->cached.size, content_weight_all(content));
    for (unsigned i = 0; i < OTHERS; i++)
        gone += content_of_page(others[i]) == NULL;
    assert_int_equal(gone, page_cache_stats(&store.cache).evictions);
    struct page_cache_stats stats = page_cache_stats(&store.cache);
    assert_true(stats.present + stats.leaving <= BUDGET);
    for (unsigned i = 0; i < OTHERS; i++)
        leave(others[i]);
    leave(page);
}

/* ---- No memory ---------------------------------------------------------------------------------------------- */

static void every_allocation_may_fail(void **state)
{
    char name[16];
    (void)state;

    for (int left = 0; left < 3; left++) { /* the representation and its two answers */
        unsigned calls = calls_until_now();
        snprintf(name, sizeof name, "%d.txt", left);
        hold_encoders(true);
        struct page *page = page_loaded(name, TEXT_SIZE);
        struct content *content = content_of_page(page);
        wait_for_calls(calls + 1);
        allocations_left = left;
        hold_encoders(false);
        wait_for_calls(calls + count_codings());
        wait_until_done(content);
        allocations_left = -1;
        assert_int_equal(codings_in(content), 0);
        assert_int_equal(content->cached.size, content_weight(TEXT_SIZE));
        leave(page);
    }
}

static void no_memory_or_no_thread(void **state)
{
    (void)state;
    allocations_left = 0;
    assert_null(encoder_new(&store));
    allocations_left = -1;
    no_threads = true;
    errno = 0;
    assert_null(encoder_new(&store));
    assert_int_equal(errno, EAGAIN);
    encoder_free(NULL);
}

/* ---- The end ------------------------------------------------------------------------------------------------ */

static void the_end_waits_for_what_is_being_made_only(void **state)
{
    struct page *pages[3];
    char name[16];
    (void)state;

    hold_encoders(true);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%u.txt", i);
        pages[i] = page_loaded(name, TEXT_SIZE);
    }
    struct page *image = page_loaded("late.png", TEXT_SIZE);
    wait_for_calls(1);
    late = content_of_page(image);
    late->wanted = (uint8_t)compress_codings();
    encoder_free(store.encoder);
    store.encoder = NULL;
    assert_int_equal(calls_until_now(), 1);
    assert_int_equal(codings_in(content_of_page(pages[0])), coding_bit(script.codings[0]));
    assert_int_equal(codings_in(content_of_page(pages[1])), 0);
    for (unsigned i = 0; i < 3; i++)
        leave(pages[i]);
    leave(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_that_are_wanted, start, end),
        cmocka_unit_test_setup_teardown(with_the_encoders_that_there_are, start, end),
        cmocka_unit_test_setup_teardown(on_a_thread_of_the_lowest_priority, start, end),
        cmocka_unit_test_setup_teardown(what_is_not_worth_it, start, end),
        cmocka_unit_test_setup_teardown(what_is_not_wanted, start, end),
        cmocka_unit_test_setup_teardown(one_after_another, start, end),
        cmocka_unit_test_setup_teardown(what_is_asked_for_first, start, end),
        cmocka_unit_test_setup_teardown(what_leaves_while_it_waits, start, end),
        cmocka_unit_test_setup_teardown(what_leaves_while_it_is_encoded, start, end),
        cmocka_unit_test_setup_teardown(what_has_left_before_it_comes, start, end),
        cmocka_unit_test_setup_teardown(what_would_be_more_than_its_share, start, end),
        cmocka_unit_test_setup_teardown(just_its_share, start, end),
        cmocka_unit_test_setup_teardown(others_leave_for_it, start, end),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, start, end),
        cmocka_unit_test_setup_teardown(no_memory_or_no_thread, start, end),
        cmocka_unit_test_setup_teardown(the_end_waits_for_what_is_being_made_only, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
