/* In which order it is decided who answers for a path, and what rules make of pages, redirects and listings. All by the
 * public header, with pages in memory and, again, with pages that are sent from their files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "page_rules_fixture.h"

/* ---- The order ---------------------------------------------------------------------------------------------- */

/* Each request is answered by the first that has something to say, though all the later ones would, too. */
static void who_comes_first(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/_redirects", "/guarded /from-redirects 302!\n/about /from-redirects 302!\n"
                                               "/nothing /from-redirects\n/list/ /from-redirects 302\n");
    begin(HOST({ .path = "/guarded", .redirect = "/by-rule", .cors = "https://a.example", .basic_auth = users },
               { .path = "/a.txt", .redirect = "/by-rule" }, { .path = "/ruled", .redirect = "/by-rule" }));
    add_route(server, "GET /ruled", hello, NULL);
    start_server(server);
    gets("GET /ruled", "", 200, "hello");
    has(get("OPTIONS /guarded", PREFLIGHT, 204), "Access-Control-Allow-Origin: https://a.example");
    has_no(get("OPTIONS /guarded", ORIGIN, 401), "Location"); /* that is no preflight */
    has_no(get("GET /guarded", "", 401), "Location");
    has(get("GET /guarded", password("anna:secret"), 301), "Location: /by-rule");
    has(get("GET /a.txt", "", 301), "Location: /by-rule");
    has(get("GET /about", "", 302), "Location: /from-redirects");
    has(get("GET /nothing", NAVIGATES, 301), "Location: /from-redirects");
    gets("GET /", "", 200, "<p>home");
    has(get("GET /docs?a", "", 301), "Location: /docs/?a");
    get("GET /neither", "", 404);
}

static void what_is_left(void **state)
{
    (void)state;
    rh_host_options host = HOST({ .path = "/gone", .status = 410 });
    host.list = true;
    host.fallback = "/index.html";
    serve(host);
    assert_non_null(strstr(get("GET /list/", NAVIGATES, 200)->body, "b.txt")); /* before the fallback */
    has(get("GET /list", NAVIGATES, 301), "Location: /list/");
    get("GET /gone", NAVIGATES, 410);
    gets("GET /deep/link", NAVIGATES, 200, "<p>home");
    has(get("POST /a.txt", "Content-Length: 0\r\n", 405), "Allow: GET, HEAD, OPTIONS");
    has(get("OPTIONS /a.txt", "", 204), "Allow: GET, HEAD, OPTIONS");
    get("OPTIONS /neither", "", 404);
    get("POST /neither", "Content-Length: 0\r\n", 404);
}

/* Only where somebody goes there; what a page loads and does not find is an error. */
static void a_fallback_is_for_navigations(void **state)
{
    (void)state;
    serve((rh_host_options){ .fallback = "/about.html" });
    gets("GET /deep/link?x", NAVIGATES, 200, "<p>about");
    gets("HEAD /deep/link", NAVIGATES, 200, "");
    get("GET /deep/link", "", 404);
    get("GET /deep/link", "Accept: */*\r\n", 404);
    get("GET /deep/link", "Accept: application/json\r\n", 404);
    get("GET /app.js", NAVIGATES, 404);
    gets("GET /v1.2/link", NAVIGATES, 200, "<p>about");
    get("POST /deep/link", NAVIGATES "Content-Length: 0\r\n", 404);
    gets("GET /a.txt", NAVIGATES, 200, "0123456789");
}

static void a_fallback_that_is_not_there(void **state)
{
    (void)state;
    serve((rh_host_options){ .fallback = "/nowhere.html" });
    get("GET /deep/link", NAVIGATES, 404);
}

/* ---- Fields ------------------------------------------------------------------------------------------------- */

