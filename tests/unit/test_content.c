/* Content and its representations: fields, answers, which one is preferred, who holds it and when it goes, and missing
 * memory at every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>

#include "failing_memory.h"
#include "store_fixture.h"
#include "serve/digest.h"

static const struct dress plain = { .cache_control = SLICE_INIT("no-cache") };
static struct page *page;

static int start(void **state)
{
    (void)state;
    allocations_left = -1;
    fixture_open(1 << 20);
    page = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (page)
        leave(page);
    fixture_close();
    return 0;
}

static void is(struct slice slice, const char *text)
{
    if (!slice_equal(slice, slice_text(text)))
        fail_msg("\"%.*s\" instead of \"%s\"", (int)slice.size, slice.data, text);
}

static struct page *page_named(const char *path, uint64_t size)
{
    struct stat st = { .st_size = (off_t)size, .st_mtim = { 1000000000, 0 } };
    if (page)
        leave(page);
    page = page_new(slice_text(path), &st);
    assert_non_null(page);
    return page;
}

static char *copy_of(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

/* Of a page that is larger than its text says: what is not looked at here need not be there. */
static struct content *content_with(const char *text)
{
    struct content *content = content_new(page, copy_of(text), 1, &plain, 2000000000);
    assert_non_null(content);
    return content;
}

/* ---- Fields ------------------------------------------------------------------------------------------------- */

static void check_pairs(const struct field_pair *at, size_t count, const char *const *expected)
{
    size_t i = 0;
    for (; expected[2 * i]; i++) {
        assert_true(i < count);
        is(at[i].name, expected[2 * i]);
        is(at[i].value, expected[2 * i + 1]);
    }
    assert_int_equal(count, i);
}

#define CHECK(fields, ...) check_pairs((fields).at, (fields).count, (const char *[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static void fields_are_what_there_is_to_say(void **state)
{
    static const char date[] = "Thu, 01 Jan 1970 00:00:00 GMT", type[] = "text/css; charset=utf-8";
    struct slice etag = SLICE("\"1\""), none = SLICE("");
    struct dress silent = { .count = 0 };
    struct page_fields fields;
    (void)state;

    page_named("a.css", 1);
    page_fields_ok(&fields, page, &silent, etag, 0);
    CHECK(fields, "Content-Type", type, "ETag", "\"1\"", "Last-Modified", date, "Accept-Ranges", "bytes");
    page_fields_ok(&fields, page, &silent, none, 0);
    CHECK(fields, "Content-Type", type, "Last-Modified", date, "Accept-Ranges", "bytes");
    page_fields_ok(&fields, page, &silent, etag, -1);
    CHECK(fields, "Content-Type", type, "ETag", "\"1\"", "Accept-Ranges", "bytes");
    page_fields_ok(&fields, page, &silent, none, -1);
    CHECK(fields, "Content-Type", type, "Accept-Ranges", "bytes");

    page_fields_not_modified(&fields, page, &silent, etag, 0);
    CHECK(fields, "ETag", "\"1\"");
    page_fields_not_modified(&fields, page, &silent, none, 0);
    CHECK(fields, "Last-Modified", date);
    page_fields_not_modified(&fields, page, &silent, none, -1);
    CHECK(fields);
}

static void what_is_dressed_and_negotiated(void **state)
{
    static const char type[] = "text/css; charset=utf-8";
    struct dress dress = { .cache_control = SLICE("max-age=60"), .count = 2,
                           .fields = { { SLICE("X-A"), SLICE("1") }, { SLICE("X-B"), SLICE("2") } } };
    struct slice etag = SLICE("\"1\"");
    struct page_fields fields;
    (void)state;

    page_named("a.css", 1000);
    page_fields_ok(&fields, page, &dress, etag, -1);
    CHECK(fields, "Content-Type", type, "ETag", "\"1\"", "Cache-Control", "max-age=60", "Vary", "Accept-Encoding",
          "Accept-Ranges", "bytes", "X-A", "1", "X-B", "2");
    page_fields_not_modified(&fields, page, &dress, etag, -1);
    CHECK(fields, "ETag", "\"1\"", "Cache-Control", "max-age=60", "Vary", "Accept-Encoding");
}

