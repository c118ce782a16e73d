/* The HTTP/2 session in the course of time: several requests at a time, windows, what is late, whose turn it is, how a
 * connection ends, and what is too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h2_scene.h"
#include "wire/h2_machine.h"

enum { HEAD_MS = 10000, BODY_MS = 10000, SEND_MS = 20000, QUIET_MS = 20000, MAX_ID = 0x7fffffff };

static void pass(struct scene *scene, unsigned ms)
{
    scene->stage.clock.now_ms += ms;
}

/* Time passes, and the deadline that the session has named, if it is due by then. */
static void pass_until_due(struct scene *scene, unsigned ms)
{
    struct session *session = scene->stage.session;
    uint64_t until = scene->stage.clock.now_ms + ms;
    while (session->phase == SESSION_OPEN && session->due_ms <= until) {
        assert_true(session->due_ms > scene->stage.clock.now_ms);
        scene->stage.clock.now_ms = session->due_ms;
        stage_expire(&scene->stage);
    }
    scene->stage.clock.now_ms = until;
}

static struct exchange *take_deferred(struct scene *scene)
{
    struct exchange *exchange = scene->stage.later;
    assert_non_null(exchange);
    scene->stage.later = NULL;
    return exchange;
}

static void bring_back(struct scene *scene, struct exchange *exchange)
{
    assert_null(scene->stage.later);
    scene->stage.later = exchange;
    stage_answer(&scene->stage);
    stage_go_on(&scene->stage);
}

/* ---- Several at a time --------------------------------------------------------------------------------------- */

static void answers_in_any_order(void **state)
{
    struct scene *scene = *state;
    struct exchange *first, *second;
    scene->stage.slow = true;
    say(scene, HELLO "get 1 /later");
    first = take_deferred(scene);
    say(scene, "get 3 /later");
    second = take_deferred(scene);
    say(scene, "get 5 /page");
    assert_heard(scene, GREETED "; 5: 200 13.");
    assert_phase(scene, SESSION_OPEN);
    bring_back(scene, second);
    assert_heard(scene, GREETED "; 3: 200 7.; 5: 200 13.");
    bring_back(scene, first);
    assert_heard(scene, GREETED "; 1: 200 7.; 3: 200 7.; 5: 200 13.");
    assert_phase(scene, SESSION_IDLE);
}

static void a_reset_is_for_one_stream(void **state)
{
    struct scene *scene = *state;
    struct exchange *first, *second;
    scene->stage.slow = true;
    say(scene, HELLO "get 1 /later");
    first = take_deferred(scene);
    say(scene, "get 3 /later");
    second = take_deferred(scene);
    say(scene, "rst 1 8");
    assert_true(exchange_abandoned(first));
    assert_false(exchange_lost(second));
    bring_back(scene, first);
    bring_back(scene, second);
    assert_heard(scene, GREETED "; 3: 200 7.");
    assert_phase(scene, SESSION_IDLE);
    scene->stage.finished++; /* who has an abandoned exchange reports it: here nobody does */
}

static void refuses_more_than_so_many(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "post 1 /echo\npost 3 /echo\npost 5 /echo\npost 7 /echo\npost 9 /echo\npost 11 /echo\n"
               "post 13 /echo\npost 15 /echo\npost 17 /echo\nlast 1 x\npost 19 /echo\nlast 19 y\nlast 17 z");
    assert_heard(scene, GREETED "; 1: 200 1.; 17: rst-REFUSED_STREAM; 19: 200 1.");
    assert_phase(scene, SESSION_OPEN);
}

static void wakes_what_waits_for_its_maker(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "get 1 /drip\nget 3 /drip");
    assert_phase(scene, SESSION_OPEN);
    for (unsigned i = 0; i < 50 && scene->stage.session->phase == SESSION_OPEN; i++) {
        scene->stage.session->type->woken(scene->stage.session, &scene->stage.outbox);
        stage_go_on(&scene->stage);
    }
    assert_phase(scene, SESSION_IDLE);
    assert_non_null(strstr(h2_hear(&scene->listener, text_slice(&scene->stage.output)), "; 3: 200 "));
}

