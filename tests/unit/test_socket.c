/* Sockets as handlers use them: what is sent, when a worker is woken for it, limits, closing, lifetimes, and memory
 * that runs out anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "socket_scene.h"

static bool say(struct peer *peer, const char *text)
{
    return rh_socket_send(peer->socket, RH_TEXT, text, strlen(text));
}

static bool mail_waits(struct scene *scene, unsigned worker)
{
    return !mailbox_empty(&scene_worker(scene, worker)->net.mailbox);
}

static void what_is_sent_goes_out_in_order(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 1, false);
    assert_true(say(peer, "one"));
    assert_true(say(peer, "two"));
    assert_true(rh_socket_send(peer->socket, RH_BINARY, NULL, 0));
    assert_true(rh_socket_ping(peer->socket, "?", 1));
    assert_int_equal(rh_socket_queued(peer->socket), 5 + 5 + 2 + 3);
    assert_false(mail_waits(&scene, 0));
    assert_true(mail_waits(&scene, 1));
    scene_turn(&scene);
    assert_int_equal(peer->woken, 1); /* one letter for all of them */
    assert_int_equal(rh_socket_queued(peer->socket), 0);
    peer_expect(peer, SLICE("\x81\x03one\x81\x03two\x82\x00\x89\x01?"));
    assert_true(say(peer, "three"));
    scene_turn(&scene);
    peer_expect(peer, SLICE("\x81\x05three"));
    peer_free(peer);
    scene_close(&scene);
}

static void answer(struct peer *peer)
{
    if (peer->socket != NULL)
        assert_true(say(peer, "heard"));
}

/* Within a call of the socket itself its worker needs no letter. */
static void an_answer_needs_no_letter(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 0, false);
    peer->when_told = answer;
    peer_says(peer, "hello");
    assert_false(mail_waits(&scene, 0));
    assert_int_equal(peer->out.used, 7);
    peer_expect(peer, SLICE("\x81\x05heard"));
    peer_free(peer);
    scene_close(&scene);
}

static void texts_are_utf8_and_pings_are_short(void **state)
{
    struct scene scene;
    char bytes[126] = { 0 };
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 0, false);
    assert_false(say(peer, "g\xFCt"));
    assert_true(rh_socket_send(peer->socket, RH_BINARY, "g\xFCt", 3));
    assert_false(rh_socket_ping(peer->socket, bytes, 126));
    assert_true(rh_socket_ping(peer->socket, bytes, 125));
    assert_int_equal(rh_socket_queued(peer->socket), 5 + 127);
    scene_turn(&scene);
    peer_free(peer);
    scene_close(&scene);
}

/* ---- Limits ---- */

static void a_full_queue_refuses_and_tells_when_it_is_empty(void **state)
{
    struct scene scene;
    char bytes[498] = { 0 };
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 0, false);
    peer->stuck = true;
    assert_true(rh_socket_send(peer->socket, RH_BINARY, bytes, 496)); /* 500 with its head */
    assert_false(rh_socket_send(peer->socket, RH_BINARY, bytes, 497));
    assert_true(rh_socket_send(peer->socket, RH_BINARY, bytes, 496));
    assert_int_equal(rh_socket_queued(peer->socket), 1000);
    assert_false(say(peer, ""));
    scene_turn(&scene);
    peer_expect_notes(peer, "opened;");
    peer->stuck = false;
    __wrap_conn_woken(&peer->conn);
    peer_expect_notes(peer, "writable;"); /* once */
    assert_true(say(peer, ""));
    scene_turn(&scene);
    peer_expect_notes(peer, "");
    peer_free(peer);
    scene_close(&scene);
}

static void one_message_may_be_larger_than_the_queue(void **state)
{
    struct scene scene;
    char *bytes = calloc(1, 5000);
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 0, false);
    peer->stuck = true;
    assert_true(rh_socket_send(peer->socket, RH_BINARY, bytes, 5000));
    assert_false(say(peer, "behind it"));
    scene_turn(&scene);
    peer_free(peer);
    free(bytes);
    scene_close(&scene);
}

