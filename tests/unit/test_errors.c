/* Error responses: which form is chosen, what its fields say, and what is kept of a response that was begun. */
#include "base/writer.h"
#include "http/status.h"
#include "serve/error_page.h"

#include "errors_fixture.h"

/* ---- Built-in pages ---- */

static const unsigned used_statuses[] = { 400, 401, 403, 404, 405, 406, 408, 410, 411, 412, 413, 414, 415, 416, 417,
                                          421, 422, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 507 };

static void test_every_status_of_the_server_is_prepared(void **state)
{
    (void)state;
    struct errors *errors = errors_new(NULL);
    assert_non_null(errors);
    for (size_t i = 0; i < sizeof used_statuses / sizeof used_statuses[0]; i++) {
        unsigned status = used_statuses[i];
        char text[256];
        begin("text/html");
        struct answer *html = ask(errors, status, 0, "");
        assert_non_null(html);
        assert_int_equal(html->status, status);
        expect_field("Content-Type", html_type);
        expect_field("Cache-Control", "no-store");
        expect_field("Vary", "Accept");
        expect_field("Content-Security-Policy",
                     "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'");
        expect_field("Allow", status == 405 ? "" : NULL);
        expect_field("Retry-After", status == 503 ? "1" : NULL);
        struct slice reason = status_reason(status);
        snprintf(text, sizeof text, "<title>%u %.*s</title>", status, (int)reason.size, reason.data);
        assert_true(body_has(text));
        assert_true(body_has("</main>\n</html>\n"));
        assert_false(body_has("class=\"detail\""));

        begin("application/json");
        struct answer *json = ask(errors, status, 0, "");
        assert_non_null(json);
        assert_int_equal(json->status, status);
        expect_field("Content-Type", json_type);
        expect_field("Cache-Control", "no-store");
        expect_field("Vary", "Accept");
        expect_field("Content-Security-Policy", NULL);
        expect_field("Allow", status == 405 ? "" : NULL);
        expect_field("Retry-After", status == 503 ? "1" : NULL);
        snprintf(text, sizeof text, "{\"type\":\"about:blank\",\"title\":\"%.*s\",\"status\":%u}\n", (int)reason.size,
                 reason.data, status);
        expect_body(text);
    }
    exchange_release(&exchange);
    errors_free(errors);
    errors_free(NULL);
}

static void test_pages_fit_their_room_and_say_something(void **state)
{
    (void)state;
    static char buffer[8192];
    struct slice detail = slice_make("&&&&&&&&\"\"\"\"\"\"\"\"''''''''\x01\x02\xff\xff\xff", 29);
    for (unsigned status = 400; status < 600; status++) {
        struct writer w = writer_on(buffer, error_page_room(detail));
        error_page_html(&w, status, detail);
        assert_false(w.overflowed);
        assert_null(memmem(w.start, writer_used(&w), "<p></p>", 7));
        assert_null(memmem(w.start, writer_used(&w), "http", 4)); /* needs nothing from anywhere */
        w = writer_on(buffer, error_page_room(detail));
        error_page_json(&w, status, detail);
        assert_false(w.overflowed);
    }
    const struct error_text *text;
    for (size_t i = 0; (text = error_text_at(i)) != NULL; i++)
        assert_false(slice_equal(status_reason(text->status), SLICE("Unknown")));
}

static void test_html_is_the_default(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        const char *type;
    } rows[] = {
        { NULL, html_type },
        { "*/*", html_type },
        { "text/html,application/xhtml+xml,*/*;q=0.8", html_type },
        { "text/html, application/json;q=0.5", html_type },
        { "application/json", json_type },
        { "application/problem+json", json_type },
        { "application/json, text/html;q=0.5", json_type },
        { "image/png", html_type },
        { ";;;", html_type },
    };
    struct errors *errors = errors_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(rows[i].accept);
        assert_non_null(ask(errors, 404, 0, ""));
        expect_field("Content-Type", rows[i].type);
    }
    errors_free(errors);
}

static void test_a_status_that_is_not_prepared(void **state)
{
    (void)state;
    struct errors *errors = errors_new(NULL);
    begin(NULL);
    assert_null(ask(errors, 418, 0, ""));
    assert_int_equal(exchange.response.status, 418);
    assert_true(body_has("<title>418 Unknown</title>"));
    assert_true(body_has("could not understand"));
    expect_field("Content-Type", html_type);
    begin("application/json");
    assert_null(ask(errors, 599, 0, ""));
    expect_body("{\"type\":\"about:blank\",\"title\":\"Unknown\",\"status\":599}\n");
    expect_field("Content-Type", json_type);
    exchange_release(&exchange);

    static const unsigned no_errors[] = { 0, 200, 399, 600, 100000 };
    for (size_t i = 0; i < sizeof no_errors / sizeof no_errors[0]; i++) {
        begin(NULL);
        assert_non_null(ask(errors, no_errors[i], 0, ""));
        assert_int_equal(exchange.response.status, 500);
    }
    errors_free(errors);
}

