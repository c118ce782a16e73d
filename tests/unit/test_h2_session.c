/* What the HTTP/2 session makes of what a client sends: the answers, and each error with its code. Every case is played
 * whole, cut in two at every byte and a byte at a time, with the same outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h2_scene.h"

struct case_of {
    const char *name, *script, *heard;
    enum session_phase phase;
};

static const struct case_of cases[] = {
    { "3.4: only a preface", "preface", "0: settings window+983041", SESSION_FRESH },
    { "3.4: a preface and settings", HELLO, GREETED, SESSION_IDLE },
    { "3.4: settings must be first", "preface\nping 12345678", "0: settings window+983041 goaway-0-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "3.4: no preface", "raw 505249202a20485454502f322e300d0a0d0a534d0d0a0d0b", "0: goaway-0-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "a page", HELLO "get 1 /page", GREETED "; 1: 200 13.", SESSION_IDLE },
    { "two pages", HELLO "get 1 /page\nget 3 /page", GREETED "; 1: 200 13.; 3: 200 13.", SESSION_IDLE },
    { "nothing there", HELLO "get 1 /nope", GREETED "; 1: 404 8.", SESSION_IDLE },
    { "a built one", HELLO "get 1 /text\nget 3 /text", GREETED "; 1: 200 13.; 3: 200 13.", SESSION_IDLE },
    { "a large one", HELLO "get 1 /large", GREETED "; 1: 200 20000.", SESSION_IDLE },
    { "in parts", HELLO "get 1 /parts", GREETED "; 1: 206 7361.", SESSION_IDLE },
    { "made on the way", HELLO "get 1 /stream", GREETED "; 1: 200 15000.", SESSION_IDLE },
    { "none, 304, 205", HELLO "get 1 /none\nget 3 /same\nget 5 /reset", GREETED "; 1: 204.; 3: 304.; 5: 205.",
      SESSION_IDLE },
    { "HEAD", HELLO "head 1 5 :method=HEAD :scheme=http :path=/large :authority=a", GREETED "; 1: 200.",
      SESSION_IDLE },
    { "a deferred one", HELLO "get 1 /later", GREETED "; 1: 200 7.", SESSION_IDLE },
    { "a body", HELLO "post 1 /echo content-length=5\nlast 1 hello", GREETED "; 1: 200 5.", SESSION_IDLE },
    { "a body without length", HELLO "post 1 /echo\ndata 1 he\ndata 1 -\ndata 1 llo\nlast 1 -", GREETED "; 1: 200 5.",
      SESSION_IDLE },
    { "a padded body", HELLO "post 1 /echo\nframe 0 9 1 0368656c6c6f000000", GREETED "; 1: 200 5.", SESSION_IDLE },
    { "a body with trailers", HELLO "post 1 /echo\ndata 1 hello\nhead 1 5 x-sum=5", GREETED "; 1: 200 5.",
      SESSION_IDLE },
    { "a body handed on", HELLO "post 1 /pieces\ndata 1 abc\nlast 1 def", GREETED "; 1: 200 8.", SESSION_IDLE },
    { "handed on, each piece deferred", HELLO "post 1 /pieces?slow\ndata 1 abc\nlast 1 def", GREETED "; 1: 200 8.",
      SESSION_IDLE },
    { "handed on, each deferred, the end too", HELLO "post 1 /pieces?later\ndata 1 abc\nlast 1 def",
      GREETED "; 1: 200 8.", SESSION_IDLE },
    { "answered early", HELLO "post 1 /pieces?early\n", GREETED "; 1: 200 2. rst-NO_ERROR", SESSION_IDLE },
    { "answered early, and what was on its way", HELLO "post 1 /pieces?early\ndata 1 abc\nlast 1 def\nget 3 /page",
      GREETED "; 1: 200 2. rst-NO_ERROR; 3: 200 13.", SESSION_IDLE },
    { "a body that nobody wants", HELLO "post 1 /page\n", GREETED "; 1: 405 8. rst-NO_ERROR", SESSION_IDLE },
    { "answered early, and the body comes before that is out",
      HELLO "settings 4=0\npost 1 /page\nlast 1 x\nwindow 1 100", GREETED " ack; 1: 405 8.", SESSION_IDLE },
    { "413", HELLO "post 1 /echo content-length=101", GREETED "; 1: 413 8. rst-NO_ERROR", SESSION_IDLE },
    { "413 without length", HELLO "post 1 /echo\nfill 1 101", GREETED "; 1: 413 8. rst-NO_ERROR", SESSION_IDLE },
    { "417", HELLO "post 1 /echo expect=more", GREETED "; 1: 417 8. rst-NO_ERROR", SESSION_IDLE },
    { "414", HELLO "get 1 /0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
      "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012"
      "345", GREETED "; 1: 414 8.", SESSION_IDLE },
    { "400: a bad path", HELLO "get 1 /%00", GREETED "; 1: 400 8.", SESSION_IDLE },
    { "400: no host", HELLO "head 1 5 :method=GET :scheme=http :path=/page", GREETED "; 1: 400 8.", SESSION_IDLE },
    { "host for :authority", HELLO "head 1 5 :method=GET :scheme=http :path=/page host=a", GREETED "; 1: 200 13.",
      SESSION_IDLE },
    { "OPTIONS *", HELLO "head 1 5 :method=OPTIONS :scheme=http :path=* :authority=a", GREETED "; 1: 204.",
      SESSION_IDLE },
    { "501", HELLO "head 1 5 :method=get :scheme=http :path=/ :authority=a", GREETED "; 1: 501 8.", SESSION_IDLE },

    { "4.1: unknown frames are passed over", HELLO "frame 200 255 0 0102\nget 1 /page", GREETED "; 1: 200 13.",
      SESSION_IDLE },
    { "4.2: a frame too large", HELLO "raw 004001000000000001", GREETED " goaway-0-FRAME_SIZE_ERROR",
      SESSION_LINGER },
    { "4.3: a block that is none", HELLO "frame 1 5 1 ff", GREETED " goaway-1-COMPRESSION_ERROR", SESSION_LINGER },
    { "5.1: DATA of an idle stream", HELLO "data 1 x", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "5.1: RST_STREAM of an idle one", HELLO "rst 1 8", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "5.1: WINDOW_UPDATE of an idle one", HELLO "window 1 8", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "5.1: PRIORITY of an idle one", HELLO "frame 2 0 1 0000000010\nget 1 /page", GREETED "; 1: 200 13.",
      SESSION_IDLE },
    { "5.1: DATA of a closed one", HELLO "get 1 /page\ndata 1 x", GREETED "; 1: 200 13. rst-STREAM_CLOSED",
      SESSION_IDLE },
    { "5.1: HEADERS of a closed one", HELLO "get 1 /page\nget 1 /page", GREETED " goaway-1-STREAM_CLOSED; 1: 200 13.",
      SESSION_LINGER },
    { "5.1: WINDOW_UPDATE and RST_STREAM of a closed one", HELLO "get 1 /page\nwindow 1 9\nrst 1 8",
      GREETED "; 1: 200 13.", SESSION_IDLE },
    { "5.1.1: an even stream", HELLO "get 2 /page", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "5.1.1: a lower stream", HELLO "get 5 /page\nget 3 /page", GREETED " goaway-5-PROTOCOL_ERROR; 5: 200 13.",
      SESSION_LINGER },
    { "6.1: DATA of stream 0", HELLO "data 0 x", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "6.1: more padding than payload", HELLO "post 1 /echo\nframe 0 9 1 0500", GREETED " goaway-1-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "6.1: padded, and empty", HELLO "post 1 /echo\nframe 0 9 1 -", GREETED " goaway-1-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "6.2: HEADERS of stream 0", HELLO "get 0 /page", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "6.2: more padding than payload", HELLO "frame 1 13 1 0500", GREETED " goaway-0-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "6.2: padded, and empty", HELLO "frame 1 45 1 -", GREETED " goaway-0-FRAME_SIZE_ERROR", SESSION_LINGER },
    { "6.2: too short for its priority", HELLO "frame 1 37 1 00", GREETED " goaway-0-FRAME_SIZE_ERROR",
      SESSION_LINGER },
    { "6.3: PRIORITY of stream 0", HELLO "frame 2 0 0 0000000010", GREETED " goaway-0-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "6.3: PRIORITY of another size", HELLO "post 1 /echo\nframe 2 0 1 00000000", GREETED "; 1: rst-FRAME_SIZE_ERROR",
      SESSION_IDLE },
    { "6.3: PRIORITY of a stream on itself", HELLO "post 1 /echo\nframe 2 0 1 8000000110", GREETED
      "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "6.2: HEADERS of a stream that depends on itself", HELLO "frame 1 37 1 0000000110828684410161\nget 3 /page",
      GREETED "; 1: rst-PROTOCOL_ERROR; 3: 200 13.", SESSION_IDLE },
    { "6.2: the same in two frames, and padded", HELLO
      "frame 1 41 1 0100000001108286844100\nframe 9 4 1 0161\nget 3 /page",
      GREETED "; 1: rst-PROTOCOL_ERROR; 3: 200 13.", SESSION_IDLE },
    { "6.4: RST_STREAM of stream 0", HELLO "rst 0 8", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "6.4: RST_STREAM of another size", HELLO "post 1 /echo\nframe 3 0 1 000000", GREETED
      " goaway-1-FRAME_SIZE_ERROR", SESSION_LINGER },
    { "6.4: a reset", HELLO "post 1 /echo\nrst 1 8\nget 3 /page", GREETED "; 3: 200 13.", SESSION_IDLE },
    { "6.5: SETTINGS of a stream", HELLO "frame 4 0 1 -", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "6.5: an answer with something in it", HELLO "frame 4 1 0 000100000000", GREETED " goaway-0-FRAME_SIZE_ERROR",
      SESSION_LINGER },
    { "6.5: half a setting", HELLO "frame 4 0 0 000100", GREETED " goaway-0-FRAME_SIZE_ERROR", SESSION_LINGER },
    { "6.5.2: ENABLE_PUSH", HELLO "settings 2=2", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "6.5.2: INITIAL_WINDOW_SIZE", HELLO "settings 4=2147483648", GREETED " goaway-0-FLOW_CONTROL_ERROR",
      SESSION_LINGER },
    { "6.5.2: MAX_FRAME_SIZE", HELLO "settings 5=16383", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "6.5.2: one that nobody knows", HELLO "settings 99=1", GREETED " ack", SESSION_IDLE },
    { "6.6: PUSH_PROMISE", HELLO "frame 5 4 1 00000002", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "6.7: PING", HELLO "ping 12345678\npong 12345678", GREETED " pong-12345678", SESSION_IDLE },
    { "6.7: PING of a stream", HELLO "frame 6 0 1 3132333435363738", GREETED " goaway-0-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "6.7: PING of another size", HELLO "ping 123", GREETED " goaway-0-FRAME_SIZE_ERROR", SESSION_LINGER },
    { "6.8: GOAWAY", HELLO "goaway\nget 1 /page", GREETED "; 1: 200 13.", SESSION_IDLE },
    { "6.8: GOAWAY of a stream", HELLO "frame 7 0 1 0000000000000000", GREETED " goaway-0-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "6.8: half a GOAWAY", HELLO "frame 7 0 0 00000000", GREETED " goaway-0-FRAME_SIZE_ERROR", SESSION_LINGER },
    { "6.9: nothing, for the connection", HELLO "window 0 0", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "6.9: nothing, for a stream", HELLO "post 1 /echo\nwindow 1 0", GREETED "; 1: rst-PROTOCOL_ERROR",
      SESSION_IDLE },
    { "6.9: WINDOW_UPDATE of another size", HELLO "frame 8 0 0 000001", GREETED " goaway-0-FRAME_SIZE_ERROR",
      SESSION_LINGER },
    { "6.9.1: too wide, the connection", HELLO "window 0 2147483647", GREETED " goaway-0-FLOW_CONTROL_ERROR",
      SESSION_LINGER },
    { "6.9.1: too wide, a stream", HELLO "post 1 /echo\nwindow 1 2147483647", GREETED "; 1: rst-FLOW_CONTROL_ERROR",
      SESSION_IDLE },
    { "6.9.2: all streams too wide", HELLO "post 1 /echo\nwindow 1 1000000000\nsettings 4=2147483647",
      GREETED " goaway-1-FLOW_CONTROL_ERROR", SESSION_LINGER },
    { "6.9.2: a window that grows", HELLO "settings 4=3\nget 1 /text\nwindow 1 4\nsettings 4=13",
      GREETED " ack ack; 1: 200 13.", SESSION_IDLE },
    { "6.9.2: a window below nothing", HELLO "settings 4=10\nget 1 /text\nsettings 4=0\nwindow 1 12\nwindow 1 1",
      GREETED " ack ack; 1: 200 13.", SESSION_IDLE },
    { "6.9: a small window for what is made", HELLO "settings 4=100\nget 1 /stream\nwindow 1 100\nwindow 1 15000",
      GREETED " ack; 1: 200 15000.", SESSION_IDLE },
    { "6.10: CONTINUATION",
      HELLO "head 1 1 :method=GET :scheme=http :path=/page\nframe 9 4 1 000a3a617574686f726974790161", GREETED
      "; 1: 200 13.", SESSION_IDLE },
    { "6.10: something between", HELLO "head 1 1 :method=GET\nping 12345678", GREETED " goaway-0-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "6.10: of another stream", HELLO "head 1 1 :method=GET\nframe 9 4 3 -", GREETED " goaway-0-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "6.10: of nothing", HELLO "frame 9 4 1 -", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },

    { "8.1: trailers without an end", HELLO "post 1 /echo\nhead 1 4 x=1", GREETED "; 1: rst-PROTOCOL_ERROR",
      SESSION_IDLE },
    { "8.1: trailers with a pseudo field", HELLO "post 1 /echo\nhead 1 5 :path=/", GREETED "; 1: rst-PROTOCOL_ERROR",
      SESSION_IDLE },
    { "8.1.1: less than announced", HELLO "post 1 /echo content-length=5\nlast 1 hell", GREETED
      "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.1.1: more than announced", HELLO "post 1 /echo content-length=5\nlast 1 hello!", GREETED
      "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.1.1: announced, and nothing", HELLO "get 1 /page content-length=5", GREETED "; 1: rst-PROTOCOL_ERROR",
      SESSION_IDLE },
    { "8.1.1: two lengths", HELLO "post 1 /echo content-length=5 content-length=6", GREETED
      "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.2.2: connection", HELLO "get 1 /page connection=close", GREETED "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.2.2: keep-alive", HELLO "get 1 /page keep-alive=5", GREETED "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.2.2: proxy-connection", HELLO "get 1 /page proxy-connection=x", GREETED "; 1: rst-PROTOCOL_ERROR",
      SESSION_IDLE },
    { "8.2.2: transfer-encoding", HELLO "post 1 /echo transfer-encoding=chunked", GREETED "; 1: rst-PROTOCOL_ERROR",
      SESSION_IDLE },
    { "8.2.2: upgrade", HELLO "get 1 /page upgrade=h2c", GREETED "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.2.2: te", HELLO "get 1 /page te=trailers\nget 3 /page te=gzip", GREETED
      "; 1: 200 13.; 3: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.3: a pseudo field nobody knows", HELLO "get 1 /page :x=1", GREETED "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.3: one of a response", HELLO "get 1 /page :status=200", GREETED "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.3: one behind a field", HELLO "head 1 5 :method=GET :scheme=http x=1 :path=/page", GREETED
      "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.3.1: one twice", HELLO "get 1 /page :path=/page", GREETED "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.3.1: no method", HELLO "head 1 5 :scheme=http :path=/page :authority=a", GREETED "; 1: rst-PROTOCOL_ERROR",
      SESSION_IDLE },
    { "8.3.1: no scheme", HELLO "head 1 5 :method=GET :path=/page :authority=a", GREETED "; 1: rst-PROTOCOL_ERROR",
      SESSION_IDLE },
    { "8.3.1: no path", HELLO "head 1 5 :method=GET :scheme=http :authority=a", GREETED "; 1: rst-PROTOCOL_ERROR",
      SESSION_IDLE },
    { "8.3.1: an empty path", HELLO "head 1 5 :method=GET :scheme=http :path= :authority=a", GREETED
      "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },
    { "8.3.1: another scheme", HELLO "head 1 5 :method=GET :scheme=ftp :path=/page :authority=a", GREETED
      "; 1: 400 8.", SESSION_IDLE },
    { "8.3.1: two hosts", HELLO "get 1 /page host=b\nget 3 /page host=A", GREETED "; 1: rst-PROTOCOL_ERROR; 3: 200 13.",
      SESSION_IDLE },
    { "8.5: CONNECT", HELLO "head 1 5 :method=CONNECT :authority=a:80", GREETED "; 1: 405 8.", SESSION_IDLE },
    { "8.5: CONNECT with a path", HELLO "head 1 5 :method=CONNECT :authority=a:80 :path=/ :scheme=http", GREETED
      "; 1: rst-PROTOCOL_ERROR", SESSION_IDLE },

    { "9218: PRIORITY_UPDATE", HELLO "frame 16 0 0 00000001753d30\nget 1 /page", GREETED "; 1: 200 13.",
      SESSION_IDLE },
    { "9218: of a stream", HELLO "frame 16 0 1 00000001753d30", GREETED " goaway-0-PROTOCOL_ERROR", SESSION_LINGER },
    { "9218: about nothing", HELLO "frame 16 0 0 00000000753d30", GREETED " goaway-0-PROTOCOL_ERROR",
      SESSION_LINGER },
    { "9218: too short", HELLO "frame 16 0 0 000000", GREETED " goaway-0-FRAME_SIZE_ERROR", SESSION_LINGER },
};

enum { TIGHT = 512 }; /* an outbox that is full all the time */

