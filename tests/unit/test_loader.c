/* Reading a page's file into the store: steady files, those that change, grow, shrink or vanish meanwhile, the
 * budget, and those who wait; and what is read beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loader_fixture.h"

/* As it is at first, and no file behind it has been opened. */
static void begin_anew(void)
{
    leave(page);
    page = NULL;
    fixture_settle();
    assert_int_equal(unlinkat(scratch.fd, "root/x", 0), 0);
    old_file("root/x", "1234");
    page = page_of_file("x");
}

/* ---- Steady files ------------------------------------------------------------------------------------------- */

static void content_and_validators(void **state)
{
    (void)state;
    old_file("root/a.txt", "abc");
    page = page_of_file("a.txt");
    loads("abc");
    struct content *content = content_of_page(page);
    assert_true(slice_equal(representation_etag(&content->identity), SLICE("\"78af5f94892f3950\""))); /* published */
    assert_int_equal(content->modified_s, OLD);
    assert_true(slice_equal(content->identity.ok->fields[0].value, SLICE("text/plain; charset=utf-8")));
    expect_silence();
}

static void future_times_are_not_told(void **state)
{
    struct clock clock = { .now_ms = 0 };
    (void)state;

    scratch_write(&scratch, "root/a.txt", "abc");
    scratch_date(&scratch, "root/a.txt", 4000000000, 0);
    page = page_of_file("a.txt");
    loads("abc");
    clock_update(&clock);
    assert_true(content_of_page(page)->modified_s <= clock.unix_s);
    assert_true(content_of_page(page)->modified_s > clock.unix_s - 100);
}

static void an_empty_file(void **state)
{
    (void)state;
    old_file("root/empty", "");
    page = page_of_file("empty");
    loads("");
}

static void names_with_odd_bytes(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a b");
    old_file("root/a b/%2e\"gr\xc3\xbc\xc3\x9f" "e\n?#", "odd");
    page = page_of_file("a b/%2e\"gr\xc3\xbc\xc3\x9f" "e\n?#");
    loads("odd");
}

static void a_link_is_its_file(void **state)
{
    (void)state;
    old_file("root/file", "abc");
    scratch_link(&scratch, "root/x", "file");
    page = page_of_file("x");
    loads("abc");
}

static void what_is_to_be_encoded(void **state)
{
    char *text = compressible(COMPRESS_SIZE_MIN);
    (void)state;

    old_file("root/a.txt", text);
    page = page_of_file("a.txt");
    loads(text);
    assert_int_equal(content_of_page(page)->wanted, compress_codings());
    leave(page);
    old_file("root/a.png", text);
    page = page_of_file("a.png");
    loads(text);
    assert_int_equal(content_of_page(page)->wanted, 0);
    leave(page);
    old_file("root/b.txt", text + 1); /* too small */
    page = page_of_file("b.txt");
    loads(text + 1);
    assert_int_equal(content_of_page(page)->wanted, 0);
    free(text);
}

/* ---- Files that do not hold still --------------------------------------------------------------------------- */

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
    scratch_write(&scratch, "root/x", "4321");
    scratch_date(&scratch, "root/x", OLD + 1, 0);
}

static void vanish(void)
{
    assert_int_equal(unlinkat(scratch.fd, "root/x", 0), 0);
}

static void replace(void)
{
    scratch_write(&scratch, "root/y", "4321");
    assert_int_equal(renameat(scratch.fd, "root/y", scratch.fd, "root/x"), 0);
}

static void what_does_not_hold_still_is_not_kept(void **state)
{
    static void (*const events[])(void) = { grow, shrink, rewrite };
    (void)state;

    old_file("root/x", "1234");
    page = page_of_file("x");
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        for (quiet_reads = 0; quiet_reads < 2; quiet_reads++) { /* before the reading, or at its end */
            int quiet = quiet_reads;
            events_left = 1;
            event = events[i];
            loads_nothing(LOADED_OTHER, 0);
            assert_int_equal(events_left, 0);
            begin_anew();
            quiet_reads = quiet;
        }
        quiet_reads = 0;
    }
    loads("1234");
}