static void vary_is(uint64_t size, const struct dress *dress, const char *expected)
{
    struct page_fields fields;
    page_named("a.css", size);
    page_fields_not_modified(&fields, page, dress, SLICE(""), -1);
    assert_int_equal(fields.count, expected ? 1 : 0);
    if (expected)
        is(fields.at[0].value, expected);
    page_fields_ok(&fields, page, dress, SLICE(""), -1);
    for (unsigned i = 0; i < fields.count; i++)
        if (slice_equal(fields.at[i].name, SLICE("Vary")))
            is(fields.at[i].value, expected ? expected : "no Vary");
}

static void what_it_varies_by_is_joined(void **state)
{
    static char fits[VARY_SIZE], one_more[VARY_SIZE + 1];
    struct dress dress = { .vary_count = 0 };
    (void)state;

    vary_is(1, &dress, NULL);
    vary_is(1000, &dress, "Accept-Encoding");
    dress.vary[dress.vary_count++] = SLICE("Cookie, X-A");
    vary_is(1, &dress, "Cookie, X-A");
    vary_is(1000, &dress, "Accept-Encoding, Cookie, X-A");
    dress.vary[dress.vary_count++] = SLICE("Origin");
    vary_is(1, &dress, "Cookie, X-A, Origin");
    vary_is(1000, &dress, "Accept-Encoding, Cookie, X-A, Origin");

    memset(fits, 'x', sizeof fits);
    memset(one_more, 'x', sizeof one_more);
    dress.vary[0] = slice_make(fits, sizeof fits);
    dress.vary_count = 1;
    struct page_fields fields;
    page_named("a.css", 1);
    page_fields_ok(&fields, page, &dress, SLICE(""), -1);
    assert_int_equal(fields.at[1].value.size, VARY_SIZE);
    dress.vary[0] = slice_make(one_more, sizeof one_more);
    vary_is(1, &dress, "*");
}

static void a_type_of_its_own(void **state)
{
    struct dress dress = { .type = SLICE("text/x-other") };
    struct page_fields fields;
    (void)state;

    page_named("a.css", 1);
    page_fields_ok(&fields, page, &dress, SLICE(""), -1);
    CHECK(fields, "Content-Type", "text/x-other", "Accept-Ranges", "bytes");
}

static void as_many_fields_as_there_may_be(void **state)
{
    struct dress dress = { .cache_control = SLICE("no-cache"), .count = DRESS_FIELDS_MAX };
    struct page_fields fields;
    (void)state;

    for (unsigned i = 0; i < DRESS_FIELDS_MAX; i++)
        dress.fields[i] = (struct field_pair){ SLICE("X-Many"), SLICE("x") };
    page_named("a.css", 1000);
    page_fields_ok(&fields, page, &dress, SLICE("\"1\""), 0);
    assert_int_equal(fields.count, PAGE_FIELDS_MAX - 1); /* one more for Content-Encoding */

    struct content *content = content_new(page, copy_of("x"), 1, &dress, 2000000000);
    assert_non_null(content);
    assert_true(content_add(content, CODING_BR, copy_of("y"), 1));
    assert_int_equal(content_in(content, CODING_BR)->ok->field_count, PAGE_FIELDS_MAX);
    hold_unref(&content->hold);
}

/* ---- The identity ------------------------------------------------------------------------------------------- */

static void identity_has_answers(void **state)
{
    (void)state;
    page_named("a.txt", 5);
    char *bytes = copy_of("hello!"); /* a byte more than the page has */
    struct content *content = content_new(page, bytes, 0xabc, &plain, 2000000000);
    const struct representation *identity = content_in(content, CODING_IDENTITY);

    assert_ptr_equal(identity, &content->identity);
    is(representation_etag(identity), "\"abc\"");
    assert_int_equal(identity->size, 5);
    assert_int_equal(content->modified_s, 1000000000);
    assert_int_equal(content_order(content).places, 0);
    assert_int_equal(content->wanted, 0);
    for (unsigned coding = 1; coding < CODING_COUNT; coding++)
        assert_null(content_in(content, coding));

    assert_int_equal(identity->ok->status, 200);
    assert_int_equal(identity->ok->body.kind, BODY_SPAN);
    assert_int_equal(identity->ok->body.size, 5);
    assert_ptr_equal(identity->ok->body.data, bytes);
    assert_ptr_equal(identity->ok->body.hold, &content->hold);
    check_pairs(identity->ok->fields, identity->ok->field_count,
                (const char *[]){ "Content-Type", "text/plain; charset=utf-8", "ETag", "\"abc\"", "Last-Modified",
                                  "Sun, 09 Sep 2001 01:46:40 GMT", "Cache-Control", "no-cache", "Accept-Ranges",
                                  "bytes", NULL });
    assert_int_equal(identity->not_modified->status, 304);
    assert_int_equal(identity->not_modified->body.kind, BODY_NONE);
    check_pairs(identity->not_modified->fields, identity->not_modified->field_count,
                (const char *[]){ "ETag", "\"abc\"", "Cache-Control", "no-cache", NULL });

    /* a response under way outlives everybody else */
    struct answer *ok = identity->ok;
    answer_ref(ok);
    hold_unref(&content->hold);
    is(slice_make(ok->body.data, ok->body.size), "hello");
    answer_unref(ok);
}

