/* The session's phases, what it consumes and when, what it holds meanwhile, and how it ends. What it answers to which
 * bytes is tests/wire's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "../wire/stage.h"
#include "wire/h1_session.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path, size) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " size "\r\n\r\n"

enum { TIGHT = 512 };

static int set_up(void **state)
{
    struct stage *stage = malloc(sizeof *stage);
    stage_init(stage, STAGE_OUTBOX_SIZE);
    stage_open(stage);
    *state = stage;
    return 0;
}

static int set_up_tight(void **state)
{
    struct stage *stage = malloc(sizeof *stage);
    stage_init(stage, TIGHT);
    stage_open(stage);
    *state = stage;
    return 0;
}

/* Every exchange is reported once, and nothing is held any more. */
static int tear_down(void **state)
{
    struct stage *stage = *state;
    stage_close(stage);
    assert_int_equal(stage->finished, stage->taken);
    stage_fini(stage);
    free(stage);
    return 0;
}

static void send(struct stage *stage, const char *text)
{
    stage_send(stage, slice_text(text));
}

static bool went_out(const struct stage *stage, const char *text)
{
    return memmem(stage->output.data, stage->output.size, text, strlen(text)) != NULL;
}

#define assert_phase(stage, expected) assert_int_equal((stage)->session->phase, expected)

/* ---- Phases -------------------------------------------------------------------------------------------------- */

static void names_its_phase(void **state)
{
    static const struct {
        const char *sent;
        enum session_phase phase;
        unsigned alive;  /* exchanges */
        size_t left;     /* bytes not consumed */
    } steps[] = {
        { "", SESSION_FRESH, 0, 0 },
        { "\r", SESSION_HEAD, 1, 1 },
        { "\n", SESSION_HEAD, 1, 2 },
        { "GET /page HTTP/1.1\r\nHost: a\r\n\r", SESSION_HEAD, 1, 32 },
        { "\n", SESSION_IDLE, 0, 0 },
        { "P", SESSION_HEAD, 1, 1 },
        { "OST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n", SESSION_BODY, 1, 0 },
        { "h", SESSION_BODY, 1, 0 },
        { "i", SESSION_IDLE, 0, 0 },
        { POST("/page", "3"), SESSION_BODY, 0, 0 }, /* 405 is out, the body is read past */
        { "abcG", SESSION_HEAD, 1, 1 },
        { "ET /page HTTP/1.1\r\nConnection: close\r\nHost: a\r\n\r\n", SESSION_CLOSE, 0, 0 },
        { "what is this?", SESSION_CLOSE, 0, 0 },
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        send(stage, steps[i].sent);
        if (stage->session->phase != steps[i].phase || stage->alive != steps[i].alive ||
            stage->input.size != steps[i].left)
            fail_msg("step %zu: phase %d, %u alive, %zu left", i, stage->session->phase, stage->alive,
                     stage->input.size);
    }
    assert_int_equal(stage->finished, 4);
}

static void throws_away_while_it_lingers(void **state)
{
    struct stage *stage = *state;
    send(stage, "nonsense\r\n" GET("/page"));
    assert_phase(stage, SESSION_LINGER);
    assert_true(went_out(stage, "HTTP/1.1 400 "));
    size_t size = stage->output.size;
    send(stage, GET("/page"));
    assert_int_equal(stage->output.size, size);
    assert_int_equal(stage->input.size, 0);
    assert_phase(stage, SESSION_LINGER);
}

static void is_small(void **state)
{
    (void)state;
    assert_true(h1_session_type.size <= 128);
}

/* ---- Many ---------------------------------------------------------------------------------------------------- */

static void stops_after_so_many(void **state)
{
    static const char five[] = GET("/page") GET("/page") GET("/page") GET("/page") GET("/page");
    struct stage *stage = *state;
    size_t one = (sizeof five - 1) / 5;
    size_t used = h1_session_type.feed(stage->session, slice_make(five, sizeof five - 1), &stage->outbox);
    assert_int_equal(used, 4 * one);
    assert_phase(stage, SESSION_IDLE);
    assert_int_equal(stage->finished, 4);
    assert_int_equal(stage->outbox.count, 1); /* side by side: one write */
    used = h1_session_type.feed(stage->session, slice_make(five + used, one), &stage->outbox);
    assert_int_equal(used, one);
    assert_int_equal(stage->finished, 5);
}

