/* Reading ahead: the small ones first, as far as there is room, with any number of threads, until it is told to
 * stop; and the hashes of those that are too large. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "failing_memory.h"
#include "store_fixture.h"
#include "serve/compress.h"
#include "serve/digest.h"
#include "serve/warmer.h"

enum { BUDGET = 256 * 1024 };

static struct site *site;
static atomic_bool stop;

/* ---- Faults ------------------------------------------------------------------------------------------------- */

static int threads_left; /* -1: no limit */
static atomic_int threads_made;
static bool threads_hear_signals;
static atomic_int reads_until_stop; /* 0: never */
static int read_errors;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user)
{
    sigset_t blocked;
    if (threads_left == 0)
        return EAGAIN;
    if (threads_left > 0)
        threads_left--;
    atomic_fetch_add(&threads_made, 1);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked); /* which the new thread inherits */
    threads_hear_signals |= !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGHUP);
    return __real_pthread_create(thread, attributes, run, user);
}

/* pread, under the name that it has with 64-bit offsets. */
ssize_t __real_pread64(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t offset)
{
    if (atomic_load(&reads_until_stop) > 0 && atomic_fetch_sub(&reads_until_stop, 1) == 1)
        atomic_store(&stop, true);
    if (read_errors > 0) {
        read_errors--;
        errno = EIO;
        return -1;
    }
    return __real_pread64(fd, out, size, offset);
}

/* ---- Sites -------------------------------------------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    allocations_left = threads_left = -1;
    threads_made = 0;
    threads_hear_signals = false;
    reads_until_stop = read_errors = 0;
    stop = false;
    site = NULL;
    fixture_open(BUDGET);
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_unref(site);
    fixture_close();
    return 0;
}

static void make(const char *name, size_t size)
{
    char path[64], *text = compressible(size);
    snprintf(path, sizeof path, "root/%s", name);
    scratch_write(&scratch, path, text);
    free(text);
}

static void make_many(unsigned count, size_t size)
{
    char name[16];
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%03u", i);
        make(name, size);
    }
}

static void build(void)
{
    site = site_build(&config, &store, NULL, NULL);
    assert_non_null(site);
}

static struct page *page_at(const char *path)
{
    struct page *page = site_page(site, slice_text(path));
    assert_non_null(page);
    return page;
}

static size_t in_memory(void)
{
    return site_stats(site).pages_in_memory;
}

/* ---- Loading ------------------------------------------------------------------------------------------------ */

static void nothing_to_read(void **state)
{
    (void)state;
    build();
    assert_true(warmer_load(site, 4, SIZE_MAX, &stop));
    assert_true(warmer_load(site, 4, 0, &stop));
}

static void all_that_fits(void **state)
{
    (void)state;
    make_many(20, 100);
    make("large", BUDGET / PAGE_CACHE_SHARE);
    make("fits", (size_t)(BUDGET / PAGE_CACHE_SHARE - content_weight(0)));
    build();
    assert_true(warmer_load(site, 1, SIZE_MAX, &stop));
    assert_int_equal(in_memory(), 21);
    assert_null(content_of_page(page_at("/large")));
    assert_non_null(content_of_page(page_at("/fits")));
    assert_int_equal(woken_count, 0);

    uint64_t evictions = page_cache_stats(&store.cache).evictions;
    assert_true(warmer_load(site, 1, SIZE_MAX, &stop)); /* they are there */
    assert_int_equal(in_memory(), 21);
    assert_int_equal(page_cache_stats(&store.cache).evictions, evictions);
}