/* Plays it in pieces: the first is `first` bytes long, the others `other`. False: it went otherwise. */
static bool play_on(size_t outbox_size, const struct case_of *case_of, struct slice said, size_t first, size_t other)
{
    static struct h2_listener listener;
    static struct stage stage;
    size_t cut = first;
    open_stage(&stage, outbox_size);
    for (; said.size > 0; cut = other) {
        size_t size = cut < said.size ? cut : said.size;
        stage_send(&stage, slice_part(said, 0, size));
        said = slice_skip(said, size);
    }
    const char *heard = h2_hear(&listener, text_slice(&stage.output));
    bool right = strcmp(heard, case_of->heard) == 0 && stage.session->phase == case_of->phase;
    if (!right)
        print_error("%s, cut at %zu: phase %d and\n  \"%s\", not\n  \"%s\"\n", case_of->name, first,
                    stage.session->phase, heard, case_of->heard);
    if (stage.session->phase == SESSION_IDLE)
        assert_int_equal(stage.finished, stage.taken);
    stage_close(&stage);
    assert_int_equal(stage.finished, stage.taken);
    stage_fini(&stage);
    return right;
}

static bool play(const struct case_of *case_of, struct slice said, size_t first, size_t other)
{
    return play_on(STAGE_OUTBOX_SIZE, case_of, said, first, other);
}