/* What waits for all sockets of a worker, its compressor, and what it has lent, have one ceiling. */
static void all_queues_together_have_a_limit(void **state)
{
    struct scene scene;
    char bytes[300];
    (void)state;
    memset(bytes, 'a', sizeof bytes);
    scene_open(&scene);
    struct pages *pages = &scene_worker(&scene, 0)->net.pages;
    struct peer *first = peer_open(&scene, 0, true), *second = peer_open(&scene, 0, true);
    pages_limit(pages, (pages->taken_bytes + 1000) / 3 * 4);
    first->stuck = true;
    assert_true(rh_socket_send(first->socket, RH_BINARY, bytes, sizeof bytes)); /* as it is, without a compressor */
    assert_int_equal(rh_socket_queued(first->socket), sizeof bytes + 4);
    assert_true(rh_socket_send(first->socket, RH_BINARY, bytes, sizeof bytes));
    assert_false(rh_socket_send(first->socket, RH_BINARY, bytes, sizeof bytes));
    assert_false(rh_socket_send(second->socket, RH_BINARY, bytes, sizeof bytes));
    scene_turn(&scene);
    first->stuck = false;
    __wrap_conn_woken(&first->conn);
    peer_expect_notes(first, "opened;writable;");
    assert_int_equal(pages->charged_bytes, 0);
    pages_limit(pages, SIZE_MAX);
    assert_true(rh_socket_send(second->socket, RH_BINARY, bytes, sizeof bytes));
    assert_in_range(pages->charged_bytes, WS_DEFLATER_SIZE, WS_DEFLATER_SIZE + 200);
    scene_turn(&scene);
    assert_int_equal(pages->charged_bytes, WS_DEFLATER_SIZE);
    peer_free(first);
    peer_free(second);
    scene_close(&scene);
}

/* Whoever sends may have looked before it closed, and pushes behind that: its worker is there to be discharged of it,
 * whoever keeps the socket may be longer. */
static void what_is_sent_while_it_closes_is_not_kept(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 0, false);
    struct pages *pages = &scene_worker(&scene, 0)->net.pages;
    rh_socket *kept = rh_socket_ref(peer->socket);
    peer_free(peer);
    atomic_store(&kept->ending, false);
    assert_true(rh_socket_send(kept, RH_BINARY, "late", 4));
    assert_true(pages->charged_bytes > 0);
    scene_turn(&scene);
    assert_int_equal(pages->charged_bytes, 0);
    scene_close(&scene);
    rh_socket_unref(kept);
}

static void long_messages_are_packed(void **state)
{
    struct scene scene;
    char text[600];
    (void)state;
    memset(text, 'a', sizeof text);
    scene_open(&scene);
    for (unsigned deflate = 0; deflate < 2; deflate++) {
        struct peer *peer = peer_open(&scene, 0, deflate);
        assert_true(rh_socket_send(peer->socket, RH_TEXT, text, PACKER_SIZE_MIN - 1));
        assert_int_equal(rh_socket_queued(peer->socket), PACKER_SIZE_MIN - 1 + 4);
        assert_true(rh_socket_send(peer->socket, RH_TEXT, text, PACKER_SIZE_MIN));
        assert_in_range(rh_socket_queued(peer->socket) - (PACKER_SIZE_MIN + 3), 1, deflate ? 30 : PACKER_SIZE_MIN + 4);
        peer->socket->window = 9;
        scene_turn(&scene);
        assert_true(rh_socket_send(peer->socket, RH_TEXT, text, 512));
        assert_true((rh_socket_queued(peer->socket) < 100) == deflate);
        scene_turn(&scene);
        assert_true(rh_socket_send(peer->socket, RH_TEXT, text, 513)); /* a distance could be beyond the window */
        assert_int_equal(rh_socket_queued(peer->socket), 517);
        scene_turn(&scene);
        peer_free(peer);
    }
    scene_close(&scene);
}