static void two_addresses_two_rules(void **state)
{
    (void)state;
    serve(HOST({ .path = "/about", .cache_control = "max-age=1", .headers = TEXTS("X-A: short") },
               { .path = "/about.html", .cache_control = "max-age=2", .headers = TEXTS("X-A: long") },
               { .path = "/docs/", .cache_control = "" }));
    for (int i = 0; i < 2; i++) { /* the second time it is in memory */
        struct reply *reply = get("GET /about", "", 200);
        has(reply, "Cache-Control: max-age=1");
        has(reply, "X-A: short");
        assert_string_equal(reply->body, "<p>about");
        reply = get("GET /about.html", "", 200);
        has(reply, "Cache-Control: max-age=2");
        has(reply, "X-A: long");
        has_no(get("GET /docs/", "", 200), "Cache-Control");
        has(get("GET /docs/index.html", "", 200), "Cache-Control: no-cache");
    }
}

/* What is not as it was prepared has conditions and ranges all the same, and one field of each name. */
static void conditions_and_ranges_in_another_dress(void **state)
{
    char field[320];
    (void)state;
    serve(HOST({ .path = "/about", .cache_control = "max-age=1" },
               { .path = "/a.txt", .cors = TWO_ORIGINS, .cache_control = "max-age=3",
                 .headers = TEXTS("Content-Type: text/x-log") }));
    for (int i = 0; i < 2; i++) {
        struct reply *reply = get("GET /a.txt", "", 200);
        has(reply, "Accept-Ranges: bytes");
        has(reply, "Content-Type: text/x-log");
        snprintf(field, sizeof field, "If-Modified-Since: %s\r\n" ORIGIN, value_of(reply, "Last-Modified"));
        reply = get("GET /a.txt", field, 304);
        has(reply, "Cache-Control: max-age=3");
        has(reply, "Vary: Origin");
        has_no(reply, "Content-Type");
        has_no(reply, "Content-Length");
        assert_int_equal(reply->body_size, 0);

        reply = get("GET /a.txt", "Range: bytes=2-4\r\n" ORIGIN, 206);
        has(reply, "Content-Range: bytes 2-4/10");
        has(reply, "Content-Length: 3");
        has(reply, "Content-Type: text/x-log");
        has(reply, "Access-Control-Allow-Origin: https://a.example");
        assert_string_equal(reply->body, "234");
        reply = get("GET /a.txt", "Range: bytes=0-0, 9-9\r\n" ORIGIN, 206);
        assert_memory_equal(value_of(reply, "Content-Type"), "multipart/byteranges", 20);
        has(reply, "Cache-Control: max-age=3");
        has(get("GET /a.txt", "Range: bytes=20-\r\n", 416), "Content-Range: bytes */10");
        get("GET /a.txt", "If-Match: \"other\"\r\n", 412);

        reply = get("HEAD /a.txt", ORIGIN, 200);
        has(reply, "Content-Length: 10");
        has(reply, "Access-Control-Allow-Origin: https://a.example");
        assert_int_equal(reply->body_size, 0);
        has(get("HEAD /about", "", 200), "Cache-Control: max-age=1");
    }
}