static void breaks_off_one_response(void **state)
{
    struct scene *scene = *state;
    struct session *session = scene->stage.session;
    scene->stage.slow = true;
    say(scene, HELLO "settings 4=5\nget 1 /large\nget 3 /later");
    struct h2_stream *stream = h2_streams_find(&((struct h2_session *)session)->connection->streams, 1);
    session->type->cut(session, stream->exchange);
    assert_true(session->more);
    stage_go_on(&scene->stage);
    assert_heard(scene, GREETED " ack; 1: 200 5 rst-INTERNAL_ERROR");
    bring_back(scene, take_deferred(scene));
    assert_heard(scene, GREETED " ack; 1: 200 5 rst-INTERNAL_ERROR; 3: 200 5");
}

/* ---- Bodies -------------------------------------------------------------------------------------------------- */

static void gives_back_what_is_consumed(void **state)
{
    struct scene *scene = *state;
    scene->stage.limits.body_max = 2000000;
    say(scene, HELLO "post 1 /echo\nfill 1 131071");
    assert_heard(scene, GREETED);
    say(scene, "data 1 x");
    assert_heard(scene, GREETED "; 1: window+131072");
    say(scene, "fill 1 262144\nfill 1 131072");
    assert_heard(scene, GREETED " window+524288; 1: window+131072 window+131072 window+131072 window+131072");
    say(scene, "window 0 10000000\nwindow 1 10000000\nfill! 1 10");
    assert_phase(scene, SESSION_IDLE);
}

static void keeps_a_window_for_whoever_is_slow(void **state)
{
    struct scene *scene = *state;
    scene->stage.slow = true;
    say(scene, HELLO "post 1 /pieces?slow\ndata 1 abc");
    struct exchange *exchange = take_deferred(scene);
    say(scene, "data 1 def\ndata 1 ghi\nlast 1 jkl");
    assert_null(scene->stage.later);
    bring_back(scene, exchange); /* what has come meanwhile is one piece */
    assert_ptr_equal(take_deferred(scene), exchange);
    bring_back(scene, exchange);
    assert_heard(scene, GREETED "; 1: 200 14.");
    assert_phase(scene, SESSION_IDLE);
}

/* Receivers have room for what one read brings, not for a window. */
static void hands_on_a_window_in_pieces(void **state)
{
    struct scene *scene = *state;
    unsigned pieces = 0;
    scene->stage.slow = true;
    scene->stage.stream_max = 2000000;
    say(scene, HELLO "post 1 /pieces?slow\nwindow 0 1000000\nwindow 1 1000000\ndata 1 abc");
    struct exchange *exchange = take_deferred(scene);
    say(scene, "fill! 1 200000");
    for (; exchange != NULL; exchange = scene->stage.later ? take_deferred(scene) : NULL, pieces++)
        bring_back(scene, exchange);
    assert_int_equal(pieces, 1 + 4); /* 3 * 65536 and 3392 */
    assert_phase(scene, SESSION_IDLE);
}

static void a_reset_drops_what_was_kept(void **state)
{
    struct scene *scene = *state;
    scene->stage.slow = true;
    say(scene, HELLO "post 1 /pieces?slow\ndata 1 abc");
    struct exchange *exchange = take_deferred(scene);
    say(scene, "data 1 def\nrst 1 8");
    assert_true(exchange_abandoned(exchange));
    bring_back(scene, exchange);
    assert_phase(scene, SESSION_IDLE);
    scene->stage.finished++; /* see above */
}

static void holds_clients_to_the_windows(void **state)
{
    struct scene *scene = *state;
    scene->stage.slow = true;
    scene->stage.stream_max = 1000000;
    say(scene, HELLO "post 1 /pieces?slow\ndata 1 a");
    struct exchange *exchange = take_deferred(scene);
    say(scene, "fill 1 262143");
    assert_heard(scene, GREETED);
    say(scene, "data 1 x");
    assert_heard(scene, GREETED "; 1: rst-FLOW_CONTROL_ERROR");
    bring_back(scene, exchange);
    scene->stage.finished++; /* see above */
}