/* What is open is what was asked for; the watcher will tell what has become of the name. */
static void what_goes_while_it_is_read_was_there(void **state)
{
    static void (*const events[])(void) = { vanish, replace };
    (void)state;

    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        old_file("root/x", "1234");
        page = page_of_file("x");
        events_left = 1;
        event = events[i];
        loads("1234");
        leave(page);
    }
    page = NULL;
}

static void what_changed_since_the_walk(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        old_file("root/x", "1234");
        page = page_of_file("x");
        (void (*[])(void)){ grow, shrink, rewrite, replace }[i]();
        loads_nothing(LOADED_OTHER, 0);
        leave(page);
        fixture_settle();
    }
    page = NULL;
    expect_silence();
}

/* ---- Files that cannot be read ------------------------------------------------------------------------------ */

static void what_is_gone(void **state)
{
    (void)state;
    old_file("root/x", "1");
    page = page_of_file("x");
    vanish();
    loads_nothing(LOADED_FAILED, ENOENT);
}

static void what_is_something_else_now(void **state)
{
    (void)state;
    old_file("root/x", "1");
    page = page_of_file("x");
    vanish();
    scratch_mkdir(&scratch, "root/x");
    loads_nothing(LOADED_OTHER, 0);

    assert_int_equal(unlinkat(scratch.fd, "root/x", AT_REMOVEDIR), 0);
    assert_int_equal(mkfifoat(scratch.fd, "root/x", 0644), 0);
    loads_nothing(LOADED_FAILED, ENXIO); /* and does not block */

    vanish();
    old_file("secret", "1");
    scratch_link(&scratch, "root/x", "../secret");
    loads_nothing(LOADED_FAILED, EXDEV);
}

static void what_is_forbidden(void **state)
{
    (void)state;
    old_file("root/x", "1");
    page = page_of_file("x");
    assert_int_equal(fchmodat(scratch.fd, "root/x", 0, 0), 0);
    scratch_drop_root();
    loads_nothing(LOADED_FAILED, EACCES);
    scratch_regain_root();
}

static void errors_and_interruptions(void **state)
{
    (void)state;
    old_file("root/x", "1234");
    page = page_of_file("x");
    read_error = EIO;
    read_errors = 1;
    loads_nothing(LOADED_FAILED, EIO);
    for (int i = 1; i < 3; i++) { /* the first look is that of files_open */
        stats_left = i;
        loads_nothing(LOADED_FAILED, EIO);
    }
    stats_left = -1;
    read_error = EINTR;
    read_errors = 3;
    loads("1234");
    assert_int_equal(read_errors, 0);
}

/* ---- The budget --------------------------------------------------------------------------------------------- */

static void what_is_more_than_its_share(void **state)
{
    char *text = compressible(BUDGET / PAGE_CACHE_SHARE - content_weight(0) + 1);
    (void)state;

    scratch_write(&scratch, "root/x", text);
    page = page_of_file("x");
    loads_nothing(LOADED_NOT, 0);
    leave(page);
    scratch_write(&scratch, "root/x", text + 1);
    page = page_of_file("x");
    loads(text + 1);
    free(text);
}

static void no_room_now(void **state)
{
    struct link leavers;
    struct page *other = page_new(SLICE("other"), &(struct stat){ .st_size = 0 });
    struct page_load load;
    (void)state;

    /* others, which are under way, have reserved all there is */
    list_init(&leavers);
    page_load_init(&load, &other->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD);
    assert_true(page_cache_reserve(&store.cache, &load, 2048, &leavers));
    old_file("root/x", "1234");
    page = page_of_file("x");
    atomic_fetch_add(&store.cache.leaving, BUDGET - 2048 - 100);
    loads_nothing(LOADED_NOT, 0);
    atomic_fetch_sub(&store.cache.leaving, BUDGET - 2048 - 100);
    loads("1234");
    assert_null(page_cache_finish(&store.cache, &load));
    leave(other);
}

