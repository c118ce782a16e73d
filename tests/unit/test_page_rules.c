/* In which order it is decided who answers for a path, and what rules make of pages, redirects and listings. All by the
 * public header, with pages in memory and, again, with pages that are sent from their files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "credentials.h"
#include "scratch.h"

#define ORIGIN "Origin: https://a.example\r\n"
#define PREFLIGHT ORIGIN "Access-Control-Request-Method: GET\r\n"
#define NAVIGATES "Accept: text/html,*/*;q=0.8\r\n"

static struct scratch scratch;
static char users[128];
static uint64_t cache_bytes; /* 1: everything is sent from files */
static rh_server *server;

static int start(void **state)
{
    (void)state;
    scratch_open(&scratch);
    snprintf(users, sizeof users, "%s/users", scratch.folder);
    scratch_write(&scratch, "users", ANNA BERTA);
    scratch_write(&scratch, "root/index.html", "<p>home");
    scratch_write(&scratch, "root/about.html", "<p>about");
    scratch_write(&scratch, "root/lost.html", "<p>lost");
    scratch_write(&scratch, "root/secret.html", "<p>secret");
    scratch_write(&scratch, "root/a.txt", "0123456789");
    scratch_mkdir(&scratch, "root/docs");
    scratch_write(&scratch, "root/docs/index.html", "<p>docs");
    scratch_mkdir(&scratch, "root/list");
    scratch_write(&scratch, "root/list/b.txt", "b");
    return 0;
}

static int start_without_memory(void **state)
{
    cache_bytes = 1;
    return start(state);
}

static int end(void **state)
{
    (void)state;
    rh_server_free(server);
    server = NULL;
    cache_bytes = 0;
    scratch_close(&scratch);
    return 0;
}

static void begin(rh_host_options host)
{
    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1, .root = scratch.root,
                                         .cache_bytes = cache_bytes });
    assert_non_null(server);
    if (rh_host(server, &host) != 0)
        fail_msg("%s", rh_error(server));
}

#define HOST(...) (rh_host_options){ .rules = (const rh_rule[]){ __VA_ARGS__ }, \
    .rule_count = sizeof((const rh_rule[]){ __VA_ARGS__ }) / sizeof(rh_rule) }

static void serve(rh_host_options host)
{
    begin(host);
    start_server(server);
}

/* The next answer, which has this status. */
static struct reply *get(const char *line, const char *fields, int status)
{
    struct reply *reply = ask_with(server, line, fields, "");
    if (reply->status != status)
        fail_msg("%s: %d, not %d\n%s", line, reply->status, status, reply->head);
    return reply;
}

static void gets(const char *line, const char *fields, int status, const char *body)
{
    struct reply *reply = get(line, fields, status);
    if (strcmp(reply->body, body) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", line, reply->body, body);
}

static void has(const struct reply *reply, const char *line)
{
    if (!has_line(reply, line))
        fail_msg("no \"%s\" in\n%s", line, reply->head);
}

static void has_no(const struct reply *reply, const char *name)
{
    char start_of_line[64];
    snprintf(start_of_line, sizeof start_of_line, "\n%s:", name);
    if (strstr(reply->head, start_of_line))
        fail_msg("%s in\n%s", name, reply->head);
}

static const char *password(const char *text)
{
    static char field[256];
    snprintf(field, sizeof field, "Authorization: Basic %s\r\n", credentials(text));
    return field;
}

/* The value of a field; valid until the next answer. */
static const char *value_of(const struct reply *reply, const char *name)
{
    static char value[256];
    char start_of_line[64];
    snprintf(start_of_line, sizeof start_of_line, "\n%s: ", name);
    const char *found = strstr(reply->head, start_of_line);
    if (!found)
        fail_msg("no %s in\n%s", name, reply->head);
    found += strlen(start_of_line);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(found, "\r"), found);
    return value;
}

/* ---- The order ---------------------------------------------------------------------------------------------- */

static void hello(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "hello");
}

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
    serve(HOST({ .path = "/about", .cache_control = "max-age=1", .headers = (const char *const[]){ "X-A: short", NULL } },
               { .path = "/about.html", .cache_control = "max-age=2", .headers = (const char *const[]){ "X-A: long", NULL } },
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
               { .path = "/a.txt", .cors = "https://a.example https://b.example", .cache_control = "max-age=3",
                 .headers = (const char *const[]){ "Content-Type: text/x-log", NULL } }));
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
    serve(HOST({ .path = "/*", .cors = "https://a.example https://b.example" }));
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
    rh_host_options host = HOST({ .path = "/list/*", .cache_control = "max-age=9", .cors = "https://a.example https://b.example",
                                  .headers = (const char *const[]){ "X-A: b", NULL } });
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

/* ---- Redirects, rewrites, errors ---------------------------------------------------------------------------- */

static void redirects_keep_the_query(void **state)
{
    (void)state;
    serve(HOST({ .path = "/old/{rest...}", .redirect = "/new/{rest}", .status = 308 },
               { .path = "/own", .redirect = "/new?its=own#part", .headers = (const char *const[]){ "X-A: b", NULL } },
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
               { .path = "/app/*", .rewrite = "/about.html", .headers = (const char *const[]){ "X-A: b", NULL } },
               { .path = "/void", .rewrite = "/nowhere.html" }, { .path = "/void-451", .rewrite = "/nowhere", .status = 451 },
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
    host.error_pages = (const char *const[]){ "410 /lost.html", NULL };
    serve(host);
    gets("GET /a.txt", NAVIGATES, 410, "<p>lost");
    get("GET /docs/", "", 403);
    get("GET /docs/index.html", "", 403);
    gets("HEAD /a.txt", "", 410, "");
}

static void redirects_without_a_root(void **state)
{
    const rh_rule rule = { .path = "/{rest...}", .redirect = "https://www.example/{rest}" };
    (void)state;
    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1 });
    assert_int_equal(rh_host(server, &(rh_host_options){ .rules = &rule, .rule_count = 1, .fallback = "/index.html",
                                                         .list = true }), 0);
    start_server(server);
    has(get("GET /", "", 301), "Location: https://www.example/");
    has(get("GET /a%20b?c", NAVIGATES, 301), "Location: https://www.example/a%20b?c");
}

