/* Middleware by the public header: who comes when, what goes out with the answers of others, what a request carries,
 * and what is told about programs that make a mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "api_fixture.h"
#include "http/exchange.h"
#include "scratch.h"

static struct notes notes = NOTES_INIT;
static struct scratch scratch;
static rh_server *server;
static rh_answer *prepared;

/* ---- Handlers ----------------------------------------------------------------------------------------------- */

static const char trace_key;

/* Adds a letter to what the handler answers with. */
static void leave_trace(rh_request *request, void *letter)
{
    char *trace = rh_attached(request, &trace_key);
    if (trace == NULL) {
        trace = rh_memory(request, 16);
        assert_true(rh_attach(request, &trace_key, trace));
    }
    strncat(trace, letter, 1);
    rh_next(request);
}

static void answer_trace(rh_request *request, void *user)
{
    const char *trace = rh_attached(request, &trace_key);
    (void)user;
    rh_text(request, trace ? trace : "no trace");
}

static bool asked_for(const rh_request *request, const char *query)
{
    return rh_slice_is(rh_query_raw(request), query);
}

static void say(rh_request *request, void *user)
{
    (void)user;
    rh_set(request, "X-Said", "before");
    rh_set(request, "cache-control", "private");
    rh_set(request, "Set-Cookie", "a=1");
    rh_set(request, "vary", "X-Key");
    rh_status(request, 201); /* not handed on */
    rh_json_add(request, "["); /* nor this */
    rh_next(request);
    if (rh_answered(request) != 0)
        rh_set(request, "Server-Timing", "after");
}

static void answer_own(rh_request *request, void *user)
{
    (void)user;
    rh_set(request, "Cache-Control", "max-age=1");
    rh_set(request, "Set-Cookie", "b=2");
    rh_json(request, "{}");
}

static void answer_prepared(rh_request *request, void *user)
{
    (void)user;
    rh_send(request, prepared);
}

static void take_piece(rh_request *request, void *user, rh_slice piece, bool last)
{
    (void)user;
    (void)piece;
    if (last)
        rh_text(request, "taken");
}

static void take_in_pieces(rh_request *request, void *user)
{
    rh_receive(request, take_piece, user);
}

static void fail_teapot(rh_request *request, void *user)
{
    (void)user;
    rh_set(request, "Retry-After", "9");
    rh_fail(request, 418, "short and stout");
}

static void fail_behind(rh_request *request, void *user)
{
    rh_background(request, fail_teapot, user);
}

static void redirect(rh_request *request, void *user)
{
    (void)user;
    rh_redirect(request, 303, "/elsewhere");
}

static void echo(rh_request *request, void *user)
{
    rh_slice body = rh_body(request);
    (void)user;
    rh_bytes(request, "text/plain", body.data, body.size);
}

static void forget(rh_request *request, void *user)
{
    (void)request;
    (void)user;
}

static void next_in_handler(rh_request *request, void *user)
{
    (void)user;
    rh_next(request);
    rh_text(request, "answered");
}

/* ---- Registration ------------------------------------------------------------------------------------------- */

