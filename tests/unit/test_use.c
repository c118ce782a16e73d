/* The middleware that is there already: cross-origin requests, request identifiers, rate limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "http/exchange.h"
#include "failing_memory.h"

static struct notes notes = NOTES_INIT;

static void answer_id(rh_request *request, void *user)
{
    (void)user;
    rh_json(request, "%S", rh_request_id_of(request));
}

/* A server with routes beneath /api/; what is used is the caller's to say, and to start it. */
static rh_server *make(void)
{
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1, .log = note,
                                                    .trusted_proxies = "loopback", .log_user = &notes });
    add_route(server, "GET /api/id", answer_id, NULL);
    add_route(server, "PUT /api/id", answer_id, NULL);
    add_route(server, "GET /id", answer_id, NULL);
    return server;
}

/* ---- Options that cannot be --------------------------------------------------------------------------------- */

static void refuses_cors(void **state)
{
    static const struct {
        rh_cors_options options;
        const char *why;
    } rows[] = {
        { { 0 }, "cross-origin requests for /api/: there is no origin" },
        { { .origins = "a.example" }, "cross-origin requests for /api/: a.example: an origin is a scheme and a host" },
        { { .origins = "*", .credentials = true }, "no credentials where all origins are allowed" },
        { { .origins = "*", .methods = "" }, "methods are names such as GET, POST" },
        { { .origins = "*", .methods = "GET POST" }, "methods are names such as GET, POST" },
        { { .origins = "*", .methods = "GET, BREW" }, "methods are names such as GET, POST" },
        { { .origins = "*", .headers = "" }, "fields are names separated by commas" },
        { { .origins = "*", .headers = "X-Key X-Other" }, "fields are names separated by commas" },
        { { .origins = "*", .expose = "a\nb" }, "fields are names separated by commas" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rh_server *server = make();
        assert_int_equal(rh_use_cors(server, "/api/", rows[i].options), -1);
        if (strstr(rh_error(server), rows[i].why) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", rows[i].why, rh_error(server));
        assert_int_equal(rh_start(server), -1);
        rh_server_free(server);
    }
}

static void refuses_rate_limits(void **state)
{
    static const struct {
        rh_rate_limit_options options;
        const char *why;
    } rows[] = {
        { { 0 }, "the rate limit for /api/: requests is 0; choose a number from 1 to 1000000" },
        { { .requests = 1000001 }, "requests is 1000001" },
        { { .requests = 1, .per_s = 86401 }, "per_s is 86401; choose a number from 1 to 86400" },
        { { .requests = 1, .burst = 1000001 }, "burst is 1000001; choose a number from 1 to 1000000" },
        { { .requests = 1, .clients = 63 }, "clients is 63; choose a number from 64 to 16777216" },
        { { .requests = 1, .clients = 16777217 }, "clients is 16777217" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rh_server *server = make();
        assert_int_equal(rh_use_rate_limit(server, "/api/", rows[i].options), -1);
        if (strstr(rh_error(server), rows[i].why) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", rows[i].why, rh_error(server));
        rh_server_free(server);
    }
}

/* Whatever they own goes, too. */
static void refuses_prefixes_and_late_calls(void **state)
{
    rh_server *server = make();
    (void)state;
    assert_int_equal(rh_use_cors(server, "api", (rh_cors_options){ .origins = "*" }), -1);
    assert_string_equal(rh_error(server), "middleware for \"api\": a prefix begins with a slash");
    assert_int_equal(rh_use_request_id(server, NULL, (rh_request_id_options){ 0 }), -1);
    assert_int_equal(rh_use_rate_limit(server, NULL, (rh_rate_limit_options){ .requests = 1 }), -1);
    rh_server_free(server);

    assert_int_equal(rh_use_cors(NULL, "/", (rh_cors_options){ .origins = "*" }), -1);
    assert_int_equal(rh_use_request_id(NULL, "/", (rh_request_id_options){ 0 }), -1);
    assert_int_equal(rh_use_rate_limit(NULL, "/", (rh_rate_limit_options){ .requests = 1 }), -1);

    server = make();
    start_server(server);
    assert_int_equal(rh_use_cors(server, "/", (rh_cors_options){ .origins = "*" }), -1);
    assert_int_equal(rh_use_request_id(server, "/", (rh_request_id_options){ 0 }), -1);
    assert_int_equal(rh_use_rate_limit(server, "/", (rh_rate_limit_options){ .requests = 1 }), -1);
    assert_true(noted(&notes, "rh_use_rate_limit: the server has been started already"));
    expect(server, "GET /id", 200, "null");
    rh_server_free(server);
}

static bool use_all(rh_server *server)
{
    return rh_use_cors(server, "/", (rh_cors_options){ .origins = "*", .headers = "X", .expose = "Y" }) == 0 &&
           rh_use_request_id(server, "/", (rh_request_id_options){ 0 }) == 0 &&
           rh_use(server, "/", answer_id, NULL) == 0;
}

static void tells_where_there_is_no_memory(void **state)
{
    bool used = false;
    (void)state;
    for (long allowed = 0; !used; allowed++) {
        rh_server *server = make();
        allocations_left = allowed;
        used = use_all(server);
        allocations_left = -1;
        if (!used)
            assert_non_null(strstr(rh_error(server), "memory"));
        assert_in_range(allowed, 0, 20);
        rh_server_free(server);
    }
}

/* ---- Cross-origin requests ---------------------------------------------------------------------------------- */

#define PREFLIGHT "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-key\r\n"

static void lets_other_origins_in(void **state)
{
    rh_server *server = make();
    (void)state;
    assert_int_equal(rh_use_cors(server, "/api/", (rh_cors_options){
        .origins = "https://a.example https://b.example", .credentials = true, .expose = "X-Total" }), 0);
    start_server(server);
    struct reply *reply = ask_with(server, "GET /api/id", "Origin: https://b.example\r\n", "");
    assert_string_equal(reply->body, "null");
    assert_true(has_line(reply, "Access-Control-Allow-Origin: https://b.example"));
    assert_true(has_line(reply, "Access-Control-Allow-Credentials: true"));
    assert_true(has_line(reply, "Access-Control-Expose-Headers: X-Total") && has_line(reply, "Vary: Origin"));
    reply = ask_with(server, "GET /api/nothing", "Origin: https://a.example\r\n", "");
    assert_int_equal(reply->status, 404);
    assert_true(has_line(reply, "Access-Control-Allow-Origin: https://a.example"));
    assert_true(has_line(reply, "Vary: Origin") && has_line(reply, "Vary: Accept"));
    reply = ask_with(server, "GET /api/id", "Origin: https://c.example\r\n", "");
    assert_int_equal(reply->status, 200);
    assert_null(strstr(reply->head, "Access-Control"));
    assert_null(strstr(ask_with(server, "GET /id", "Origin: https://a.example\r\n", "")->head, "Access-Control"));

    reply = ask_with(server, "OPTIONS /api/id", "Origin: https://a.example\r\n" PREFLIGHT, "");
    assert_int_equal(reply->status, 204);
    assert_true(has_line(reply, "Access-Control-Allow-Methods: GET, HEAD, PUT, OPTIONS"));
    assert_true(has_line(reply, "Access-Control-Allow-Headers: x-key"));
    assert_true(has_line(reply, "Access-Control-Max-Age: 7200"));
    reply = ask_with(server, "OPTIONS /api/none", "Origin: https://a.example\r\n" PREFLIGHT, "");
    assert_true(has_line(reply, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS"));
    assert_int_equal(ask_with(server, "OPTIONS /api/id", "Origin: https://a.example\r\n", "")->status, 204);
    assert_null(strstr(ask_with(server, "OPTIONS /api/id", "Origin: https://c.example\r\n" PREFLIGHT, "")->head,
                       "Access-Control"));
    rh_server_free(server);
}

static void says_what_it_was_told(void **state)
{
    static const struct {
        uint32_t given;
        const char *line;
    } rows[] = {
        { 5, "Access-Control-Max-Age: 5" }, { RH_OFF, "Access-Control-Max-Age: 0" },
        { RH_OFF - 1, "Access-Control-Max-Age: 4294967294" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char origins[] = "*", methods[] = "GET, DELETE", headers[] = "X-One, X-Two";
        rh_server *server = make();
        assert_int_equal(rh_use_cors(server, "/", (rh_cors_options){ .origins = origins, .methods = methods,
                                                                     .headers = headers, .max_age_s = rows[i].given }),
                         0);
        origins[0] = methods[0] = headers[0] = '!'; /* copied */
        start_server(server);
        struct reply *reply = ask_with(server, "OPTIONS /id", "Origin: https://a.example\r\n" PREFLIGHT, "");
        assert_true(has_line(reply, "Access-Control-Allow-Origin: *"));
        assert_true(has_line(reply, "Access-Control-Allow-Methods: GET, DELETE"));
        assert_true(has_line(reply, "Access-Control-Allow-Headers: X-One, X-Two"));
        assert_true(has_line(reply, rows[i].line));
        rh_server_free(server);
    }
}

/* ---- Request identifiers ------------------------------------------------------------------------------------ */

static bool is_made(const char *id)
{
    return strspn(id, "0123456789abcdef") == 32 && id[32] == '"';
}

static void names_each_request(void **state)
{
    rh_server *server = make();
    char first[64], line[128];
    (void)state;
    assert_int_equal(rh_use_request_id(server, "/api/", (rh_request_id_options){ 0 }), 0);
    assert_int_equal(rh_use_request_id(server, "/", (rh_request_id_options){ 0 }), 0); /* further in: it has one */
    start_server(server);
    struct reply *reply = ask_with(server, "GET /api/id", "X-Request-Id: mine\r\n", "");
    assert_true(reply->body_size == 34 && is_made(reply->body + 1));
    snprintf(first, sizeof first, "%s", reply->body);
    snprintf(line, sizeof line, "X-Request-Id: %.32s", first + 1);
    assert_true(has_line(reply, line));
    assert_true(is_made(ask(server, "GET /id")->body + 1));
    assert_string_not_equal(ask(server, "GET /api/id")->body, first);
    assert_non_null(strstr(ask(server, "GET /nothing")->head, "X-Request-Id: "));
    rh_server_free(server);
}

static void takes_names_where_it_trusts(void **state)
{
    static const char longest[] = "0123456789012345678901234567890123456789012345678901234567890123"
                                  "0123456789012345678901234567890123456789012345678901234567890123";
    static const struct {
        const char *given;
        bool taken;
    } rows[] = {
        { "A-z_09.:/+=@~", true }, { "", false },    { "a b", false }, { "a\"", false },
        { "\xc3\xa4", false },     { "a,b", false }, { longest, true }, { "x", true },
    };
    rh_server *server = make();
    char fields[512], wanted[256];
    (void)state;
    assert_int_equal(rh_use_request_id(server, "/", (rh_request_id_options){ .trust = true }), 0);
    start_server(server);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(fields, sizeof fields, "X-Request-Id: %s\r\n", rows[i].given);
        snprintf(wanted, sizeof wanted, "\"%s\"", rows[i].given);
        struct reply *reply = ask_with(server, "GET /id", fields, "");
        if (rows[i].taken)
            assert_string_equal(reply->body, wanted);
        else
            assert_true(is_made(reply->body + 1));
    }
    snprintf(fields, sizeof fields, "X-Request-Id: %sx\r\n", longest);
    assert_true(is_made(ask_with(server, "GET /id", fields, "")->body + 1));
    rh_server_free(server);
}

/* ---- Rate limits -------------------------------------------------------------------------------------------- */

static int ask_as(const rh_server *server, const char *line, const char *client)
{
    char fields[128] = "";
    if (client[0] != '\0')
        snprintf(fields, sizeof fields, "X-Forwarded-For: %s\r\n", client);
    return ask_with(server, line, fields, "")->status;
}

/* Two a day: the clock of the test cannot bring another one. */
static void limits_each_client(void **state)
{
    rh_server *server = make();
    (void)state;
    assert_int_equal(rh_use_rate_limit(server, "/api/", (rh_rate_limit_options){ .requests = 2, .per_s = 86400 }), 0);
    assert_int_equal(rh_use_rate_limit(server, "/", (rh_rate_limit_options){ .requests = 1, .per_s = 86400, .burst = 50,
                                                                             .clients = 100 }), 0);
    start_server(server);
    assert_int_equal(ask_as(server, "GET /api/id", ""), 200);
    assert_int_equal(ask_as(server, "GET /api/nothing", ""), 404);
    struct reply *reply = ask(server, "GET /api/id");
    assert_int_equal(reply->status, 429);
    const char *after = strstr(reply->head, "Retry-After: ");
    assert_non_null(after);
    assert_in_range(atoi(after + 13), 43100, 43200);
    assert_int_equal(ask_as(server, "POST /api/nothing", ""), 429);
    assert_int_equal(ask_as(server, "GET /id", ""), 200); /* elsewhere it may */

    static const struct {
        const char *client;
        int status;
    } rows[] = {
        { "192.0.2.1", 200 },         { "192.0.2.1", 200 },          { "192.0.2.1", 429 },
        { "::ffff:192.0.2.1", 429 },  { "192.0.2.2", 200 },          { "2001:db8:0:1::1", 200 },
        { "2001:db8:0:1::2", 200 },   { "2001:db8:0:1:a::3", 429 },  { "2001:db8:0:2::1", 200 },
        { "192.0.2.2:4711", 200 },    { "192.0.2.2", 429 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ask_as(server, "GET /api/id", rows[i].client) != rows[i].status)
            fail_msg("%zu: %s is not %d", i, rows[i].client, rows[i].status);
    rh_server_free(server);
}

static void gives_tokens_with_the_time(void **state)
{
    rh_server *server = make();
    (void)state;
    assert_int_equal(rh_use_rate_limit(server, "/", (rh_rate_limit_options){ .requests = 20, .burst = 1 }), 0);
    start_server(server);
    int statuses[2] = { 0 };
    for (int tries = 0; tries < 2000 && (statuses[0] < 3 || statuses[1] < 1); tries++)
        statuses[ask(server, "GET /id")->status == 429]++;
    assert_true(statuses[0] >= 3 && statuses[1] >= 1);
    rh_server_free(server);
}

/* ---- Memory that runs out ----------------------------------------------------------------------------------- */

static void starve(rh_request *request, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    (void)user;
    exchange->arena.ceiling = 0;
    rh_next(request);
}

static void survives_without_memory(void **state)
{
    rh_server *server = make();
    unsigned statuses[600] = { 0 };
    char fields[8192];
    (void)state;
    assert_int_equal(rh_use(server, "/", starve, NULL), 0);
    assert_int_equal(rh_use_request_id(server, "/", (rh_request_id_options){ 0 }), 0);
    assert_int_equal(rh_use_cors(server, "/", (rh_cors_options){ .origins = "https://a https://b" }), 0);
    start_server(server);
    for (size_t size = 1000; size < 6200; size += 32) {
        snprintf(fields, sizeof fields, "Origin: https://a\r\nX-Long: %0*d\r\n", (int)size, 0);
        int status = ask_with(server, "GET /id", fields, "")->status;
        assert_true(status == 200 || status == 500 || status == 503);
        statuses[status]++;
    }
    assert_true(statuses[200] > 0 && statuses[503] > 0);
    rh_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_cors),
        cmocka_unit_test(refuses_rate_limits),
        cmocka_unit_test(refuses_prefixes_and_late_calls),
        cmocka_unit_test(tells_where_there_is_no_memory),
        cmocka_unit_test(lets_other_origins_in),
        cmocka_unit_test(says_what_it_was_told),
        cmocka_unit_test(names_each_request),
        cmocka_unit_test(takes_names_where_it_trusts),
        cmocka_unit_test(limits_each_client),
        cmocka_unit_test(gives_tokens_with_the_time),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
