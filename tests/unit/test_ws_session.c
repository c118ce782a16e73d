/* The WebSocket session: what the wire cases cannot see. Queues and full outboxes, limits at their edge, closing from
 * either side, deadlines, and memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/h1_session.h"
#include "ws_scene.h"

enum { TEXT = 0x81, BINARY = 0x82, CLOSE = 0x88, PING = 0x89, PONG = 0x8A, PACKED = 0x40, MORE_TEXT = 1, LAST = 0x80 };

#define HELLO_PACKED SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00")
#define CLOSED_1000 SLICE("\x88\x02\x03\xe8")

static void send_parcel(struct scene *scene, struct ws_parcel *parcel)
{
    scene_queue(scene, &scene->later, parcel);
    scene->session->type->woken(scene->session, &scene->out);
}

static void fits_into_what_it_replaces(void **state)
{
    (void)state;
    assert_true(ws_session_type.size <= h1_session_type.size);
}

static void echoes(void **state)
{
    struct scene *scene = scene_new(SCENE_OUTBOX);
    (void)state;
    scene->echo = true;
    scene_expect_phase(scene, SESSION_OPEN);
    scene_send(scene, TEXT, SLICE("Hello"));
    scene_send(scene, BINARY, SLICE(""));
    scene_send(scene, TEXT | PACKED, HELLO_PACKED);
    scene_expect_out(scene, SLICE("\x81\x05Hello\x82\x00\x81\x05Hello"));
    scene_expect_notes(scene, "opened;text Hello;binary ;text Hello;");
    assert_int_equal(scene->drained, 3);
    scene_free(scene);
}

static void holds_no_memory_between_messages(void **state)
{
    struct scene *scene = scene_new(SCENE_OUTBOX);
    (void)state;
    scene_send(scene, TEXT, SLICE("Hello"));
    assert_int_equal(scene->pages.taken_bytes, 0);
    scene_send(scene, MORE_TEXT, SLICE("Hel"));
    assert_true(scene->pages.taken_bytes > 0);
    scene_send(scene, LAST, SLICE("lo"));
    assert_int_equal(scene->pages.taken_bytes, 0);
    scene_send(scene, TEXT | PACKED, HELLO_PACKED);
    size_t inflater = scene->pages.taken_bytes; /* made once */
    assert_true(inflater > 0);
    scene_send(scene, TEXT | PACKED, HELLO_PACKED);
    assert_int_equal(scene->pages.taken_bytes, inflater);
    scene_free(scene);
}

static void a_message_may_be_just_so_large(void **state)
{
    (void)state;
    char bytes[1001];
    memset(bytes, 'x', sizeof bytes);
    struct scene *scene = scene_new(SCENE_OUTBOX);
    scene_send(scene, BINARY, slice_make(bytes, 1000));
    scene_send(scene, 0x02, slice_make(bytes, 999));
    scene_send(scene, 0x00, SLICE(""));
    scene_send(scene, LAST, SLICE("x"));
    scene_expect_notes(scene, "opened;binary (long);binary (long);");
    scene_send(scene, 0x02, slice_make(bytes, 999));
    scene_send(scene, LAST, SLICE("xx"));
    scene_expect_notes(scene, "closed 1009;");
    scene_expect_out(scene, SLICE("\x88\x02\x03\xf1"));
    scene_expect_phase(scene, SESSION_LINGER);
    scene_free(scene);

    scene = scene_new(SCENE_OUTBOX);
    scene_feed(scene, SLICE("\x82\xfe\x03\xe9")); /* the head alone says that it is too much, once its mask is there */
    scene_expect_phase(scene, SESSION_OPEN);
    scene_feed(scene, SLICE("\x82\xfe\x03\xe9mask"));
    scene_expect_phase(scene, SESSION_LINGER);
    scene_expect_notes(scene, "opened;closed 1009;");
    scene_free(scene);
}

