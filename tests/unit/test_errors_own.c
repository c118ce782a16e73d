/* Error responses with the site's own pages, and what is left of them when there is no memory. */
#include "errors_fixture.h"

/* ---- Running out of memory, and a site of two pages ---- */

static long allocations_left = -1; /* -1: without end */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
const struct page *__wrap_site_page(const struct site *site, struct slice path);

static bool allowed(void)
{
    if (allocations_left < 0)
        return true;
    return allocations_left > 0 && allocations_left-- > 0;
}

void *__wrap_malloc(size_t size)
{
    return allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allowed() ? __real_calloc(count, size) : NULL;
}

struct site {
    struct page own_404, own_50x;
};

const struct page *__wrap_site_page(const struct site *site, struct slice path)
{
    if (slice_equal(path, SLICE("/404.html")))
        return &site->own_404;
    return slice_equal(path, SLICE("/50x.html")) ? &site->own_50x : NULL;
}

static struct site site_make(void)
{
    return (struct site){
        .own_404 = { .ok = page_answer(SLICE("own 404")), .type = SLICE("text/html; charset=utf-8") },
        .own_50x = { .ok = page_answer(SLICE("own 50x")), .type = SLICE("text/x-odd") },
    };
}

static void site_drop(struct site *site)
{
    answer_unref(site->own_404.ok);
    answer_unref(site->own_50x.ok);
}

/* ---- The site's own pages ---- */

static void test_own_pages(void **state)
{
    (void)state;
    struct site site = site_make();
    struct errors *errors = errors_new(&site);
    assert_non_null(errors);

    begin(NULL);
    struct answer *answer = ask(errors, 404, 0, "a detail has no place in it");
    assert_non_null(answer);
    expect_body("own 404");
    assert_ptr_equal(answer->body.data, site.own_404.ok->body.data); /* borrowed */
    expect_field("Content-Type", html_type);
    expect_field("Cache-Control", "no-store");
    expect_field("Vary", "Accept");
    expect_field("Content-Security-Policy", NULL);

    static const unsigned server_errors[] = { 500, 501, 503, 507 };
    for (size_t i = 0; i < 4; i++) {
        begin(NULL);
        assert_non_null(ask(errors, server_errors[i], 0, ""));
        assert_int_equal(exchange.response.status, server_errors[i]);
        expect_body("own 50x");
        expect_field("Content-Type", "text/x-odd");
        expect_field("Retry-After", server_errors[i] == 503 ? "1" : NULL);
    }
    begin(NULL); /* not prepared, but there is a page for it */
    assert_null(ask(errors, 520, 0, ""));
    assert_int_equal(exchange.response.status, 520);
    expect_body("own 50x");
    expect_field("Content-Type", "text/x-odd");

    begin(NULL);
    assert_true(exchange_add_field(&exchange, SLICE("X-Kept"), SLICE("yes")));
    assert_null(ask(errors, 404, 0, "detail"));
    expect_body("own 404");
    expect_field("X-Kept", "yes");

    begin(NULL);
    assert_non_null(ask(errors, 403, 0, ""));
    assert_true(body_has("403 Forbidden"));
    begin("application/json");
    assert_null(ask(errors, 404, 0, "gone fishing"));
    assert_true(body_has("\"detail\":\"gone fishing\""));
    exchange_release(&exchange);
    errors_free(errors);
    assert_int_equal(atomic_load(&site.own_404.ok->hold.count), 1);
    assert_int_equal(atomic_load(&site.own_50x.ok->hold.count), 1);
    site_drop(&site);
}

/* A span in flight holds the error's answer, and that the page's content. */
static void test_own_pages_outlive_the_site(void **state)
{
    (void)state;
    struct site site = site_make();
    struct errors *errors = errors_new(&site);
    begin(NULL);
    struct answer *answer = ask(errors, 404, 0, "");
    struct hold *hold = answer->body.hold;
    hold_ref(hold);
    struct slice content = body();
    exchange_release(&exchange);
    errors_free(errors);
    site_drop(&site);
    assert_memory_equal(content.data, "own 404", content.size);
    hold_unref(hold);
}

static void test_own_pages_that_cannot_be_used(void **state)
{
    (void)state;
    struct site site = { .own_404 = { .ok = NULL }, .own_50x = { .ok = page_answer(SLICE("")) } }; /* a file; empty */
    struct errors *errors = errors_new(&site);
    begin(NULL);
    assert_non_null(ask(errors, 404, 0, ""));
    assert_true(body_has("404 Not Found"));
    begin(NULL);
    assert_non_null(ask(errors, 500, 0, ""));
    assert_true(body_has("500 Internal Server Error"));
    errors_free(errors);
    site_drop(&site);
}

/* ---- Without memory ---- */

static void test_no_memory_when_built(void **state)
{
    (void)state;
    struct site site = site_make();
    for (long i = 0;; i++) {
        allocations_left = i;
        struct errors *errors = errors_new(&site);
        allocations_left = -1;
        if (errors) {
            errors_free(errors);
            assert_true(i > 60);
            break;
        }
        assert_int_equal(atomic_load(&site.own_404.ok->hold.count), 1);
        assert_int_equal(atomic_load(&site.own_50x.ok->hold.count), 1);
    }
    site_drop(&site);
}

static void test_no_memory_when_answered(void **state)
{
    (void)state;
    struct errors *errors = errors_new(NULL);
    static char detail[CEILING / 6];
    memset(detail, 'x', sizeof detail - 1);
    begin(NULL);
    struct answer *answer = ask(errors, 422, 0, detail);
    assert_non_null(answer);
    assert_int_equal(answer->status, 422);

    begin(NULL);
    answer = ask(errors, 418, 0, detail);
    assert_non_null(answer);
    assert_int_equal(answer->status, 400);

    /* Whatever is left of the exchange's own memory. */
    for (unsigned taken = 0; taken <= EXCHANGE_INLINE; taken += 16) {
        begin("application/json");
        exchange.arena.ceiling = 0;
        assert_non_null(arena_take(&exchange.arena, taken));
        answer = ask(errors, 405, method_bit(METHOD_PUT), "");
        assert_int_equal(exchange.response.status, 405);
        expect_field("Allow", answer ? "" : "PUT");
        assert_true(body_has("Method Not Allowed"));
    }
    exchange.arena.ceiling = CEILING;

    begin(NULL); /* one field more than there may be */
    for (unsigned i = 0; i < EXCHANGE_FIELDS_MAX; i++)
        assert_true(exchange_add_field(&exchange, SLICE("X"), SLICE("1")));
    assert_non_null(ask(errors, 404, 0, ""));
    exchange_release(&exchange);
    errors_free(errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_pages),
        cmocka_unit_test(test_own_pages_outlive_the_site),
        cmocka_unit_test(test_own_pages_that_cannot_be_used),
        cmocka_unit_test(test_no_memory_when_built),
        cmocka_unit_test(test_no_memory_when_answered),
    };
    return run_all(tests, sizeof tests / sizeof tests[0]);
}
