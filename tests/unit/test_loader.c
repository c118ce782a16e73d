/* Reading and hashing: the same validators with and without the content in memory and with any number of threads;
 * files that change, shrink, grow, vanish or fail while they are read; missing memory and threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <xxhash.h>

#include "scratch.h"
#include "serve/loader.h"

static struct scratch scratch;
static struct tree tree;

/* ---- Faults and events ----------------------------------------------------------------------------------------- */

static int mallocs_left;          /* -1: no limit */
static int threads_left;          /* -1: no limit */
static int read_errors;           /* reads that fail yet, with this */
static int read_error;
static int events_left;           /* reads before which this happens */
static void (*event)(void);
static bool threads_hear_signals;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    if (mallocs_left == 0)
        return NULL;
    if (mallocs_left > 0)
        mallocs_left--;
    return __real_malloc(size);
}

/* pread, under the name that it has with 64-bit offsets. */
ssize_t __real_pread64(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t offset)
{
    if (read_errors > 0) {
        read_errors--;
        errno = read_error;
        return -1;
    }
    if (events_left > 0) {
        events_left--;
        event();
    }
    return __real_pread64(fd, out, size, offset);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user)
{
    sigset_t blocked;
    if (threads_left == 0)
        return EAGAIN;
    if (threads_left > 0)
        threads_left--;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked); /* which the new thread inherits */
    for (int signal = SIGHUP; signal <= SIGTERM; signal++)
        if (signal != SIGKILL && !sigismember(&blocked, signal))
            threads_hear_signals = true;
    return __real_pthread_create(thread, attributes, run, user);
}

/* ---- Loading --------------------------------------------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    mallocs_left = threads_left = -1;
    read_errors = events_left = 0;
    threads_hear_signals = false;
    scratch_open(&scratch);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tree_fini(&tree);
    scratch_close(&scratch);
    return 0;
}

static void walk(void)
{
    assert_true(tree_walk(&tree, &scratch.files, &scratch.log));
}

static void load(size_t kept, unsigned threads)
{
    walk();
    loader_read(&tree, &scratch.files, kept, threads);
}

static void has_etag(const struct page *page, const void *content, size_t size)
{
    char etag[32];
    snprintf(etag, sizeof etag, "\"%llx\"", (unsigned long long)XXH3_64bits(content, size));
    assert_true(slice_equal(page_etag(page), slice_text(etag)));
}

static void in_memory(const struct page *page, const char *text)
{
    assert_non_null(page->ok);
    assert_non_null(page->not_modified);
    assert_int_equal(page->size, strlen(text));
    assert_int_equal(page->ok->body.size, strlen(text));
    assert_memory_equal(page->ok->body.data, text, strlen(text));
    has_etag(page, text, strlen(text));
}

static void not_in_memory(const struct page *page)
{
    assert_null(page->ok);
    assert_null(page->not_modified);
}

static void unsettled(const struct page *page)
{
    not_in_memory(page);
    assert_int_equal(page->etag_size, 0);
    assert_true(page->modified_s == -1);
}

/* ---- Steady files ---------------------------------------------------------------------------------------------- */

static void nothing_to_read(void **state)
{
    (void)state;
    load(0, 4);
    assert_int_equal(tree.count, 0);
}

static void content_times_and_hash(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/a.txt", "abc");
    scratch_date(&scratch, "root/a.txt", 1700000000, 42);
    load(1, 1);
    in_memory(tree.pages[0], "abc");
    assert_true(slice_equal(page_etag(tree.pages[0]), SLICE("\"78af5f94892f3950\""))); /* XXH3's published value */
    assert_true(tree.pages[0]->modified_s == 1700000000);
    assert_true(tree.pages[0]->modified_ns == INT64_C(1700000000000000042));
}

static void future_times_are_not_told(void **state)
{
    struct clock clock = { .now_ms = 0 };
    (void)state;

    scratch_write(&scratch, "root/a.txt", "abc");
    scratch_date(&scratch, "root/a.txt", 4000000000, 0);
    load(1, 1);
    clock_update(&clock);
    assert_true(tree.pages[0]->modified_s <= clock.unix_s);
    assert_true(tree.pages[0]->modified_s > clock.unix_s - 100);
    assert_true(tree.pages[0]->modified_ns == INT64_C(4000000000000000000));
}

/* Around the sizes at which XXH3 and the reading in pieces change their ways. */
static void every_size_both_ways(void **state)
{
    static const size_t sizes[] = { 0,   1,   3,   4,    8,     9,     16,    17,     128,
                                    129, 240, 241, 1024, 65535, 65536, 65537, 131072, 200001 };
    static char content[200001];
    (void)state;

    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 131 >> 3);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        scratch_write_bytes(&scratch, "root/x", content, sizes[i]);
        load(1, 1);
        has_etag(tree.pages[0], content, sizes[i]);
        assert_int_equal(tree.pages[0]->ok->body.size, sizes[i]);
        assert_true(sizes[i] == 0 || memcmp(tree.pages[0]->ok->body.data, content, sizes[i]) == 0);
        tree_fini(&tree);
        load(0, 1);
        has_etag(tree.pages[0], content, sizes[i]);
        not_in_memory(tree.pages[0]);
        assert_int_equal(tree.pages[0]->size, sizes[i]);
        tree_fini(&tree);
    }
}