static void test_a_detail_is_shown_and_escaped(void **state)
{
    (void)state;
    struct errors *errors = errors_new(NULL);
    begin(NULL);
    assert_null(ask(errors, 400, 0, "<script>\"x\" & 'y'"));
    assert_int_equal(exchange.response.status, 400);
    assert_true(body_has("<p class=\"detail\">&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;</p>"));
    expect_field("Content-Type", html_type);
    expect_field("Cache-Control", "no-store");
    expect_field("Vary", "Accept");
    begin("application/json");
    assert_null(ask(errors, 503, 0, "a \"quote\"\n"));
    expect_body("{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
                "\"detail\":\"a \\\"quote\\\"\\n\"}\n");
    expect_field("Retry-After", "1");
    exchange_release(&exchange);
    errors_free(errors);
}

/* ---- 405 ---- */

static void test_allow(void **state)
{
    (void)state;
    struct errors *errors = errors_new(NULL);
    unsigned page = method_bit(METHOD_GET) | method_bit(METHOD_HEAD) | method_bit(METHOD_OPTIONS);
    unsigned api = page | method_bit(METHOD_POST);
    static const char *const accepts[] = { NULL, "application/json" };
    for (size_t i = 0; i < 2; i++) {
        char expected[128];
        struct writer w = writer_on(expected, sizeof expected - 1);
        begin(accepts[i]);
        assert_non_null(ask(errors, 405, page, "")); /* prepared */
        method_write_allow(&w, page);
        *w.at = '\0';
        expect_field("Allow", expected);
        expect_field("Content-Type", i ? json_type : html_type);

        begin(accepts[i]);
        assert_null(ask(errors, 405, api, ""));
        assert_int_equal(exchange.response.status, 405);
        w = writer_on(expected, sizeof expected - 1);
        method_write_allow(&w, api);
        *w.at = '\0';
        expect_field("Allow", expected);
        expect_field("Content-Type", i ? json_type : html_type);
        assert_true(body_has("Method Not Allowed"));

        begin(accepts[i]);
        assert_null(ask(errors, 405, page, "why"));
        assert_true(body_has("why"));
        assert_true(body_has("Method Not Allowed"));
    }
    begin(NULL);
    assert_null(ask(errors, 405, 0xffffffff, "")); /* every method there is */
    struct slice value;
    assert_int_equal(count_fields(SLICE("Allow"), &value), 1);
    exchange_release(&exchange);
    errors_free(errors);
}

/* ---- What was begun ---- */

static void test_fields_set_for_the_error_are_kept(void **state)
{
    (void)state;
    struct errors *errors = errors_new(NULL);
    begin(NULL);
    static const char *const set[][2] = {
        { "Content-Type", "text/plain" }, { "WWW-Authenticate", "Basic" }, { "content-encoding", "gzip" },
        { "ETag", "\"x\"" }, { "Cache-Control", "private" }, { "Vary", "Cookie" }, { "last-modified", "x" },
    };
    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++)
        assert_true(exchange_add_field(&exchange, slice_text(set[i][0]), slice_text(set[i][1])));
    assert_null(ask(errors, 401, 0, ""));
    assert_int_equal(exchange.response.status, 401);
    expect_field("WWW-Authenticate", "Basic");
    expect_field("Content-Type", html_type);
    expect_field("Content-Encoding", NULL);
    expect_field("ETag", NULL);
    expect_field("Last-Modified", NULL);
    expect_field("Cache-Control", "private");
    struct slice value;
    assert_int_equal(count_fields(SLICE("Vary"), &value), 2);
    assert_true(body_has("401 Unauthorized"));

    begin(NULL);
    assert_true(exchange_add_field(&exchange, SLICE("retry-after"), SLICE("120")));
    assert_null(ask(errors, 503, 0, ""));
    expect_field("Retry-After", "120");
    exchange_release(&exchange);
    errors_free(errors);
}

static void test_a_begun_response_is_dropped(void **state)
{
    (void)state;
    struct errors *errors = errors_new(NULL);
    begin(NULL);
    struct answer *other = answer_new(&(struct answer_parts){ .status = 200, .body = SLICE("other") });
    assert_non_null(other);
    answer_ref(other);
    exchange.held = other;
    exchange.response.close = true;
    exchange_use(&exchange, other);
    assert_non_null(ask(errors, 500, 0, ""));
    assert_null(exchange.held);
    assert_int_equal(atomic_load(&other->hold.count), 1);
    assert_true(exchange.response.close); /* not decided here */
    answer_unref(other);

    begin(NULL); /* fields that only described the content are no reason for a dynamic response */
    assert_true(exchange_add_field(&exchange, SLICE("Content-Type"), SLICE("text/plain")));
    assert_non_null(ask(errors, 500, 0, ""));
    exchange_release(&exchange);
    errors_free(errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_status_of_the_server_is_prepared),
        cmocka_unit_test(test_pages_fit_their_room_and_say_something),
        cmocka_unit_test(test_html_is_the_default),
        cmocka_unit_test(test_a_status_that_is_not_prepared),
        cmocka_unit_test(test_a_detail_is_shown_and_escaped),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_fields_set_for_the_error_are_kept),
        cmocka_unit_test(test_a_begun_response_is_dropped),
    };
    return run_all(tests, sizeof tests / sizeof tests[0]);
}