/* A kilobyte of zeros, and one more, packed. */
static void a_packed_message_counts_by_what_is_in_it(void **state)
{
    (void)state;
    for (size_t size = 1000; size <= 1001; size++) {
        char zeros[1001] = { 0 }, packed[100];
        struct ws_deflater *deflater = ws_deflater_new();
        size_t got = ws_deflate(deflater, slice_make(zeros, size), packed, sizeof packed);
        struct scene *scene = scene_new(SCENE_OUTBOX);
        scene_send(scene, BINARY | PACKED, slice_make(packed, got));
        scene_expect_notes(scene, size == 1000 ? "opened;binary (long);" : "opened;closed 1009;");
        scene_free(scene);
        ws_deflater_free(deflater);
    }
}

/* What is packed can be a little larger than what is in it; empty blocks without end cannot come. */
static void frames_of_a_packed_message_have_a_limit(void **state)
{
    (void)state;
    enum { MOST = 1000 + 1000 / 8 + 64 };
    char bytes[MOST + 1];
    for (size_t at = 0; at < sizeof bytes; at++)
        bytes[at] = "\x00\x00\x00\xff\xff"[at % 5];
    bytes[MOST / 5 * 5] = 0;
    struct scene *scene = scene_new(SCENE_OUTBOX);
    scene_send(scene, TEXT | PACKED, slice_make(bytes, MOST / 5 * 5 + 1));
    scene_expect_notes(scene, "opened;text ;");
    scene_send(scene, TEXT | PACKED, slice_make(bytes, MOST + 1));
    scene_expect_notes(scene, "closed 1009;");
    scene_free(scene);
}

static void a_text_is_refused_at_its_first_wrong_byte(void **state)
{
    (void)state;
    struct scene *scene = scene_new(SCENE_OUTBOX);
    char room[64];
    struct slice frame = scene_frame(room, TEXT, SLICE("good \xE2\x82\xAC bad \xF4\x90 not read"));
    size_t bad = 6 + sizeof "good \xE2\x82\xAC bad \xF4" - 1;
    assert_int_equal(scene_feed(scene, slice_part(frame, 0, bad)), bad);
    scene_expect_phase(scene, SESSION_OPEN);
    scene_feed(scene, slice_part(frame, bad, bad + 1));
    scene_expect_phase(scene, SESSION_LINGER);
    scene_expect_notes(scene, "opened;closed 1007 a text that is not UTF-8;");
    scene_free(scene);
}

/* ---- The outbox ---- */

static void a_full_outbox_stops_reading(void **state)
{
    (void)state;
    struct scene *scene = scene_new(300);
    char room[200], payload[125];
    memset(payload, 'p', sizeof payload);
    struct slice ping = scene_frame(room, PING, slice_make(payload, sizeof payload));
    char pings[1000];
    struct writer w = writer_on(pings, sizeof pings);
    for (size_t i = 0; i < 4; i++)
        writer_put(&w, ping);
    size_t used = scene_feed(scene, writer_slice(&w));
    assert_int_equal(used, 2 * ping.size); /* whose answers fit, with room for one more */
    scene_expect_phase(scene, SESSION_SENDING);
    assert_int_equal(scene->out.used, 2 * 127);
    outbox_clear(&scene->out);
    scene->session->type->drain(scene->session, &scene->out);
    scene_expect_phase(scene, SESSION_OPEN);
    assert_int_equal(scene_feed(scene, slice_skip(writer_slice(&w), used)), 2 * ping.size);
    scene_free(scene);
}

static void what_does_not_fit_waits_in_the_queue(void **state)
{
    (void)state;
    struct scene *scene = scene_new(200);
    char payload[100];
    memset(payload, 'q', sizeof payload);
    for (size_t i = 0; i < 3; i++)
        scene_queue(scene, &scene->later, ws_parcel_new(WS_BINARY, slice_make(payload, sizeof payload)));
    assert_int_equal(atomic_load(&scene->socket.queued), 306);
    scene->session->type->woken(scene->session, &scene->out);
    scene_expect_phase(scene, SESSION_SENDING);
    assert_int_equal(scene->out.used, 102);
    assert_int_equal(atomic_load(&scene->socket.queued), 204);
    assert_int_equal(scene->drained, 0);
    for (size_t i = 0; i < 2; i++) {
        outbox_clear(&scene->out);
        scene->session->type->drain(scene->session, &scene->out);
        assert_int_equal(scene->out.used, 102);
        scene_expect_phase(scene, i == 0 ? SESSION_SENDING : SESSION_OPEN);
    }
    assert_int_equal(scene->drained, 1);
    scene_free(scene);
}