/* Those who leave make room only when no worker sees them any more: the first one that comes is refused, the next is
 * not. */
static void others_leave_for_it(void **state)
{
    enum { FILES = 30 };
    struct page *pages[FILES];
    char *text = compressible(BUDGET / 16), path[32];
    (void)state;

    for (unsigned i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "root/%u", i);
        scratch_write(&scratch, path, text);
        page = pages[i] = page_of_file(path + 5);
        if (i >= 15)
            loads_nothing(LOADED_NOT, 0);
        qsbr_announce(store.qsbr, 0);
        loads(text);
        assert_true(page_cache_stats(&store.cache).present <= BUDGET);
    }
    assert_int_equal(page_cache_stats(&store.cache).evictions, FILES - 15);
    page = NULL;
    for (unsigned i = 0; i < FILES; i++)
        leave(pages[i]);
    free(text);
}

static void close_page(void)
{
    store_close(&store, page);
}

/* For those who wait it is good enough. */
static void a_page_that_leaves_while_it_is_read(void **state)
{
    struct content *content;
    (void)state;

    old_file("root/x", "1234");
    page = page_of_file("x");
    events_left = 1;
    event = close_page;
    assert_int_equal(load(&content), LOADED);
    assert_null(content_of_page(page));
    assert_memory_equal(content->identity.bytes, "1234", 4);
    assert_true(page_cache_stats(&store.cache).leaving > 0);
    hold_unref(&content->hold);
    assert_int_equal(page_cache_stats(&store.cache).leaving, 0);
    page_free(page);
    page = NULL;
}

/* ---- Those who wait ----------------------------------------------------------------------------------------- */

static struct page_waiter early, late;

static void join(void)
{
    struct page_load other;
    page_load_init(&other, &page->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &other, &late), PAGE_CACHE_WAIT);
}

static void all_are_woken_in_their_order(void **state)
{
    struct page_load load;
    struct content *content = NULL;
    (void)state;

    old_file("root/x", "1234");
    page = page_of_file("x");
    page_load_init(&load, &page->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, &early), PAGE_CACHE_LOAD);
    events_left = 1;
    event = join;
    assert_int_equal(loader_load(bare_site(), page, &load, &content), LOADED);
    assert_int_equal(woken_count, 0);
    loader_end(&store, &load, content);
    assert_int_equal(woken_count, 2);
    assert_ptr_equal(woken[0].waiter, &early);
    assert_ptr_equal(woken[1].waiter, &late);
    assert_ptr_equal(woken[0].content, content_of_page(page));
    assert_ptr_equal(woken[1].content, content_of_page(page));
}

static void nobody_waits(void **state)
{
    struct page_load load;
    struct content *content = NULL;
    (void)state;

    old_file("root/x", "1234");
    page = page_of_file("x");
    page_load_init(&load, &page->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD);
    loader_end(&store, &load, NULL);
    assert_int_equal(woken_count, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD); /* again */
    assert_int_equal(loader_load(bare_site(), page, &load, &content), LOADED);
    loader_end(&store, &load, content);
    assert_int_equal(woken_count, 0);
    assert_non_null(content_of_page(page));
}

/* ---- Hashes, and files that are not for the store ----------------------------------------------------------- */

static void a_hash_for_what_is_too_large(void **state)
{
    (void)state;
    old_file("root/x", "1234");
    page = page_of_file("x");
    loader_hash(&scratch.files, page);
    assert_true(page->hash == digest_bytes(SLICE("1234")));
}

