/* What goes with errors by the rule of their path and by `_headers`, and what does not; which errors have none of it;
 * that an error is answered whatever happens. With pages in memory, and again with pages from their files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "server/respond.h"

#include "page_rules_fixture.h"

#define JSON "Accept: application/json\r\n"
#define FOREVER "public, max-age=31536000, immutable"
#define SAYS(...) .cors = "https://a.example", .headers = TEXTS("X-Frame-Options: DENY", __VA_ARGS__)

/* The reply has "Name: value" just so often. */
static void has_times(const struct reply *reply, const char *line, unsigned times)
{
    unsigned found = 0;
    for (const char *at = reply->head; (at = strstr(at, line)) != NULL; at++)
        found += at[-1] == '\n' && strncmp(at + strlen(line), "\r\n", 2) == 0;
    if (found != times)
        fail_msg("\"%s\" %u times, not %u, in\n%s", line, found, times, reply->head);
}

static const struct reply *says(const struct reply *reply)
{
    has_times(reply, "X-Frame-Options: DENY", 1);
    has_times(reply, "Access-Control-Allow-Origin: https://a.example", 1);
    has_times(reply, "Vary: Accept", 1);
    has_times(reply, "Cache-Control: no-store", 1);
    has_no(reply, "Link");
    has_no(reply, "Expires");
    assert_null(strstr(reply->head, "immutable"));
    return reply;
}

static const struct reply *says_nothing(const struct reply *reply)
{
    has_no(reply, "X-Frame-Options");
    has_no(reply, "Access-Control-Allow-Origin");
    has_no(reply, "X-From");
    return reply;
}

/* ---- Which errors ------------------------------------------------------------------------------------------- */

static void every_error_of_a_path(void **state)
{
    (void)state;
    serve(HOST({ .path = "/secret", .basic_auth = users, .cache_control = FOREVER, SAYS("Link: </a>; rel=preload") },
               { .path = "/*", .cache_control = FOREVER, SAYS("Link: </a>; rel=preload", "Expires: 0") }));
    for (int i = 0; i < 2; i++) { /* the second time the page is in memory */
        says(get("GET /nothing", ORIGIN, 404));
        says(get("HEAD /nothing", ORIGIN, 404));
        has(says(get("POST /a.txt", "Content-Length: 0\r\n", 405)), "Allow: GET, HEAD, OPTIONS");
        says(get("FROB /a.txt", "", 501));
        has(says(get("GET /a.txt", "Range: bytes=20-\r\n" ORIGIN, 416)), "Content-Range: bytes */10");
        says(get("GET /a.txt", "If-Match: \"other\"\r\n", 412));
        says(get("GET /a.txt", "Accept-Encoding: identity;q=0, *;q=0\r\n", 406));
        assert_non_null(value_of(says(get("GET /secret", "", 401)), "WWW-Authenticate"));
        assert_non_null(value_of(says(get("GET /secret", password("anna:wrong"), 401)), "WWW-Authenticate"));
        has(get("GET /a.txt", ORIGIN, 200), "Cache-Control: " FOREVER);
    }
}

static void every_form_of_an_error(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/404.html", "<p>not here");
    serve(HOST({ .path = "/*", SAYS("Content-Security-Policy: default-src 'self'") }));
    struct reply *reply = get("GET /nothing", "", 404);
    assert_string_equal(reply->body, "<p>not here");
    has(says(reply), "Content-Security-Policy: default-src 'self'");
    reply = get("GET /nothing", JSON, 404);
    assert_non_null(strstr(reply->body, "\"status\":404"));
    has(says(reply), "Content-Type: application/problem+json");
    reply = get("POST /a.txt", "Content-Length: 0\r\n", 405);
    assert_non_null(strstr(reply->body, "</html>"));
    assert_null(strstr(says(reply)->head, "'self'")); /* a built-in page could not be seen under that */
    assert_non_null(strstr(reply->head, "style-src 'unsafe-inline'"));
}

static void upload(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "took it");
}

