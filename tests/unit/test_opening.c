/* Handshakes on a worker: what they agree on decides about the session; those that fail, are late, or are in the way of
 * the server's end go as any connection does; and a storm of them leaves room for those who are connected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/opening.h"
#include "tls_scene.h"
#include "worker_fixture.h"

#include <signal.h>

#define PLAIN "HTTP/1.1 400 Bad Request\r\n\r\nhttps is spoken here"

enum { STORM = 40, LONG_MS = 3600 * 1000 };

static struct tls_slot slot;
static unsigned logged;

static void note(void *user, enum log_level level, const char *line)
{
    (void)user;
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_non_null(strstr(line, "a TLS handshake with unix failed: "));
    logged++;
}

static const struct log log_of_test = { note, NULL };

/* The toy, but for its first word. */
static size_t feed_other(struct session *session, struct slice bytes, struct outbox *out)
{
    toy_say(out, SLICE("other"));
    return toy_feed(session, bytes, out);
}

static struct session_type other_type;

static struct stage *begin(uint32_t handshake_timeout_ms)
{
    struct worker_settings settings = {
        .session_type = &toy_session_type, .session_type_tls = &toy_session_type, .session_type_h2 = &other_type,
        .handshake_timeout_ms = handshake_timeout_ms, .head_timeout_ms = LONG_MS, .body_timeout_ms = LONG_MS,
        .idle_timeout_ms = LONG_MS, .send_timeout_ms = LONG_MS, .drain_timeout_ms = LONG_MS,
        .quiet_timeout_ms = LONG_MS, .connections_max = 2 * STORM, .input_size = 65536, .output_size = 65536,
        .plain_answer = SLICE_INIT(PLAIN), .log = &log_of_test,
    };
    struct stage *stage = stage_make(&settings);
    stage->worker.record = malloc(TLS_RECORD_SIZE); /* as worker_listen does */
    logged = 0;
    return stage;
}

static void open_secure(struct letter *letter)
{
    struct errand *errand = LINK_OWNER(letter, struct errand, letter);
    assert_true(opening_begin(errand->worker, errand->fd, &(struct sockaddr){ .sa_family = AF_UNIX }, &slot));
    atomic_store(&errand->done, true);
}

/* The client's end of a connection that the worker has. */
static int knock(struct stage *stage)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    struct errand errand = { .fd = ends[1] };
    be_patient(ends[0]);
    run_errand(stage, &errand, open_secure);
    return ends[0];
}

static uint64_t count(_Atomic uint64_t *number)
{
    return atomic_load(number);
}

static void serves_after_it(void **state)
{
    struct stage *stage = begin(LONG_MS);
    (void)state;
    assert_true(worker_start(&stage->worker));
    struct tls_client client = tls_client_make(knock(stage));
    assert_int_equal(tls_client_shake(&client), 0);
    tls_client_say(&client, "echo a\necho b\n");
    tls_client_expect(&client, "a\nb\n");
    tls_client_say(&client, "big 100000\necho c\n");
    static char got[100002];
    assert_int_equal(tls_client_hear(&client, got, sizeof got), sizeof got);
    assert_memory_equal(got + 100000, "c\n", 2);
    tls_client_say(&client, "bye\n");
    tls_client_expect(&client, "bye\n");
    assert_true(tls_client_ended(&client));
    assert_int_equal(count(&stage->worker.handshakes_done), 1);
    assert_int_equal(count(&stage->worker.handshakes_failed), 0);
    tls_client_free(&client);
    stage_end(stage);
}

static void gets_the_session_that_was_agreed_on(void **state)
{
    struct stage *stage = begin(LONG_MS);
    (void)state;
    assert_true(worker_start(&stage->worker));
    for (unsigned i = 0; i < 2; i++) {
        struct tls_client client = tls_client_make(knock(stage));
        SSL_set_alpn_protos(client.ssl, (const unsigned char *)(i ? "\x02h2" : "\x08http/1.1"), i ? 3 : 9);
        assert_int_equal(tls_client_shake(&client), 0);
        tls_client_say(&client, "echo a\n");
        tls_client_expect(&client, i ? "other\na\n" : "a\n");
        tls_client_free(&client);
    }
    stage_end(stage);
}

static void answers_who_speaks_no_tls(void **state)
{
    struct stage *stage = begin(LONG_MS);
    (void)state;
    assert_true(worker_start(&stage->worker));
    int fd = knock(stage);
    tell(fd, "GET / HTTP/1.1\r\n\r\n");
    expect(fd, PLAIN);
    expect_end(fd);
    close(fd);
    int rubbish = knock(stage);
    tell_bytes(rubbish, "\x16\x03\x01\x00\x05hello", 10);
    char alert[100];
    assert_true(recv(rubbish, alert, sizeof alert, 0) > 0); /* what is wrong, in TLS's words */
    assert_int_equal(alert[0], 0x15);
    expect_end(rubbish);
    close(rubbish);
    assert_int_equal(count(&stage->worker.handshakes_failed), 2);
    stage_end(stage);
    assert_int_equal(logged, 1);
}