static void ten_thousand_in_order(void **state)
{
    enum { COUNT = 10000 };
    struct stage *stage = *state;
    struct text input = { 0 };
    stage->limits.pipelined_max = 64;
    for (unsigned i = 0; i < COUNT; i++) {
        char request[128];
        int size = snprintf(request, sizeof request, POST("/echo", "5") "%05u", i);
        text_append(&input, slice_make(request, (size_t)size));
    }
    stage_send(stage, text_slice(&input));
    text_free(&input);

    struct slice output = text_slice(&stage->output);
    for (unsigned i = 0; i < COUNT; i++) {
        char reply[128];
        int size = snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                                 "Content-Length: 5\r\nServer: rawhttp\r\n\r\n%05u", i);
        if (!slice_starts(output, slice_make(reply, (size_t)size)))
            fail_msg("reply %u is \"%.*s\"", i, (int)(output.size < 100 ? output.size : 100), output.data);
        output = slice_skip(output, (size_t)size);
    }
    assert_int_equal(output.size, 0);
    assert_int_equal(stage->finished, COUNT);
    assert_phase(stage, SESSION_IDLE);
}

/* ---- Deferred answers ---------------------------------------------------------------------------------------- */

static void waits_for_an_answer(void **state)
{
    struct stage *stage = *state;
    stage->slow = true;
    send(stage, POST("/later", "2") "hi" GET("/page"));
    assert_phase(stage, SESSION_WAITING);
    assert_int_equal(h1_session_type.feed(stage->session, SLICE("more"), &stage->outbox), 0);
    stage_goodbye(stage);
    stage_expire(stage);
    assert_phase(stage, SESSION_WAITING);
    assert_int_equal(stage->output.size, 0);
    stage_answer(stage);
    stage_flush(stage);
    assert_true(went_out(stage, "later: hi"));
    assert_true(went_out(stage, "Connection: close"));
    assert_phase(stage, SESSION_LINGER);
}

static void goes_before_the_answer(void **state)
{
    struct stage *stage = *state;
    stage->slow = true;
    send(stage, GET("/later"));
    struct exchange *exchange = stage->later;
    stage_close(stage);
    assert_null(exchange->session);
    assert_true(atomic_load(&exchange->abandoned));
    assert_int_equal(stage->alive, 1);
    assert_int_equal(stage->finished, 0); /* its owner reports it */
    assert_memory_equal(exchange->request.peer.data, "192.0.2.1", 9);
    stage_answer(stage);
    assert_int_equal(stage->alive, 0);
    stage->finished = stage->taken;
}

/* ---- Another protocol --------------------------------------------------------------------------------------- */

/* A session that says what it is fed. */
struct parrot {
    struct session base;
    unsigned fed;
};

static size_t parrot_feed(struct session *session, struct slice bytes, struct outbox *out)
{
    ((struct parrot *)session)->fed += bytes.size;
    outbox_copy(out, bytes);
    return bytes.size;
}

static void parrot_fini(struct session *session)
{
    assert_int_equal(((struct parrot *)session)->fed, 5);
}

static const struct session_type parrot_type = { .size = sizeof(struct parrot), .feed = parrot_feed,
                                                 .fini = parrot_fini };

static void become_parrot(struct upgrade *upgrade, struct session *session)
{
    (void)upgrade;
    struct session base = *session;
    base.type = &parrot_type;
    base.phase = SESSION_OPEN;
    *(struct parrot *)session = (struct parrot){ .base = base };
}

static void request_upgrade(struct session_host *host, struct exchange *exchange)
{
    static struct upgrade upgrade = { become_parrot };
    (void)host;
    exchange->response.status = 101;
    exchange->response.upgrade = &upgrade;
    assert_true(exchange_add_constant(exchange, SLICE("Connection"), SLICE("Upgrade")));
    assert_true(exchange_add_constant(exchange, SLICE("Upgrade"), SLICE("parrot")));
}