static void a_limit_holds_for_what_is_kept(void **state)
{
    struct scene *scene = *state;
    scene->stage.slow = true;
    say(scene, HELLO "post 1 /pieces?slow\ndata 1 a");
    struct exchange *exchange = take_deferred(scene);
    say(scene, "fill 1 300");
    assert_heard(scene, GREETED "; 1: rst-CANCEL");
    bring_back(scene, exchange);
    scene->stage.finished++; /* see above */
}

/* ---- Whose turn it is ---------------------------------------------------------------------------------------- */

/* The streams whose DATA came, in order, each once for a run. */
static void assert_order(const struct scene *scene, const char *expected)
{
    struct slice bytes = text_slice(&scene->stage.output);
    char order[200];
    struct writer w = writer_on(order, sizeof order - 1);
    for (uint32_t before = 0; bytes.size > 0;) {
        struct h2_frame frame = h2_frame_read(bytes.data);
        bytes = slice_skip(bytes, H2_FRAME_HEAD + frame.size);
        if (frame.type != H2_DATA || frame.id == before)
            continue;
        writer_byte(&w, ' ');
        writer_uint(&w, frame.id);
        before = frame.id;
    }
    *w.at = '\0';
    assert_string_equal(order, expected);
}

#define WIDE "window 1 100000\nwindow 3 100000\nwindow 5 100000\nwindow 0 100000"

static void sends_in_order(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "settings 4=0\nget 1 /large\nget 3 /large\nget 5 /large\n" WIDE);
    assert_order(scene, " 1 3 5");
}

static void sends_the_urgent_first(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "settings 4=0\nget 1 /large priority=u=5\nget 3 /large priority=u=1\nget 5 /large\n" WIDE);
    assert_order(scene, " 3 5 1");
}

static void shares_what_is_of_use_in_parts(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "settings 4=0\nget 1 /large priority=i\nget 3 /large priority=i\nget 5 /large\n" WIDE);
    assert_order(scene, " 5 1 5 3 1 3");
}

static void hears_of_another_priority(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "settings 4=0\nframe 16 0 0 00000005753d30\nget 1 /large\nget 3 /large\n"
               "get 5 /large priority=u=7\nframe 16 0 0 00000001753d36\n" WIDE);
    assert_order(scene, " 5 3 1");
}

/* ---- Lateness ------------------------------------------------------------------------------------------------ */

static void a_body_that_stops_is_late(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "post 1 /echo\ndata 1 x\nget 3 /later");
    pass_until_due(scene, BODY_MS - 1);
    assert_heard(scene, GREETED "; 3: 200 7.");
    pass_until_due(scene, 1);
    assert_heard(scene, GREETED "; 1: 408 8. rst-NO_ERROR; 3: 200 7.");
    assert_phase(scene, SESSION_IDLE);
}

/* The connection's window is used up by bodies that nobody has taken yet: that is not the other ones' fault. */
static void a_body_that_may_not_come_is_not_late(void **state)
{
    enum { SLOW = 4 };
    struct scene *scene = *state;
    struct exchange *slow[SLOW];
    scene->stage.slow = true;
    scene->stage.stream_max = 1 << 20;
    say(scene, HELLO "post 9 /echo");
    for (unsigned i = 0; i < SLOW; i++) {
        char script[80];
        unsigned id = 11 + 2 * i;
        snprintf(script, sizeof script, "post %u /pieces?slow\ndata %u a", id, id);
        say(scene, script);
        slow[i] = take_deferred(scene);
        snprintf(script, sizeof script, "fill! %u %d", id, H2_STREAM_WINDOW - 1);
        say(scene, script);
    }
    pass_until_due(scene, 3 * BODY_MS / 2);
    for (unsigned i = 0; i < SLOW; i++)
        for (bring_back(scene, slow[i]); scene->stage.later != NULL;)
            bring_back(scene, take_deferred(scene));
    assert_heard(scene, GREETED " window+524290; 11: 200 3.; 13: 200 3.; 15: 200 3.; 17: 200 3.");
    pass_until_due(scene, BODY_MS - 1);
    assert_heard(scene, GREETED " window+524290 ping-inquiry.; 11: 200 3.; 13: 200 3.; 15: 200 3.; 17: 200 3.");
    pass_until_due(scene, BODY_MS); /* when it is looked for what is late, every so often */
    assert_heard(scene, GREETED " window+524290 ping-inquiry.; 9: 408 8. rst-NO_ERROR; 11: 200 3.; 13: 200 3.; "
                                "15: 200 3.; 17: 200 3.");
}

