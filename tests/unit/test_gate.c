/* What the rules of a host mean for routes: who may call a handler, what goes with its answer, and preflights. Meant to
 * be run in a build with -Db_sanitize=thread, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "server/gate.h"

#include "page_rules_fixture.h"

#define SAYS .cors = "https://a.example", .headers = TEXTS("X-Frame-Options: DENY", "Link: </a>; rel=preload", \
                                                           "Set-Cookie: a=1", "Set-Cookie: b=2"), \
             .cache_control = "public, max-age=31536000, immutable"

static rh_answer *prepared;
static atomic_uint called; /* handlers, so far */

/* ---- Handlers ----------------------------------------------------------------------------------------------- */

static void answer(rh_request *request, void *user)
{
    (void)user;
    atomic_fetch_add(&called, 1);
    rh_json(request, "[%S,%S]", rh_path(request), rh_param(request, "name"));
}

static void answer_later(rh_request *request, void *user)
{
    rh_background(request, answer, user);
}

static void answer_prepared(rh_request *request, void *user)
{
    (void)user;
    rh_send(request, prepared);
}

static void answer_otherwise(rh_request *request, void *user)
{
    (void)user;
    rh_set(request, "x-frame-options", "SAMEORIGIN");
    rh_set(request, "Access-Control-Allow-Origin", "*");
    rh_set(request, "Cache-Control", "max-age=5");
    rh_set(request, "Vary", "Cookie");
    rh_text(request, "said");
}

static long pull(void *user, char *out, size_t size)
{
    bool *over = user;
    (void)size;
    if (*over)
        return 0;
    *over = true;
    memcpy(out, "pulled", 6);
    return 6;
}

static void answer_stream(rh_request *request, void *user)
{
    (void)user;
    rh_stream(request, "text/plain", pull, NULL, rh_memory(request, sizeof(bool)));
}

static void answer_not(rh_request *request, void *user)
{
    (void)user;
    rh_fail(request, 422, "no");
}

static void answer_not_later(rh_request *request, void *user)
{
    rh_background(request, answer_not, user);
}

static void answer_nothing(rh_request *request, void *user)
{
    (void)request;
    (void)user;
}

static void answer_moved(rh_request *request, void *user)
{
    (void)user;
    rh_redirect(request, 303, "/elsewhere");
}

static void answer_full(rh_request *request, void *user)
{
    (void)user;
    for (unsigned i = 0; i < EXCHANGE_FIELDS_MAX - 1; i++)
        rh_set(request, "X-Field", "many");
    rh_empty(request);
}

static void take(rh_request *request, void *user, rh_slice piece, bool last)
{
    size_t *got = user;
    *got += piece.size;
    if (last)
        rh_json(request, "[%u]", (unsigned)*got);
}

static void receive(rh_request *request, void *user)
{
    (void)user;
    atomic_fetch_add(&called, 1);
    rh_receive(request, take, rh_memory(request, sizeof(size_t)));
}

static void begin_routes(rh_host_options host)
{
    static const struct api_route routes[] = {
        { "GET /api/text/{name}", answer, NULL }, { "POST /api/text/{name}", answer, NULL },
        { "GET /api/later/{name}", answer_later, NULL }, { "GET /api/prepared", answer_prepared, NULL },
        { "GET /api/own", answer_otherwise, NULL }, { "GET /api/stream", answer_stream, NULL },
        { "GET /api/fails", answer_not, NULL }, { "GET /api/fails/later", answer_not_later, NULL },
        { "GET /api/forgets", answer_nothing, NULL }, { "GET /api/moved", answer_moved, NULL },
        { "GET /api/full", answer_full, NULL }, { "PUT /api/options", answer, NULL },
        { "OPTIONS /api/options", answer, NULL },
    };
    begin(host);
    add_routes(server, routes, sizeof routes / sizeof routes[0]);
    assert_int_equal(rh_route_with(server, (rh_route_options){ .pattern = "PUT /api/stream", .handler = receive,
                                                               .stream = true }), 0);
    atomic_store(&called, 0);
    prepared = rh_answer_new(200, "text/x-prepared", "prepared", 8, TEXTS("X-Prepared: yes"));
    assert_non_null(prepared);
}

static void serve_routes(rh_host_options host)
{
    begin_routes(host);
    start_server(server);
}

static int end_all(void **state)
{
    int result = end(state);
    rh_answer_free(prepared);
    prepared = NULL;
    return result;
}

/* ---- What is said ------------------------------------------------------------------------------------------- */