static void small_ones_first(void **state)
{
    char name[16], path[16];
    (void)state;

    for (unsigned i = 0; i < 20; i++) { /* not in the order of their sizes */
        snprintf(name, sizeof name, "%02u", i);
        make(name, 1300 * (i * 7 % 20 + 1));
    }
    build();
    assert_true(warmer_load(site, 1, SIZE_MAX, &stop));
    size_t count = in_memory();
    assert_true(count > 5 && count < 20);
    for (unsigned i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "/%02u", i);
        assert_int_equal(content_of_page(page_at(path)) != NULL, i * 7 % 20 < count);
    }
    assert_int_equal(page_cache_stats(&store.cache).evictions, 0); /* nobody has to leave for it */
    assert_int_equal(page_cache_stats(&store.cache).refusals, 0);
}

static void so_many_at_most(void **state)
{
    static const size_t most[] = { 0, 1, 5, 9, 10, 11, SIZE_MAX };
    (void)state;

    make_many(10, 100);
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        build();
        assert_int_equal(warmer_load(site, 1, most[i], &stop), most[i] >= 10);
        assert_int_equal(in_memory(), most[i] < 10 ? most[i] : 10);
        site_unref(site);
        site = NULL;
        fixture_settle();
    }
}

static void any_number_of_threads(void **state)
{
    static const unsigned threads[] = { 0, 1, 2, 7, WARMER_THREADS_MAX, WARMER_THREADS_MAX + 1, 10000 };
    (void)state;

    make_many(60, 100);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        unsigned expected = threads[i] < 1 ? 1 : threads[i] > WARMER_THREADS_MAX ? WARMER_THREADS_MAX : threads[i];
        threads_made = 0;
        build();
        assert_true(warmer_load(site, threads[i], SIZE_MAX, &stop));
        assert_int_equal(in_memory(), 60);
        assert_int_equal(threads_made, expected - 1);
        site_unref(site);
        site = NULL;
        fixture_settle();
    }
    assert_false(threads_hear_signals);
}

static void few_pages_need_no_threads(void **state)
{
    (void)state;
    make_many(4, 100);
    build();
    assert_true(warmer_load(site, 4, SIZE_MAX, &stop));
    assert_int_equal(threads_made, 0);
    assert_int_equal(in_memory(), 4);
}

static void threads_that_cannot_start_are_not_missed(void **state)
{
    sigset_t before, after;
    (void)state;

    make_many(20, 100);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    for (int i = 0; i < 3; i++) {
        threads_left = i;
        build();
        assert_true(warmer_load(site, 8, SIZE_MAX, &stop));
        assert_int_equal(in_memory(), 20);
        site_unref(site);
        site = NULL;
        fixture_settle();
    }
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int signal = SIGHUP; signal <= SIGTERM; signal++)
        assert_int_equal(sigismember(&before, signal), sigismember(&after, signal));
}

static void stopped_before_it_begins(void **state)
{
    (void)state;
    make_many(5, 100);
    build();
    stop = true;
    assert_false(warmer_load(site, 2, SIZE_MAX, &stop));
    assert_int_equal(in_memory(), 0);
}

static void stopped_on_its_way(void **state)
{
    (void)state;
    make_many(30, 100);
    build();
    reads_until_stop = 10;
    assert_false(warmer_load(site, 1, SIZE_MAX, &stop));
    assert_true(in_memory() >= 4 && in_memory() <= 10); /* each is read, and its end */
}

/* Another one reads it already, or has; or it has left the site. */
static void what_others_see_to(void **state)
{
    struct page_load load;
    (void)state;

    make_many(3, 100);
    build();
    struct page *page = page_at("/001");
    page_load_init(&load, &page->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD);
    assert_true(warmer_load(site, 1, SIZE_MAX, &stop));
    assert_int_equal(in_memory(), 2);
    assert_null(page_cache_finish(&store.cache, &load));
}

static void sidecars_are_not_read_by_themselves(void **state)
{
    (void)state;
    make("a.txt", 1000);
    make("a.txt.gz", 10); /* a bad one, as it happens */
    make("b.gz", 10);
    build();
    assert_true(warmer_load(site, 1, SIZE_MAX, &stop));
    assert_int_equal(in_memory(), 2);
    if (compress_codings() & coding_bit(CODING_GZIP)) /* else nobody could tell */
        expect_line("not used, it does not hold what the file beside it does: /a.txt.gz");
}