static void closes_who_is_late(void **state)
{
    struct stage *stage = begin(50);
    (void)state;
    assert_true(worker_start(&stage->worker));
    int fd = knock(stage), begun = knock(stage);
    tell_bytes(begun, "\x16\x03\x01", 3);
    expect_end(fd);
    expect_end(begun);
    close(fd);
    close(begun);
    stage_end(stage);
}

/* The time for a first request begins after the handshake. */
static void has_time_for_a_request_afterwards(void **state)
{
    struct stage *stage = begin(LONG_MS / 2);
    (void)state;
    stage->settings.head_timeout_ms = 1;
    stage->settings.idle_timeout_ms = 1;
    assert_true(worker_start(&stage->worker));
    struct tls_client client = tls_client_make(knock(stage));
    assert_int_equal(tls_client_shake(&client), 0);
    assert_true(tls_client_ended(&client));
    tls_client_free(&client);
    stage_end(stage);
}

static void lets_handshakes_end_when_it_goes(void **state)
{
    struct stage *stage = begin(LONG_MS);
    (void)state;
    assert_true(worker_start(&stage->worker));
    struct tls_client client = tls_client_make(knock(stage));
    int never = knock(stage); /* says nothing, and is given a moment */
    worker_want(&stage->worker, WORKER_DRAINING);
    assert_int_equal(tls_client_shake(&client), 0);
    tls_client_say(&client, "close\n");
    tls_client_expect(&client, "closing\n");
    assert_true(tls_client_ended(&client));
    expect_end(never);
    tls_client_free(&client);
    close(never);
    stage_free(stage);
}

static void is_cut_with_the_worker(void **state)
{
    struct stage *stage = begin(LONG_MS);
    (void)state;
    assert_true(worker_start(&stage->worker));
    int fd = knock(stage);
    tell_bytes(fd, "\x16\x03\x01", 3);
    stage_end(stage);
    expect_end(fd);
    close(fd);
}

/* ---- A storm, turn by turn ---- */

static unsigned steps_in_turn(struct stage *stage)
{
    worker_turn(&stage->worker, 0);
    return stage->worker.handshake_steps;
}

/* Each turn makes a few steps, and the one who is connected is answered in the first. */
static void a_storm_leaves_room(void **state)
{
    struct stage *stage = begin(LONG_MS);
    struct tls_client clients[STORM];
    int ends[2];
    (void)state;
    worker_begin(&stage->worker);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    assert_non_null(conn_open(&stage->worker, ends[1], &(struct sockaddr){ .sa_family = AF_UNIX }));
    for (unsigned i = 0; i < STORM; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        assert_true(opening_begin(&stage->worker, pair[1], &(struct sockaddr){ .sa_family = AF_UNIX }, &slot));
        clients[i] = tls_client_make(pair[0]);
        assert_int_not_equal(tls_client_shake(&clients[i]), 0); /* its first words are on the way */
    }
    tell(ends[0], "echo a\n");
    unsigned most = 0, turns = 0;
    for (; count(&stage->worker.handshakes_done) < STORM && turns < 10000; turns++) {
        unsigned steps = steps_in_turn(stage);
        most = steps > most ? steps : most;
        if (turns == 0)
            expect(ends[0], "a\n");
        for (unsigned i = 0; i < STORM; i++)
            tls_client_shake(&clients[i]);
    }
    assert_int_equal(count(&stage->worker.handshakes_done), STORM);
    assert_int_equal(most, 8);
    assert_true(turns >= 2 * STORM / most);
    stage->worker.state = WORKER_ENDED;
    worker_end(&stage->worker);
    for (unsigned i = 0; i < STORM; i++)
        tls_client_free(&clients[i]);
    close(ends[0]);
    stage_free(stage);
}

static int prepare(void **state)
{
    (void)state;
    other_type = toy_session_type;
    other_type.feed = feed_other;
    signal(SIGPIPE, SIG_IGN);
    struct tls_pair pair;
    assert_true(tls_self_signed(&pair, (struct why){ NULL, 0 }));
    struct tls_certificate one = { .chain.bytes = slice_text(pair.chain), .key.bytes = slice_text(pair.key) };
    struct tls_settings settings = { .certificates = &one, .certificate_count = 1, .offers_h2 = true };
    struct tls_context *context = tls_context_new(&settings, (struct why){ NULL, 0 });
    assert_non_null(context);
    tls_slot_publish(&slot, context, NULL);
    tls_pair_free(&pair);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    tls_slot_fini(&slot);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup(name, clear_book)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(serves_after_it),
        CASE(gets_the_session_that_was_agreed_on),
        CASE(answers_who_speaks_no_tls),
        CASE(closes_who_is_late),
        CASE(has_time_for_a_request_afterwards),
        CASE(lets_handshakes_end_when_it_goes),
        CASE(is_cut_with_the_worker),
        CASE(a_storm_leaves_room),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