static unsigned count_fields(const struct reply *reply, const char *name)
{
    char start_of_line[64];
    unsigned count = 0;
    snprintf(start_of_line, sizeof start_of_line, "\n%s:", name);
    for (const char *at = reply->head; (at = strstr(at, start_of_line)) != NULL; at++)
        count++;
    return count;
}

static void every_answer_of_a_handler(void **state)
{
    static const struct { const char *line; int status; const char *body; } rows[] = {
        { "GET /api/text/x", 200, "[\"/api/text/x\",\"x\"]" }, { "HEAD /api/text/x", 200, "" },
        { "GET /api/later/x", 200, "[\"/api/later/x\",\"x\"]" }, { "GET /api/prepared", 200, "prepared" },
        { "HEAD /api/prepared", 200, "" }, { "GET /api/stream", 200, "6\r\npulled\r\n0\r\n\r\n" },
        { "GET /api/fails", 422, NULL }, { "GET /api/fails/later", 422, NULL }, { "GET /api/forgets", 500, NULL },
        { "GET /api/moved", 303, "" }, { "DELETE /api/own", 405, NULL },
    };
    (void)state;
    scratch_write(&scratch, "root/_headers", "/*\n  X-From: pages\n");
    serve_routes(HOST({ .path = "/api/*", SAYS }));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reply *reply = get(rows[i].line, ORIGIN, rows[i].status);
        if (rows[i].body && strcmp(reply->body, rows[i].body) != 0)
            fail_msg("%s: %s", rows[i].line, reply->body);
        has(reply, "X-Frame-Options: DENY");
        has(reply, "Access-Control-Allow-Origin: https://a.example");
        assert_int_equal(count_fields(reply, "X-Frame-Options"), 1);
        assert_int_equal(count_fields(reply, "Access-Control-Allow-Origin"), 1);
        assert_int_equal(count_fields(reply, "Set-Cookie"), 2);
        assert_null(strstr(reply->head, "immutable")); /* that is for pages */
        has_no(reply, "Link");
        if (rows[i].status != 405) /* where no route answers the site does */
            has_no(reply, "X-From");
    }
    has(get("GET /api/prepared", "", 200), "X-Prepared: yes");
    has(get("GET /api/prepared", "", 200), "Content-Type: text/x-prepared");
    has(get("GET /a.txt", "", 200), "X-From: pages");
}

static void what_the_handler_says_holds(void **state)
{
    (void)state;
    serve_routes(HOST({ .path = "/api/*", .cors = TWO_ORIGINS, .headers = TEXTS("X-Frame-Options: DENY", "X-A: b") }));
    struct reply *reply = get("GET /api/own", ORIGIN, 200);
    assert_string_equal(reply->body, "said");
    has(reply, "x-frame-options: SAMEORIGIN");
    has(reply, "Access-Control-Allow-Origin: *");
    has(reply, "Cache-Control: max-age=5");
    has(reply, "X-A: b");
    has(reply, "Vary: Cookie");
    has(reply, "Vary: Origin");
    has_no(reply, "X-Frame-Options");
    assert_int_equal(count_fields(reply, "Access-Control-Allow-Origin"), 1);
}

static void what_has_no_room(void **state)
{
    (void)state;
    serve_routes(HOST({ .path = "/api/*", .headers = TEXTS("X-A: b", "X-B: c") }));
    struct reply *reply = get("GET /api/full", "", 503);
    has_no(reply, "X-Field");
    has(reply, "X-A: b");
}

/* What a rule does with a path is for where no route answers. */
static void rules_that_do_something(void **state)
{
    (void)state;
    serve_routes(HOST({ .path = "/api/own", .redirect = "/elsewhere", .headers = TEXTS("X-A: redirect") },
                      { .path = "/api/moved", .status = 410 },
                      { .path = "/api/*", .rewrite = "/index.html", .headers = TEXTS("X-A: rewrite") }));
    has(get("GET /api/own", "", 200), "X-A: redirect");
    has(get("POST /api/own", "Content-Length: 0\r\n", 301), "Location: /elsewhere");
    get("GET /api/moved", "", 303);
    has(get("GET /api/text/x", "", 200), "X-A: rewrite");
    gets("GET /api/none", "", 200, "<p>home");
}

static void the_rules_of_the_host(void **state)
{
    rh_host_options other = HOST({ .path = "/*", .headers = TEXTS("X-Host: b") });
    (void)state;
    other.names = "b.example";
    begin_routes(HOST({ .path = "/docs/*", .headers = TEXTS("X-Host: default") }));
    assert_int_equal(rh_host(server, &other), 0);
    start_server(server);
    assert_int_equal(count_fields(get("GET /api/own", "", 200), "X-Host"), 0);
    int fd = client_connect(server);
    static struct reply reply;
    client_send(fd, "GET /api/own HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n");
    client_read(fd, &reply);
    assert_int_equal(reply.status, 200);
    has(&reply, "X-Host: b");
}