static void large_frames_are_held_but_not_too_many(void **state)
{
    (void)state;
    enum { SIZE = 100000, COUNT = 5 };
    struct scene *scene = scene_new(SCENE_OUTBOX);
    char *bytes = calloc(1, SIZE);
    struct ws_parcel *parcel = ws_parcel_new(WS_BINARY, slice_make(bytes, SIZE));
    for (size_t i = 0; i < COUNT; i++) {
        hold_ref(&parcel->hold);
        scene_queue(scene, &scene->later, parcel);
    }
    scene->session->type->woken(scene->session, &scene->out);
    scene_expect_phase(scene, SESSION_SENDING);
    assert_int_equal(scene->out.count, 3); /* 300 KB are enough for a while */
    assert_int_equal(scene->out.spans[0].kind, SPAN_MEMORY);
    assert_ptr_equal(scene->out.spans[0].data, parcel->frame.data);
    outbox_clear(&scene->out);
    scene->session->type->drain(scene->session, &scene->out);
    scene_expect_phase(scene, SESSION_OPEN);
    assert_int_equal(scene->out.count, 2);
    assert_false(hold_sole(&parcel->hold));
    outbox_clear(&scene->out);
    assert_true(hold_sole(&parcel->hold));
    hold_unref(&parcel->hold);
    free(bytes);
    scene_free(scene);
}

/* Whoever sends whenever the queue is empty fills the outbox, and no more. */
static void drained_may_send_at_once(void **state)
{
    (void)state;
    struct scene *scene = scene_new(1000);
    scene->when_drained = ws_parcel_new(WS_TEXT, SLICE("0123456789"));
    scene->times = 3;
    send_parcel(scene, ws_parcel_new(WS_TEXT, SLICE("first")));
    scene_expect_phase(scene, SESSION_OPEN);
    assert_int_equal(scene->out.used, 7 + 3 * 12);
    outbox_clear(&scene->out);
    scene->times = 1000;
    send_parcel(scene, ws_parcel_new(WS_TEXT, SLICE("first")));
    scene_expect_phase(scene, SESSION_SENDING);
    assert_in_range(scene->out.used, 1000 - 12, 1000);
    scene->times = 0;
    hold_unref(&scene->when_drained->hold);
    scene_free(scene);
}

/* ---- Closing ---- */