static void empty_content_is_content(void **state)
{
    (void)state;
    page_named("empty.txt", 0);
    struct content *content = content_with("");
    assert_int_equal(content->identity.ok->body.size, 0);
    assert_int_equal(content->identity.ok->body.kind, BODY_NONE);
    hold_unref(&content->hold);
}

/* ---- Others ------------------------------------------------------------------------------------------------- */

static void another_representation(void **state)
{
    char etag[PAGE_ETAG_SIZE + 1] = "";
    (void)state;

    page_named("a.txt", 1000);
    struct content *content = content_with("");
    assert_true(content_add(content, CODING_GZIP, copy_of("zipped"), 6));
    const struct representation *gzip = content_in(content, CODING_GZIP);
    assert_int_equal(gzip->size, 6);
    page_write_etag(etag, digest_bytes(SLICE("zipped")));
    is(representation_etag(gzip), etag);
    check_pairs(gzip->ok->fields, gzip->ok->field_count,
                (const char *[]){ "Content-Type", "text/plain; charset=utf-8", "ETag", etag, "Last-Modified",
                                  "Sun, 09 Sep 2001 01:46:40 GMT", "Cache-Control", "no-cache", "Vary",
                                  "Accept-Encoding", "Accept-Ranges", "bytes", "Content-Encoding", "gzip", NULL });
    check_pairs(gzip->not_modified->fields, gzip->not_modified->field_count,
                (const char *[]){ "ETag", etag, "Cache-Control", "no-cache", "Vary", "Accept-Encoding", NULL });
    assert_ptr_equal(gzip->ok->body.hold, &content->hold);
    is(slice_make(gzip->ok->body.data, gzip->ok->body.size), "zipped");
    assert_int_equal(gzip->not_modified->body.kind, BODY_NONE);
    hold_unref(&content->hold);
}

static void the_smallest_comes_first(void **state)
{
    static const uint64_t sizes[CODING_COUNT] = { [CODING_IDENTITY] = 10, [CODING_GZIP] = 3, [CODING_BR] = 4,
                                                  [CODING_ZSTD] = 2 };
    unsigned there = coding_bit(CODING_IDENTITY);
    (void)state;

    page_named("a.txt", 10);
    struct content *content = content_with("0123456789");
    for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
        assert_true(content_add(content, coding, copy_of("zzzz"), sizes[coding]));
        there |= coding_bit(coding);
        assert_int_equal(content_order(content).places, coding_order_by_size(sizes, there).places);
    }
    assert_int_equal(content_order(content).places & 3, CODING_ZSTD);
    hold_unref(&content->hold);
}

static void weights_add_up(void **state)
{
    (void)state;
    page_named("a.txt", 10);
    struct content *content = content_with("0123456789");
    uint64_t before = content_weight_all(content);

    assert_int_equal(before, content_weight(10));
    assert_int_equal(content->cached.size, before);
    assert_int_equal(content_weight(10) - content_weight(0), 20); /* it lies behind its encoded head once more */
    assert_int_equal(content_weight(ENCODED_BODY_MAX) - content_weight(0), 2 * ENCODED_BODY_MAX);
    assert_int_equal(content_weight(ENCODED_BODY_MAX + 1) - content_weight(0), ENCODED_BODY_MAX + 1);
    assert_true(content_add(content, CODING_BR, copy_of("zzzz"), 4));
    assert_int_equal(content_weight_all(content), before + content_weight(4) - sizeof *content);
    hold_unref(&content->hold);
}