/* ---- Who may call it ---------------------------------------------------------------------------------------- */

static void a_password(void **state)
{
    static const char *const lines[] = { "GET /api/text/x", "HEAD /api/text/x", "GET /api/later/x" };
    (void)state;
    serve_routes(HOST({ .path = "/api/*", .basic_auth = users, .headers = TEXTS("X-A: b") }));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *fields[] = { "", "Authorization: Bearer x\r\n", password("anna:wrong") };
        for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++) {
            struct reply *reply = get(lines[i], fields[k], 401);
            assert_memory_equal(value_of(reply, "WWW-Authenticate"), "Basic realm=\"/api/*\"", 20);
            has(reply, "X-A: b");
        }
    }
    assert_int_equal(atomic_load(&called), 0);
    for (unsigned i = 0; i < 2; i++) { /* checked in the background, then remembered */
        gets("GET /api/text/%C3%A4", password("anna:secret"), 200, "[\"/api/text/\xc3\xa4\",\"\xc3\xa4\"]");
        has(get("GET /api/text/x", password("berta:geheim"), 200), "X-A: b");
        gets("GET /api/later/x", password("anna:secret"), 200, "[\"/api/later/x\",\"x\"]");
        gets("HEAD /api/text/x", password("anna:secret"), 200, "");
        gets("GET /api/prepared", password("berta:geheim"), 200, "prepared");
        gets("GET /api/stream", password("anna:secret"), 200, "6\r\npulled\r\n0\r\n\r\n");
    }
    assert_int_equal(atomic_load(&called), 8);
}

static const struct reply *upload(const char *line, const char *who, const char *more, const char *body)
{
    char fields[512];
    snprintf(fields, sizeof fields, "%s%s", who[0] ? password(who) : "", more);
    return ask_with(server, line, fields, body);
}

/* Without credentials it is refused before its body has come; with wrong ones before its handler has. */
static void a_body(void **state)
{
    static const char *const lines[] = { "POST /api/text/x", "PUT /api/stream" };
    (void)state;
    serve_routes(HOST({ .path = "/api/*", .basic_auth = users }));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(upload(lines[i], "", "Content-Length: 4\r\n", "")->status, 401);
        assert_int_equal(upload(lines[i], "", "Content-Length: 4\r\nExpect: 100-continue\r\n", "")->status, 401);
        assert_int_equal(upload(lines[i], "anna:wrong", "Content-Length: 4\r\n", "body")->status, 401);
    }
    assert_int_equal(atomic_load(&called), 0);
    for (int i = 0; i < 2; i++) {
        const struct reply *reply = upload(lines[0], "anna:secret", "Content-Length: 4\r\n", "body");
        assert_string_equal(reply->body, "[\"/api/text/x\",\"x\"]");
        reply = upload(lines[1], "anna:secret", "Content-Length: 4\r\n", "body");
        assert_string_equal(reply->body, "[4]");
        reply = upload(lines[1], "berta:geheim", "Transfer-Encoding: chunked\r\n", "4\r\nbody\r\n1\r\n!\r\n0\r\n\r\n");
        assert_string_equal(reply->body, "[5]");
    }
}

static void several_on_one_connection(void **state)
{
    static struct reply reply;
    char text[2048], right[256];
    (void)state;
    serve_routes(HOST({ .path = "/api/*", .basic_auth = users }));
    snprintf(right, sizeof right, "%s", password("anna:secret"));
    snprintf(text, sizeof text,
             "PUT /api/stream HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n%s\r\nbodyGET /api/text/1 HTTP/1.1\r\n"
             "Host: a\r\n\r\nGET /api/later/2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", right, right);
    int fd = client_connect(server);
    client_send(fd, text);
    client_read(fd, &reply);
    const char *first = strstr(reply.body, "[4]");
    assert_non_null(first);
    const char *second = strstr(first, "HTTP/1.1 401 ");
    assert_non_null(second);
    assert_non_null(strstr(second, "[\"/api/later/2\",\"2\"]"));
}

/* ---- Preflights --------------------------------------------------------------------------------------------- */