static void a_body_that_trickles_is_late(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "post 1 /echo");
    for (unsigned i = 0; i < 12; i++) {
        say(scene, "data 1 x");
        pass_until_due(scene, BODY_MS / 10);
    }
    assert_heard(scene, GREETED "; 1: 408 8. rst-NO_ERROR");
}

static void a_response_that_nobody_takes_is_late(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "settings 4=5\nget 1 /large");
    for (unsigned i = 0; i < 3; i++) {
        pass_until_due(scene, SEND_MS - 1000);
        say(scene, "window 1 5"); /* it is taken, slowly */
    }
    assert_heard(scene, GREETED " ack; 1: 200 20");
    pass_until_due(scene, SEND_MS - 1);
    say(scene, "ping 12345678");
    pass_until_due(scene, HEAD_MS);
    assert_heard(scene, GREETED " ack pong-12345678; 1: 200 20 rst-CANCEL");
    assert_phase(scene, SESSION_IDLE);
}

static void what_waits_for_its_turn_is_not_late(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "get 1 /large\nget 3 /large\nget 5 /large\nget 7 /large\nget 9 /large");
    assert_heard(scene, GREETED "; 1: 200 20000.; 3: 200 20000.; 5: 200 20000.; 7: 200 5535; 9: 200");
    for (unsigned i = 0; i < 4; i++) {
        pass_until_due(scene, SEND_MS - 1000);
        say(scene, "window 0 5000"); /* of which the first one has all */
    }
    assert_heard(scene, GREETED "; 1: 200 20000.; 3: 200 20000.; 5: 200 20000.; 7: 200 20000.; 9: 200 5535");
    pass_until_due(scene, SEND_MS + HEAD_MS);
    assert_heard(scene, GREETED " ping-inquiry.; 1: 200 20000.; 3: 200 20000.; 5: 200 20000.; 7: 200 20000.; "
                                "9: 200 5535 rst-CANCEL");
}

static void half_a_frame_is_late(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "raw 0000");
    assert_phase(scene, SESSION_OPEN);
    for (unsigned i = 0; i < 3; i++) {
        pass_until_due(scene, HEAD_MS / 4);
        say(scene, "raw 00");
    }
    pass_until_due(scene, HEAD_MS / 4);
    assert_heard(scene, GREETED " goaway-0-NO_ERROR");
    assert_phase(scene, SESSION_LINGER);
}

static void half_a_block_is_late(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "head 1 1 :method=GET");
    assert_phase(scene, SESSION_OPEN);
    pass_until_due(scene, HEAD_MS);
    assert_phase(scene, SESSION_LINGER);
}

static void asks_who_is_quiet(void **state)
{
    struct scene *scene = *state;
    scene->stage.slow = true;
    say(scene, HELLO "get 1 /later");
    pass_until_due(scene, QUIET_MS);
    assert_heard(scene, GREETED " ping-inquiry.");
    say(scene, "pong inquiry.");
    pass_until_due(scene, QUIET_MS);
    assert_heard(scene, GREETED " ping-inquiry. ping-inquiry.");
    struct exchange *exchange = take_deferred(scene);
    pass_until_due(scene, QUIET_MS);
    assert_heard(scene, GREETED " ping-inquiry. ping-inquiry. goaway-1-NO_ERROR");
    assert_phase(scene, SESSION_LINGER);
    assert_true(exchange_abandoned(exchange));
    bring_back(scene, exchange);
    scene->stage.finished++; /* see above */
}

