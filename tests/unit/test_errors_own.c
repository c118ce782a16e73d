/* Error responses with the site's own pages, and what is left of them when there is no memory. */
#include "errors_fixture.h"
#include "failing_memory.h"
#include "scratch.h"
#include "stored.h"

static struct scratch scratch;
static struct store store;
static struct site_config config;

static struct site *build(void)
{
    struct site *site = site_build(&config, &store, NULL, NULL);
    assert_non_null(site);
    return site;
}

static int start(void **state)
{
    (void)state;
    scratch_open(&scratch);
    config = (struct site_config){ .root = scratch.root };
    scratch_write(&scratch, "root/404.html", "own 404");
    scratch_write(&scratch, "root/50x.html", "own 50x");
    stored_open(&store, 1 << 20, &scratch.log);
    return 0;
}

static int end(void **state)
{
    (void)state;
    exchange_reset(&exchange);
    stored_close(&store);
    scratch_close(&scratch);
    return 0;
}

/* ---- The site's own pages ---- */

static void test_own_pages(void **state)
{
    (void)state;
    struct site *site = build();
    struct errors *errors = errors_new(site);
    assert_non_null(errors);

    begin(NULL);
    struct answer *answer = ask(errors, 404, 0, "a detail has no place in it");
    assert_non_null(answer);
    expect_body("own 404");
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
        expect_field("Content-Type", html_type);
        expect_field("Retry-After", server_errors[i] == 503 ? "1" : NULL);
    }
    begin(NULL); /* not prepared, but there is a page for it */
    assert_null(ask(errors, 520, 0, ""));
    assert_int_equal(exchange.response.status, 520);
    expect_body("own 50x");
    expect_field("Content-Type", html_type);

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
    site_unref(site);
}

/* A span in flight holds the error's answer, and that the page's content. */
static void test_own_pages_outlive_the_site(void **state)
{
    (void)state;
    struct site *site = build();
    struct errors *errors = errors_new(site);
    begin(NULL);
    struct answer *answer = ask(errors, 404, 0, "");
    struct hold *hold = answer->body.hold;
    hold_ref(hold);
    struct slice content = body();
    exchange_release(&exchange);
    errors_free(errors);
    site_unref(site);
    assert_memory_equal(content.data, "own 404", content.size);
    hold_unref(hold);
}

static void says_so_itself(const struct errors *errors, unsigned status)
{
    char text[64];
    snprintf(text, sizeof text, "<title>%u ", status);
    begin(NULL);
    assert_non_null(ask(errors, status, 0, ""));
    assert_true(body_has(text));
}

static void test_own_pages_that_cannot_be_used(void **state)
{
    (void)state;
    static char large[(4 << 20) + 1];
    memset(large, 'x', sizeof large);
    scratch_write_bytes(&scratch, "root/404.html", large, sizeof large);
    scratch_write(&scratch, "root/50x.html", ""); /* a blank page explains nothing */
    struct site *site = build();
    struct errors *errors = errors_new(site);
    assert_non_null(errors);
    says_so_itself(errors, 404);
    says_so_itself(errors, 500);
    assert_non_null(strstr(scratch.lines, "not used as an error page, File too large: /404.html"));
    assert_null(strstr(scratch.lines, "50x"));
    errors_free(errors);
    site_unref(site);
}

/* The largest that is taken. */
static void test_an_own_page_of_4_mib(void **state)
{
    (void)state;
    static char large[4 << 20];
    memset(large, 'x', sizeof large);
    scratch_write_bytes(&scratch, "root/404.html", large, sizeof large);
    struct site *site = build();
    struct errors *errors = errors_new(site);
    assert_non_null(errors);
    begin(NULL);
    assert_non_null(ask(errors, 404, 0, ""));
    assert_int_equal(body().size, sizeof large);
    errors_free(errors);
    site_unref(site);
}

/* Between the walk and the reading. */
static void test_own_pages_that_change_meanwhile(void **state)
{
    (void)state;
    struct site *site = build();
    scratch_write(&scratch, "root/404.html", "another size");
    assert_int_equal(unlinkat(scratch.fd, "root/50x.html", 0), 0);
    struct errors *errors = errors_new(site);
    assert_non_null(errors);
    says_so_itself(errors, 404);
    says_so_itself(errors, 503);
    assert_non_null(strstr(scratch.lines, ": /404.html"));
    assert_non_null(strstr(scratch.lines, "No such file or directory: /50x.html"));
    errors_free(errors);
    site_unref(site);
}

/* ---- Those that the configuration names ---- */

static void answers_with(const struct errors *errors, unsigned status, const char *text)
{
    begin(NULL);
    ask(errors, status, 0, "");
    assert_int_equal(exchange.response.status, status);
    expect_body(text);
    expect_field("Content-Type", html_type);
    expect_field("Cache-Control", "no-store");
}

static void configure(const struct site_error_page *pages, size_t count)
{
    config.error_pages = pages;
    config.error_page_count = count;
}