static void whoever_packs_takes_a_compressor_that_is_free(void **state)
{
    struct scene scene;
    char text[600] = { 0 };
    (void)state;
    scene_open(&scene);
    pthread_mutex_lock(&scene_worker(&scene, 0)->packer.lock);
    struct ws_parcel *parcel = packer_pack(scene.server, 0, WS_TEXT, slice_make(text, sizeof text));
    assert_non_null(parcel);
    assert_null(scene_worker(&scene, 0)->packer.deflater);
    assert_non_null(scene_worker(&scene, 1)->packer.deflater);
    pthread_mutex_unlock(&scene_worker(&scene, 0)->packer.lock);
    hold_unref(&parcel->hold);
    scene_close(&scene);
}

/* ---- Closing ---- */

static void closing_comes_behind_what_was_sent(void **state)
{
    static const struct {
        unsigned code;
        struct slice frame;
    } rows[] = {
        { 1000, SLICE_INIT("\x88\x05\x03\xe8" "bye") }, { 4999, SLICE_INIT("\x88\x05\x13\x87" "bye") },
        { 0, SLICE_INIT("\x88\x05\x03\xe8" "bye") },    { 1005, SLICE_INIT("\x88\x05\x03\xe8" "bye") },
        { 5000, SLICE_INIT("\x88\x05\x03\xe8" "bye") },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene scene;
        scene_open(&scene);
        struct peer *peer = peer_open(&scene, 0, false);
        assert_true(say(peer, "x"));
        rh_socket_close(peer->socket, rows[i].code, "bye");
        assert_false(say(peer, "y"));
        assert_false(rh_socket_ping(peer->socket, "", 0));
        rh_socket_close(peer->socket, 4000, "again");
        scene_turn(&scene);
        char expected[16] = "\x81\x01x";
        memcpy(expected + 3, rows[i].frame.data, rows[i].frame.size);
        peer_expect(peer, slice_make(expected, 3 + rows[i].frame.size));
        peer_says(peer, "not told any more");
        peer_expect_notes(peer, "opened;");
        peer_free(peer);
        scene_close(&scene);
    }
}

static void a_reason_may_be_absent(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 0, false);
    rh_socket_close(peer->socket, 1000, NULL);
    scene_turn(&scene);
    peer_expect(peer, SLICE("\x88\x02\x03\xe8"));
    peer_free(peer);
    scene_close(&scene);
}

static void the_end_is_told_once(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 0, false);
    rh_socket *socket = rh_socket_ref(peer->socket);
    assert_true(say(peer, "unsent"));
    peer->conn.session.type->fini(&peer->conn.session);
    peer_expect_notes(peer, "opened;closed 1006;");
    assert_false(rh_socket_send(socket, RH_TEXT, "x", 1));
    rh_socket_close(socket, 1000, NULL);
    scene_turn(&scene); /* the letter finds nobody */
    assert_int_equal(peer->woken, 0);
    rh_slice protocol = rh_socket_protocol(socket); /* still there */
    assert_true(rh_slice_is(protocol, "v1"));
    peer_free(peer);
    scene_close(&scene);
    rh_socket_unref(socket); /* after the server */
    rh_socket_unref(NULL);
}

static void one_that_never_opens_is_told_its_end(void **state)
{
    struct scene scene;
    struct peer peer = { 0 };
    (void)state;
    scene_open(&scene);
    rh_socket *socket = socket_new(scene_worker(&scene, 0), &peer_options, &peer, SLICE(""));
    assert_null(rh_socket_protocol(socket).data);
    socket_let_go(socket);
    peer_expect_notes(&peer, "closed 1006;");
    scene_close(&scene);
}

