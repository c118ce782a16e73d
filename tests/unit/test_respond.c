/* What becomes of the response that a handler builds: content, statuses, fields, errors, prepared answers, streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "api_fixture.h"

static struct notes notes = NOTES_INIT;
static rh_server *server;

static void answer_text(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "Hello\n");
}

static void answer_html(rh_request *request, void *user)
{
    (void)user;
    rh_set(request, "Content-Type", "text/x-mine");
    rh_html(request, "<p>");
}

static void answer_bytes(rh_request *request, void *user)
{
    (void)user;
    rh_status(request, 201);
    rh_bytes(request, "image/png", "\0\1\2", 3);
}

static void answer_untyped(rh_request *request, void *user)
{
    (void)user;
    rh_bytes(request, NULL, NULL, 0);
}

static void answer_empty(rh_request *request, void *user)
{
    if (user)
        rh_status(request, 202);
    rh_empty(request);
}

static void answer_twice(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "first");
    rh_text(request, "second");
    rh_bytes(request, "bad\ntype", "third", 5);
    rh_json(request, "[%d]", 4);
    rh_redirect(request, 999, "\n");
    rh_fail(request, 500, "fifth");
    rh_send(request, NULL);
    rh_empty(request);
}

static void answer_nothing(rh_request *request, void *user)
{
    (void)request;
    (void)user;
}

static void answer_status(rh_request *request, void *user)
{
    uint64_t status = 0;
    (void)user;
    rh_slice_uint(rh_param(request, "status"), &status);
    rh_status(request, (unsigned)status);
    rh_text(request, "text");
}

static void sends_content(void **state)
{
    (void)state;
    struct reply *reply = ask(server, "GET /text");
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body, "Hello\n");
    assert_true(has_line(reply, "Content-Type: text/plain; charset=utf-8"));
    assert_true(has_line(reply, "Server: rawhttp"));
    reply = ask(server, "GET /html");
    assert_true(has_line(reply, "Content-Type: text/x-mine")); /* what was set holds */
    assert_null(strstr(reply->head, "text/html"));
    reply = ask(server, "GET /bytes");
    assert_int_equal(reply->status, 201);
    assert_int_equal(reply->body_size, 3);
    assert_memory_equal(reply->body, "\0\1\2", 3);
    assert_true(has_line(reply, "Content-Type: image/png"));
    reply = ask(server, "GET /untyped");
    assert_int_equal(reply->status, 200);
    assert_true(has_line(reply, "Content-Length: 0"));
    assert_null(strstr(reply->head, "Content-Type"));
    assert_int_equal(ask(server, "GET /empty")->status, 204);
    assert_int_equal(ask(server, "GET /empty/202")->status, 202);
    expect(server, "GET /twice", 200, "first");
    static const char told[] = "GET /twice: the handler of GET /twice answers a second time; the first answer holds\n";
    assert_true(noted(&notes, told));
    assert_int_equal(noted_times(&notes, "GET /twice: "), 1); /* once a request */
}

static void turns_what_cannot_be_sent_into_500(void **state)
{
    static const struct {
        unsigned status;
        int answer;
        const char *body;
    } rows[] = {
        { 200, 200, "text" }, { 599, 599, "text" }, { 204, 204, "" }, { 304, 304, "" }, { 205, 205, "" },
        { 199, 500, NULL },   { 600, 500, NULL },   { 100, 500, NULL }, { 0, 500, NULL },
    };
    char line[64];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(line, sizeof line, "GET /status/%u", rows[i].status);
        struct reply *reply = ask(server, line);
        assert_int_equal(reply->status, rows[i].answer);
        if (rows[i].body)
            assert_string_equal(reply->body, rows[i].body);
    }
    assert_int_equal(ask(server, "GET /none")->status, 500);
    assert_true(noted(&notes, "GET /none: the handler of GET /none gave no answer"));
    assert_true(noted(&notes, "GET /status/199: the handler of GET /status/{status} set the status 199, and there"));
}

#define IS_TOKEN "a name is a token"
#define IS_VALUE "its value has a control character in it, or spaces"
#define IS_OURS "that is the server's own"

static const struct {
    const char *name, *value;
    const char *fault; /* in the log; NULL: it is sent */
} fields[] = {
    { "X-One", "1", NULL },          { "x", "", NULL },            { "Server", "mine", "without no_server_field" },
    { "X-Utf-8", "\xC3\xA4", NULL }, { "X-Tab", "a\tb", NULL },    { "Set-Cookie", "a=b; Secure", NULL },
    { "", "1", IS_TOKEN },           { "X One", "1", IS_TOKEN },   { "X:", "1", IS_TOKEN },
    { "X-1", "a\r\nY: b", IS_VALUE }, { "X-2", "a\nb", IS_VALUE }, { "X-3", "a\x01", IS_VALUE },
    { "X-4", " a", IS_VALUE },       { "X-5", "a ", IS_VALUE },    { "Content-Length", "1", IS_OURS },
    { "Date", "now", IS_OURS },      { "connection", "x", IS_OURS }, { "Transfer-Encoding", "chunked", IS_OURS },
};