static void preflights(void **state)
{
    (void)state;
    serve_routes(HOST({ .path = "/api/text/*", .cors = "https://a.example", .basic_auth = users },
                      { .path = "/api/*", .cors = TWO_ORIGINS }, { .path = "/*", .headers = TEXTS("X-A: b") }));
    struct reply *reply = get("OPTIONS /api/text/x", PREFLIGHT, 204);
    has(reply, "Access-Control-Allow-Origin: https://a.example");
    has(reply, "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS");
    reply = get("OPTIONS /api/options", PREFLIGHT, 204); /* also where there is a handler for it */
    has(reply, "Access-Control-Allow-Origin: https://a.example");
    assert_non_null(strstr(value_of(reply, "Access-Control-Allow-Methods"), "PUT"));
    assert_int_equal(atomic_load(&called), 0);
    gets("OPTIONS /api/options", ORIGIN, 200, "[\"/api/options\",null]"); /* which is no preflight */
    assert_int_equal(atomic_load(&called), 1);
    has_no(get("OPTIONS /api/options", "Origin: https://c.example\r\nAccess-Control-Request-Method: PUT\r\n", 204),
           "Access-Control-Allow-Origin");
}

/* ---- Middleware --------------------------------------------------------------------------------------------- */

static void stand_before(rh_request *request, void *user)
{
    (void)user;
    rh_set(request, "X-Before", "yes");
    rh_set(request, "X-Frame-Options", "SAMEORIGIN");
    if (rh_query(request, "stop").data)
        rh_text(request, "stopped");
    else
        rh_next(request);
}

static void what_middleware_answers(void **state)
{
    (void)state;
    begin_routes(HOST({ .path = "/secret", .basic_auth = users }, { .path = "/*", SAYS }));
    assert_int_equal(rh_use(server, "/", stand_before, NULL), 0);
    start_server(server);
    struct reply *reply = get("GET /api/own?stop", ORIGIN, 200);
    assert_string_equal(reply->body, "stopped");
    has(reply, "X-Frame-Options: SAMEORIGIN");
    has(reply, "Access-Control-Allow-Origin: https://a.example");
    assert_int_equal(count_fields(reply, "X-Frame-Options"), 1);
    reply = get("GET /api/prepared", ORIGIN, 200);
    assert_string_equal(reply->body, "prepared");
    has(reply, "X-Before: yes");
    has(reply, "X-Frame-Options: DENY");
    assert_int_equal(count_fields(reply, "X-Frame-Options"), 1);
}

/* The password is asked for before middleware runs. */
static void who_may_call_middleware(void **state)
{
    static const struct { const char *line; int status; } rows[] = {
        { "GET /api/text/x", 200 }, { "PUT /api/stream", 200 }, { "GET /about", 200 }, { "GET /secret?stop", 200 },
        { "GET /nothing?stop", 200 }, { "POST /a.txt?stop", 200 }, { "GET /nothing", 404 }, { "FROB /a.txt", 501 },
    };
    (void)state;
    begin_routes(HOST({ .path = "/*", .basic_auth = users, .cors = "https://a.example" }));
    assert_int_equal(rh_use(server, "/", stand_before, NULL), 0);
    start_server(server);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        has_no(upload(rows[i].line, "", "Content-Length: 4\r\n", "body"), "X-Before");
        const struct reply *reply = upload(rows[i].line, "anna:wrong", "Content-Length: 4\r\n", "body");
        assert_int_equal(reply->status, 401);
        has_no(reply, "X-Before");
    }
    assert_int_equal(atomic_load(&called), 0);
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) { /* then the password is remembered */
        size_t row = i % (sizeof rows / sizeof rows[0]);
        const struct reply *reply = upload(rows[row].line, "anna:secret", "Content-Length: 4\r\n", "body");
        if (reply->status != rows[row].status)
            fail_msg("%s: %d", rows[row].line, reply->status);
        assert_int_equal(count_fields(reply, "X-Before"), 1);
        assert_int_equal(count_fields(reply, "Access-Control-Allow-Origin"), 1);
    }
    assert_int_equal(atomic_load(&called), 4);
    has_no(get("OPTIONS /about", PREFLIGHT, 204), "X-Before");
}

#define GATE_TEST(function) cmocka_unit_test_setup_teardown(function, start, end_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATE_TEST(every_answer_of_a_handler),
        GATE_TEST(what_the_handler_says_holds),
        GATE_TEST(what_has_no_room),
        GATE_TEST(rules_that_do_something),
        GATE_TEST(the_rules_of_the_host),
        GATE_TEST(a_password),
        GATE_TEST(a_body),
        GATE_TEST(several_on_one_connection),
        GATE_TEST(preflights),
        GATE_TEST(what_middleware_answers),
        GATE_TEST(who_may_call_middleware),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