static void what_cannot_be_read_is_told(void **state)
{
    char line[64];
    (void)state;

    make_many(25, 100);
    build();
    for (unsigned i = 0; i < 25; i++) {
        snprintf(line, sizeof line, "root/%03u", i);
        assert_int_equal(unlinkat(scratch.fd, line, 0), 0);
    }
    make("024", 101); /* is only another one: that will be told by whoever watches */
    assert_true(warmer_load(site, 1, SIZE_MAX, &stop));
    assert_int_equal(in_memory(), 0);
    unsigned lines = 0;
    for (const char *at = scratch.lines; (at = strstr(at, "cannot be read, No such file or directory: /0")); at++)
        lines++;
    assert_int_equal(lines, 20);
}

static void read_errors_are_told(void **state)
{
    (void)state;
    make("a", 10);
    build();
    read_errors = 1;
    assert_true(warmer_load(site, 1, SIZE_MAX, &stop));
    expect_line("cannot be read, Input/output error: /a\n");
}

static void without_memory_nothing_is_read(void **state)
{
    (void)state;
    make_many(3, 100);
    build();
    allocations_left = 0;
    assert_false(warmer_load(site, 2, SIZE_MAX, &stop));
    allocations_left = 1; /* for the list, and no page */
    assert_true(warmer_load(site, 1, SIZE_MAX, &stop));
    allocations_left = -1;
    assert_int_equal(in_memory(), 0);
    expect_silence();
}

/* ---- Hashes ------------------------------------------------------------------------------------------------- */

static void hashes_of_the_large_ones(void **state)
{
    char *text = compressible(BUDGET);
    (void)state;

    make("large", BUDGET);
    make("small", 10);
    make("small.gz", BUDGET);
    build();
    warmer_hash(site, &stop);
    assert_true(page_at("/large")->hash == digest_bytes(slice_text(text)));
    assert_int_equal(page_at("/small")->hash, 0);
    for (size_t i = 0; i < site->tree.count; i++)
        assert_true(!site->tree.pages[i]->hidden || site->tree.pages[i]->hash == 0);
    page_at("/large")->hash = 1; /* known: not once more */
    warmer_hash(site, &stop);
    assert_int_equal(page_at("/large")->hash, 1);
    free(text);
}

static void no_hashes_when_it_is_to_stop(void **state)
{
    (void)state;
    make("large", BUDGET);
    build();
    stop = true;
    warmer_hash(site, &stop);
    assert_int_equal(page_at("/large")->hash, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_to_read, start, end),
        cmocka_unit_test_setup_teardown(all_that_fits, start, end),
        cmocka_unit_test_setup_teardown(small_ones_first, start, end),
        cmocka_unit_test_setup_teardown(so_many_at_most, start, end),
        cmocka_unit_test_setup_teardown(any_number_of_threads, start, end),
        cmocka_unit_test_setup_teardown(few_pages_need_no_threads, start, end),
        cmocka_unit_test_setup_teardown(threads_that_cannot_start_are_not_missed, start, end),
        cmocka_unit_test_setup_teardown(stopped_before_it_begins, start, end),
        cmocka_unit_test_setup_teardown(stopped_on_its_way, start, end),
        cmocka_unit_test_setup_teardown(what_others_see_to, start, end),
        cmocka_unit_test_setup_teardown(sidecars_are_not_read_by_themselves, start, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_told, start, end),
        cmocka_unit_test_setup_teardown(read_errors_are_told, start, end),
        cmocka_unit_test_setup_teardown(without_memory_nothing_is_read, start, end),
        cmocka_unit_test_setup_teardown(hashes_of_the_large_ones, start, end),
        cmocka_unit_test_setup_teardown(no_hashes_when_it_is_to_stop, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