static void make_files(unsigned count)
{
    char path[64], text[64];
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "root/%03u", i);
        snprintf(text, sizeof text, "this is root/%03u", i);
        scratch_write(&scratch, path, text);
    }
}

static void check_files(unsigned count, size_t kept)
{
    char text[64];
    assert_int_equal(tree.count, count);
    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "this is root/%s", tree.pages[i]->path.data);
        has_etag(tree.pages[i], text, strlen(text));
        if (i < kept)
            in_memory(tree.pages[i], text);
        else
            not_in_memory(tree.pages[i]);
    }
}

static void any_number_of_threads(void **state)
{
    static const unsigned threads[] = { 0, 1, 2, 7, LOADER_THREADS_MAX, LOADER_THREADS_MAX + 1, 10000 };
    (void)state;

    make_files(150);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        load(100, threads[i]);
        check_files(150, 100);
        tree_fini(&tree);
    }
}

static void threads_that_cannot_start_are_not_missed(void **state)
{
    (void)state;
    make_files(20);
    for (threads_left = 0; threads_left < 3; threads_left++) {
        int left = threads_left;
        load(10, 8);
        check_files(20, 10);
        tree_fini(&tree);
        threads_left = left;
    }
}

static void threads_hear_no_signals(void **state)
{
    sigset_t before, after;
    (void)state;

    make_files(5);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    load(5, 4);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    assert_false(threads_hear_signals);
    for (int signal = SIGHUP; signal <= SIGTERM; signal++)
        assert_int_equal(sigismember(&before, signal), sigismember(&after, signal));
}

/* ---- Files that do not hold still ------------------------------------------------------------------------------ */

static void grow(void)
{
    int fd = openat(scratch.fd, "root/x", O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "+", 1), 1);
    close(fd);
}

static void shrink(void)
{
    scratch_write(&scratch, "root/x", "12");
}

static void rewrite(void)
{
    static int64_t now_s = 1500000000;
    scratch_write(&scratch, "root/x", "4321");
    scratch_date(&scratch, "root/x", now_s++, 0);
}

static void load_while(size_t kept, int times, void (*what)(void))
{
    scratch_write(&scratch, "root/x", "1234");
    scratch_date(&scratch, "root/x", 1600000000, 0);
    walk();
    events_left = times;
    event = what;
    loader_read(&tree, &scratch.files, kept, 1);
    events_left = 0;
    assert_int_equal(tree.count, 1);
}

static void what_grew_once_is_no_longer_kept(void **state)
{
    (void)state;
    for (size_t kept = 0; kept <= 1; kept++) {
        load_while(kept, 1, grow);
        not_in_memory(tree.pages[0]);
        assert_int_equal(tree.pages[0]->size, 5);
        has_etag(tree.pages[0], "1234+", 5);
        tree_fini(&tree);
    }
}

static void what_shrank_once_is_kept(void **state)
{
    (void)state;
    load_while(1, 1, shrink);
    in_memory(tree.pages[0], "12");
    tree_fini(&tree);
    load_while(0, 1, shrink);
    not_in_memory(tree.pages[0]);
    has_etag(tree.pages[0], "12", 2);
}

static void what_was_rewritten_is_read_anew(void **state)
{
    (void)state;
    load_while(1, 1, rewrite);
    in_memory(tree.pages[0], "4321");
    tree_fini(&tree);
    load_while(0, 1, rewrite);
    has_etag(tree.pages[0], "4321", 4);
}

static void what_never_holds_still_has_no_validators(void **state)
{
    (void)state;
    for (size_t kept = 0; kept <= 1; kept++) {
        load_while(kept, INT_MAX, grow);
        unsettled(tree.pages[0]);
        tree_fini(&tree);
        load_while(kept, INT_MAX, rewrite);
        unsettled(tree.pages[0]);
        tree_fini(&tree);
    }
    assert_int_equal(tree.skipped, 0);
}

static void what_changed_since_the_walk(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/x", "1234");
    walk();
    scratch_write(&scratch, "root/x", "12345");
    loader_read(&tree, &scratch.files, 1, 1);
    not_in_memory(tree.pages[0]); /* there was no room planned for more */
    has_etag(tree.pages[0], "12345", 5);
    tree_fini(&tree);

    scratch_write(&scratch, "root/x", "1234");
    walk();
    scratch_write(&scratch, "root/x", "");
    loader_read(&tree, &scratch.files, 1, 1);
    in_memory(tree.pages[0], "");
}