static void the_peer_closes(void **state)
{
    static const struct {
        struct slice payload, answer;
        const char *notes;
    } rows[] = {
        { SLICE_INIT("\x03\xe8" "bye"), SLICE_INIT("\x88\x02\x03\xe8"), "opened;closed 1000 bye;" },
        { SLICE_INIT(""), SLICE_INIT("\x88\x00"), "opened;closed 1005;" },
        { SLICE_INIT("\x0f\xa0"), SLICE_INIT("\x88\x02\x0f\xa0"), "opened;closed 4000;" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene *scene = scene_new(SCENE_OUTBOX);
        scene_queue(scene, &scene->later, ws_parcel_new(WS_TEXT, SLICE("too late")));
        scene->socket.type->collect(&scene->socket);
        scene_send(scene, CLOSE, rows[i].payload);
        scene_expect_out(scene, rows[i].answer);
        scene_expect_notes(scene, rows[i].notes);
        scene_expect_phase(scene, SESSION_LINGER);
        scene_free(scene);
    }
}

static void we_close_and_wait_for_the_answer(void **state)
{
    (void)state;
    struct scene *scene = scene_new(SCENE_OUTBOX);
    scene_queue(scene, &scene->later, ws_parcel_new(WS_TEXT, SLICE("last")));
    scene_queue(scene, &scene->later, ws_parcel_close(1000, SLICE("")));
    scene_queue(scene, &scene->later, ws_parcel_new(WS_TEXT, SLICE("behind it")));
    scene->session->type->woken(scene->session, &scene->out);
    scene_expect_out(scene, SLICE("\x81\x04last\x88\x02\x03\xe8"));
    scene_expect_phase(scene, SESSION_OPEN);
    assert_int_equal(atomic_load(&scene->socket.queued), 0);
    scene_send(scene, PING, SLICE("?"));
    scene_send(scene, MORE_TEXT, SLICE("does not matter \xFF"));
    scene_send(scene, LAST, SLICE("any more"));
    send_parcel(scene, ws_parcel_new(WS_TEXT, SLICE("nor does this")));
    scene_expect_out(scene, SLICE(""));
    scene_send(scene, CLOSE, SLICE("\x03\xe8"));
    scene_expect_out(scene, SLICE(""));
    scene_expect_notes(scene, "opened;closed 1000;");
    scene_expect_phase(scene, SESSION_LINGER);
    scene_free(scene);
}

static void we_close_within_a_message(void **state)
{
    (void)state;
    struct scene *scene = scene_new(SCENE_OUTBOX);
    char room[64];
    struct slice frame = scene_frame(room, TEXT, SLICE("half and half"));
    scene_feed(scene, slice_part(frame, 0, 10));
    send_parcel(scene, ws_parcel_close(1000, SLICE("")));
    assert_int_equal(scene->pages.taken_bytes, 0);
    assert_int_equal(scene_feed(scene, slice_skip(frame, 10)), frame.size - 10);
    scene_send(scene, CLOSE, SLICE(""));
    scene_expect_notes(scene, "opened;closed 1005;");
    scene_free(scene);
}

static void a_peer_that_does_not_answer_is_not_waited_for(void **state)
{
    (void)state;
    struct scene *scene = scene_new(SCENE_OUTBOX);
    send_parcel(scene, ws_parcel_close(1000, SLICE("")));
    scene->clock.now_ms += 9999;
    scene_send(scene, TEXT, SLICE("still here"));
    scene_expect_phase(scene, SESSION_OPEN);
    scene->clock.now_ms += 1;
    scene_send(scene, TEXT, SLICE("still here"));
    scene_expect_phase(scene, SESSION_LINGER);
    scene_expect_notes(scene, "opened;closed 1006;");
    scene_free(scene);

    scene = scene_new(SCENE_OUTBOX);
    send_parcel(scene, ws_parcel_close(1000, SLICE("")));
    scene->session->type->expired(scene->session, &scene->out);
    scene_expect_phase(scene, SESSION_CLOSE);
    scene_expect_notes(scene, "opened;closed 1006;");
    scene_free(scene);
}

static void a_mistake_while_closing_is_not_told(void **state)
{
    (void)state;
    struct scene *scene = scene_new(SCENE_OUTBOX);
    send_parcel(scene, ws_parcel_close(1000, SLICE("")));
    scene_expect_out(scene, CLOSED_1000);
    scene_feed(scene, SLICE("\xff"));
    scene_expect_out(scene, SLICE(""));
    scene_expect_phase(scene, SESSION_LINGER);
    scene_expect_notes(scene, "opened;closed 1002 a frame that is not valid;");
    scene_free(scene);
}

static void leaves_when_the_queue_is_empty(void **state)
{
    (void)state;
    struct scene *scene = scene_new(200);
    char payload[150] = { 0 };
    scene_queue(scene, &scene->later, ws_parcel_new(WS_BINARY, slice_make(payload, sizeof payload)));
    scene_queue(scene, &scene->later, ws_parcel_new(WS_TEXT, SLICE("last")));
    scene->session->type->woken(scene->session, &scene->out);
    scene->session->type->goodbye(scene->session, &scene->out);
    scene_expect_phase(scene, SESSION_SENDING); /* no room for a Close that may be long */
    scene->session->type->goodbye(scene->session, &scene->out);
    outbox_clear(&scene->out);
    scene->session->type->drain(scene->session, &scene->out);
    scene_expect_phase(scene, SESSION_OPEN);
    scene_expect_out(scene, SLICE("\x88\x02\x03\xe9"));
    scene_send(scene, CLOSE, SLICE("\x03\xe9"));
    scene_expect_notes(scene, "opened;closed 1001;");
    scene->session->type->goodbye(scene->session, &scene->out); /* nothing any more */
    scene->session->type->woken(scene->session, &scene->out);
    scene_expect_phase(scene, SESSION_LINGER);
    scene_free(scene);
}

static void a_broken_connection_is_told(void **state)
{
    (void)state;
    struct scene *scene = scene_new(SCENE_OUTBOX);
    scene_send(scene, MORE_TEXT, SLICE("half of"));
    scene_queue(scene, &scene->socket.queue, ws_parcel_new(WS_TEXT, SLICE("unsent")));
    assert_false(scene->session->type->ended(scene->session));
    scene->session->type->fini(scene->session);
    scene_expect_notes(scene, "opened;closed 1006;");
    scene_free(scene);
}

/* ---- Deadlines ---- */

static void a_silent_peer_is_asked_once(void **state)
{
    (void)state;
    struct scene *scene = scene_new(SCENE_OUTBOX);
    scene->session->type->expired(scene->session, &scene->out);
    scene_expect_out(scene, SLICE("\x89\x00"));
    scene_send(scene, PONG, SLICE(""));
    scene->session->type->expired(scene->session, &scene->out);
    scene_expect_out(scene, SLICE("\x89\x00"));
    scene_send(scene, PONG, SLICE("not asked for"));
    scene_send(scene, PONG, SLICE("not asked for"));
    scene_expect_phase(scene, SESSION_OPEN);
    scene->session->type->expired(scene->session, &scene->out);
    scene->session->type->expired(scene->session, &scene->out);
    scene_expect_out(scene, SLICE("\x89\x00"));
    scene_expect_phase(scene, SESSION_CLOSE);
    scene_expect_notes(scene, "opened;closed 1006;");
    scene_free(scene);
}

/* ---- Memory ---- */

static void lives_without_memory(void **state)
{
    (void)state;
    char *payload = calloc(1, 900);
    for (size_t limit = 0;; limit += 1024) {
        struct scene *scene = scene_new(SCENE_OUTBOX);
        pages_limit(&scene->pages, limit);
        char room[1000];
        struct slice frame = scene_frame(room, TEXT | PACKED, HELLO_PACKED);
        scene_feed(scene, frame);
        bool enough = scene->session->phase == SESSION_OPEN;
        scene_expect_notes(scene, enough ? "opened;text Hello;" : "opened;closed 1013;");
        scene_free(scene);
        if (enough)
            break;
        assert_true(limit < 100000);
    }
    struct scene *scene = scene_new(SCENE_OUTBOX);
    pages_limit(&scene->pages, 512);
    scene_send(scene, BINARY, slice_make(payload, 900));
    scene_expect_notes(scene, "opened;closed 1013;");
    scene_expect_out(scene, SLICE("\x88\x02\x03\xf5"));
    scene_free(scene);
    free(payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_into_what_it_replaces),
        cmocka_unit_test(echoes),
        cmocka_unit_test(holds_no_memory_between_messages),
        cmocka_unit_test(a_message_may_be_just_so_large),
        cmocka_unit_test(a_packed_message_counts_by_what_is_in_it),
        cmocka_unit_test(frames_of_a_packed_message_have_a_limit),
        cmocka_unit_test(a_text_is_refused_at_its_first_wrong_byte),
        cmocka_unit_test(a_full_outbox_stops_reading),
        cmocka_unit_test(what_does_not_fit_waits_in_the_queue),
        cmocka_unit_test(large_frames_are_held_but_not_too_many),
        cmocka_unit_test(drained_may_send_at_once),
        cmocka_unit_test(the_peer_closes),
        cmocka_unit_test(we_close_and_wait_for_the_answer),
        cmocka_unit_test(we_close_within_a_message),
        cmocka_unit_test(a_peer_that_does_not_answer_is_not_waited_for),
        cmocka_unit_test(a_mistake_while_closing_is_not_told),
        cmocka_unit_test(leaves_when_the_queue_is_empty),
        cmocka_unit_test(a_broken_connection_is_told),
        cmocka_unit_test(a_silent_peer_is_asked_once),
        cmocka_unit_test(lives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