static void nobody_need_be_told_anything(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 0, false);
    peer->socket->on = (rh_websocket_options){ .queue_max = 1 };
    peer_says(peer, "hello");
    peer->stuck = true;
    assert_true(say(peer, "x"));
    assert_false(say(peer, "x"));
    scene_turn(&scene);
    peer_expect(peer, SLICE("\x81\x01x"));
    peer_expect_notes(peer, "opened;");
    peer_free(peer);
    scene_close(&scene);
}

static void a_server_that_goes_says_so_at_the_opening(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    scene_worker(&scene, 0)->host.draining = true;
    struct peer *peer = peer_open(&scene, 0, false);
    scene_turn(&scene);
    peer_expect(peer, SLICE("\x88\x02\x03\xe9"));
    peer_free(peer);
    scene_close(&scene);
}

static void swap(struct peer *peer)
{
    static struct peer other;
    rh_socket_set_user(peer->socket, &other);
    other.notes[0] = '\0';
}

static void user_may_be_another(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 0, false);
    peer->when_told = swap;
    peer_says(peer, "one");
    peer_says(peer, "two");
    peer_expect_notes(peer, "opened;one;");
    peer->socket->user = peer;
    peer_free(peer);
    scene_close(&scene);
}

/* ---- Memory ---- */

static void sending_without_memory_changes_nothing(void **state)
{
    struct scene scene;
    char text[600] = { 0 };
    (void)state;
    scene_open(&scene);
    struct peer *peer = peer_open(&scene, 0, true);
    bool sent = false;
    long tries = 0;
    for (; !sent; tries++) {
        allocations_left = tries;
        sent = rh_socket_send(peer->socket, RH_BINARY, text, sizeof text);
        allocations_left = -1;
        assert_true(sent || rh_socket_queued(peer->socket) == 0);
        assert_true(sent == mail_waits(&scene, 0));
    }
    assert_true(tries >= 3);
    scene_turn(&scene);
    peer_free(peer);
    scene_close(&scene);
}

static void closing_needs_no_memory(void **state)
{
    (void)state;
    for (long tries = 0; tries < 3; tries++) {
        struct scene scene;
        scene_open(&scene);
        struct peer *peer = peer_open(&scene, 0, false);
        assert_true(say(peer, "x"));
        allocations_left = tries;
        rh_socket_close(peer->socket, 4000, "why");
        allocations_left = -1;
        scene_turn(&scene);
        peer_expect(peer, tries < 2 ? SLICE("\x81\x01x\x88\x02\x0f\xa0") : SLICE("\x81\x01x\x88\x05\x0f\xa0why"));
        peer_free(peer);
        scene_close(&scene);
    }
}

static void no_socket_without_memory(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    allocations_left = 0;
    assert_null(socket_new(scene_worker(&scene, 0), &peer_options, NULL, SLICE("")));
    allocations_left = -1;
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_goes_out_in_order),
        cmocka_unit_test(an_answer_needs_no_letter),
        cmocka_unit_test(texts_are_utf8_and_pings_are_short),
        cmocka_unit_test(a_full_queue_refuses_and_tells_when_it_is_empty),
        cmocka_unit_test(one_message_may_be_larger_than_the_queue),
        cmocka_unit_test(all_queues_together_have_a_limit),
        cmocka_unit_test(what_is_sent_while_it_closes_is_not_kept),
        cmocka_unit_test(long_messages_are_packed),
        cmocka_unit_test(whoever_packs_takes_a_compressor_that_is_free),
        cmocka_unit_test(closing_comes_behind_what_was_sent),
        cmocka_unit_test(a_reason_may_be_absent),
        cmocka_unit_test(the_end_is_told_once),
        cmocka_unit_test(one_that_never_opens_is_told_its_end),
        cmocka_unit_test(nobody_need_be_told_anything),
        cmocka_unit_test(a_server_that_goes_says_so_at_the_opening),
        cmocka_unit_test(user_may_be_another),
        cmocka_unit_test(sending_without_memory_changes_nothing),
        cmocka_unit_test(closing_needs_no_memory),
        cmocka_unit_test(no_socket_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
