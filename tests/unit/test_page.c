/* What a page is made of: its path, what stat says of its file, and what follows from both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "failing_memory.h"
#include "http/mime.h"
#include "serve/compress.h"
#include "serve/page.h"

static int start(void **state)
{
    (void)state;
    allocations_left = -1;
    return 0;
}

static void is(struct slice slice, const char *text)
{
    if (!slice_equal(slice, slice_text(text)))
        fail_msg("\"%.*s\" instead of \"%s\"", (int)slice.size, slice.data, text);
}

static struct page *page_of(const char *path, uint64_t size)
{
    struct stat st = { .st_size = (off_t)size, .st_mtim = { 1700000000, 5 }, .st_ino = 7 };
    struct page *page = page_new(slice_text(path), &st);
    assert_non_null(page);
    return page;
}

static void has_its_own_path(void **state)
{
    char path[] = "folder/a.html";
    struct page *page = page_of(path, 77);
    (void)state;

    memset(path, 'x', sizeof path - 1);
    is(page_address(page), "/folder/a.html");
    assert_string_equal(page->path, "/folder/a.html");
    assert_string_equal(page_file(page), "folder/a.html");
    assert_int_equal(page->size, 77);
    assert_true(page->modified_ns == INT64_C(1700000000000000005));
    assert_int_equal(page->inode, 7);
    assert_int_equal(page->count, 1);
    assert_int_equal(page->hash, 0);
    assert_int_equal(page->sidecars, 0);
    assert_int_equal(page->sidecar_mark, 0);
    assert_false(page->hidden);
    assert_null(page_cache_find(&page->slot));
    page_free(page);
    page_free(NULL);
}

/* There may be a million of them. */
static void is_small(void **state)
{
    (void)state;
    assert_true(offsetof(struct page, path) <= 72);
}

static void any_bytes_may_be_in_a_path(void **state)
{
    struct stat st = { 0 };
    struct page *page = page_new(SLICE("\xff\x01 %\\\"\n"), &st);
    (void)state;

    is(page_address(page), "/\xff\x01 %\\\"\n");
    page_free(page);
    page = page_new(SLICE(""), &st);
    is(page_address(page), "/");
    page_free(page);
}

static void paths_have_a_limit(void **state)
{
    static char path[UINT16_MAX + 1];
    struct stat st = { 0 };
    (void)state;

    memset(path, 'p', sizeof path);
    struct page *page = page_new(slice_make(path, UINT16_MAX - 2), &st);
    assert_non_null(page);
    assert_int_equal(page->path_size, UINT16_MAX - 1);
    assert_int_equal(strlen(page->path), UINT16_MAX - 1);
    page_free(page);
    assert_null(page_new(slice_make(path, UINT16_MAX - 1), &st));
    assert_null(page_new(slice_make(path, UINT16_MAX), &st));
    assert_null(page_new(slice_make(path, UINT16_MAX + 1), &st));
}

static void type_is_of_the_name_alone(void **state)
{
    static const char *const paths[][2] = {
        { "a.html", "a.html" }, { "b.css/noext", "noext" }, { "x/y/z.png", "z.png" }, { "html", "html" },
    };
    (void)state;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct page *page = page_of(paths[i][0], 1);
        assert_true(slice_equal(page->type, mime_type(slice_text(paths[i][1]))));
        page_free(page);
    }
}

static void matches_its_file_only(void **state)
{
    struct page *page = page_of("a", 77);
    const struct stat same = { .st_size = 77, .st_mtim = { 1700000000, 5 }, .st_ino = 7 };
    struct stat other = same;
    (void)state;

    assert_true(page_matches(page, &same));
    other.st_size = 78;
    assert_false(page_matches(page, &other));
    other = same;
    other.st_mtim.tv_nsec = 6;
    assert_false(page_matches(page, &other));
    other = same;
    other.st_mtim.tv_sec++;
    assert_false(page_matches(page, &other));
    other = same;
    other.st_ino = 8;
    assert_false(page_matches(page, &other));
    page_free(page);
}

static void negotiable_is_what_can_become_smaller(void **state)
{
    static const struct {
        const char *path;
        uint64_t size;
        unsigned sidecars;
        bool negotiable;
    } cases[] = {
        { "a.html", COMPRESS_SIZE_MIN, 0, true },
        { "a.html", COMPRESS_SIZE_MIN - 1, 0, false },
        { "a.html", 1, 1 << CODING_BR, true },
        { "a.png", 100000, 0, false },
        { "a.png", 100000, 1 << CODING_GZIP, true },
        { "unknown", 100000, 0, false },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct page *page = page_of(cases[i].path, cases[i].size);
        page->sidecars = (uint8_t)cases[i].sidecars;
        assert_int_equal(page_negotiable(page), cases[i].negotiable);
        page_free(page);
    }
}

static void last_modified_is_never_in_the_future(void **state)
{
    static const struct {
        int64_t modified_ns, now_s, modified_s;
    } cases[] = {
        { 1000000000000, 2000, 1000 }, { 1999999999999, 2000, 1999 }, { 2000000000000, 2000, 2000 },
        { 2000000000001, 2000, 2000 }, { 2001000000000, 2000, 2000 }, { INT64_MAX, 2000, 2000 },
        { 0, 2000, 0 }, { 999999999, 2000, 0 }, { -1, 2000, -1 }, { -1000000000, 2000, -1 }, { INT64_MIN, 2000, -1 },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(page_modified_s(cases[i].modified_ns, cases[i].now_s) == cases[i].modified_s);
}

static void etag_is_quoted_hexadecimal(void **state)
{
    static const struct {
        uint64_t hash;
        const char *etag;
    } cases[] = {
        { UINT64_MAX, "\"ffffffffffffffff\"" },
        { 1, "\"1\"" },
        { UINT64_C(0x2d06800538d394c2), "\"2d06800538d394c2\"" },
        { 0, "" },
    };
    char etag[PAGE_ETAG_SIZE];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is(slice_make(etag, page_write_etag(etag, cases[i].hash)), cases[i].etag);
}

static void no_memory_no_page(void **state)
{
    struct stat st = { 0 };
    (void)state;

    allocations_left = 0;
    assert_null(page_new(SLICE("a"), &st));
    allocations_left = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(has_its_own_path, start),
        cmocka_unit_test_setup(is_small, start),
        cmocka_unit_test_setup(any_bytes_may_be_in_a_path, start),
        cmocka_unit_test_setup(paths_have_a_limit, start),
        cmocka_unit_test_setup(type_is_of_the_name_alone, start),
        cmocka_unit_test_setup(matches_its_file_only, start),
        cmocka_unit_test_setup(negotiable_is_what_can_become_smaller, start),
        cmocka_unit_test_setup(last_modified_is_never_in_the_future, start),
        cmocka_unit_test_setup(etag_is_quoted_hexadecimal, start),
        cmocka_unit_test_setup(no_memory_no_page, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
