/* A connection between a real socket and a real session, turned by hand and with a clock that the test sets: what it
 * does when the peer ends, resets, stops reading, or is late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "net/conn.h"
#include "net/worker.h"
#include "wire/h1_session.h"

enum { BIG_SIZE = 4 << 20, HEAD_MS = 10000, BODY_MS = 30000, SEND_MS = 60000, LINGER_MS = 2000, GOODBYE_MS = 1000,
       SLACK_MS = 128, TURNS_MAX = 10000 };

static char big[BIG_SIZE];

struct scene {
    struct session_host host; /* first: the host's calls get the scene */
    struct worker worker;
    struct session_limits limits;
    struct worker_settings settings;
    struct exchange *deferred;
    unsigned finished;
    int peer;        /* -1: closed */
    char *received;
    size_t size;
};

/* ---- A host: "/big" has large content, "/defer" is answered by the test ---- */

static void let_go(struct hold *hold)
{
    struct exchange *exchange = LINK_OWNER(hold, struct exchange, hold);
    exchange_release(exchange);
    free(exchange);
}

static struct exchange *take(struct session_host *host)
{
    struct scene *scene = (struct scene *)host;
    struct exchange *exchange = malloc(sizeof *exchange);
    assert_non_null(exchange);
    exchange_init(exchange, &scene->worker.pages, 1 << 20, let_go);
    return exchange;
}

static enum body_plan head(struct session_host *host, struct exchange *exchange)
{
    (void)host;
    (void)exchange;
    return BODY_PLAN_WHOLE;
}

static void request(struct session_host *host, struct exchange *exchange)
{
    struct scene *scene = (struct scene *)host;
    if (slice_equal(exchange->request.path, SLICE("/defer"))) {
        assert_true(exchange_settle(exchange, exchange->head_size));
        exchange->deferred = true;
        hold_ref(&exchange->hold);
        scene->deferred = exchange;
        return;
    }
    if (slice_equal(exchange->request.path, SLICE("/big")))
        exchange->response.body = (struct body){ .kind = BODY_SPAN, .data = big, .size = BIG_SIZE, .fd = -1 };
    exchange->response.status = 200;
}

static void refuse(struct session_host *host, struct exchange *exchange, unsigned status)
{
    (void)host;
    exchange->response.status = status;
}

static void finished(struct session_host *host, struct exchange *exchange, uint64_t body_bytes)
{
    (void)body_bytes;
    ((struct scene *)host)->finished++;
    hold_unref(&exchange->hold);
}

/* ---- The scene ---- */

static int open_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    int pair[2];
    assert_non_null(scene);
    scene->limits = (struct session_limits){ 8192, 32768, 100, 1 << 20, 65536, 64 };
    scene->settings = (struct worker_settings){ .session_type = &h1_session_type, .head_timeout_ms = HEAD_MS,
        .body_timeout_ms = BODY_MS, .idle_timeout_ms = 60000, .send_timeout_ms = SEND_MS, .drain_timeout_ms = 30000,
        .body_rate_min = 500, .connections_max = 10, .input_size = 98304, .output_size = 262144 };
    scene->host = (struct session_host){ .clock = &scene->worker.clock, .limits = &scene->limits, .take = take,
        .head = head, .request = request, .refuse = refuse, .finished = finished };
    assert_true(worker_init(&scene->worker, &scene->settings, &scene->host));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    scene->peer = pair[0];
    assert_true(conn_open(&scene->worker, pair[1], &(struct sockaddr){ .sa_family = AF_UNIX }));
    *state = scene;
    return 0;
}

static void free_gone(struct worker *worker)
{
    while (worker->gone != NULL) {
        struct conn *conn = worker->gone;
        worker->gone = conn->next;
        pool_give(&worker->conns, conn);
    }
}

/* One turn, as the worker's thread would do it. */
static void turn(struct worker *worker)
{
    loop_dispatch(&worker->loop, loop_wait(&worker->loop, 0));
    struct conn *conn = worker->again;
    worker->again = NULL;
    if (conn != NULL && conn->gone) {
        conn->next = worker->gone;
        worker->gone = conn;
    } else if (conn != NULL) {
        conn->again = false;
        conn_run(conn);
    }
    free_gone(worker);
}

static void pass(struct scene *scene, uint64_t ms)
{
    scene->worker.clock.now_ms += ms;
    timers_run(&scene->worker.timers, scene->worker.clock.now_ms);
    free_gone(&scene->worker);
}