/* /set/N sets field N, and the content says whether that was true. */
static void answer_set(rh_request *request, void *user)
{
    uint64_t index = 0;
    (void)user;
    rh_slice_uint(rh_param(request, "index"), &index);
    rh_text(request, rh_set(request, fields[index].name, fields[index].value) ? "set" : "refused");
}

static void answer_many_fields(rh_request *request, void *user)
{
    uint64_t count = 0;
    (void)user;
    rh_slice_uint(rh_param(request, "count"), &count);
    for (uint64_t i = 0; i < count; i++)
        rh_set(request, "X-Many", "1");
    rh_empty(request);
}

static void sets_fields_that_can_be_sent(void **state)
{
    char line[64], field[64], told[160];
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        snprintf(line, sizeof line, "GET /set/%zu", i);
        struct reply *reply = ask(server, line);
        assert_int_equal(reply->status, fields[i].fault ? 500 : 200);
        assert_null(strstr(reply->head, "\nY: b"));
        if (fields[i].fault) {
            snprintf(told, sizeof told, "the handler of GET /set/{index} set the field \"%s\": %s", fields[i].name,
                     fields[i].fault);
            assert_true(noted(&notes, told));
            continue;
        }
        snprintf(field, sizeof field, "%s: %s", fields[i].name, fields[i].value);
        if (!has_line(reply, field))
            fail_msg("%s is not in %s", field, reply->head);
        assert_string_equal(reply->body, "set");
    }
    assert_int_equal(ask(server, "GET /fields/100")->status, 204);
    assert_int_equal(ask(server, "GET /fields/102")->status, 500);
    assert_true(noted(&notes, "set the field \"X-Many\": there are too many fields"));
    assert_int_equal(noted_times(&notes, "GET /fields/102: "), 1); /* once a request */
}

static void answer_redirect(rh_request *request, void *user)
{
    uint64_t status = 0;
    (void)user;
    rh_slice_uint(rh_param(request, "status"), &status);
    rh_redirect(request, (unsigned)status, "/there?x");
}

static void answer_fail(rh_request *request, void *user)
{
    uint64_t status = 0;
    (void)user;
    rh_slice_uint(rh_param(request, "status"), &status);
    rh_set(request, "Retry-After", "7");
    rh_set(request, "ETag", "\"x\"");
    rh_fail(request, (unsigned)status, "because <of> this");
}

static void redirects_and_fails(void **state)
{
    static const int redirects[][2] = { { 301, 301 }, { 303, 303 }, { 308, 308 }, { 399, 399 },
                                        { 304, 500 }, { 299, 500 }, { 400, 500 } };
    static const int failures[][2] = { { 400, 400 }, { 418, 418 }, { 503, 503 },
                                       { 599, 599 }, { 399, 500 }, { 600, 500 } };
    char line[64];
    (void)state;
    for (size_t i = 0; i < sizeof redirects / sizeof redirects[0]; i++) {
        snprintf(line, sizeof line, "GET /redirect/%d", redirects[i][0]);
        struct reply *reply = ask(server, line);
        assert_int_equal(reply->status, redirects[i][1]);
        assert_int_equal(has_line(reply, "Location: /there?x"), redirects[i][1] < 400);
    }
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        snprintf(line, sizeof line, "GET /fail/%d", failures[i][0]);
        struct reply *reply = ask(server, line);
        assert_int_equal(reply->status, failures[i][1]);
        assert_non_null(strstr(reply->body, "because &lt;of&gt; this"));
        assert_true(has_line(reply, "Retry-After: 7")); /* fields for the error's sake stay, those of content go */
        assert_null(strstr(reply->head, "ETag"));
    }
    struct reply *reply = ask_with(server, "GET /fail/404", "Accept: application/json\r\n", "");
    assert_true(has_line(reply, "Content-Type: application/problem+json"));
    assert_non_null(strstr(reply->body, "\"detail\":\"because <of> this\""));
}

/* ---- Prepared answers ------------------------------------------------------------------------------------------- */

static void send_prepared(rh_request *request, void *user)
{
    rh_status(request, 404); /* does not change it */
    rh_set(request, "X-Mine", "1");
    rh_send(request, user);
}