/* ---- Files that cannot be read --------------------------------------------------------------------------------- */

static void skipped(const char *why)
{
    assert_int_equal(tree.skipped, 1);
    if (!strstr(scratch.lines, why))
        fail_msg("%s", scratch.lines);
    scratch.lines[0] = '\0';
}

static void what_is_gone_leaves_the_tree(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/a", "1");
    scratch_write(&scratch, "root/x", "1");
    scratch_write(&scratch, "root/b", "1");
    walk();
    assert_int_equal(unlinkat(scratch.fd, "root/x", 0), 0);
    loader_read(&tree, &scratch.files, 3, 2);
    assert_int_equal(tree.count, 2);
    in_memory(tree.pages[0], "1");
    in_memory(tree.pages[1], "1");
    skipped("not served, No such file or directory: /x\n");
}

static void what_is_something_else_now_leaves_the_tree(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/x", "1");
    walk();
    assert_int_equal(unlinkat(scratch.fd, "root/x", 0), 0);
    scratch_mkdir(&scratch, "root/x");
    loader_read(&tree, &scratch.files, 1, 1);
    assert_int_equal(tree.count, 0);
    skipped("not served, Is a directory: /x\n");
    tree_fini(&tree);

    assert_int_equal(unlinkat(scratch.fd, "root/x", AT_REMOVEDIR), 0);
    scratch_write(&scratch, "root/x", "1");
    walk();
    assert_int_equal(unlinkat(scratch.fd, "root/x", 0), 0);
    scratch_write(&scratch, "secret", "1");
    scratch_link(&scratch, "root/x", "../secret");
    loader_read(&tree, &scratch.files, 1, 1);
    assert_int_equal(tree.count, 0);
    skipped("not served, a link that leads out of the root: /x\n");
}

static void what_is_forbidden_leaves_the_tree(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/x", "1");
    assert_int_equal(fchmodat(scratch.fd, "root/x", 0, 0), 0);
    scratch_drop_root();
    load(1, 1);
    scratch_regain_root();
    assert_int_equal(tree.count, 0);
    skipped("not served, Permission denied: /x\n");
}

static void read_errors_and_interruptions(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/x", "1");
    for (size_t kept = 0; kept <= 1; kept++) {
        read_error = EIO;
        read_errors = 1;
        load(kept, 1);
        assert_int_equal(tree.count, 0);
        skipped("not served, Input/output error: /x\n");
        tree_fini(&tree);

        read_error = EINTR;
        read_errors = 3;
        load(kept, 1);
        assert_int_equal(read_errors, 0);
        assert_int_equal(tree.count, 1);
        has_etag(tree.pages[0], "1", 1);
        tree_fini(&tree);
    }
}

static void without_memory_a_page_is_a_file(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/x", "1234");
    for (int i = 0; i <= 3; i++) { /* the content and the two answers */
        walk();
        mallocs_left = i;
        loader_read(&tree, &scratch.files, 1, 1);
        mallocs_left = -1;
        assert_int_equal(tree.count, 1);
        has_etag(tree.pages[0], "1234", 4);
        if (i < 3)
            not_in_memory(tree.pages[0]);
        else
            in_memory(tree.pages[0], "1234");
        tree_fini(&tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_to_read, start, end),
        cmocka_unit_test_setup_teardown(content_times_and_hash, start, end),
        cmocka_unit_test_setup_teardown(future_times_are_not_told, start, end),
        cmocka_unit_test_setup_teardown(every_size_both_ways, start, end),
        cmocka_unit_test_setup_teardown(any_number_of_threads, start, end),
        cmocka_unit_test_setup_teardown(threads_that_cannot_start_are_not_missed, start, end),
        cmocka_unit_test_setup_teardown(threads_hear_no_signals, start, end),
        cmocka_unit_test_setup_teardown(what_grew_once_is_no_longer_kept, start, end),
        cmocka_unit_test_setup_teardown(what_shrank_once_is_kept, start, end),
        cmocka_unit_test_setup_teardown(what_was_rewritten_is_read_anew, start, end),
        cmocka_unit_test_setup_teardown(what_never_holds_still_has_no_validators, start, end),
        cmocka_unit_test_setup_teardown(what_changed_since_the_walk, start, end),
        cmocka_unit_test_setup_teardown(what_is_gone_leaves_the_tree, start, end),
        cmocka_unit_test_setup_teardown(what_is_something_else_now_leaves_the_tree, start, end),
        cmocka_unit_test_setup_teardown(what_is_forbidden_leaves_the_tree, start, end),
        cmocka_unit_test_setup_teardown(read_errors_and_interruptions, start, end),
        cmocka_unit_test_setup_teardown(without_memory_a_page_is_a_file, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
