/* New connections on a real worker: more than a turn accepts, more than there is room for; and what becomes of them
 * when the worker drains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>

#include "net/listen.h"
#include "worker_fixture.h"

enum { DRAIN_MS = 700 };

static const struct worker_settings usual = {
    .session_type = &toy_session_type, .head_timeout_ms = 60000, .body_timeout_ms = 60000, .idle_timeout_ms = 60000,
    .send_timeout_ms = 60000, .drain_timeout_ms = 60000, .connections_max = 1000, .input_size = 64, .output_size = 4096,
};

static struct address places[ADDRESS_EXPANDED_MAX]; /* the first is the one */
static struct address *const place = places;
static int listener;

/* A worker that listens on a free port of the loopback. */
static struct stage *begin(const struct worker_settings *settings)
{
    char why[LISTEN_WHY_SIZE];
    struct stage *stage = stage_make(settings);
    assert_int_equal(address_parse(SLICE("127.0.0.1:0"), places, why), 1);
    assert_int_equal(listen_open(place, &listener, 1, why), 1);
    assert_true(worker_listen(&stage->worker, listener, false, NULL));
    assert_true(worker_start(&stage->worker));
    return stage;
}

static void end(struct stage *stage)
{
    stage_end(stage);
    close(listener);
}

static int connect_to(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    be_patient(fd);
    assert_int_equal(connect(fd, &place->name.any, place->size), 0);
    return fd;
}

/* Nothing comes within this time. */
static bool silent(int fd, int ms)
{
    struct pollfd waiting = { .fd = fd, .events = POLLIN };
    return poll(&waiting, 1, ms) == 0;
}

static void accepts_more_than_a_turn_takes(void **state)
{
    enum { MANY = 200 };
    int fds[MANY];
    struct stage *stage = begin(&usual);
    (void)state;
    for (int i = 0; i < MANY; i++) {
        fds[i] = connect_to();
        tell(fds[i], "echo a\n");
    }
    for (int i = 0; i < MANY; i++) {
        expect(fds[i], "a\n");
        close(fds[i]);
    }
    end(stage);
}

static void closes_an_idle_one_to_make_room(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.connections_max = 2;
    struct stage *stage = begin(&settings);
    int waits = connect_to(), idle = connect_to();
    tell(waits, "wait\n");
    await_waiting();
    tell(idle, "echo a\n");
    expect(idle, "a\n");
    int next = connect_to();
    tell(next, "echo b\n");
    expect(next, "b\n");
    expect_end(idle);
    stage_answer(stage);
    expect(waits, "answered\n");
    close(waits);
    close(idle);
    close(next);
    end(stage);
}

/* One that has begun a request is not closed for another's sake, which has to wait. */
static void waits_where_none_is_idle(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.connections_max = 1;
    struct stage *stage = begin(&settings);
    int busy = connect_to();
    tell(busy, "echo a\nec");
    expect(busy, "a\n");
    int next = connect_to();
    tell(next, "echo b\nclo");
    assert_true(silent(next, 250));
    tell(busy, "ho c\n");
    expect(busy, "c\n");
    expect(next, "b\n"); /* now it was idle */
    expect_end(busy);
    close(busy);
    int last = connect_to(); /* a place that comes free by itself is as good */
    tell(next, "se\n");
    expect(next, "closing\n");
    tell(last, "echo d\n");
    expect(last, "d\n");
    close(next);
    close(last);
    end(stage);
}

/* One that has only just come is awaited; one that stays silent makes room. */
static void awaits_a_silent_one_for_a_moment(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.connections_max = 1;
    struct stage *stage = begin(&settings);
    int mute = connect_to(), next = connect_to();
    tell(next, "echo a\n");
    assert_true(silent(next, 500));
    expect(next, "a\n");
    expect_end(mute);
    close(mute);
    close(next);
    end(stage);
}

static void chooses_the_one_that_has_been_silent_for_long(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.connections_max = 3;
    struct stage *stage = begin(&settings);
    int mute = connect_to(), half = connect_to();
    tell(half, "ec");
    usleep(1200000);
    int young = connect_to(), next[2] = { connect_to(), connect_to() };
    for (int i = 0; i < 2; i++) {
        tell(next[i], "wait\n");
        await(&book.begun, 4 + (unsigned)i);
    }
    expect_end(mute);
    expect_end(half);
    tell(young, "echo a\n");
    expect(young, "a\n");
    end(stage);
    int all[] = { mute, half, young, next[0], next[1] };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        close(all[i]);
}

static void watches_so_many_listeners(void **state)
{
    int fds[WORKER_LISTENERS_MAX + 1];
    struct stage *stage = stage_make(&usual);
    (void)state;
    for (int i = 0; i <= WORKER_LISTENERS_MAX; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        errno = 0;
        assert_int_equal(worker_listen(&stage->worker, fds[i], false, NULL), i < WORKER_LISTENERS_MAX);
        close(fds[i]);
    }
    assert_int_equal(errno, ENOSPC);
    worker_fini(&stage->worker);
    free(stage);
}