static void several_origins(void **state)
{
    (void)state;
    serve(HOST({ .path = "/*", .cors = TWO_ORIGINS }));
    for (int i = 0; i < 2; i++) {
        struct reply *reply = get("GET /a.txt", ORIGIN, 200);
        has(reply, "Access-Control-Allow-Origin: https://a.example");
        has(reply, "Vary: Origin");
        has(get("GET /a.txt", "Origin: https://b.example\r\n", 200), "Access-Control-Allow-Origin: https://b.example");
        reply = get("GET /a.txt", "Origin: https://c.example\r\n", 200);
        has_no(reply, "Access-Control-Allow-Origin");
        has(reply, "Vary: Origin");
        reply = get("GET /a.txt", "", 200); /* a cache keeps this one for all others otherwise */
        has_no(reply, "Access-Control-Allow-Origin");
        has(reply, "Vary: Origin");
    }
    has(get("GET /docs", ORIGIN, 301), "Access-Control-Allow-Origin: https://a.example");
    struct reply *reply = get("OPTIONS /a.txt", PREFLIGHT, 204);
    has(reply, "Access-Control-Allow-Origin: https://a.example");
    has(reply, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS");
    has(reply, "Vary: Origin");
    has_no(get("OPTIONS /a.txt", "Origin: https://c.example\r\nAccess-Control-Request-Method: GET\r\n", 204),
           "Access-Control-Allow-Origin");
}

static void one_origin_or_all(void **state)
{
    (void)state;
    serve(HOST({ .path = "/a.txt", .cors = "*" }, { .path = "/about", .cors = "https://a.example" }));
    for (int i = 0; i < 2; i++) {
        struct reply *reply = get("GET /a.txt", "", 200);
        has(reply, "Access-Control-Allow-Origin: *");
        has_no(reply, "Vary");
        reply = get("GET /about", "Origin: https://c.example\r\n", 200);
        has(reply, "Access-Control-Allow-Origin: https://a.example");
        has_no(get("GET /about.html", ORIGIN, 200), "Access-Control-Allow-Origin");
    }
}

static void a_listing_has_the_fields_of_its_rule(void **state)
{
    (void)state;
    rh_host_options host = HOST({ .path = "/list/*", .cache_control = "max-age=9", .cors = TWO_ORIGINS,
                                  .headers = TEXTS("X-A: b") });
    host.list = true;
    serve(host);
    struct reply *reply = get("GET /list/", ORIGIN "Accept: application/json\r\n", 200);
    has(reply, "Cache-Control: max-age=9");
    has(reply, "X-A: b");
    has(reply, "Access-Control-Allow-Origin: https://a.example");
    has(reply, "Vary: Origin");
    has(reply, "Vary: Accept");
    assert_non_null(strstr(reply->body, "b.txt"));
    reply = get("HEAD /list/", "", 200);
    has(reply, "X-A: b");
    assert_int_equal(reply->body_size, 0);
    get("POST /list/", "Content-Length: 0\r\n", 404);
}

/* In each way in which a page's can be taken away or replaced. */
static void a_listing_is_dressed_as_a_page(void **state)
{
    static const char *const lines[] = { "GET /list/", "HEAD /list/", "GET /docs/", "HEAD /docs/" };
    (void)state;
    scratch_write(&scratch, "root/_headers", "/*\n  X-From: headers\n  ! X-Content-Type-Options\n  Vary: Cookie\n"
                                             "  Cache-Control: no-store\n");
    rh_host_options host = HOST({ .path = "/*", .cache_control = "",
                                  .headers = TEXTS("Content-Security-Policy: sandbox", "Set-Cookie: a=1",
                                                   "Set-Cookie: b=2") });
    host.list = true;
    serve(host);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct reply *reply = get(lines[i], "", 200);
        has_no(reply, "Cache-Control");
        has_no(reply, "X-Content-Type-Options");
        has(reply, "X-From: headers");
        has(reply, "Content-Security-Policy: sandbox");
        assert_null(strstr(reply->head, "default-src"));
        has(reply, "Set-Cookie: a=1");
        has(reply, "Set-Cookie: b=2");
    }
    has(get("GET /list/", "", 200), "Vary: Cookie");
}

/* ---- Redirects, rewrites, errors ---------------------------------------------------------------------------- */

static void redirects_keep_the_query(void **state)
{
    (void)state;
    serve(HOST({ .path = "/old/{rest...}", .redirect = "/new/{rest}", .status = 308 },
               { .path = "/own", .redirect = "/new?its=own#part", .headers = TEXTS("X-A: b") },
               { .path = "/away/{x}", .redirect = "https://a.example/{x}", .status = 302, .cors = "*" }));
    has(get("GET /old/a/b", "", 308), "Location: /new/a/b");
    has(get("GET /old/a?b=c&d", "", 308), "Location: /new/a?b=c&d");
    struct reply *reply = get("GET /own?b=c", "", 301);
    has(reply, "Location: /new?its=own&b=c#part");
    has(reply, "X-A: b");
    reply = get("GET /away/x?y", ORIGIN, 302);
    has(reply, "Location: https://a.example/x?y");
    has(reply, "Access-Control-Allow-Origin: *");
    reply = get("HEAD /old/a", "", 308);
    assert_int_equal(reply->body_size, 0);
    has(reply, "Location: /new/a");
    has(get("POST /old/a", "Content-Length: 0\r\n", 308), "Location: /new/a");
    has(get("GET /old/%3Cb%3E%22", "", 308), "Location: /new/%3Cb%3E%22");
    assert_null(strstr(get("GET /old/%3Cb%3E%22", "", 308)->body, "<b>"));
}