static size_t connections(const struct scene *scene)
{
    return scene->worker.connection_count;
}

static struct conn *only_connection(struct scene *scene)
{
    assert_int_equal(connections(scene), 1);
    return LINK_OWNER(scene->worker.connections.next, struct conn, link);
}

static void say(struct scene *scene, const char *text)
{
    size_t size = strlen(text);
    assert_int_equal(write(scene->peer, text, size), size);
}

static void hang_up(struct scene *scene)
{
    close(scene->peer);
    scene->peer = -1;
}

/* Turns and reads until neither brings anything. */
static void exchange_all(struct scene *scene)
{
    enum { ROOM = BIG_SIZE + 65536 };
    if (scene->received == NULL)
        scene->received = calloc(1, ROOM);
    assert_non_null(scene->received);
    for (unsigned idle = 0, turns = 0; idle < 3; idle++) {
        assert_true(++turns < TURNS_MAX);
        turn(&scene->worker);
        ssize_t got = read(scene->peer, scene->received + scene->size, ROOM - 1 - scene->size);
        if (got <= 0)
            continue;
        scene->size += (size_t)got;
        idle = 0;
    }
}

static int close_scene(void **state)
{
    struct scene *scene = *state;
    if (connections(scene) > 0)
        conn_close(only_connection(scene));
    turn(&scene->worker);
    assert_int_equal(connections(scene), 0);
    if (scene->peer >= 0)
        close(scene->peer);
    worker_fini(&scene->worker); /* asserts that nothing is still taken */
    free(scene->received);
    free(scene);
    return 0;
}

