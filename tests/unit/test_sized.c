/* Structs of programs that know fewer or more of their members: the reading of them, and every public call that takes
 * one, from an older program, from a newer one that asks for nothing new, and from one that does. */
#include "server/sized.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include "api_fixture.h"

struct known {
    uint32_t first, second;
};

static void what_is_given_is_read(void **state)
{
    static const struct {
        unsigned char given[16];
        size_t size;
        struct known known;
        bool good;
    } cases[] = {
        { { 0 }, 0, { 0, 0 }, true },
        { { 1 }, 4, { 1, 0 }, true },                                    /* an older program */
        { { 1, 0, 0, 0, 2 }, 8, { 1, 2 }, true },
        { { 1, 0, 0, 0, 2 }, 12, { 1, 2 }, true },                       /* a newer one, which asks for nothing new */
        { { 1, 0, 0, 0, 2, 0, 0, 0, 3 }, 8, { 1, 2 }, true },            /* not its own any more */
        { { 1, 0, 0, 0, 2, 0, 0, 0, 3 }, 9, { 1, 2 }, false },
        { { 1, 0, 0, 0, 2, [15] = 1 }, 16, { 1, 2 }, false },
        { { 1, 0, 0, 0, 2, [15] = 1 }, 15, { 1, 2 }, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct known known = { 7, 7 };
        assert_int_equal(sized_read(&known, sizeof known, cases[i].given, cases[i].size), cases[i].good);
        assert_int_equal(known.first, cases[i].known.first);
        assert_int_equal(known.second, cases[i].known.second);
    }
}

static void nothing_is_given(void **state)
{
    struct known known = { 7, 7 };
    (void)state;
    assert_true(sized_read(&known, sizeof known, NULL, sizeof known + 1));
    assert_int_equal(known.first, 0);
    assert_int_equal(known.second, 0);
}

/* ---- Calls with a server ------------------------------------------------------------------------------------- */

static const char unknown[] = "an option that rawhttp " RH_VERSION " does not know, of a newer one";

enum { NEW_SIZE = sizeof(void *), BYTES_MAX = 512 };

/* The same options as three programs know them: all that is behind `least` is zero, and may be left out. */
struct sized {
    const void *options;
    size_t least, size;
};

enum age { OLDER, NEWER, WANTING, AGES };

static size_t of_age(const struct sized *sized, enum age age, unsigned char bytes[static BYTES_MAX])
{
    assert_in_range(sized->size, sized->least, BYTES_MAX - NEW_SIZE);
    memset(bytes, age == OLDER ? 0xee : 0, BYTES_MAX); /* what an older program does not give is not looked at */
    memcpy(bytes, sized->options, age == OLDER ? sized->least : sized->size);
    if (age == WANTING)
        bytes[sized->size + NEW_SIZE - 1] = 1;
    return age == OLDER ? sized->least : sized->size + NEW_SIZE;
}

static void nothing(rh_request *request, void *user)
{
    (void)user;
    rh_empty(request);
}

#define UPTO(type, member) (offsetof(type, member) + sizeof((type *)0)->member)

static const rh_options server_options = { .listen = "127.0.0.1:0" };
static const rh_host_options host = { .names = "a.example" };
static const rh_rule rule = { .path = "/a", .rewrite = "/b" };
static const rh_route_options route = { .pattern = "GET /", .handler = nothing };
static const rh_cors_options cors = { .origins = "*" };
static const rh_request_id_options request_id = { .trust = false };
static const rh_rate_limit_options rate_limit = { .requests = 5 };
static const rh_topic_options topic = { .close_slow = false };

static bool add_host(rh_server *server, const void *options, size_t size)
{
    return rh_host_add(server, options, size, sizeof(rh_rule)) == 0;
}

static bool add_rule(rh_server *server, const void *options, size_t size)
{
    const rh_host_options ruled = { .names = "b.example", .rules = options, .rule_count = 1 };
    return rh_host_add(server, &ruled, sizeof ruled, size) == 0;
}

static bool add_route_of(rh_server *server, const void *options, size_t size)
{
    return rh_route_add(server, options, size) == 0;
}

static bool add_cors(rh_server *server, const void *options, size_t size)
{
    return rh_cors_add(server, "/", options, size) == 0;
}

static bool add_request_id(rh_server *server, const void *options, size_t size)
{
    return rh_request_id_add(server, "/", options, size) == 0;
}

static bool add_rate_limit(rh_server *server, const void *options, size_t size)
{
    return rh_rate_limit_add(server, "/", options, size) == 0;
}

static bool add_topic(rh_server *server, const void *options, size_t size)
{
    rh_topic *made = rh_topic_create(server, options, size);
    bool good = made != NULL;
    rh_topic_free(made);
    return good;
}

static void calls_with_a_server(void **state)
{
    static const struct {
        bool (*call)(rh_server *server, const void *options, size_t size);
        struct sized sized;
    } cases[] = {
        { add_host, { &host, UPTO(rh_host_options, names), sizeof host } },
        { add_rule, { &rule, UPTO(rh_rule, rewrite), sizeof rule } },
        { add_route_of, { &route, UPTO(rh_route_options, handler), sizeof route } },
        { add_cors, { &cors, UPTO(rh_cors_options, origins), sizeof cors } },
        { add_request_id, { &request_id, 0, sizeof request_id } },
        { add_rate_limit, { &rate_limit, UPTO(rh_rate_limit_options, requests), sizeof rate_limit } },
        { add_topic, { &topic, 0, sizeof topic } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (enum age age = OLDER; age < AGES; age++) {
            static unsigned char bytes[BYTES_MAX];
            struct notes notes = NOTES_INIT;
            rh_server *server = make_server(&notes);
            size_t size = of_age(&cases[i].sized, age, bytes);
            if (cases[i].call(server, bytes, size) != (age != WANTING) || noted(&notes, unknown) != (age == WANTING))
                fail_msg("case %zu, age %d: %s", i, (int)age, notes.lines);
            rh_server_free(server);
        }
}

static void a_server_itself(void **state)
{
    const struct sized sized = { &server_options, UPTO(rh_options, listen), sizeof server_options };
    (void)state;
    for (enum age age = OLDER; age < AGES; age++) {
        static unsigned char bytes[BYTES_MAX];
        rh_server *server = rh_server_create((const rh_options *)bytes, of_age(&sized, age, bytes));
        assert_int_equal(rh_start(server), age == WANTING ? -1 : 0);
        assert_int_equal(strstr(rh_error(server), unknown) != NULL, age == WANTING);
        rh_server_free(server);
    }
}

/* ---- Calls with a request ------------------------------------------------------------------------------------ */

static void set_cookie(rh_request *request, const void *options, size_t size)
{
    if (rh_cookie_add(request, options, size))
        rh_text(request, "taken");
}

static void begin_pipe(rh_request *request, const void *options, size_t size)
{
    rh_pipe *pipe = rh_pipe_begin(request, options, size);
    if (pipe)
        rh_pipe_close(pipe);
}

static void begin_events(rh_request *request, const void *options, size_t size)
{
    rh_pipe *pipe = rh_events_begin(request, options, size);
    if (pipe)
        rh_pipe_close(pipe);
}

/* It has no answer of its own. */
static void write_event(rh_request *request, const void *options, size_t size)
{
    rh_pipe *pipe = rh_events_open(request, (rh_pipe_options){ .type = NULL });
    errno = 0;
    if (!rh_event_write(pipe, options, size) && errno == EINVAL)
        rh_pipe_write(pipe, "refused", strlen("refused"));
    rh_pipe_close(pipe);
}

static void begin_websocket(rh_request *request, const void *options, size_t size)
{
    rh_websocket_begin(request, options, size, NULL);
}

static void begin_multipart(rh_request *request, const void *options, size_t size)
{
    rh_multipart_begin(request, options, size);
}

static void begin_uploads(rh_request *request, const void *options, size_t size)
{
    rh_uploads_begin(request, options, size);
}

static void got_uploads(rh_request *request, void *user, rh_upload *first)
{
    (void)first;
    nothing(request, user);
}

/* What a handler calls, in a request with these fields; the status for a program that is not newer. */
static const struct asked {
    void (*call)(rh_request *request, const void *options, size_t size);
    struct sized sized;
    const char *fields;
    int status;
} asked[] = {
    { set_cookie, { &(const rh_cookie_options){ .name = "a", .value = "b" }, UPTO(rh_cookie_options, value),
                    sizeof(rh_cookie_options) }, "", 200 },
    { begin_pipe, { &(const rh_pipe_options){ .type = "a/b" }, UPTO(rh_pipe_options, type), sizeof(rh_pipe_options) },
      "", 200 },
    { begin_events, { &(const rh_pipe_options){ .type = NULL }, 0, sizeof(rh_pipe_options) }, "", 200 },
    { begin_websocket, { &(const rh_websocket_options){ .opened = NULL }, 0, sizeof(rh_websocket_options) },
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://other.example\r\n", 403 },
    { begin_multipart, { &(const rh_multipart_options){ .done = nothing }, UPTO(rh_multipart_options, done),
                         sizeof(rh_multipart_options) },
      "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5\r\n", 204 },
    { begin_uploads, { &(const rh_uploads_options){ .done = got_uploads }, UPTO(rh_uploads_options, done),
                       sizeof(rh_uploads_options) },
      "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5\r\n", 204 },
};

static void call_of_age(rh_request *request, const struct asked *what)
{
    unsigned char bytes[BYTES_MAX];
    uint64_t age = WANTING;
    rh_slice_uint(rh_param(request, "age"), &age);
    what->call(request, bytes, of_age(&what->sized, (enum age)age, bytes));
}

/* Which call, and by what program, stands in the path. */
static void ask_for(rh_request *request, void *user)
{
    uint64_t number = 0;
    (void)user;
    if (rh_slice_uint(rh_param(request, "number"), &number) && number < sizeof asked / sizeof *asked)
        call_of_age(request, &asked[number]);
}

static void calls_with_a_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        for (enum age age = OLDER; age < AGES; age++) {
            struct notes notes = NOTES_INIT;
            char line[40];
            rh_server *server = make_server(&notes);
            assert_int_equal(rh_route_with(server, (rh_route_options){ .pattern = "POST /{number}/{age}",
                                                                       .handler = ask_for, .stream = true }), 0);
            add_route(server, "GET /{number}/{age}", ask_for, NULL);
            start_server(server);
            bool form = strstr(asked[i].fields, "multipart") != NULL;
            snprintf(line, sizeof line, "%s /%zu/%d", form ? "POST" : "GET", i, (int)age);
            struct reply *reply = ask_with(server, line, asked[i].fields, form ? "--b--" : "");
            if (reply->status != (age == WANTING ? 500 : asked[i].status) ||
                noted(&notes, unknown) != (age == WANTING))
                fail_msg("%s: %d, %s", line, reply->status, notes.lines);
            rh_server_free(server);
        }
}

static const struct asked event = {
    write_event, { &(const rh_event){ .name = "n", .data = "d" }, UPTO(rh_event, data), sizeof(rh_event) }, "", 200
};

static void ask_event(rh_request *request, void *user)
{
    (void)user;
    call_of_age(request, &event);
}

static void an_event(void **state)
{
    (void)state;
    for (enum age age = OLDER; age < AGES; age++) {
        char line[20];
        rh_server *server = make_server(NULL);
        add_route(server, "GET /{age}", ask_event, NULL);
        start_server(server);
        snprintf(line, sizeof line, "GET /%d", (int)age);
        struct reply *reply = ask(server, line);
        assert_int_equal(reply->status, 200);
        assert_int_equal(strstr(reply->body, "refused") != NULL, age == WANTING);
        assert_int_equal(strstr(reply->body, "event: n\ndata: d\n\n") != NULL, age != WANTING);
        rh_server_free(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_is_read),
        cmocka_unit_test(nothing_is_given),
        cmocka_unit_test(calls_with_a_server),
        cmocka_unit_test(a_server_itself),
        cmocka_unit_test(calls_with_a_request),
        cmocka_unit_test(an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