static void gives_way(void **state)
{
    struct stage *stage = *state;
    stage->host.request = request_upgrade;
    stage->host.draining = true; /* has nothing to say here: the other session says goodbye in its own way */
    send(stage, GET("/parrot") "hel");
    assert_phase(stage, SESSION_OPEN);
    assert_int_equal(stage->finished, 1);
    assert_int_equal(stage->last_status, 101);
    send(stage, "lo");
    static const char expected[] = "HTTP/1.1 101 Switching Protocols\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                   "Connection: Upgrade\r\nUpgrade: parrot\r\nServer: rawhttp\r\n\r\nhello";
    assert_int_equal(stage->output.size, sizeof expected - 1);
    assert_memory_equal(stage->output.data, expected, sizeof expected - 1);
}

static void gives_way_when_there_is_room(void **state)
{
    struct stage *stage = *state;
    stage->host.request = request_upgrade;
    stage->stuck = true;
    memset(outbox_reserve(&stage->outbox, TIGHT), '.', TIGHT);
    outbox_commit(&stage->outbox, TIGHT);
    send(stage, GET("/parrot") "hello");
    assert_phase(stage, SESSION_SENDING);
    stage->stuck = false;
    stage_flush(stage);
    stage_go_on(stage);
    assert_phase(stage, SESSION_OPEN);
    assert_true(went_out(stage, "\r\n\r\nhello"));
}

/* ---- In pieces ----------------------------------------------------------------------------------------------- */

static void waits_for_whoever_takes_the_body(void **state)
{
    struct stage *stage = *state;
    stage->slow = true;
    send(stage, POST("/pieces?slow", "6") "abc");
    assert_phase(stage, SESSION_WAITING);
    send(stage, "def" GET("/page"));
    assert_int_equal(stage->input.size, 3 + sizeof GET("/page") - 1);
    stage_expire(stage); /* the one who takes it takes the time it takes */
    stage_answer(stage);
    assert_phase(stage, SESSION_BODY);
    stage_go_on(stage);
    assert_phase(stage, SESSION_WAITING);
    stage_answer(stage);
    stage_go_on(stage);
    assert_phase(stage, SESSION_IDLE);
    assert_true(went_out(stage, "[abcdef]"));
    assert_true(went_out(stage, "Hello, page!"));
}

static void goes_in_the_middle_of_a_body(void **state)
{
    struct stage *stage = *state;
    send(stage, POST("/pieces", "6") "abc");
    assert_phase(stage, SESSION_BODY);
    stage_close(stage);
    assert_int_equal(stage->alive, 0);

    stage->slow = true;
    stage_open(stage);
    send(stage, POST("/pieces?slow", "6") "abc");
    struct exchange *exchange = stage->later;
    stage_close(stage);
    assert_true(atomic_load(&exchange->abandoned));
    stage_answer(stage);
    assert_int_equal(stage->alive, 0);
    stage->finished = stage->taken;
}