static size_t count(const struct scene *scene, const char *text)
{
    size_t found = 0;
    for (const char *at = scene->received; (at = memmem(at, scene->size - (size_t)(at - scene->received), text,
                                                        strlen(text))) != NULL; at++)
        found++;
    return found;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* ---- The tests ---- */

static void answers_what_was_sent_before_the_end(void **state)
{
    enum { REQUESTS = 200 }; /* far more than a turn answers */
    static const char one[] = GET("/");
    char all[REQUESTS * (sizeof one - 1) + 1];
    struct scene *scene = *state;
    scene->limits.pipelined_max = 1;
    for (unsigned i = 0; i < REQUESTS; i++)
        memcpy(all + i * (sizeof one - 1), one, sizeof one);
    say(scene, all);
    shutdown(scene->peer, SHUT_WR);
    exchange_all(scene);
    assert_int_equal(count(scene, "HTTP/1.1 200 "), REQUESTS);
    assert_int_equal(connections(scene), 0);
}

static void half_a_head_before_the_end_is_dropped(void **state)
{
    struct scene *scene = *state;
    say(scene, GET("/") "GET / HTT");
    shutdown(scene->peer, SHUT_WR);
    exchange_all(scene);
    assert_int_equal(count(scene, "HTTP/1.1 "), 1);
    assert_int_equal(connections(scene), 0);
}

static void answer_deferred(struct scene *scene)
{
    scene->deferred->response.status = 200;
    conn_answered(only_connection(scene), scene->deferred);
    hold_unref(&scene->deferred->hold);
}

static void half_closed_peer_gets_its_deferred_answer(void **state)
{
    struct scene *scene = *state;
    say(scene, GET("/defer"));
    shutdown(scene->peer, SHUT_WR);
    exchange_all(scene);
    assert_non_null(scene->deferred->session);
    answer_deferred(scene);
    exchange_all(scene);
    assert_int_equal(count(scene, "HTTP/1.1 200 "), 1);
    assert_int_equal(connections(scene), 0);
}

static void expect_abandoned(struct scene *scene)
{
    assert_int_equal(connections(scene), 0);
    assert_null(scene->deferred->session);
    assert_true(scene->deferred->abandoned);
    hold_unref(&scene->deferred->hold);
}

static void peer_that_goes_while_it_waits_is_noticed(void **state)
{
    struct scene *scene = *state;
    say(scene, GET("/defer"));
    turn(&scene->worker);
    assert_int_equal(connections(scene), 1);
    hang_up(scene);
    turn(&scene->worker);
    expect_abandoned(scene);
}

/* Both are announced by one event, and no other follows. */
static void peer_that_goes_with_its_request_is_noticed(void **state)
{
    struct scene *scene = *state;
    say(scene, GET("/defer"));
    hang_up(scene);
    turn(&scene->worker);
    expect_abandoned(scene);
}

/* The peer does not read, so the output is pending when the session comes to its next phase, whose own deadline
 * begins when the output is out. */
static void head_behind_pending_output_has_its_deadline(void **state)
{
    struct scene *scene = *state;
    say(scene, GET("/big") "GET / HT");
    turn(&scene->worker);
    assert_non_null(only_connection(scene)->output);
    exchange_all(scene);
    assert_int_equal(only_connection(scene)->session.phase, SESSION_HEAD);
    pass(scene, HEAD_MS + SLACK_MS);
    exchange_all(scene);
    assert_int_equal(count(scene, "HTTP/1.1 408 "), 1);
}

static void linger_behind_pending_output_has_its_deadline(void **state)
{
    struct scene *scene = *state;
    say(scene, GET("/big") "BAD\r\n\r\n");
    turn(&scene->worker);
    assert_non_null(only_connection(scene)->output);
    exchange_all(scene);
    assert_int_equal(count(scene, "HTTP/1.1 400 "), 1);
    assert_int_equal(connections(scene), 1);
    pass(scene, LINGER_MS + SLACK_MS);
    assert_int_equal(connections(scene), 0);
}

/* A body's rate is not looked at while its peer has not taken what came before it: a 408 now would stand in the middle
 * of another response. */
static void late_body_behind_pending_output_waits(void **state)
{
    struct scene *scene = *state;
    say(scene, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
    turn(&scene->worker);
    scene->worker.clock.now_ms += BODY_MS + 1;
    say(scene, "x" GET("/big") "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
    turn(&scene->worker);
    assert_non_null(only_connection(scene)->output);
    exchange_all(scene);
    say(scene, "12345678");
    exchange_all(scene);
    assert_int_equal(count(scene, "HTTP/1.1 200 "), 3);
    assert_int_equal(count(scene, "HTTP/1.1 408 "), 0);
}

static void late_body_is_given_up(void **state)
{
    struct scene *scene = *state;
    say(scene, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
    turn(&scene->worker);
    scene->worker.clock.now_ms += BODY_MS + 1;
    say(scene, "x");
    exchange_all(scene);
    assert_int_equal(count(scene, "HTTP/1.1 408 "), 1);
}

/* ---- Who makes room for others ---- */

static bool expendable(struct scene *scene)
{
    return conn_expendable(only_connection(scene));
}

static void expect_phase(struct scene *scene, enum session_phase phase)
{
    assert_int_equal(only_connection(scene)->session.phase, phase);
}

/* Expendable, but not before it has waited for so long. */
static void expect_expendable_after_a_moment(struct scene *scene)
{
    assert_false(expendable(scene));
    pass(scene, GOODBYE_MS - 1);
    assert_false(expendable(scene));
    pass(scene, 1 + SLACK_MS);
    assert_true(expendable(scene));
}

static void silent_one_is_expendable_after_a_moment(void **state)
{
    struct scene *scene = *state;
    turn(&scene->worker);
    expect_phase(scene, SESSION_FRESH);
    expect_expendable_after_a_moment(scene);
}

/* Its time begins with its first byte, not again with each. */
static void half_a_head_is_expendable_after_a_moment(void **state)
{
    struct scene *scene = *state;
    pass(scene, GOODBYE_MS / 2);
    say(scene, "GET / HT");
    turn(&scene->worker);
    expect_phase(scene, SESSION_HEAD);
    pass(scene, GOODBYE_MS / 2 + SLACK_MS);
    assert_false(expendable(scene));
    say(scene, "TP/1");
    turn(&scene->worker);
    pass(scene, GOODBYE_MS / 2);
    expect_phase(scene, SESSION_HEAD);
    assert_true(expendable(scene));
}

static void idle_one_is_expendable_until_it_asks_again(void **state)
{
    struct scene *scene = *state;
    say(scene, GET("/"));
    exchange_all(scene);
    expect_phase(scene, SESSION_IDLE);
    assert_true(expendable(scene));
    say(scene, "GET / HT");
    turn(&scene->worker);
    expect_phase(scene, SESSION_HEAD);
    expect_expendable_after_a_moment(scene);
}

static void one_that_has_had_its_last_response_is_expendable(void **state)
{
    struct scene *scene = *state;
    say(scene, "BAD\r\n\r\n");
    exchange_all(scene);
    expect_phase(scene, SESSION_LINGER);
    assert_true(expendable(scene));
}

static void one_with_a_request_still_to_be_read_is_not_expendable(void **state)
{
    enum { REQUESTS = 200 }; /* far more than a turn answers */
    struct scene *scene = *state;
    scene->limits.pipelined_max = 1;
    for (unsigned i = 0; i < REQUESTS; i++)
        say(scene, GET("/"));
    turn(&scene->worker);
    expect_phase(scene, SESSION_IDLE);
    assert_non_null(only_connection(scene)->input);
    assert_false(expendable(scene));
    exchange_all(scene);
    assert_int_equal(count(scene, "HTTP/1.1 200 "), REQUESTS);
    assert_true(expendable(scene));
}

static void one_in_a_body_is_not_expendable(void **state)
{
    struct scene *scene = *state;
    say(scene, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
    turn(&scene->worker);
    pass(scene, BODY_MS - 1);
    expect_phase(scene, SESSION_BODY);
    assert_false(expendable(scene));
}

/* What a drain still takes from the queue has a deadline that is near, which does not mean that it has waited long. */
static void one_accepted_in_a_drain_is_not_expendable(void **state)
{
    struct scene *scene = *state;
    int pair[2];
    conn_close(only_connection(scene));
    free_gone(&scene->worker);
    close(scene->peer);
    scene->host.draining = true;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    scene->peer = pair[0];
    assert_true(conn_open(&scene->worker, pair[1], &(struct sockaddr){ .sa_family = AF_UNIX }));
    assert_false(expendable(scene));
}

static void one_that_awaits_its_answer_is_not_expendable(void **state)
{
    struct scene *scene = *state;
    say(scene, GET("/defer"));
    turn(&scene->worker);
    pass(scene, 3600 * 1000);
    expect_phase(scene, SESSION_WAITING);
    assert_false(expendable(scene));
    answer_deferred(scene);
    exchange_all(scene);
    assert_true(expendable(scene));
}

/* Whatever its phase is: a response is on its way. */
static void expect_kept_until_out(struct scene *scene, const char *said, enum session_phase phase)
{
    say(scene, said);
    turn(&scene->worker);
    assert_non_null(only_connection(scene)->output);
    pass(scene, GOODBYE_MS + SLACK_MS);
    assert_false(expendable(scene));
    exchange_all(scene);
    expect_phase(scene, phase);
    pass(scene, GOODBYE_MS + SLACK_MS);
    assert_true(expendable(scene));
}

static void idle_one_is_kept_until_its_output_is_out(void **state)
{
    expect_kept_until_out(*state, GET("/big"), SESSION_IDLE);
}

static void half_a_head_is_kept_until_the_output_before_it_is_out(void **state)
{
    expect_kept_until_out(*state, GET("/big") "GET / HT", SESSION_HEAD);
}

static void one_that_ends_is_kept_until_its_output_is_out(void **state)
{
    expect_kept_until_out(*state, GET("/big") "BAD\r\n\r\n", SESSION_LINGER);
}

static bool shut_never(struct transport *transport)
{
    (void)transport;
    return false;
}

static void an_end_that_cannot_be_told_is_told_later(void **state)
{
    struct scene *scene = *state;
    struct conn *conn = only_connection(scene);
    struct transport_ops full = transport_tcp;
    full.shutdown = shut_never;
    conn->transport.ops = &full;
    say(scene, "BAD\r\n\r\n");
    exchange_all(scene);
    expect_phase(scene, SESSION_LINGER);
    assert_false(conn->shut);
    conn->transport.ops = &transport_tcp;
    say(scene, "x"); /* any event: the one that comes when there is room */
    turn(&scene->worker);
    assert_true(conn->shut);
    assert_int_equal(read(scene->peer, scene->received, 1), 0);
}

static void so_is_that_of_one_that_is_closed_at_once(void **state)
{
    struct scene *scene = *state;
    struct conn *conn = only_connection(scene);
    struct transport_ops full = transport_tcp;
    full.shutdown = shut_never;
    conn->transport.ops = &full;
    conn->session.secure = true;
    say(scene, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    exchange_all(scene);
    expect_phase(scene, SESSION_CLOSE);
    pass(scene, SEND_MS / 2);
    say(scene, "x"); /* does not put off what follows */
    turn(&scene->worker);
    pass(scene, SEND_MS / 2 - SLACK_MS);
    expect_phase(scene, SESSION_CLOSE);
    pass(scene, 2 * SLACK_MS);
    assert_int_equal(connections(scene), 0);
}

static void one_that_is_closed_at_once_waits_for_room_only(void **state)
{
    struct scene *scene = *state;
    struct conn *conn = only_connection(scene);
    struct transport_ops full = transport_tcp;
    full.shutdown = shut_never;
    conn->transport.ops = &full;
    conn->session.secure = true;
    say(scene, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    exchange_all(scene);
    conn->transport.ops = &transport_tcp;
    say(scene, "x");
    turn(&scene->worker);
    assert_int_equal(connections(scene), 0);
}

/* Takes a byte at a time, and owes nothing. */
static size_t nibble(struct session *session, struct slice bytes, struct outbox *out)
{
    struct scene *scene = (struct scene *)session->host;
    (void)bytes;
    (void)out;
    session->phase = SESSION_OPEN;
    scene->finished++;
    return 1;
}

static bool owes_nothing(struct session *session)
{
    (void)session;
    return false;
}

static void all_that_came_is_taken_before_the_end_counts(void **state)
{
    struct scene *scene = *state;
    struct session_type type = h1_session_type;
    char text[1000];
    type.feed = nibble;
    type.ended = owes_nothing;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    only_connection(scene)->session.type = &type;
    say(scene, text);
    shutdown(scene->peer, SHUT_WR);
    for (unsigned turns = 0; connections(scene) > 0 && turns < TURNS_MAX; turns++)
        turn(&scene->worker);
    assert_int_equal(connections(scene), 0);
    assert_int_equal(scene->finished, strlen(text));
}

static void let_it_be(struct session *session, struct exchange *exchange)
{
    (void)session;
    (void)exchange;
}

/* Two answers are home and wait for the output before them. What fails of one by then is not delivered any more. */
static void one_that_is_cut_before_its_turn_is_not_delivered(void **state)
{
    struct scene *scene = *state;
    struct conn *conn = only_connection(scene);
    struct session_type type = h1_session_type;
    struct exchange other = { .deferred = true };
    type.cut = let_it_be;
    say(scene, GET("/big") GET("/defer"));
    turn(&scene->worker);
    assert_non_null(conn->output);
    conn->session.type = &type;
    conn_answered(conn, &other);
    conn_answered(conn, scene->deferred);
    conn_cut(conn, &other);
    assert_ptr_equal(conn->answered, &scene->deferred->letter);
    assert_null(conn->answered->next);
    conn_cut(conn, scene->deferred);
    assert_null(conn->answered);
    conn_cut(conn, scene->deferred); /* it is not there any more: nothing */
    conn->session.type = &h1_session_type;
    hold_unref(&scene->deferred->hold);
}

/* Content that is made while it is sent, and a connection about to be closed, which makes room by itself. */
static void one_that_sends_is_not_expendable(void **state)
{
    static const enum session_phase phases[] = { SESSION_SENDING, SESSION_CLOSE };
    struct scene *scene = *state;
    struct conn *conn = only_connection(scene);
    pass(scene, GOODBYE_MS + SLACK_MS);
    assert_true(expendable(scene));
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        conn->session.phase = phases[i];
        assert_false(expendable(scene));
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(answers_what_was_sent_before_the_end),
        CASE(half_a_head_before_the_end_is_dropped),
        CASE(half_closed_peer_gets_its_deferred_answer),
        CASE(peer_that_goes_while_it_waits_is_noticed),
        CASE(peer_that_goes_with_its_request_is_noticed),
        CASE(head_behind_pending_output_has_its_deadline),
        CASE(linger_behind_pending_output_has_its_deadline),
        CASE(late_body_behind_pending_output_waits),
        CASE(late_body_is_given_up),
        CASE(silent_one_is_expendable_after_a_moment),
        CASE(half_a_head_is_expendable_after_a_moment),
        CASE(idle_one_is_expendable_until_it_asks_again),
        CASE(one_that_has_had_its_last_response_is_expendable),
        CASE(one_with_a_request_still_to_be_read_is_not_expendable),
        CASE(one_in_a_body_is_not_expendable),
        CASE(one_accepted_in_a_drain_is_not_expendable),
        CASE(one_that_awaits_its_answer_is_not_expendable),
        CASE(idle_one_is_kept_until_its_output_is_out),
        CASE(half_a_head_is_kept_until_the_output_before_it_is_out),
        CASE(one_that_ends_is_kept_until_its_output_is_out),
        CASE(one_that_sends_is_not_expendable),
        CASE(one_that_is_cut_before_its_turn_is_not_delivered),
        CASE(all_that_came_is_taken_before_the_end_counts),
        CASE(an_end_that_cannot_be_told_is_told_later),
        CASE(so_is_that_of_one_that_is_closed_at_once),
        CASE(one_that_is_closed_at_once_waits_for_room_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