static void an_idle_connection_ends(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "get 1 /page");
    stage_expire(&scene->stage);
    assert_heard(scene, GREETED " goaway-1-NO_ERROR; 1: 200 13.");
    assert_phase(scene, SESSION_LINGER);
}

static void nobody_waits_for_a_preface_for_ever(void **state)
{
    struct scene *scene = *state;
    stage_expire(&scene->stage);
    assert_phase(scene, SESSION_CLOSE);
}

/* ---- The end ------------------------------------------------------------------------------------------------- */

static void says_goodbye_at_once_when_idle(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "get 1 /page");
    stage_goodbye(&scene->stage);
    assert_heard(scene, GREETED " goaway-1-NO_ERROR; 1: 200 13.");
    assert_phase(scene, SESSION_LINGER);
}

static void says_goodbye_in_two_steps(void **state)
{
    struct scene *scene = *state;
    scene->stage.slow = true;
    say(scene, HELLO "get 1 /later");
    stage_goodbye(&scene->stage);
    assert_heard(scene, GREETED " goaway-2147483647-NO_ERROR ping-farewell");
    say(scene, "get 3 /page\npong farewell\nget 5 /page");
    assert_heard(scene, GREETED " goaway-2147483647-NO_ERROR ping-farewell goaway-3-NO_ERROR; 3: 200 13.; "
                                "5: rst-REFUSED_STREAM");
    assert_phase(scene, SESSION_OPEN);
    bring_back(scene, take_deferred(scene));
    assert_phase(scene, SESSION_LINGER);
}

/* 6.8: a stream that was not to be answered any more is not said to have been, whatever happens then. */
static void says_no_later_stream_than_before(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "post 1 /echo");
    stage_goodbye(&scene->stage);
    say(scene, "pong farewell\nget 3 /page\ndata 3 x\nget 2 /page");
    assert_heard(scene, GREETED " goaway-2147483647-NO_ERROR ping-farewell goaway-1-NO_ERROR "
                                "goaway-1-PROTOCOL_ERROR; 3: rst-REFUSED_STREAM");
    assert_phase(scene, SESSION_LINGER);
}

static void does_not_wait_long_for_an_answer_to_goodbye(void **state)
{
    struct scene *scene = *state;
    scene->stage.host.draining = true;
    say(scene, HELLO "get 1 /page");
    assert_heard(scene, GREETED " goaway-2147483647-NO_ERROR ping-farewell; 1: 200 13.");
    assert_phase(scene, SESSION_OPEN);
    pass_until_due(scene, 1000);
    assert_phase(scene, SESSION_LINGER);
}

static void an_end_of_input_leaves_what_is_owed(void **state)
{
    struct scene *scene = *state;
    const struct session_type *type = scene->stage.session->type;
    scene->stage.slow = true;
    say(scene, HELLO "get 1 /later\npost 3 /echo\ndata 3 x");
    assert_true(type->ended(scene->stage.session));
    struct exchange *exchange = take_deferred(scene);
    assert_true(exchange_lost(exchange));
    assert_int_equal(scene->stage.finished, 1); /* the body that will never be whole */
    bring_back(scene, exchange);
    assert_heard(scene, GREETED "; 1: 200 7.");
    assert_false(type->ended(scene->stage.session));
}

/* ---- Too much ------------------------------------------------------------------------------------------------ */

enum { TIMES_MAX = 5000 };

/* The line of a script, with `#` for a stream that is new each time. */
static void say_numbered(struct scene *scene, const char *script, unsigned id)
{
    char text[200];
    struct writer w = writer_on(text, sizeof text - 1);
    for (const char *c = script; *c != '\0'; c++) {
        if (*c == '#')
            writer_uint(&w, id);
        else
            writer_byte(&w, *c);
    }
    *w.at = '\0';
    say(scene, text);
}

