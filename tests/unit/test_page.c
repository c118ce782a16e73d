/* A page's names, validators, fields and prepared answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "http/mime.h"
#include "serve/page.h"

static int mallocs_left; /* -1: no limit */

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

static int start(void **state)
{
    (void)state;
    mallocs_left = -1;
    return 0;
}

static void is(struct slice slice, const char *text)
{
    if (!slice_equal(slice, slice_text(text)))
        fail_msg("\"%.*s\" instead of \"%s\"", (int)slice.size, slice.data, text);
}

static struct page *page_of(const char *path, uint64_t size, int64_t modified_s)
{
    struct page *page = page_new(slice_text(path));
    struct stat st = { .st_size = (off_t)size, .st_mtim = { modified_s, 5 } };
    assert_non_null(page);
    page_describe(page, &st, 2000000000);
    return page;
}

static void has_its_own_path(void **state)
{
    char path[] = "folder/a.html";
    struct page *page = page_new(slice_text(path));
    (void)state;

    memset(path, 'x', sizeof path - 1);
    is(page->path, "folder/a.html");
    assert_int_equal(page->path.data[page->path.size], '\0');
    is(page_address(page), "/folder/a.html");
    is(page_etag(page), "");
    assert_true(page->modified_s == -1);
    assert_null(page->ok);
    page_free(page);
    page_free(NULL);
}

static void type_is_of_the_name_alone(void **state)
{
    static const char *const paths[][2] = {
        { "a.html", "a.html" }, { "b.css/noext", "noext" }, { "x/y/z.png", "z.png" }, { "html", "html" },
    };
    (void)state;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct page *page = page_new(slice_text(paths[i][0]));
        assert_true(slice_equal(page->type, mime_type(slice_text(paths[i][1]))));
        page_free(page);
    }
}

static void last_modified_is_never_in_the_future(void **state)
{
    static const struct {
        int64_t mtime_s, now_s, modified_s;
    } cases[] = {
        { 1000, 2000, 1000 }, { 2000, 2000, 2000 }, { 2001, 2000, 2000 }, { INT64_MAX, 2000, 2000 },
        { 0, 2000, 0 }, { -1, 2000, -1 }, { -5000, 2000, -1 },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stat st = { .st_mtim = { .tv_sec = cases[i].mtime_s } };
        assert_true(page_last_modified(&st, cases[i].now_s) == cases[i].modified_s);
    }
}

static void describes_what_stat_says(void **state)
{
    struct page *page = page_of("a", 77, 1999999999);
    (void)state;

    assert_int_equal(page->size, 77);
    assert_true(page->modified_s == 1999999999);
    assert_true(page->modified_ns == INT64_C(1999999999000000005));
    page_free(page);

    page = page_of("future", 77, 2000000001);
    assert_true(page->modified_s == 2000000000);
    assert_true(page->modified_ns == INT64_C(2000000001000000005)); /* this one as it is, to compare with */
    page_free(page);
}

static void etag_is_quoted_hexadecimal(void **state)
{
    static const struct {
        uint64_t hash;
        const char *etag;
    } cases[] = {
        { UINT64_MAX, "\"ffffffffffffffff\"" },
        { 0, "\"0\"" },
        { UINT64_C(0x2d06800538d394c2), "\"2d06800538d394c2\"" },
    };
    struct page *page = page_of("a", 1, 1);
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        page_set_hash(page, cases[i].hash);
        is(page_etag(page), cases[i].etag);
    }
    page_unsettle(page);
    is(page_etag(page), "");
    assert_true(page->modified_s == -1);
    page_free(page);
}

static void check_fields(const struct page_fields *fields, const char *const *expected)
{
    unsigned count = 0;
    for (; expected[2 * count]; count++) {
        assert_true(count < fields->count);
        is(fields->at[count].name, expected[2 * count]);
        is(fields->at[count].value, expected[2 * count + 1]);
    }
    assert_int_equal(fields->count, count);
}