static void refuses_prefixes(void **state)
{
    static const struct {
        const char *prefix, *why;
        rh_handler *handler;
    } rows[] = {
        { NULL, "begins with a slash", forget },         { "", "begins with a slash", forget },
        { "api/", "begins with a slash", forget },       { "/api/*", "literal and decoded", forget },
        { "/api/{id}", "literal and decoded", forget },  { "/a%20b/", "literal and decoded", forget },
        { "/a?b", "literal and decoded", forget },       { "/a#b", "literal and decoded", forget },
        { "/a\\b", "literal and decoded", forget },      { "//", "empty segment", forget },
        { "/api//", "empty segment", forget },           { "/a//b", "empty segment", forget },
        { "/./", "dot segment", forget },                { "/a/..", "dot segment", forget },
        { "/\xff", "not UTF-8", forget },                { "/api/", "it has no handler", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rh_server *failing = make_server(NULL);
        assert_int_equal(rh_use(failing, rows[i].prefix, rows[i].handler, NULL), -1);
        if (!strstr(rh_error(failing), rows[i].why))
            fail_msg("\"%s\" is not in \"%s\"", rows[i].why, rh_error(failing));
        assert_int_equal(rh_start(failing), -1);
        rh_server_free(failing);
    }
    assert_int_equal(rh_use(NULL, "/", forget, NULL), -1);
    assert_int_equal(rh_use(server, "/", forget, NULL), -1); /* it has been started */
    assert_true(noted(&notes, "rh_use: the server has been started already"));
}

static void takes_so_many_and_no_more(void **state)
{
    rh_server *full = make_server(NULL);
    (void)state;
    for (int i = 0; i < 64; i++)
        assert_int_equal(rh_use(full, "/a/\xc3\xa4/...", forget, NULL), 0);
    assert_int_equal(rh_use(full, "/", forget, NULL), -1);
    assert_string_equal(rh_error(full), "middleware for /: there are 64 already");
    rh_server_free(full);
}

/* ---- The order ---------------------------------------------------------------------------------------------- */

static void comes_in_order_for_its_paths(void **state)
{
    static const char *const rows[][2] = {
        { "GET /trace", "a" },        { "GET /trace/", "ab" },        { "GET /trace/x", "abc" },
        { "GET /trace/x/", "abc" },   { "GET /trace/x/y", "abcd" },   { "GET /trace/xy", "ab" },
        { "GET /trac%65/%78", "abc" }, { "GET /trace/z/../x", "abc" },
    };
    (void)state;
    rh_server *tracing = make_server(&notes);
    assert_int_equal(rh_use(tracing, "/", leave_trace, (void *)"a"), 0);
    add_route(tracing, "GET /trace", answer_trace, NULL);
    add_route(tracing, "GET /trace/{rest...}", answer_trace, NULL);
    assert_int_equal(rh_use(tracing, "/trac", leave_trace, (void *)"!"), 0);
    assert_int_equal(rh_use(tracing, "/trace/x/", leave_trace, (void *)"c"), 0);
    assert_int_equal(rh_use(tracing, "/trace/x/y", leave_trace, (void *)"d"), 0);
    start_server(tracing);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expected[8] = "", *at = expected; /* "b" is for nobody here */
        for (const char *c = rows[i][1]; *c != '\0'; c++)
            if (*c != 'b')
                *at++ = *c;
        expect(tracing, rows[i][0], 200, expected);
    }
    rh_server_free(tracing);
}

static void costs_others_nothing(void **state)
{
    (void)state;
    expect(server, "GET /free", 200, "no trace");
    assert_null(strstr(ask(server, "GET /free")->head, "X-Said"));
}

/* ---- What is said with what others answer ------------------------------------------------------------------- */

static unsigned count(const struct reply *reply, const char *name)
{
    unsigned found = 0;
    for (const char *at = reply->head; (at = strcasestr(at, name)) != NULL; at++)
        found += at[-1] == '\n';
    return found;
}

static void expect_said(const struct reply *reply, int status)
{
    if (reply->status != status || !has_line(reply, "X-Said: before") || !has_line(reply, "vary: X-Key") ||
        !has_line(reply, "Server-Timing: after") || count(reply, "Cache-Control:") != 1 ||
        count(reply, "Date:") != 1 || count(reply, "X-Said:") != 1)
        fail_msg("not %d:\n%s", status, reply->head);
}