static const struct {
    const char *name, *begin, *again;
    unsigned times; /* this often it is taken */
} floods[] = {
    { "rapid reset (CVE-2023-44487)", "", "post # /echo\nrst # 8", 500 },
    { "rapid reset of what is answered already", "", "get # /page\nrst # 8", 500 },
    { "resets forced by errors (CVE-2025-8671)", "", "post # /echo\nwindow # 0", 500 },
    { "resets forced by windows", "", "post # /echo\nwindow # 2147483647", 500 },
    { "malformed requests", "", "head # 5 x=1", 500 },
    { "SETTINGS", "", "settings", 499 },
    { "PING", "", "ping 12345678", 499 },
    { "answers to PING", "", "pong 12345678", 499 },
    { "empty DATA", "post 1 /echo", "frame 0 0 1 -", 2000 },
    { "DATA of closed streams", "get 1 /page", "data 1 x", 2001 },
    { "trailers of ended streams", "post 1 /page", "head 1 5 x=1", 2000 },
    { "PRIORITY", "", "frame 2 0 1 0000000010", 2000 },
    { "PRIORITY_UPDATE", "", "frame 16 0 0 00000001753d30", 2000 },
    { "tiny WINDOW_UPDATEs", "", "window 0 1", 2000 },
    { "GOAWAY", "", "goaway", 2000 },
    { "unknown frames", "", "frame 99 0 0 -", 2000 },
    { "CONTINUATION", "head 1 1 x=1", "frame 9 0 1 -", 31 },
};

static void asks_for_calm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof floods / sizeof floods[0]; i++) {
        struct scene *scene;
        unsigned times = 0;
        set_up((void **)&scene);
        say(scene, HELLO);
        say(scene, floods[i].begin);
        while (times < TIMES_MAX && scene->stage.session->phase != SESSION_LINGER)
            say_numbered(scene, floods[i].again, 2 * times++ + 1);
        const char *end = scene->stage.output.data + scene->stage.output.size;
        if (times != floods[i].times + 1 || h2_get32(end - 4) != H2_ENHANCE_YOUR_CALM)
            fail_msg("%s: %u times, then %u", floods[i].name, times, h2_get32(end - 4));
        tear_down((void **)&scene);
    }
}

static void forgets_with_time(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO);
    for (unsigned i = 0; i < 2000; i++) {
        say(scene, "ping 12345678");
        pass(scene, 20);
    }
    assert_phase(scene, SESSION_IDLE);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(answers_in_any_order),
        EACH(a_reset_is_for_one_stream),
        EACH(refuses_more_than_so_many),
        EACH(wakes_what_waits_for_its_maker),
        EACH(breaks_off_one_response),
        EACH(gives_back_what_is_consumed),
        EACH(keeps_a_window_for_whoever_is_slow),
        EACH(hands_on_a_window_in_pieces),
        EACH(a_reset_drops_what_was_kept),
        EACH(holds_clients_to_the_windows),
        EACH(a_limit_holds_for_what_is_kept),
        EACH(sends_in_order),
        EACH(sends_the_urgent_first),
        EACH(shares_what_is_of_use_in_parts),
        EACH(hears_of_another_priority),
        EACH(a_body_that_stops_is_late),
        EACH(a_body_that_may_not_come_is_not_late),
        EACH(a_body_that_trickles_is_late),
        EACH(a_response_that_nobody_takes_is_late),
        EACH(what_waits_for_its_turn_is_not_late),
        EACH(half_a_frame_is_late),
        EACH(half_a_block_is_late),
        EACH(asks_who_is_quiet),
        EACH(an_idle_connection_ends),
        EACH(nobody_waits_for_a_preface_for_ever),
        EACH(says_goodbye_at_once_when_idle),
        EACH(says_goodbye_in_two_steps),
        EACH(says_no_later_stream_than_before),
        EACH(does_not_wait_long_for_an_answer_to_goodbye),
        EACH(an_end_of_input_leaves_what_is_owed),
        cmocka_unit_test(asks_for_calm),
        EACH(forgets_with_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