/* A unix socket has one queue, which every worker accepts from. */
static void shares_a_unix_socket(void **state)
{
    char why[LISTEN_WHY_SIZE], folder[] = "/tmp/rawhttp-test-XXXXXX", text[64];
    struct stage *stages[2] = { stage_make(&usual), stage_make(&usual) };
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(text, sizeof text, "unix:%s/socket", folder);
    assert_int_equal(address_parse(slice_text(text), places, why), 1);
    assert_int_equal(listen_open(place, &listener, 1, why), 1);
    for (int i = 0; i < 2; i++) {
        assert_true(worker_listen(&stages[i]->worker, listener, true, NULL));
        assert_true(worker_start(&stages[i]->worker));
    }
    for (int i = 0; i < 20; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        be_patient(fd);
        assert_int_equal(connect(fd, &place->name.any, place->size), 0);
        tell(fd, "close\n");
        expect(fd, "closing\n");
        close(fd);
    }
    for (int i = 0; i < 2; i++) {
        worker_want(&stages[i]->worker, WORKER_ENDED);
        worker_join(&stages[i]->worker);
        worker_fini(&stages[i]->worker);
        free(stages[i]);
    }
    assert_int_equal(atomic_load(&book.begun), 20);
    assert_int_equal(atomic_load(&book.gone), 20);
    close(listener);
    listen_unlink(place);
    rmdir(folder);
}

/* ---- Draining ------------------------------------------------------------------------------------------------- */

static void drains(void **state)
{
    struct stage *stage = begin(&usual);
    (void)state;
    int idle = connect_to(), waits = connect_to(), slow = connect_to();
    tell(idle, "echo a\n");
    expect(idle, "a\n");
    tell(waits, "wait\n");
    tell(slow, "big 8000000\n");
    await_waiting();
    worker_want(&stage->worker, WORKER_DRAINING);
    int queued = connect_to(); /* listeners are not left at once */
    tell(queued, "close\n");
    expect(queued, "closing\n");
    expect_end(idle); /* within a moment, for it may have had a request under way */
    assert_int_equal(read_off(slow, 8000000), 8000000);
    stage_answer(stage);
    expect(waits, "answered\n");
    expect_end(waits);
    expect_end(slow);
    worker_join(&stage->worker); /* it ends by itself */
    close(idle);
    close(waits);
    close(slow);
    close(queued);
    stage_free(stage);
    close(listener);
}

/* A handshake that begins later is not answered, and so the client tries again, perhaps with a successor. */
static void refuses_new_handshakes_while_it_drains(void **state)
{
    struct stage *stage = begin(&usual);
    (void)state;
    int waits = connect_to();
    tell(waits, "wait\n");
    await_waiting();
    worker_want(&stage->worker, WORKER_DRAINING);
    usleep(300000);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, &place->name.any, place->size), -1);
    assert_int_equal(errno, EINPROGRESS);
    struct pollfd connected = { .fd = fd, .events = POLLOUT };
    assert_int_equal(poll(&connected, 1, 300), 0);
    close(fd);
    stage_answer(stage);
    expect(waits, "answered\n");
    worker_join(&stage->worker);
    close(waits);
    stage_free(stage);
    close(listener);
}

static void cuts_what_takes_too_long_to_drain(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.drain_timeout_ms = DRAIN_MS;
    struct stage *stage = begin(&settings);
    int waits = connect_to(), slow = connect_to();
    tell(waits, "wait\n");
    tell(slow, "big 8000000\n");
    await_waiting();
    worker_want(&stage->worker, WORKER_DRAINING);
    expect_end(waits);
    assert_true(read_off(slow, 8000000) < 8000000);
    close(waits);
    close(slow);
    stage_free(stage);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(accepts_more_than_a_turn_takes, clear_book),
        cmocka_unit_test_setup(closes_an_idle_one_to_make_room, clear_book),
        cmocka_unit_test_setup(waits_where_none_is_idle, clear_book),
        cmocka_unit_test_setup(awaits_a_silent_one_for_a_moment, clear_book),
        cmocka_unit_test_setup(chooses_the_one_that_has_been_silent_for_long, clear_book),
        cmocka_unit_test_setup(watches_so_many_listeners, clear_book),
        cmocka_unit_test_setup(shares_a_unix_socket, clear_book),
        cmocka_unit_test_setup(drains, clear_book),
        cmocka_unit_test_setup(refuses_new_handshakes_while_it_drains, clear_book),
        cmocka_unit_test_setup(cuts_what_takes_too_long_to_drain, clear_book),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
