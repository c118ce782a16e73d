/* Error responses: which form and page is chosen, what its fields say, what is kept of a response that was begun, and what
 * is left when there is no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/writer.h"
#include "http/method.h"
#include "http/status.h"
#include "serve/error_page.h"
#include "serve/errors.h"

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

static struct answer *page_answer(struct slice content)
{
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 200, .body = content });
    assert_non_null(answer);
    return answer;
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

/* ---- An exchange, and what its response says ---- */

enum { CEILING = 64 * 1024 };

static struct exchange exchange;
static char head[256];

static void gone(struct hold *hold)
{
    (void)hold;
}

static void begin(const char *accept)
{
    exchange_reset(&exchange);
    if (!accept)
        return;
    size_t size = (size_t)snprintf(head, sizeof head, "accept:%s", accept);
    struct fields *fields = &exchange.request.fields;
    fields_reset(fields, head);
    fields->count = 1;
    fields->id[0] = FIELD_ACCEPT;
    fields->first[FIELD_ACCEPT] = 1;
    fields->at[0] = (struct field){ .name = 0, .name_size = 6, .value = 7, .value_size = (uint16_t)(size - 7) };
}

static struct slice body(void)
{
    const struct response *response = &exchange.response;
    const struct body *at = response->answer ? &response->answer->body : &response->body;
    assert_int_equal(at->kind, BODY_SPAN);
    assert_non_null(at->hold);
    return slice_make(at->data, at->size);
}

static unsigned count_fields(struct slice name, struct slice *value)
{
    const struct response *response = &exchange.response;
    const struct field_pair *fields = response->answer ? response->answer->fields : response->fields;
    unsigned count = response->answer ? response->answer->field_count : response->field_count, found = 0;
    for (unsigned i = 0; i < count; i++)
        if (slice_equal_nocase(fields[i].name, name) && found++ == 0)
            *value = fields[i].value;
    return found;
}

static void expect_field(const char *name, const char *text)
{
    struct slice value = { NULL, 0 };
    unsigned count = count_fields(slice_text(name), &value);
    if (!text) {
        assert_int_equal(count, 0);
        return;
    }
    assert_int_equal(count, 1);
    assert_int_equal(value.size, strlen(text));
    assert_memory_equal(value.data, text, value.size);
}

static bool body_has(const char *text)
{
    struct slice content = body();
    return memmem(content.data, content.size, text, strlen(text)) != NULL;
}

static void expect_body(const char *text)
{
    struct slice content = body();
    assert_int_equal(content.size, strlen(text));
    assert_memory_equal(content.data, text, content.size);
}

static struct answer *ask(const struct errors *errors, unsigned status, unsigned allow, const char *detail)
{
    errors_answer(errors, &exchange, status, allow, slice_text(detail));
    const struct response *response = &exchange.response;
    assert_int_not_equal(response->status, 0);
    if (response->answer)
        assert_int_equal(response->status, response->answer->status);
    return response->answer;
}

static const char html_type[] = "text/html; charset=utf-8", json_type[] = "application/problem+json";

/* ---- Built-in pages ---- */

static const unsigned used_statuses[] = { 400, 401, 403, 404, 405, 406, 408, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422,
                                          426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 507 };

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
    struct answer *other = page_answer(SLICE("other"));
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

    for (unsigned taken = 0; taken <= EXCHANGE_INLINE; taken += 16) { /* whatever is left of the exchange's own memory */
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
        cmocka_unit_test(test_every_status_of_the_server_is_prepared),
        cmocka_unit_test(test_pages_fit_their_room_and_say_something),
        cmocka_unit_test(test_html_is_the_default),
        cmocka_unit_test(test_a_status_that_is_not_prepared),
        cmocka_unit_test(test_a_detail_is_shown_and_escaped),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_fields_set_for_the_error_are_kept),
        cmocka_unit_test(test_a_begun_response_is_dropped),
        cmocka_unit_test(test_own_pages),
        cmocka_unit_test(test_own_pages_outlive_the_site),
        cmocka_unit_test(test_own_pages_that_cannot_be_used),
        cmocka_unit_test(test_no_memory_when_built),
        cmocka_unit_test(test_no_memory_when_answered),
    };
    static struct pages pages;
    pages_init(&pages, CEILING);
    exchange_init(&exchange, &pages, CEILING, gone);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    exchange_release(&exchange);
    pages_fini(&pages);
    return failed;
}