/* What a weight says is what is taken: all that is allocated, and malloc's own part. */
static void weighs_what_it_takes(void **state)
{
    (void)state;
    page_named("a.txt", 1000);
    size_t before = mallinfo2().uordblks;
    struct content *content = content_new(page, malloc(1001), 1, &plain, 2000000000);
    assert_true(content_add(content, CODING_BR, malloc(500), 500));
    size_t taken = mallinfo2().uordblks - before; /* 0 where a sanitizer has another malloc */
    assert_true(taken <= content_weight_all(content));
    hold_unref(&content->hold);
}

/* ---- Leaving ------------------------------------------------------------------------------------------------ */

static struct content *keep(const char *text)
{
    struct page_load load;
    struct link leavers;
    struct content *content = content_with(text);

    list_init(&leavers);
    page_load_init(&load, &page->slot, 0);
    content->cache = &store.cache;
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD);
    assert_true(page_cache_keep(&store.cache, &load, &content->cached, &leavers));
    assert_null(page_cache_finish(&store.cache, &load));
    assert_true(list_empty(&leavers));
    return content;
}

static void goes_when_no_worker_sees_it(void **state)
{
    (void)state;
    page_named("a.txt", 1);
    struct content *content = keep("a");
    assert_ptr_equal(page_cache_close(&store.cache, &page->slot), &content->cached);
    content_retire(content, store.qsbr);
    assert_int_equal(qsbr_reclaim(store.qsbr), 1);
    assert_int_equal(page_cache_stats(&store.cache).leaving, content_weight(1));
    fixture_settle();
    assert_int_equal(page_cache_stats(&store.cache).leaving, 0);
}

static void stays_as_long_as_it_is_held(void **state)
{
    (void)state;
    page_named("a.txt", 1);
    struct content *content = keep("a");
    hold_ref(&content->hold);
    assert_non_null(page_cache_close(&store.cache, &page->slot));
    content_retire(content, store.qsbr);
    fixture_settle();
    assert_int_equal(page_cache_stats(&store.cache).leaving, content_weight(1));
    assert_memory_equal(content->identity.bytes, "a", 1);
    hold_unref(&content->hold);
    assert_int_equal(page_cache_stats(&store.cache).leaving, 0);
}

/* ---- No memory ---------------------------------------------------------------------------------------------- */

static void without_memory_the_bytes_are_the_callers(void **state)
{
    char *bytes = copy_of("abc"), *others = copy_of("def");
    struct content *content = NULL;
    long needed = 0;
    (void)state;

    page_named("a.txt", 3);
    for (; !content; needed++) {
        allocations_left = needed;
        content = content_new(page, bytes, 1, &plain, 2000000000);
        assert_memory_equal(bytes, "abc", 3);
    }
    assert_int_equal(needed, 4); /* itself and two answers; it took the fourth time */

    bool added = false;
    for (needed = 0; !added; needed++) {
        allocations_left = needed;
        added = content_add(content, CODING_ZSTD, others, 3);
        assert_memory_equal(others, "def", 3);
        assert_true(added || (!content_in(content, CODING_ZSTD) && content_order(content).places == 0));
    }
    assert_int_equal(needed, 4);
    allocations_left = -1;
    hold_unref(&content->hold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields_are_what_there_is_to_say, start, end),
        cmocka_unit_test_setup_teardown(what_is_dressed_and_negotiated, start, end),
        cmocka_unit_test_setup_teardown(what_it_varies_by_is_joined, start, end),
        cmocka_unit_test_setup_teardown(a_type_of_its_own, start, end),
        cmocka_unit_test_setup_teardown(as_many_fields_as_there_may_be, start, end),
        cmocka_unit_test_setup_teardown(identity_has_answers, start, end),
        cmocka_unit_test_setup_teardown(empty_content_is_content, start, end),
        cmocka_unit_test_setup_teardown(another_representation, start, end),
        cmocka_unit_test_setup_teardown(the_smallest_comes_first, start, end),
        cmocka_unit_test_setup_teardown(weights_add_up, start, end),
        cmocka_unit_test_setup_teardown(weighs_what_it_takes, start, end),
        cmocka_unit_test_setup_teardown(goes_when_no_worker_sees_it, start, end),
        cmocka_unit_test_setup_teardown(stays_as_long_as_it_is_held, start, end),
        cmocka_unit_test_setup_teardown(without_memory_the_bytes_are_the_callers, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