static void test_configured_pages(void **state)
{
    static const struct site_error_page pages[] = {
        { 403, SLICE_INIT("/errors/no.html") }, { 404, SLICE_INIT("/errors/none.html") },
        { 503, SLICE_INIT("/errors/no.html") }, { 418, SLICE_INIT("/errors/tea.html") },
    };
    (void)state;
    scratch_mkdir(&scratch, "root/errors");
    scratch_write(&scratch, "root/errors/no.html", "no");
    scratch_write(&scratch, "root/errors/none.html", "none");
    scratch_write(&scratch, "root/errors/tea.html", "tea");
    configure(pages, sizeof pages / sizeof *pages);
    struct site *site = build();
    struct errors *errors = errors_new(site);
    assert_non_null(errors);
    answers_with(errors, 403, "no");
    answers_with(errors, 404, "none"); /* before 404.html */
    answers_with(errors, 503, "no");
    expect_field("Retry-After", "1");
    answers_with(errors, 500, "own 50x");
    says_so_itself(errors, 410);
    begin("application/json");
    ask(errors, 403, 0, "");
    expect_field("Content-Type", json_type);
    assert_string_equal(scratch.lines, "");
    exchange_reset(&exchange);
    errors_free(errors);
    site_unref(site);
}

/* They are told, and what there is without them answers. */
static void test_configured_pages_that_are_not_there(void **state)
{
    static const struct site_error_page pages[] = {
        { 404, SLICE_INIT("/missing.html") }, { 500, SLICE_INIT("/blank.html") }, { 403, SLICE_INIT("/blank.html") },
        { 410, SLICE_INIT("/404") }, /* an address, and no file */
    };
    (void)state;
    scratch_write(&scratch, "root/blank.html", "");
    configure(pages, sizeof pages / sizeof *pages);
    struct site *site = build();
    struct errors *errors = errors_new(site);
    assert_non_null(errors);
    answers_with(errors, 404, "own 404");
    answers_with(errors, 500, "own 50x");
    says_so_itself(errors, 403);
    says_so_itself(errors, 410);
    assert_non_null(strstr(scratch.lines, "the error page for 404 is not there: /missing.html\n"));
    assert_non_null(strstr(scratch.lines, "the error page for 500 is not there: /blank.html\n"));
    assert_non_null(strstr(scratch.lines, "the error page for 403 is not there: /blank.html\n"));
    assert_non_null(strstr(scratch.lines, "the error page for 410 is not there: /404\n"));
    errors_free(errors);
    site_unref(site);
}

/* Of one that the server itself does not use, too. The first page named for a status is its page. */
static void test_a_configured_page_for_any_status(void **state)
{
    static const struct site_error_page pages[] = {
        { 418, SLICE_INIT("/tea.html") }, { 599, SLICE_INIT("/tea.html") }, { 418, SLICE_INIT("/404.html") },
    };
    (void)state;
    scratch_write(&scratch, "root/tea.html", "tea");
    configure(pages, sizeof pages / sizeof *pages);
    struct site *site = build();
    struct errors *errors = errors_new(site);
    assert_non_null(errors);
    answers_with(errors, 418, "tea");
    answers_with(errors, 599, "tea");
    begin("application/json");
    ask(errors, 418, 0, "short and stout");
    assert_true(body_has("\"status\":418"));
    assert_true(body_has("short and stout"));
    answers_with(errors, 598, "own 50x");
    exchange_reset(&exchange);
    errors_free(errors);
    site_unref(site);
}

/* ---- Without memory ---- */

static void test_no_memory_when_built(void **state)
{
    (void)state;
    static const struct site_error_page pages[] = {
        { 403, SLICE_INIT("/404.html") }, { 418, SLICE_INIT("/404.html") },
    };
    configure(pages, 2);
    struct site *site = build();
    for (long i = 0;; i++) {
        allocations_left = i;
        struct errors *errors = errors_new(site);
        allocations_left = -1;
        if (errors) {
            errors_free(errors);
            assert_true(i > 60);
            break;
        }
    }
    site_unref(site);
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
        cmocka_unit_test_setup_teardown(test_own_pages, start, end),
        cmocka_unit_test_setup_teardown(test_own_pages_outlive_the_site, start, end),
        cmocka_unit_test_setup_teardown(test_own_pages_that_cannot_be_used, start, end),
        cmocka_unit_test_setup_teardown(test_an_own_page_of_4_mib, start, end),
        cmocka_unit_test_setup_teardown(test_own_pages_that_change_meanwhile, start, end),
        cmocka_unit_test_setup_teardown(test_configured_pages, start, end),
        cmocka_unit_test_setup_teardown(test_configured_pages_that_are_not_there, start, end),
        cmocka_unit_test_setup_teardown(test_a_configured_page_for_any_status, start, end),
        cmocka_unit_test_setup_teardown(test_no_memory_when_built, start, end),
        cmocka_unit_test_setup_teardown(test_no_memory_when_answered, start, end),
    };
    return run_all(tests, sizeof tests / sizeof tests[0]);
}