static void a_rewrite_without_a_root(void **state)
{
    const rh_rule rule = { .path = "/a", .rewrite = "/b" };
    (void)state;
    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1 });
    assert_int_equal(rh_host(server, &(rh_host_options){ .rules = &rule, .rule_count = 1, .fallback = "/c", .list = true }), 0);
    start_server(server);
    get("GET /a", "", 404);
    get("GET /c", NAVIGATES, 404);
}

/* ---- Passwords ---------------------------------------------------------------------------------------------- */

/* A page is not open at one door and closed at another. */
static void guards_at_every_address(void **state)
{
    static const char *const guarded[] = { "GET /secret", "GET /secret.html", "HEAD /secret", "GET /docs/", "GET /docs/index.html",
                                           "GET /docs", "OPTIONS /secret", "DELETE /docs/" };
    (void)state;
    serve(HOST({ .path = "/secret.html", .basic_auth = users }, { .path = "/docs/", .basic_auth = users }));
    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
        assert_memory_equal(value_of(get(guarded[i], "", 401), "WWW-Authenticate"), "Basic realm=", 12);
        get(guarded[i], password("anna:wrong"), 401);
    }
    for (int i = 0; i < 2; i++) {
        gets("GET /secret", password("anna:secret"), 200, "<p>secret");
        gets("GET /secret.html", password("berta:geheim"), 200, "<p>secret");
        gets("GET /docs/index.html", password("anna:secret"), 200, "<p>docs");
        gets("HEAD /docs/", password("anna:secret"), 200, "");
        has(get("GET /docs", password("anna:secret"), 301), "Location: /docs/");
        gets("GET /about", "", 200, "<p>about");
    }
}

static void listings_and_nothing_are_guarded(void **state)
{
    (void)state;
    rh_host_options host = HOST({ .path = "/list/*", .basic_auth = users, .headers = (const char *const[]){ "X-A: b", NULL } });
    host.list = true;
    host.fallback = "/index.html";
    serve(host);
    get("GET /list/", "", 401);
    get("GET /list/nothing", NAVIGATES, 401);
    struct reply *reply = get("GET /list/", password("anna:secret"), 200);
    assert_non_null(strstr(reply->body, "b.txt"));
    has(reply, "X-A: b");
    gets("GET /list/nothing", NAVIGATES "Authorization: Basic YW5uYTpzZWNyZXQ=\r\n", 200, "<p>home");
    gets("GET /list/b.txt", password("anna:secret"), 200, "b");
}

/* Before the body has come it is known that nobody may go in; with a password it waits for the body. */
static void bodies_at_a_guarded_path(void **state)
{
    char fields[512];
    (void)state;
    begin(HOST({ .path = "/secret", .basic_auth = users, .cors = "https://a.example" }));
    add_route(server, "PUT /secret", hello, NULL);
    start_server(server);
    assert_int_equal(ask_with(server, "POST /secret", "Content-Length: 4\r\n", "body")->status, 401);
    static const struct { const char *password; int status; } tries[] = {
        { "anna:secret", 405 }, { "anna:secret", 405 }, { "anna:wrong", 401 }, { "nobody:x", 401 },
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        snprintf(fields, sizeof fields, "%sContent-Length: 4\r\n", password(tries[i].password));
        struct reply *reply = ask_with(server, "POST /secret", fields, "body");
        if (reply->status != tries[i].status)
            fail_msg("%s: %d\n%s", tries[i].password, reply->status, reply->head);
        if (reply->status == 405) /* also after it has been checked in the background */
            has(reply, "Allow: GET, HEAD, PUT, OPTIONS");
        snprintf(fields, sizeof fields, "%sTransfer-Encoding: chunked\r\n", password(tries[i].password));
        assert_int_equal(ask_with(server, "POST /secret", fields, "4\r\nbody\r\n0\r\n\r\n")->status, tries[i].status);
    }
    snprintf(fields, sizeof fields, "%sContent-Length: 4\r\n", password("anna:secret"));
    struct reply *reply = ask_with(server, "GET /secret", fields, "body");
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body, "<p>secret");
}

/* The site's own word does not open what the configuration closes. */
static void redirects_of_a_guarded_site(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/_redirects", "/secret /elsewhere 302!\n/in /about.html 200\n/lost /lost.html 404!\n");
    serve(HOST({ .path = "/secret.html", .basic_auth = users }));
    get("GET /secret", "", 401);
    has(get("GET /secret", password("anna:secret"), 302), "Location: /elsewhere");
    gets("GET /in", "", 200, "<p>about");
    gets("GET /lost", "", 404, "<p>lost");
    get("GET /_redirects", "", 404);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)
#define TWICE(function) TEST(function), { #function " from files", function, start_without_memory, end, NULL }

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
        TEST(redirects_keep_the_query),
        TWICE(rewrites_with_status),
        TWICE(errors_by_rule),
        TEST(redirects_without_a_root),
        TEST(a_rewrite_without_a_root),
        TWICE(guards_at_every_address),
        TEST(listings_and_nothing_are_guarded),
        TWICE(bodies_at_a_guarded_path),
        TEST(redirects_of_a_guarded_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