static void answers_whole(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text said = h2_say(cases[i].script);
        wrong += !play(&cases[i], text_slice(&said), SIZE_MAX, SIZE_MAX);
        text_free(&said);
    }
    assert_int_equal(wrong, 0);
}

static void answers_through_a_small_outbox(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text said = h2_say(cases[i].script);
        wrong += !play_on(TIGHT, &cases[i], text_slice(&said), SIZE_MAX, SIZE_MAX);
        wrong += !play_on(TIGHT, &cases[i], text_slice(&said), 1, 1);
        text_free(&said);
    }
    assert_int_equal(wrong, 0);
}

static void answers_byte_by_byte(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text said = h2_say(cases[i].script);
        wrong += !play(&cases[i], text_slice(&said), 1, 1);
        text_free(&said);
    }
    assert_int_equal(wrong, 0);
}

static void answers_cut_anywhere(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text said = h2_say(cases[i].script);
        for (size_t cut = 1; cut < said.size; cut++)
            wrong += !play(&cases[i], text_slice(&said), cut, SIZE_MAX);
        text_free(&said);
    }
    assert_int_equal(wrong, 0);
}

/* ---- Step by step -------------------------------------------------------------------------------------------- */

static void says_100_where_it_is_awaited(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "post 1 /echo expect=100-continue");
    assert_heard(scene, GREETED "; 1: 100");
    say(scene, "last 1 hello");
    assert_heard(scene, GREETED "; 1: 100 200 5.");
    say(scene, "post 3 /echo expect=100-continue\nlast 3 hello"); /* it does not wait */
    say(scene, "post 5 /page expect=100-continue");               /* and here nobody wants it */
    say(scene, "post 7 /pieces expect=100-continue\n");
    say(scene, "last 7 hello");
    assert_heard(scene, GREETED "; 1: 100 200 5.; 3: 200 5.; 5: 405 8. rst-NO_ERROR; 7: 100 200 7.");
}

static void resets_what_breaks(void **state)
{
    struct scene *scene = *state;
    say(scene, HELLO "get 1 /broken\nget 3 /page");
    assert_heard(scene, GREETED "; 1: 299 5000 rst-INTERNAL_ERROR; 3: 200 13.");
    assert_phase(scene, SESSION_IDLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_whole),
        cmocka_unit_test(answers_through_a_small_outbox),
        cmocka_unit_test(answers_byte_by_byte),
        cmocka_unit_test(answers_cut_anywhere),
        cmocka_unit_test_setup_teardown(says_100_where_it_is_awaited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(resets_what_breaks, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