static void wakes_only_who_waits_for_content(void **state)
{
    struct stage *stage = *state;
    stage->slow = true;
    static const char *const before[] = { "", "GET", POST("/echo", "5") "hel", "lo", GET("/later") };
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        send(stage, before[i]);
        enum session_phase phase = stage->session->phase;
        size_t size = stage->output.size;
        h1_session_type.woken(stage->session, &stage->outbox);
        stage_flush(stage);
        assert_phase(stage, phase);
        assert_int_equal(stage->output.size, size);
        if (i == 1)
            send(stage, " /page HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    stage_answer(stage);
    stage_go_on(stage);
    send(stage, GET("/drip"));
    assert_phase(stage, SESSION_WAITING);
    for (unsigned i = 0; i < 5; i++)
        h1_session_type.woken(stage->session, &stage->outbox);
    assert_true(h1_session_type.ended(stage->session));
    assert_phase(stage, SESSION_SENDING); /* is asked once more, and only once */
    h1_session_type.drain(stage->session, &stage->outbox);
    assert_phase(stage, SESSION_WAITING);
    assert_true(h1_session_type.ended(stage->session));
    assert_phase(stage, SESSION_WAITING);
    for (unsigned i = 0; i < 5; i++)
        h1_session_type.woken(stage->session, &stage->outbox);
    assert_phase(stage, SESSION_IDLE);
}

/* ---- A full outbox ------------------------------------------------------------------------------------------- */

static void fill(struct stage *stage)
{
    memset(outbox_reserve(&stage->outbox, TIGHT), '.', TIGHT);
    outbox_commit(&stage->outbox, TIGHT);
}

static void keeps_what_does_not_fit(void **state)
{
    static const char *const paths[] = { "/page", "/text", "/large", "/same", "/stream", "/later", "/parts" };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char request[128];
        snprintf(request, sizeof request, "GET %s?q HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        unsigned finished = stage->finished;
        stage->stuck = true;
        do
            send(stage, request);
        while (stage->session->phase != SESSION_SENDING);
        assert_int_equal(stage->alive, 1);
        assert_true(h1_session_type.ended(stage->session));
        size_t left = stage->input.size;
        assert_int_equal(h1_session_type.feed(stage->session, SLICE("more"), &stage->outbox), 0);
        stage->stuck = false;
        stage_flush(stage);
        assert_phase(stage, SESSION_SENDING);
        stage_go_on(stage);
        assert_phase(stage, SESSION_IDLE);
        assert_int_equal(stage->input.size, 0);
        assert_true(stage->finished > finished);
        assert_int_equal(left, 0);
        assert_int_equal(stage->alive, 0);
        assert_int_equal(stage->last_status, i == 3 ? 304 : i == 6 ? 206 : 200);
    }
}

static void lets_go_of_what_did_not_go_out(void **state)
{
    static const char *const paths[] = { "/page", "/text", "/large", "/stream", "/later", "/nowhere", "/parts" };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char request[128];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        stage->stuck = true;
        do
            send(stage, request);
        while (stage->session->phase != SESSION_SENDING);
        stage_close(stage);
        assert_int_equal(stage->finished, stage->taken);
        assert_int_equal(stage->alive, 0);
        stage_open(stage);
    }
}

static void keeps_a_body_that_does_not_fit(void **state)
{
    struct stage *stage = *state;
    stage->stuck = true;
    do
        send(stage, POST("/echo", "100") "01234567890123456789012345678901234567890123456789"
                                         "01234567890123456789012345678901234567890123456789");
    while (stage->session->phase != SESSION_SENDING);
    stage->output.size = 0;
    stage_flush(stage);
    stage->output.size = 0;
    stage->stuck = false;
    stage_go_on(stage);
    assert_phase(stage, SESSION_IDLE);
    assert_true(went_out(stage, "\r\n\r\n0123456789"));
    assert_int_equal(stage->last_bytes, 100);
}

static void refuses_again_when_there_is_room(void **state)
{
    struct stage *stage = *state;
    fill(stage);
    stage->stuck = true;
    send(stage, "GET /page HTTP/9.9\r\nHost: a\r\n\r\n");
    assert_phase(stage, SESSION_SENDING);
    stage->stuck = false;
    stage_flush(stage);
    stage_go_on(stage);
    assert_int_equal(stage->last_status, 505);
    assert_phase(stage, SESSION_LINGER);
    assert_int_equal(stage->input.size, 0);
}