static void prepares_answers(void **state)
{
    const char *const none[] = { NULL }, *const good[] = { "X-A: 1", "X-B:2 ", NULL };
    static const char *const bad[][2] = { { "X-A", NULL }, { ": 1", NULL }, { "X A: 1", NULL }, { "X-A: a\nb", NULL },
                                          { "Date: now", NULL }, { "Content-Length: 3", NULL },
                                          { "Server: mine", NULL }, { "server:", NULL } };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        errno = 0;
        assert_null(rh_answer_new(200, NULL, "x", 1, bad[i]));
        assert_int_equal(errno, EINVAL);
    }
    assert_null(rh_answer_new(199, NULL, "x", 1, NULL));
    assert_null(rh_answer_new(600, NULL, "x", 1, NULL));
    assert_null(rh_answer_new(200, "text\n", "x", 1, NULL));
    rh_answer_free(rh_answer_new(204, NULL, NULL, 0, none));
    rh_answer_free(NULL);

    char content[] = "constant";
    rh_answer *answer = rh_answer_new(201, "text/x-a", content, 8, good);
    assert_non_null(answer);
    content[0] = 'X'; /* it was copied */
    rh_server *other = make_server(NULL);
    add_route(other, "GET /prepared", send_prepared, answer);
    add_route(other, "GET /missing", send_prepared, NULL);
    start_server(other);
    for (int i = 0; i < 2; i++) { /* the second time from its encoded head */
        struct reply *reply = ask(other, "GET /prepared");
        assert_int_equal(reply->status, 201);
        assert_string_equal(reply->body, "constant");
        assert_true(has_line(reply, "Content-Type: text/x-a"));
        assert_true(has_line(reply, "X-A: 1") && has_line(reply, "X-B: 2"));
        assert_null(strstr(reply->head, "X-Mine"));
    }
    assert_int_equal(ask(other, "GET /missing")->status, 503);
    rh_server_free(other);
    rh_answer_free(answer);
}

/* ---- Streams ---------------------------------------------------------------------------------------------------- */

static atomic_int streams_done;

struct source {
    int pieces, fails_at;
};

static long draw(void *user, char *out, size_t size)
{
    struct source *source = user;
    if (source->pieces == source->fails_at)
        return -1;
    if (source->pieces-- == 0)
        return 0;
    size_t piece = size < 5 ? size : 5;
    memcpy(out, "piece", piece);
    return (long)piece;
}

static void count_done(void *user)
{
    free(user);
    atomic_fetch_add(&streams_done, 1);
}

static void answer_stream(rh_request *request, void *user)
{
    struct source *source = malloc(sizeof *source);
    *source = (struct source){ 3, user ? 1 : -1 };
    if (rh_query(request, "late").data)
        rh_text(request, "was quicker");
    if (rh_query(request, "declared").data)
        rh_set(request, "Content-Length", "3"); /* of what has no length that is known */
    rh_stream(request, rh_query(request, "bad").data ? "bad\ntype" : "text/plain", draw, count_done, source);
}

/* `done` is called on the worker, perhaps a moment after the client has seen the end. */
static void await_done(int count)
{
    for (int i = 0; atomic_load(&streams_done) < count && i < PATIENCE_S * 1000; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&streams_done), count);
}

static void streams(void **state)
{
    (void)state;
    atomic_store(&streams_done, 0);
    struct reply *reply = ask(server, "GET /stream");
    assert_true(has_line(reply, "Transfer-Encoding: chunked"));
    assert_string_equal(reply->body, "5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n");
    await_done(1);
    reply = ask(server, "HEAD /stream");
    assert_int_equal(reply->body_size, 0);
    await_done(2);
    reply = ask(server, "GET /stream/broken"); /* no last chunk */
    assert_string_equal(reply->body, "5\r\npiece\r\n5\r\npiece\r\n");
    await_done(3);
    expect(server, "GET /stream?late", 200, "was quicker");
    await_done(4);
    assert_int_equal(ask(server, "GET /stream?bad")->status, 500);
    await_done(5);
    assert_int_equal(ask(server, "GET /stream?declared")->status, 500);
    await_done(6);

    static struct reply old;
    int fd = client_connect(server);
    client_send(fd, "GET /stream HTTP/1.0\r\n\r\n");
    client_read(fd, &old);
    assert_null(strstr(old.head, "Transfer-Encoding"));
    assert_string_equal(old.body, "piecepiecepiece");
    await_done(7);
}

/* ---- One server for all of them ------------------------------------------------------------------------------ */

static const struct api_route routes[] = {
    { "GET /text", answer_text, NULL },
    { "GET /html", answer_html, NULL },
    { "GET /bytes", answer_bytes, NULL },
    { "GET /untyped", answer_untyped, NULL },
    { "GET /empty", answer_empty, NULL },
    { "GET /empty/202", answer_empty, "" },
    { "GET /twice", answer_twice, NULL },
    { "GET /none", answer_nothing, NULL },
    { "GET /status/{status}", answer_status, NULL },
    { "GET /set/{index}", answer_set, NULL },
    { "GET /fields/{count}", answer_many_fields, NULL },
    { "GET /redirect/{status}", answer_redirect, NULL },
    { "GET /fail/{status}", answer_fail, NULL },
    { "GET /stream", answer_stream, NULL },
    { "GET /stream/broken", answer_stream, "" },
};

static int start(void **state)
{
    (void)state;
    server = make_server(&notes);
    add_routes(server, routes, sizeof routes / sizeof routes[0]);
    start_server(server);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rh_server_free(server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_content),
        cmocka_unit_test(turns_what_cannot_be_sent_into_500),
        cmocka_unit_test(sets_fields_that_can_be_sent),
        cmocka_unit_test(redirects_and_fails),
        cmocka_unit_test(prepares_answers),
        cmocka_unit_test(streams),
    };
    return cmocka_run_group_tests(tests, start, end);
}