static void goes_out_with_every_answer(void **state)
{
    static const struct {
        const char *line, *fields;
        int status;
    } rows[] = {
        { "GET /say/own", "", 200 },
        { "HEAD /say/own", "", 200 },
        { "GET /say/prepared", "", 200 },
        { "HEAD /say/prepared", "", 200 },
        { "GET /say/redirect", "", 303 },
        { "GET /say/teapot", "", 418 },
        { "GET /say/page.html", "", 200 },
        { "HEAD /say/page.html", "", 200 },
        { "GET /say/page.html", "Accept-Encoding: gzip\r\n", 200 },
        { "GET /say/page.html", "If-None-Match: *\r\n", 304 },
        { "GET /say/page.html", "If-Match: \"other\"\r\n", 412 },
        { "GET /say/page.html", "Range: bytes=0-1\r\n", 206 },
        { "GET /say/page.html", "Range: bytes=0-1, 4-5\r\n", 206 },
        { "GET /say/page.html", "Range: bytes=99-\r\n", 416 },
        { "DELETE /say/page.html", "", 405 },
        { "DELETE /say/page.html", "Content-Length: 3\r\n", 405 },
        { "OPTIONS /say/page.html", "", 204 },
        { "GET /say", "", 301 },
        { "GET /say/nothing", "", 404 },
        { "GET /say/nothing", "Accept: application/json\r\n", 404 },
        { "POST /say/nothing", "Content-Length: 3\r\n", 404 },
        { "POST /say/nothing", "Content-Length: 3\r\nExpect: 100-continue\r\n", 404 },
        { "POST /say/own", "Content-Length: 3\r\n", 405 },
        { "BREW /say/own", "", 501 },
        { "BREW /say/own", "Content-Length: 3\r\n", 501 },
    };
    (void)state;
    ask(server, "GET /say/page.html"); /* in memory from now on */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool body = strstr(rows[i].fields, "Content-Length") != NULL;
        expect_said(ask_with(server, rows[i].line, rows[i].fields, body ? "abc" : ""), rows[i].status);
    }
    struct reply *reply = ask(server, "GET /say/page.html");
    assert_string_equal(reply->body, "<p>page</p>");
    assert_true(has_line(reply, "Content-Length: 11"));
    reply = ask_with(server, "GET /say/page.html", "Range: bytes=3-6\r\n", "");
    assert_string_equal(reply->body, "page");
    assert_true(has_line(reply, "Content-Range: bytes 3-6/11"));
    assert_string_equal(ask(server, "GET /say/prepared")->body, "prepared");
    assert_null(strstr(ask_with(server, "GET /say/page.html", "If-None-Match: *\r\n", "")->head, "Content-Length"));
}

/* From the background, where the request had been handed on before: rh_answered was 0. */
static void goes_out_with_late_answers(void **state)
{
    struct reply *reply = ask(server, "GET /say/behind");
    (void)state;
    assert_int_equal(reply->status, 418);
    assert_true(has_line(reply, "X-Said: before") && has_line(reply, "Retry-After: 9"));
    assert_null(strstr(reply->head, "Server-Timing"));
}

/* After the middleware has returned, too. */
static void goes_out_with_what_is_taken_in_pieces(void **state)
{
    (void)state;
    notes.lines[0] = '\0';
    struct reply *reply = ask_with(server, "POST /say/pieces", "Content-Length: 3\r\n", "abc");
    assert_string_equal(reply->body, "taken");
    assert_true(has_line(reply, "X-Said: before") && reply->status == 200);
    assert_string_equal(ask_with(server, "POST /say/pieces", "Content-Length: 0\r\n", "")->body, "taken");
    assert_string_equal(ask_with(server, "POST /later/pieces", "Content-Length: 3\r\n", "abc")->body, "taken");
    assert_string_equal(notes.lines, "");
}

static void upgrade(rh_request *request, void *user)
{
    rh_websocket(request, &(rh_websocket_options){ .no_compression = true }, user);
}

static void goes_out_with_a_change_of_protocol(void **state)
{
    char head[4096] = "";
    int fd = client_connect(server);
    (void)state;
    client_send(fd, "GET /say/socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    for (size_t used = 0; strstr(head, "\r\n\r\n") == NULL;) {
        ssize_t got = recv(fd, head + used, sizeof head - 1 - used, 0);
        assert_true(got > 0);
        used += (size_t)got;
        head[used] = '\0';
    }
    assert_memory_equal(head, "HTTP/1.1 101 ", 13);
    assert_non_null(strstr(head, "\r\nX-Said: before\r\n"));
    client_reset(fd);
}

static void the_answers_own_word_holds(void **state)
{
    struct reply *reply = ask(server, "GET /say/own");
    (void)state;
    assert_true(has_line(reply, "Cache-Control: max-age=1"));
    assert_null(strstr(reply->head, "private"));
    assert_true(has_line(reply, "Set-Cookie: a=1") && has_line(reply, "Set-Cookie: b=2"));
    assert_true(has_line(ask(server, "GET /say/redirect"), "cache-control: private"));
    assert_true(has_line(ask(server, "GET /say/nothing"), "Cache-Control: no-store"));
}