static void rewrites_with_status(void **state)
{
    (void)state;
    serve(HOST({ .path = "/shop/*", .rewrite = "/lost.html", .status = 410, .cache_control = "max-age=5" },
               { .path = "/app/*", .rewrite = "/about.html", .headers = TEXTS("X-A: b") },
               { .path = "/void", .rewrite = "/nowhere.html" },
               { .path = "/void-451", .rewrite = "/nowhere", .status = 451 },
               { .path = "/pages/{name}", .rewrite = "/{name}.html" }));
    for (int i = 0; i < 2; i++) {
        struct reply *reply = get("GET /shop/cart", "", 410);
        assert_string_equal(reply->body, "<p>lost");
        has(reply, "Cache-Control: max-age=5");
        has(reply, "Content-Type: text/html; charset=utf-8");
        reply = get("GET /app/x/y?q", "", 200);
        assert_string_equal(reply->body, "<p>about");
        has(reply, "X-A: b");
        gets("GET /pages/secret", "", 200, "<p>secret");
        gets("HEAD /shop/cart", "", 410, "");
        gets("GET /app/x", "Range: bytes=1-1\r\n", 206, "p");
        gets("GET /shop/cart", "Range: bytes=1-1\r\n", 410, "<p>lost"); /* ranges and conditions are for a 200 */
        gets("GET /shop/cart", "If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT\r\n", 410, "<p>lost");
        gets("GET /shop/cart", "If-Match: \"other\"\r\n", 410, "<p>lost");
    }
    get("GET /void", "", 404);
    get("GET /void-451", "", 451);
    has(get("POST /app/x", "Content-Length: 0\r\n", 405), "Allow: GET, HEAD, OPTIONS");
    has(get("OPTIONS /app/x", "", 204), "Allow: GET, HEAD, OPTIONS");
}

static void errors_by_rule(void **state)
{
    (void)state;
    rh_host_options host = HOST({ .path = "/a.txt", .status = 410 }, { .path = "/docs/*", .status = 403 });
    host.error_pages = TEXTS("410 /lost.html");
    serve(host);
    gets("GET /a.txt", NAVIGATES, 410, "<p>lost");
    get("GET /docs/", "", 403);
    get("GET /docs/index.html", "", 403);
    gets("HEAD /a.txt", "", 410, "");
}

static void serve_without_a_root(rh_host_options host)
{
    host.fallback = "/index.html";
    host.list = true;
    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1 });
    assert_int_equal(rh_host(server, &host), 0);
    start_server(server);
}

static void redirects_without_a_root(void **state)
{
    (void)state;
    serve_without_a_root(HOST({ .path = "/{rest...}", .redirect = "https://www.example/{rest}" }));
    has(get("GET /", "", 301), "Location: https://www.example/");
    has(get("GET /a%20b?c", NAVIGATES, 301), "Location: https://www.example/a%20b?c");
}

static void a_rewrite_without_a_root(void **state)
{
    (void)state;
    serve_without_a_root(HOST({ .path = "/a", .rewrite = "/b" }));
    get("GET /a", "", 404);
    get("GET /c", NAVIGATES, 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWICE(who_comes_first),
        TWICE(what_is_left),
        TWICE(a_fallback_is_for_navigations),
        TEST(a_fallback_that_is_not_there),
        TWICE(two_addresses_two_rules),
        TWICE(conditions_and_ranges_in_another_dress),
        TWICE(several_origins),
        TWICE(one_origin_or_all),
        TEST(a_listing_has_the_fields_of_its_rule),
        TEST(a_listing_is_dressed_as_a_page),
        TEST(redirects_keep_the_query),
        TWICE(rewrites_with_status),
        TWICE(errors_by_rule),
        TEST(redirects_without_a_root),
        TEST(a_rewrite_without_a_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