static void owes_a_continue(void **state)
{
    struct stage *stage = *state;
    fill(stage);
    stage->stuck = true;
    send(stage, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_phase(stage, SESSION_SENDING);
    stage->stuck = false;
    stage_flush(stage);
    stage_go_on(stage);
    assert_phase(stage, SESSION_BODY);
    assert_true(went_out(stage, "HTTP/1.1 100 Continue\r\n\r\n"));
    send(stage, "hi");
    assert_phase(stage, SESSION_IDLE);
}

/* ---- What cannot be sent ------------------------------------------------------------------------------------- */

static void answer_with_a_large_head(struct session_host *host, struct exchange *exchange)
{
    static char value[TIGHT];
    (void)host;
    memset(value, 'v', sizeof value);
    exchange->response.status = 200;
    assert_true(exchange_add_field(exchange, SLICE("X"), slice_make(value, sizeof value)));
}

static void gives_up_a_head_that_never_fits(void **state)
{
    struct stage *stage = *state;
    stage->host.request = answer_with_a_large_head;
    send(stage, GET("/page"));
    assert_true(went_out(stage, "HTTP/1.1 503 "));
    assert_true(went_out(stage, "Connection: close"));
    assert_phase(stage, SESSION_LINGER);
    assert_int_equal(stage->last_status, 503);
}

static void cuts_a_stream_that_breaks(void **state)
{
    struct stage *stage = *state;
    send(stage, GET("/broken") GET("/page"));
    assert_phase(stage, SESSION_CLOSE);
    assert_int_equal(stage->finished, 1);
    assert_int_equal(stage->last_bytes, STAGE_PIECE_SIZE);
    assert_false(went_out(stage, "\r\n0\r\n"));
    assert_false(went_out(stage, "Hello"));
}

static void answer_and_close(struct session_host *host, struct exchange *exchange)
{
    (void)host;
    exchange->response.status = 200;
    exchange->response.close = true;
}

static void closes_when_the_handler_says_so(void **state)
{
    struct stage *stage = *state;
    stage->host.request = answer_and_close;
    send(stage, GET("/page") GET("/page"));
    assert_true(went_out(stage, "Connection: close"));
    assert_phase(stage, SESSION_LINGER);
    assert_int_equal(stage->finished, 1);
}

static struct exchange *take_nothing(struct session_host *host)
{
    (void)host;
    return NULL;
}

static void has_no_exchange(void **state)
{
    struct stage *stage = *state;
    stage->host.take = take_nothing;
    send(stage, GET("/page"));
    assert_true(went_out(stage, "HTTP/1.1 503 "));
    assert_phase(stage, SESSION_LINGER);
    assert_int_equal(stage->finished, 0);
}

/* ---- Ends ---------------------------------------------------------------------------------------------------- */

static void says_goodbye_at_rest(void **state)
{
    struct stage *stage = *state;
    stage_goodbye(stage);
    assert_phase(stage, SESSION_CLOSE);
    stage_close(stage);
    stage_open(stage);
    send(stage, GET("/page"));
    stage_goodbye(stage);
    assert_phase(stage, SESSION_CLOSE);
    assert_false(went_out(stage, "Connection: close"));
}

static void says_goodbye_with_the_next_response(void **state)
{
    static const struct {
        const char *before, *after;
        enum session_phase end;
    } cases[] = {
        { "GET /pa", "ge HTTP/1.1\r\nHost: a\r\n\r\n" GET("/page"), SESSION_LINGER },
        { POST("/echo", "2") "h", "i" GET("/page"), SESSION_LINGER },
        { "GET /page HTTP/1.1\r\nConnection: close\r\n", "Host: a\r\n\r\n", SESSION_CLOSE },
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        send(stage, cases[i].before);
        stage_goodbye(stage);
        assert_int_equal(stage->output.size, 0);
        send(stage, cases[i].after);
        assert_true(went_out(stage, "HTTP/1.1 200 "));
        assert_true(went_out(stage, "Connection: close"));
        assert_phase(stage, cases[i].end);
        assert_int_equal(stage->finished, i + 1);
        stage_close(stage);
        stage_open(stage);
        stage->output.size = 0;
    }
}

/* Its response has gone out without a close: then it is the reading past of the body after which all ends. */
static void says_goodbye_behind_an_early_error(void **state)
{
    struct stage *stage = *state;
    send(stage, POST("/page", "3") "a");
    stage_goodbye(stage);
    assert_phase(stage, SESSION_BODY);
    send(stage, "bc" GET("/page"));
    assert_phase(stage, SESSION_LINGER);
    assert_int_equal(stage->finished, 1);
}

static void says_goodbye_in_the_middle_of_a_stream(void **state)
{
    struct stage *stage = *state;
    stage->stuck = true;
    send(stage, GET("/stream") GET("/page"));
    assert_phase(stage, SESSION_SENDING);
    stage_goodbye(stage);
    assert_phase(stage, SESSION_SENDING);
    stage->stuck = false;
    stage_flush(stage);
    stage_go_on(stage);
    assert_phase(stage, SESSION_LINGER);
    assert_true(went_out(stage, "\r\n0\r\n\r\n"));
    assert_int_equal(stage->finished, 1);
}

static void says_close_while_the_server_drains(void **state)
{
    struct stage *stage = *state;
    send(stage, GET("/page"));
    stage->host.draining = true;
    assert_false(went_out(stage, "Connection: close"));
    send(stage, GET("/page"));
    assert_true(went_out(stage, "Connection: close"));
    assert_phase(stage, SESSION_LINGER);
}

static void expires_while_it_sends(void **state)
{
    struct stage *stage = *state;
    stage->stuck = true;
    send(stage, GET("/stream"));
    assert_phase(stage, SESSION_SENDING);
    stage_expire(stage);
    assert_phase(stage, SESSION_CLOSE);
    assert_false(h1_session_type.ended(stage->session));
}

static void knows_what_it_owes(void **state)
{
    struct stage *stage = *state;
    assert_false(h1_session_type.ended(stage->session));
    send(stage, "GET");
    assert_false(h1_session_type.ended(stage->session));
    send(stage, " /page HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_false(h1_session_type.ended(stage->session));
    send(stage, POST("/echo", "2") "h");
    assert_false(h1_session_type.ended(stage->session));
    stage->slow = true;
    send(stage, "i" GET("/later"));
    struct exchange *later = stage->later;
    assert_false(atomic_load(&later->lost));
    assert_true(h1_session_type.ended(stage->session));
    assert_true(atomic_load(&later->lost) && !exchange_abandoned(later)); /* and whoever makes it is told */
    assert_ptr_equal(later->session, stage->session);
    stage_answer(stage);
    assert_false(h1_session_type.ended(stage->session));
}

/* The connection breaks: each exchange is reported once, with what became of it. */
static void breaks_anywhere(void **state)
{
    static const struct {
        const char *sent;
        unsigned taken, status;
    } cases[] = {
        { "", 0, 0 },
        { "\r\n", 1, 0 },
        { "GET /page HTTP/1.1\r\nHost: a\r\n", 1, 0 },
        { GET("/page"), 1, 200 },
        { POST("/echo", "5") "hel", 1, 0 },
        { POST("/page", "5") "hel", 1, 405 },
        { "nonsense\r\n", 1, 400 },
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stage->taken = stage->finished = stage->last_status = 0;
        send(stage, cases[i].sent);
        stage_close(stage);
        assert_int_equal(stage->taken, cases[i].taken);
        assert_int_equal(stage->finished, cases[i].taken);
        assert_int_equal(stage->last_status, cases[i].status);
        stage_open(stage);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define TIGHT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up_tight, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(names_its_phase),
        TEST(throws_away_while_it_lingers),
        TEST(is_small),
        TEST(stops_after_so_many),
        TEST(ten_thousand_in_order),
        TEST(waits_for_an_answer),
        TEST(goes_before_the_answer),
        TEST(gives_way),
        TIGHT_TEST(gives_way_when_there_is_room),
        TEST(waits_for_whoever_takes_the_body),
        TEST(goes_in_the_middle_of_a_body),
        TEST(wakes_only_who_waits_for_content),
        TIGHT_TEST(keeps_what_does_not_fit),
        TIGHT_TEST(lets_go_of_what_did_not_go_out),
        TIGHT_TEST(keeps_a_body_that_does_not_fit),
        TIGHT_TEST(refuses_again_when_there_is_room),
        TIGHT_TEST(owes_a_continue),
        TIGHT_TEST(gives_up_a_head_that_never_fits),
        TEST(cuts_a_stream_that_breaks),
        TEST(closes_when_the_handler_says_so),
        TEST(has_no_exchange),
        TEST(says_goodbye_at_rest),
        TEST(says_goodbye_with_the_next_response),
        TEST(says_goodbye_behind_an_early_error),
        TIGHT_TEST(says_goodbye_in_the_middle_of_a_stream),
        TEST(says_close_while_the_server_drains),
        TIGHT_TEST(expires_while_it_sends),
        TEST(knows_what_it_owes),
        TEST(breaks_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