/* A browser that may not read a 413 calls it a network error. */
static void a_body_that_is_wrong(void **state)
{
    (void)state;
    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1, .root = scratch.root, .body_max = 8 });
    assert_int_equal(rh_host(server, &HOST({ .path = "/*", SAYS("X-From: rule") })), 0);
    add_route(server, "POST /upload", upload, NULL);
    start_server(server);
    static const struct { const char *fields, *body; int status; } rows[] = {
        { "Content-Length: 9\r\n", "", 413 },
        { "Transfer-Encoding: chunked\r\n", "9\r\n123456789", 413 },
        { "Transfer-Encoding: chunked\r\n", "x\r\n", 400 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reply *reply = ask_with(server, "POST /upload", rows[i].fields, rows[i].body);
        assert_int_equal(reply->status, rows[i].status);
        says(reply);
    }
}

/* The connection has been used before, so that what is left of an earlier request would show. */
static void no_path_no_words(void **state)
{
    static struct reply reply;
    static const char *const heads[] = { "G=T / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a.txt HTTP/1.1\r\nHost : a\r\n\r\n",
                                         "GET /../a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n" };
    (void)state;
    serve(HOST({ .path = "/*", SAYS("X-From: rule") }));
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        int fd = client_connect(server);
        client_send(fd, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        client_send(fd, heads[i]);
        client_read(fd, &reply);
        char *second = strstr(reply.body, "HTTP/1.1 400 ");
        assert_non_null(second);
        says_nothing(&(struct reply){ .head = second });
    }
    says_nothing(ask_with(server, "OPTIONS *", "", ""));
}

static void nobodys_path(void **state)
{
    (void)state;
    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1 });
    rh_host_options host = HOST({ .path = "/*", SAYS("X-From: rule") });
    host.names = "b.example";
    assert_int_equal(rh_host(server, &host), 0);
    start_server(server);
    says_nothing(get("GET /", ORIGIN, 421));
}

/* ---- What is said ------------------------------------------------------------------------------------------- */

static void several_origins(void **state)
{
    (void)state;
    serve(HOST({ .path = "/*", .cors = TWO_ORIGINS }));
    struct reply *reply = get("GET /nothing", "Origin: https://b.example\r\n", 404);
    has_times(reply, "Access-Control-Allow-Origin: https://b.example", 1);
    has_times(reply, "Vary: Origin", 1);
    reply = get("GET /nothing", "Origin: https://c.example\r\n", 404);
    has_no(reply, "Access-Control-Allow-Origin");
    has_times(reply, "Vary: Origin", 1);
}

static void the_rule_that_makes_the_error(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/_redirects", "/closed /none 404!\n/lost /lost.html 404!\n");
    serve(HOST({ .path = "/gone", .status = 410, .cors = TWO_ORIGINS, .cache_control = "max-age=9",
                 .headers = TEXTS("Set-Cookie: a=1", "Set-Cookie: b=2", "Link: </a>; rel=preload") },
               { .path = "/*", .cache_control = FOREVER, SAYS("Expires: 0") }));
    struct reply *reply = get("GET /gone", ORIGIN, 410);
    has_times(reply, "Cache-Control: max-age=9", 1);
    has_times(reply, "Access-Control-Allow-Origin: https://a.example", 1);
    has_times(reply, "Vary: Origin", 1);
    has_times(reply, "Set-Cookie: a=1", 1);
    has_times(reply, "Set-Cookie: b=2", 1);
    has_times(reply, "Link: </a>; rel=preload", 1);
    says(get("GET /closed", ORIGIN, 404));
    for (int i = 0; i < 2; i++) { /* a page, under the status that the site's own word gives it */
        reply = get("GET /lost", ORIGIN, 404);
        assert_string_equal(reply->body, "<p>lost");
        has_times(reply, "X-Frame-Options: DENY", 1);
        has_times(reply, "Cache-Control: no-store", 1);
    }
}