/* One after the other on a connection, with and without middleware: no exchange brings anything from the last time. */
static void nothing_is_left_for_the_next_request(void **state)
{
    static struct reply reply;
    int fd = client_connect(server);
    (void)state;
    client_send(fd, "GET /free.html HTTP/1.1\r\nHost: a\r\n\r\nGET /say/page.html HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /free.html HTTP/1.1\r\nHost: a\r\n\r\nGET /say/own HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /free HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client_read(fd, &reply);
    reply.body[-2] = '\r'; /* all five as one text */
    unsigned answers = 0, said = 0;
    for (const char *at = reply.bytes; (at = strstr(at, "HTTP/1.1 200 OK\r\n")) != NULL; at++)
        answers++;
    for (const char *at = reply.bytes; (at = strstr(at, "X-Said: ")) != NULL; at++)
        said++;
    assert_int_equal(answers, 5);
    assert_int_equal(said, 2);
    assert_non_null(strstr(reply.bytes, "no trace"));
}

/* ---- Mistakes ----------------------------------------------------------------------------------------------- */

static void misbehave(rh_request *request, void *user)
{
    (void)user;
    if (asked_for(request, "twice")) {
        rh_next(request);
        rh_next(request);
    } else if (asked_for(request, "answer-next")) {
        rh_text(request, "instead");
        rh_next(request);
    } else if (asked_for(request, "next-answer")) {
        rh_next(request);
        rh_text(request, "too late");
    } else if (asked_for(request, "bad-next")) {
        rh_set(request, "bad name", "x");
        rh_next(request);
    } else if (asked_for(request, "bad-answer")) {
        rh_set(request, "bad name", "x");
        rh_text(request, "x");
    } else if (asked_for(request, "next-bad")) {
        rh_next(request);
        rh_set(request, "X", "a\nb");
    }
}

static void tells_mistakes(void **state)
{
    static const struct {
        const char *line, *body, *told;
        int status;
    } rows[] = {
        { "GET /bad/x", NULL, "GET /bad/x: the middleware for /bad gave no answer", 500 },
        { "GET /bad/x?twice", "no trace", "/bad/x: the middleware for /bad called rh_next where nothing is next", 200 },
        { "GET /bad/x?answer-next", "instead", "the middleware for /bad called rh_next where nothing is next", 200 },
        { "GET /bad/x?next-answer", "no trace", "the middleware for /bad answers a second time", 200 },
        { "GET /bad/x?bad-next", NULL, "the middleware for /bad set the field \"bad name\"", 500 },
        { "GET /bad/x?bad-answer", NULL, "the middleware for /bad set the field \"bad name\"", 500 },
        { "GET /bad/x?next-bad", NULL, "the middleware for /bad set the field \"X\"", 500 },
        { "GET /bad/forgetful?next-answer", NULL, "the handler of GET /bad/forgetful gave no answer", 500 },
        { "GET /next", "answered", "the handler of GET /next called rh_next where nothing is next", 200 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        notes.lines[0] = '\0';
        struct reply *reply = ask(server, rows[i].line);
        if (reply->status != rows[i].status || (rows[i].body && strcmp(reply->body, rows[i].body) != 0))
            fail_msg("%s: %d %s", rows[i].line, reply->status, reply->body);
        if (!noted(&notes, rows[i].told))
            fail_msg("%s: \"%s\" is not in \"%s\"", rows[i].line, rows[i].told, notes.lines);
    }
}

/* ---- Deferred ----------------------------------------------------------------------------------------------- */

static void decide(rh_request *request, void *user)
{
    (void)user;
    if (rh_answered(request) != 0)
        rh_fail(request, 500, "what is deferred has no answer");
    rh_set(request, "X-Decided", "yes");
    if (rh_query(request, "refuse").data != NULL)
        rh_fail(request, 403, NULL);
    else if (rh_query(request, "bad").data != NULL)
        rh_set(request, "bad name", "");
    else if (rh_query(request, "forget").data == NULL)
        rh_next(request);
    if (rh_query(request, "late").data != NULL)
        rh_text(request, "a second answer");
}

static void decide_later(rh_request *request, void *user)
{
    rh_background(request, decide, user);
}

static void goes_on_when_it_is_home(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *body;
    } rows[] = {
        { "GET /later/trace", 200, "x" },       { "GET /later/page.html", 200, "<p>page</p>" },
        { "GET /later/page.html", 200, "<p>page</p>" }, { "GET /later/behind", 418, NULL },
        { "GET /later/nothing", 404, NULL },    { "GET /later/trace?refuse", 403, NULL },
        { "GET /later/trace?late", 200, "x" },  { "POST /later/echo", 200, "abc" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool body = strncmp(rows[i].line, "POST", 4) == 0;
        struct reply *reply = ask_with(server, rows[i].line, body ? "Content-Length: 3\r\n" : "", body ? "abc" : "");
        if (reply->status != rows[i].status || (rows[i].body && strcmp(reply->body, rows[i].body) != 0) ||
            !has_line(reply, "X-Decided: yes"))
            fail_msg("%s: %d %s\n%s", rows[i].line, reply->status, reply->body, reply->head);
    }
    assert_true(noted(&notes, "GET /later/trace: the middleware for /later/ answers a second time"));
    assert_int_equal(ask(server, "GET /later/trace?forget")->status, 500);
    assert_true(noted(&notes, "GET /later/trace: the middleware for /later/ gave no answer"));
    assert_int_equal(ask(server, "GET /later/trace?bad")->status, 500);
    assert_true(noted(&notes, "GET /later/trace: the middleware for /later/ set the field"));
}

/* ---- The end ------------------------------------------------------------------------------------------------ */

static struct {
    pthread_mutex_t lock;
    unsigned calls;
    rh_end end;
    char order[8], path[64];
} ended = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void note_end(rh_request *request, const rh_end *end, void *letter)
{
    rh_slice path = rh_path(request);
    pthread_mutex_lock(&ended.lock);
    ended.calls++;
    ended.end = *end;
    if (strlen(ended.order) < sizeof ended.order - 1)
        strncat(ended.order, letter, 1);
    snprintf(ended.path, sizeof ended.path, "%.*s", (int)path.size, path.data);
    pthread_mutex_unlock(&ended.lock);
}

static void watch_end(rh_request *request, void *user)
{
    (void)user;
    assert_true(rh_on_end(request, note_end, (void *)"a") && rh_on_end(request, note_end, (void *)"b"));
    rh_next(request);
}

static unsigned await_ends(unsigned calls)
{
    for (int i = 0; i < PATIENCE_S * 1000; i++) {
        pthread_mutex_lock(&ended.lock);
        unsigned now = ended.calls;
        pthread_mutex_unlock(&ended.lock);
        if (now >= calls)
            break;
        usleep(1000);
    }
    return ended.calls;
}

static void forget_ends(void)
{
    ended.calls = 0;
    ended.order[0] = '\0';
}

static void tells_the_end(void **state)
{
    (void)state;
    forget_ends();
    expect(server, "GET /end/trace", 200, "no trace");
    assert_int_equal(await_ends(2), 2);
    assert_string_equal(ended.order, "ba");
    assert_string_equal(ended.path, "/end/trace");
    assert_int_equal(ended.end.status, 200);
    assert_int_equal(ended.end.bytes, 8);
    assert_false(ended.end.gone);
    forget_ends();
    assert_int_equal(ask(server, "HEAD /end/nothing")->status, 404);
    assert_int_equal(await_ends(2), 2);
    assert_int_equal(ended.end.status, 404);
    assert_int_equal(ended.end.bytes, 0);
}

static atomic_bool may_go_on;

static void linger(rh_request *request, void *user)
{
    (void)user;
    while (!atomic_load(&may_go_on))
        usleep(1000);
    rh_text(request, "nobody reads this");
}

static void linger_behind(rh_request *request, void *user)
{
    rh_background(request, linger, user);
}

static void tells_that_the_client_has_gone(void **state)
{
    int fd = client_connect(server);
    (void)state;
    forget_ends();
    client_send(fd, "GET /end/linger HTTP/1.1\r\nHost: a\r\n\r\n");
    usleep(20000);
    client_reset(fd);
    usleep(20000);
    assert_int_equal(ended.calls, 0);
    atomic_store(&may_go_on, true);
    assert_int_equal(await_ends(2), 2);
    assert_true(ended.end.gone);
}

/* ---- What a request carries --------------------------------------------------------------------------------- */

static void carry(rh_request *request, void *user)
{
    static const char one, two;
    int value = 1;
    (void)user;
    unsigned char *memory = rh_memory(request, 100000);
    bool zero = memory != NULL && ((uintptr_t)memory & 15) == 0;
    for (size_t i = 0; zero && i < 100000; i++)
        zero = memory[i] == 0;
    bool right = zero && rh_attached(request, &one) == NULL && rh_attach(request, &one, &value) &&
                 rh_attached(request, &one) == &value && rh_attached(request, &two) == NULL &&
                 rh_attach(request, &two, memory) && rh_attach(request, &one, NULL) &&
                 rh_attached(request, &one) == NULL && rh_attached(request, &two) == memory &&
                 rh_memory(request, SIZE_MAX) == NULL && rh_memory(request, 65 << 20) == NULL;
    rh_text(request, right ? "right" : "wrong");
}

static void carries_values(void **state)
{
    (void)state;
    expect(server, "GET /carry", 200, "right");
}

static void compares_secrets(void **state)
{
    static const struct {
        rh_slice given;
        const char *secret;
        bool same;
    } rows[] = {
        { { "sesame", 6 }, "sesame", true }, { { "sesamE", 6 }, "sesame", false }, { { "Sesame", 6 }, "sesame", false },
        { { "sesam", 5 }, "sesame", false }, { { "sesames", 7 }, "sesame", false }, { { "", 0 }, "sesame", false },
        { { "", 0 }, "", true },             { { NULL, 0 }, "", false },           { { NULL, 0 }, "sesame", false },
        { { "sesame\0x", 8 }, "sesame", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(rh_slice_is_secret(rows[i].given, rows[i].secret), rows[i].same);
}

/* ---- Memory that runs out ----------------------------------------------------------------------------------- */

/* The request has what lies in its exchange, and no more: every piece that its way needs fails for some size of
 * head. */
static void starve(rh_request *request, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    (void)user;
    exchange->arena.ceiling = 0;
    rh_attach(request, &trace_key, (void *)"attached");
    rh_on_end(request, note_end, (void *)"a");
    rh_set(request, "X-One", "1");
    rh_set(request, "X-Two", "2");
    rh_next(request);
    rh_set(request, "X-Three", "3");
}

static void survives_without_memory(void **state)
{
    rh_server *poor = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1 });
    unsigned statuses[600] = { 0 };
    char fields[8192];
    (void)state;
    assert_int_equal(rh_use(poor, "/", starve, NULL), 0);
    add_route(poor, "GET /trace", answer_trace, NULL);
    start_server(poor);
    for (size_t size = 5000; size < 6500; size += 16) {
        snprintf(fields, sizeof fields, "X-Long: %0*d\r\n", (int)size, 0);
        unsigned status = (unsigned)ask_with(poor, "GET /trace", fields, "")->status;
        assert_true(status == 200 || status == 500 || status == 503);
        statuses[status]++;
    }
    assert_true(statuses[200] > 0 && statuses[503] > 0 && statuses[500] > 0);
    rh_server_free(poor);
}

/* ---- The server --------------------------------------------------------------------------------------------- */

/* ---- Deferring what has been answered ------------------------------------------------------------------------ */

static void do_nothing(rh_request *request, void *user)
{
    (void)request;
    (void)user;
}

/* As one does who only wants to note what came, without making the loop wait for it. */
static void note_apart(rh_request *request, void *user)
{
    rh_next(request);
    rh_background(request, do_nothing, user);
}

static void count_runs(rh_request *request, void *runs)
{
    atomic_fetch_add((atomic_int *)runs, 1);
    rh_text(request, "once");
}

static void runs_what_is_next_once(void **state)
{
    atomic_int runs = 0;
    rh_server *noting = make_server(NULL);
    (void)state;
    assert_int_equal(rh_use(noting, "/", note_apart, NULL), 0);
    add_route(noting, "GET /once", count_runs, &runs);
    start_server(noting);
    assert_string_equal(ask(noting, "GET /once")->body, "once");
    assert_int_equal(atomic_load(&runs), 1);
    rh_server_free(noting);
}

static rh_answer *_Atomic borrowed;

static void free_it(rh_request *request, void *user)
{
    (void)request;
    (void)user;
    rh_answer_free(atomic_exchange(&borrowed, NULL));
}

static void free_apart(rh_request *request, void *user)
{
    rh_next(request);
    rh_background(request, free_it, user);
}

static void send_it(rh_request *request, void *user)
{
    (void)user;
    rh_send(request, atomic_load(&borrowed));
}

/* What an answer lies in is held while the request is away, though nothing is sent yet. */
static void keeps_what_it_was_answered_with(void **state)
{
    rh_server *freeing = make_server(NULL);
    (void)state;
    atomic_store(&borrowed, rh_answer_new(200, "text/plain", "prepared", 8, NULL));
    assert_int_equal(rh_use(freeing, "/", free_apart, NULL), 0);
    add_route(freeing, "GET /prepared", send_it, NULL);
    start_server(freeing);
    assert_string_equal(ask(freeing, "GET /prepared")->body, "prepared");
    rh_server_free(freeing);
}

static int start(void **state)
{
    static const char *const fields[] = { "Cache-Control: max-age=9", NULL };
    static const struct api_route routes[] = {
        { "GET /free", answer_trace, NULL },          { "GET /say/own", answer_own, NULL },
        { "GET /say/prepared", answer_prepared, NULL }, { "GET /say/redirect", redirect, NULL },
        { "GET /say/teapot", fail_teapot, NULL },     { "GET /say/behind", fail_behind, NULL },
        { "GET /bad/x", answer_trace, NULL },         { "GET /bad/forgetful", forget, NULL },
        { "GET /next", next_in_handler, NULL },       { "GET /later/trace", answer_trace, NULL },
        { "GET /later/behind", fail_behind, NULL },   { "POST /later/echo", echo, NULL },
        { "GET /end/trace", answer_trace, NULL },     { "GET /end/linger", linger_behind, NULL },
        { "GET /carry", carry, NULL },                { "GET /say/socket", upgrade, NULL },
    };
    (void)state;
    scratch_open(&scratch);
    scratch_mkdir(&scratch, "root/say");
    scratch_mkdir(&scratch, "root/later");
    scratch_write_bytes(&scratch, "root/free.html", "free", 4);
    scratch_write_bytes(&scratch, "root/say/index.html", "index", 5);
    scratch_write_bytes(&scratch, "root/say/page.html", "<p>page</p>", 11);
    scratch_write_bytes(&scratch, "root/later/page.html", "<p>page</p>", 11);
    prepared = rh_answer_new(200, "text/plain", "prepared", 8, fields);
    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .root = scratch.root, .workers = 2, .background = 2,
                                         .log = note, .log_user = &notes });
    add_routes(server, routes, sizeof routes / sizeof *routes);
    assert_int_equal(rh_route_with(server, (rh_route_options){ .pattern = "POST /say/pieces", .handler = take_in_pieces,
                                                               .stream = true }), 0);
    assert_int_equal(rh_route_with(server, (rh_route_options){ .pattern = "POST /later/pieces",
                                                               .handler = take_in_pieces, .stream = true }), 0);
    assert_int_equal(rh_use(server, "/say/", say, NULL), 0);
    assert_int_equal(rh_use(server, "/bad", misbehave, NULL), 0);
    assert_int_equal(rh_use(server, "/later/", decide_later, NULL), 0);
    assert_int_equal(rh_use(server, "/later/", leave_trace, (void *)"x"), 0);
    assert_int_equal(rh_use(server, "/end/", watch_end, NULL), 0);
    start_server(server);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rh_server_free(server);
    rh_answer_free(prepared);
    scratch_close(&scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_prefixes),
        cmocka_unit_test(takes_so_many_and_no_more),
        cmocka_unit_test(comes_in_order_for_its_paths),
        cmocka_unit_test(costs_others_nothing),
        cmocka_unit_test(goes_out_with_every_answer),
        cmocka_unit_test(goes_out_with_late_answers),
        cmocka_unit_test(goes_out_with_what_is_taken_in_pieces),
        cmocka_unit_test(goes_out_with_a_change_of_protocol),
        cmocka_unit_test(the_answers_own_word_holds),
        cmocka_unit_test(nothing_is_left_for_the_next_request),
        cmocka_unit_test(tells_mistakes),
        cmocka_unit_test(goes_on_when_it_is_home),
        cmocka_unit_test(runs_what_is_next_once),
        cmocka_unit_test(keeps_what_it_was_answered_with),
        cmocka_unit_test(tells_the_end),
        cmocka_unit_test(tells_that_the_client_has_gone),
        cmocka_unit_test(carries_values),
        cmocka_unit_test(compares_secrets),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, start, end);
}