static void no_hash_of_what_is_not_the_page(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        old_file("root/x", "1234");
        page = page_of_file("x");
        (void (*[])(void)){ grow, shrink, rewrite, replace, vanish }[i]();
        loader_hash(&scratch.files, page);
        assert_int_equal(page->hash, 0);
        leave(page);
    }
    for (unsigned i = 0; i < 3; i++) {
        old_file("root/x", "1234");
        page = page_of_file("x");
        events_left = 1;
        event = (void (*[])(void)){ grow, shrink, rewrite }[i];
        loader_hash(&scratch.files, page);
        assert_int_equal(page->hash, 0);
        leave(page);
    }
    old_file("root/x", "1234");
    page = page_of_file("x");
    for (stats_left = 1; stats_left < 3; stats_left++) {
        int left = stats_left;
        loader_hash(&scratch.files, page);
        assert_int_equal(page->hash, 0);
        stats_left = left;
    }
    stats_left = -1;
    read_errors = 1;
    read_error = EIO;
    loader_hash(&scratch.files, page);
    assert_int_equal(page->hash, 0);
}

static void reads(const char *expected, size_t most, int error)
{
    errno = 0;
    char *bytes = loader_read(&scratch.files, page, most);
    if (!expected) {
        assert_null(bytes);
        assert_int_equal(errno, error);
        return;
    }
    assert_non_null(bytes);
    assert_memory_equal(bytes, expected, page->size);
    free(bytes);
}

static void a_file_that_is_not_for_the_store(void **state)
{
    (void)state;
    old_file("root/x", "1234");
    page = page_of_file("x");
    reads("1234", 4, 0);
    reads("1234", 1000, 0);
    reads(NULL, 3, EFBIG);
    allocations_left = 0;
    reads(NULL, 4, ENOMEM);
    allocations_left = -1;
    read_errors = 1;
    read_error = EIO;
    reads(NULL, 4, EIO);
    events_left = 1;
    event = grow;
    reads(NULL, 4, ESTALE);
    reads(NULL, 4, ESTALE);
    vanish();
    reads(NULL, 4, ENOENT);
    assert_int_equal(page_cache_stats(&store.cache).present, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(content_and_validators, start, end),
        cmocka_unit_test_setup_teardown(future_times_are_not_told, start, end),
        cmocka_unit_test_setup_teardown(an_empty_file, start, end),
        cmocka_unit_test_setup_teardown(names_with_odd_bytes, start, end),
        cmocka_unit_test_setup_teardown(a_link_is_its_file, start, end),
        cmocka_unit_test_setup_teardown(what_is_to_be_encoded, start, end),
        cmocka_unit_test_setup_teardown(what_does_not_hold_still_is_not_kept, start, end),
        cmocka_unit_test_setup_teardown(what_goes_while_it_is_read_was_there, start, end),
        cmocka_unit_test_setup_teardown(what_changed_since_the_walk, start, end),
        cmocka_unit_test_setup_teardown(what_is_gone, start, end),
        cmocka_unit_test_setup_teardown(what_is_something_else_now, start, end),
        cmocka_unit_test_setup_teardown(what_is_forbidden, start, end),
        cmocka_unit_test_setup_teardown(errors_and_interruptions, start, end),
        cmocka_unit_test_setup_teardown(what_is_more_than_its_share, start, end),
        cmocka_unit_test_setup_teardown(no_room_now, start, end),
        cmocka_unit_test_setup_teardown(others_leave_for_it, start, end),
        cmocka_unit_test_setup_teardown(a_page_that_leaves_while_it_is_read, start, end),
        cmocka_unit_test_setup_teardown(all_are_woken_in_their_order, start, end),
        cmocka_unit_test_setup_teardown(nobody_waits, start, end),
        cmocka_unit_test_setup_teardown(a_hash_for_what_is_too_large, start, end),
        cmocka_unit_test_setup_teardown(no_hash_of_what_is_not_the_page, start, end),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_for_the_store, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