static void headers_of_the_site(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/_headers", "/*\n  X-Frame-Options: SAMEORIGIN\n  X-From: headers\n"
                                             "  Cache-Control: " FOREVER "\n  Vary: Cookie\n"
                                             "/open/*\n  ! X-Frame-Options\n");
    serve(HOST({ .path = "/ruled/*", .cache_control = FOREVER, .headers = TEXTS("X-Frame-Options: DENY") }));
    struct reply *reply = get("GET /nothing", "", 404);
    has_times(reply, "X-Frame-Options: SAMEORIGIN", 1);
    has_times(reply, "X-From: headers", 1);
    has_times(reply, "Vary: Cookie", 1);
    has_times(reply, "Vary: Accept", 1);
    has_times(reply, "Cache-Control: no-store", 1);
    has_no(get("GET /open/x", "", 404), "X-Frame-Options");
    reply = get("GET /ruled/x", "", 404);
    has_times(reply, "X-Frame-Options: DENY", 1);
    has_no(reply, "Access-Control-Allow-Origin");
    has_times(reply, "X-From: headers", 1);
}

/* ---- How it is answered ------------------------------------------------------------------------------------- */

static atomic_bool prepared; /* the last answer of `fail` */

/* "?exhausted": without memory for anything more. */
static void fail_here(rh_request *request, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    struct arena *arena = &exchange->arena;
    (void)user;
    if (rh_query(request, "exhausted").data) {
        arena->at = arena->end;
        arena->ceiling = arena->used;
    }
    respond_error(exchange, 404, 0, SLICE(""));
    atomic_store(&prepared, exchange->response.answer != NULL);
}

static void serve_failures(rh_host_options host)
{
    begin(host);
    add_route(server, "GET /fail/{rest...}", fail_here, NULL);
    start_server(server);
}

static void what_nobody_speaks_of_stays_prepared(void **state)
{
    (void)state;
    serve_failures(HOST({ .path = "/fail/silent", .cache_control = FOREVER },
                        { .path = "/fail/said", SAYS("X-A: b") }));
    says_nothing(get("GET /fail/other", "", 404));
    assert_true(atomic_load(&prepared));
    says_nothing(get("GET /fail/silent", "", 404));
    assert_true(atomic_load(&prepared));
    says(get("GET /fail/said", "", 404));
    assert_false(atomic_load(&prepared));
}

static void an_error_is_answered_without_memory(void **state)
{
    (void)state;
    serve_failures(HOST({ .path = "/*", SAYS("X-A: b") }));
    says_nothing(get("GET /fail/x?exhausted", "", 404));
    assert_true(atomic_load(&prepared));
    says(get("GET /fail/x", "", 404));
}

/* As much as both may say is more than fits beside an error's own. */
static void an_error_is_answered_without_room(void **state)
{
    static char text[64 * HEADERS_SET_MAX] = "/*\n", lines[RULE_FIELDS_MAX][16];
    const char *fields[RULE_FIELDS_MAX + 1] = { NULL };
    (void)state;
    for (unsigned i = 0, used = 3; i < HEADERS_SET_MAX; i++)
        used += (unsigned)sprintf(text + used, "  X-H%u: %u\n", i, i);
    for (unsigned i = 0; i < RULE_FIELDS_MAX; i++) {
        sprintf(lines[i], "X-R%u: %u", i, i);
        fields[i] = lines[i];
    }
    scratch_write(&scratch, "root/_headers", text);
    serve(HOST({ .path = "/full", .headers = fields, .cors = "*" }));
    struct reply *reply = get("GET /full", "", 404);
    has_no(reply, "X-H0");
    has_no(reply, "X-R0");
    has(reply, "Cache-Control: no-store");
    has(get("GET /nothing", "", 404), "X-H63: 63");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWICE(every_error_of_a_path),
        TEST(every_form_of_an_error),
        TEST(a_body_that_is_wrong),
        TEST(no_path_no_words),
        TEST(nobodys_path),
        TEST(several_origins),
        TWICE(the_rule_that_makes_the_error),
        TEST(headers_of_the_site),
        TEST(what_nobody_speaks_of_stays_prepared),
        TEST(an_error_is_answered_without_memory),
        TEST(an_error_is_answered_without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