static void fields_are_what_there_is_to_say(void **state)
{
    static const char date[] = "Thu, 01 Jan 1970 00:00:00 GMT";
    struct slice type = SLICE("text/css"), etag = SLICE("\"1\""), none = SLICE("");
    struct page_fields fields;
    (void)state;

    page_fields_ok(&fields, type, etag, 0);
    check_fields(&fields, (const char *[]){ "Content-Type", "text/css", "ETag", "\"1\"", "Last-Modified", date, NULL });
    page_fields_ok(&fields, type, none, 0);
    check_fields(&fields, (const char *[]){ "Content-Type", "text/css", "Last-Modified", date, NULL });
    page_fields_ok(&fields, type, etag, -1);
    check_fields(&fields, (const char *[]){ "Content-Type", "text/css", "ETag", "\"1\"", NULL });
    page_fields_ok(&fields, type, none, -1);
    check_fields(&fields, (const char *[]){ "Content-Type", "text/css", NULL });

    page_fields_not_modified(&fields, etag, 0);
    check_fields(&fields, (const char *[]){ "ETag", "\"1\"", NULL });
    page_fields_not_modified(&fields, none, 0);
    check_fields(&fields, (const char *[]){ "Last-Modified", date, NULL });
    page_fields_not_modified(&fields, none, -1);
    check_fields(&fields, (const char *[]){ NULL });
}

static void kept_content_has_answers(void **state)
{
    struct page *page = page_of("a.css", 5, 1000000000);
    char *content = __real_malloc(6);
    (void)state;

    memcpy(content, "hello!", 6); /* a byte more than the page has */
    page_set_hash(page, 1);
    assert_true(page_keep(page, content));
    assert_int_equal(page->ok->status, 200);
    assert_int_equal(page->ok->body.kind, BODY_SPAN);
    assert_int_equal(page->ok->body.size, 5);
    assert_ptr_equal(page->ok->body.data, content);
    assert_int_equal(page->ok->field_count, 3);
    is(page->ok->fields[0].value, "text/css; charset=utf-8");
    is(page->ok->fields[1].value, "\"1\"");
    is(page->ok->fields[2].value, "Sun, 09 Sep 2001 01:46:40 GMT");
    assert_int_equal(page->not_modified->status, 304);
    assert_int_equal(page->not_modified->body.kind, BODY_NONE);
    assert_int_equal(page->not_modified->field_count, 1);
    is(page->not_modified->fields[0].value, "\"1\"");

    /* a response under way outlives its page */
    struct answer *ok = page->ok;
    answer_ref(ok);
    page_free(page);
    is(slice_make(ok->body.data, ok->body.size), "hello");
    answer_unref(ok);
}

static void empty_content_is_content(void **state)
{
    struct page *page = page_of("empty.txt", 0, 1);
    (void)state;

    page_set_hash(page, 1);
    assert_true(page_keep(page, __real_malloc(1)));
    assert_int_equal(page->ok->body.size, 0);
    page_free(page);
}

static void no_memory_keeps_nothing(void **state)
{
    struct page *page = page_of("a", 1, 1);
    char *content = __real_malloc(1);
    (void)state;

    for (int i = 0; i < 2; i++) {
        mallocs_left = i;
        assert_false(page_keep(page, content));
        assert_null(page->ok);
        assert_null(page->not_modified);
    }
    mallocs_left = 0;
    assert_null(page_new(SLICE("b")));
    mallocs_left = -1;
    content[0] = 'x'; /* still ours */
    assert_true(page_keep(page, content));
    page_free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(has_its_own_path, start),
        cmocka_unit_test_setup(type_is_of_the_name_alone, start),
        cmocka_unit_test_setup(last_modified_is_never_in_the_future, start),
        cmocka_unit_test_setup(describes_what_stat_says, start),
        cmocka_unit_test_setup(etag_is_quoted_hexadecimal, start),
        cmocka_unit_test_setup(fields_are_what_there_is_to_say, start),
        cmocka_unit_test_setup(kept_content_has_answers, start),
        cmocka_unit_test_setup(empty_content_is_content, start),
        cmocka_unit_test_setup(no_memory_keeps_nothing, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
