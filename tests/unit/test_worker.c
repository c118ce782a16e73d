/* A worker on its own thread, with real time and a toy for a session: connections over socket pairs that are read,
 * answered, late, ended and reset. test_conn.c turns one by hand; listeners and drains are in test_acceptor.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker_fixture.h"

static const struct worker_settings usual = {
    .session_type = &toy_session_type, .head_timeout_ms = 60000, .body_timeout_ms = 60000, .idle_timeout_ms = 60000,
    .send_timeout_ms = 60000, .quiet_timeout_ms = 60000, .drain_timeout_ms = 60000, .connections_max = 100,
    .input_size = 64, .output_size = 4096,
};

static struct stage *begin(struct worker_settings settings)
{
    return stage_begin(&settings);
}

/* ---- Bytes in, bytes out -------------------------------------------------------------------------------------- */

static void answers(void **state)
{
    struct stage *stage = begin(usual);
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "echo one\n");
    expect(fd, "one\n");
    tell(fd, "echo two\necho three\n");
    expect(fd, "two\nthree\n");
    close(fd);
    stage_end(stage);
}

/* What is unfinished is kept, wherever the bytes are cut. */
static void keeps_what_is_unfinished(void **state)
{
    static const char text[] = "echo a\nbody 3\nxyzecho b\n";
    struct stage *stage = begin(usual);
    (void)state;
    for (size_t cut = 1; cut < sizeof text - 1; cut++) {
        int fd = stage_connect(stage);
        tell_bytes(fd, text, cut);
        usleep(2000);
        tell(fd, text + cut);
        expect(fd, "a\ngot\nb\n");
        close(fd);
    }
    stage_end(stage);
}

/* Far more than one read takes in, one turn allows and one buffer holds. */
static void answers_many_in_order(void **state)
{
    enum { MANY = 3000 };
    static char asked[MANY * 16], wanted[MANY * 16];
    struct stage *stage = begin(usual);
    char *ask = asked, *want = wanted;
    (void)state;
    for (int i = 0; i < MANY; i++) {
        ask += sprintf(ask, "echo %d\n", i);
        want += sprintf(want, "%d\n", i);
    }
    int fd = stage_connect(stage);
    pthread_t sender = tell_meanwhile(fd, asked);
    expect(fd, wanted);
    pthread_join(sender, NULL);
    close(fd);
    stage_end(stage);
}

static void sends_what_the_socket_does_not_take_at_once(void **state)
{
    struct stage *stage = begin(usual);
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "big 5000000\necho end\n");
    usleep(50000); /* the reader is slow */
    assert_int_equal(read_off(fd, 5000000), 5000000);
    expect(fd, "end\n");
    assert_int_equal(atomic_load(&toy_hold.count), 1);
    close(fd);
    stage_end(stage);
}

/* ---- Deadlines ------------------------------------------------------------------------------------------------ */

static void ends_a_head_that_is_late(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.head_timeout_ms = 500;
    struct stage *stage = begin(settings);
    int fd = stage_connect(stage);
    tell(fd, "echo one\nec");
    usleep(200000);
    tell(fd, "h"); /* does not put it off */
    expect(fd, "one\nlate\n");
    expect_end(fd);
    close(fd);
    int silent = stage_connect(stage); /* nothing of a first request */
    expect_end(silent);
    close(silent);
    stage_end(stage);
    assert_int_equal(atomic_load(&book.late), 2);
}

static void ends_a_body_that_is_late(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.body_timeout_ms = 150;
    struct stage *stage = begin(settings);
    int fd = stage_connect(stage);
    tell(fd, "body 100\nx");
    expect(fd, "late\n");
    close(fd);
    stage_end(stage);
}

/* Each byte puts a body's deadline off, but its average has to be enough. */
static void ends_a_body_that_trickles(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.body_timeout_ms = 600;
    for (unsigned rate = 0; rate <= 1000; rate += 1000) {
        settings.body_rate_min = rate;
        struct stage *stage = begin(settings);
        int fd = stage_connect(stage);
        tell(fd, "body 10\n");
        for (int i = 0; i < 10 && try_to_tell(fd, "x"); i++)
            usleep(100000);
        expect(fd, rate ? "late\n" : "got\n");
        close(fd);
        stage_end(stage);
    }
}

static void closes_what_is_idle(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.idle_timeout_ms = 150;
    struct stage *stage = begin(settings);
    int fd = stage_connect(stage);
    tell(fd, "echo a\n");
    expect(fd, "a\n");
    expect_end(fd);
    close(fd);
    stage_end(stage);
}

static void cuts_who_does_not_read(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.send_timeout_ms = 150;
    struct stage *stage = begin(settings);
    int fd = stage_connect(stage);
    tell(fd, "big 5000000\n");
    await(&book.gone, 1);
    assert_int_equal(atomic_load(&toy_hold.count), 1); /* what was not sent has been let go of */
    assert_true(read_off(fd, 5000000) < 5000000);
    close(fd);
    stage_end(stage);
}

/* ---- Open connections ----------------------------------------------------------------------------------------- */

static void asks_who_is_silent(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.quiet_timeout_ms = 300;
    settings.idle_timeout_ms = settings.head_timeout_ms = 100; /* do not hold */
    struct stage *stage = begin(settings);
    int fd = stage_connect(stage);
    tell(fd, "open\nhello");
    expect(fd, "hello");
    expect(fd, "there?\n");
    tell(fd, "yes");
    expect(fd, "yes");
    expect(fd, "there?\n");
    expect_end(fd);
    assert_int_equal(atomic_load(&book.late), 3);
    close(fd);
    stage_end(stage);
}

/* What it has more of to send does not keep it from hearing that nobody wants it. */
static void reads_on_while_it_sends(void **state)
{
    enum { POURED = 8000000, FIRST = 100000 };
    struct stage *stage = begin(usual);
    char last[8] = "";
    size_t got = 0;
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "open\npour 8000000\n");
    assert_int_equal(read_off(fd, FIRST), FIRST);
    tell(fd, "stop\n");
    for (char c; memcmp(last, "stopped\n", sizeof last) != 0 && recv(fd, &c, 1, 0) == 1; got++) {
        memmove(last, last + 1, sizeof last - 1);
        last[sizeof last - 1] = c;
    }
    assert_memory_equal(last, "stopped\n", sizeof last);
    assert_true(FIRST + got < POURED);
    tell(fd, "pour 3000000\n"); /* and all of it, where nobody says stop */
    assert_int_equal(read_off(fd, 3000000), 3000000);
    tell(fd, "x");
    expect(fd, "x");
    close(fd);
    stage_end(stage);
}

static void looks_when_it_wants_to(void **state)
{
    struct stage *stage = begin(usual); /* where silence may last a minute */
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "open\nsoon 200\n");
    expect(fd, "there?\n");
    tell(fd, "soon 100\n");
    expect(fd, "there?\n");
    close(fd);
    stage_end(stage);
}

/* Whoever has not read for a while is told, too, when it has read what was before. */
static void parts_behind_what_is_unsent(void **state)
{
    struct stage *stage = begin(usual);
    static char bytes[1 << 16];
    char last[4] = "";
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "open\n");
    for (unsigned idle = 0; idle < 20; idle++) { /* until its output is stuck */
        if (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
            idle = 0;
        usleep(2000);
    }
    worker_want(&stage->worker, WORKER_DRAINING);
    usleep(50000);
    for (char c; recv(fd, &c, 1, 0) == 1;) {
        memmove(last, last + 1, sizeof last - 1);
        last[sizeof last - 1] = c;
    }
    assert_memory_equal(last, "bye\n", sizeof last);
    close(fd);
    stage_free(stage);
}

static void wake(struct letter *letter)
{
    (void)letter;
    conn_woken(conn_of(atomic_load(&book.waiting)));
}

static void wakes_an_open_one(void **state)
{
    struct stage *stage = begin(usual);
    struct letter letter = { .open = wake };
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "big 1000000\nopen\n");
    assert_int_equal(read_off(fd, 1000000), 1000000);
    tell(fd, "x");
    expect(fd, "x");
    mailbox_post(&stage->worker.mailbox, &letter);
    expect(fd, "woken\n");
    worker_want(&stage->worker, WORKER_DRAINING);
    expect(fd, "bye\n");
    close(fd);
    stage_end(stage);
}

/* ---- Answers that come later ---------------------------------------------------------------------------------- */

static void waits_for_an_answer(void **state)
{
    struct worker_settings settings = usual;
    (void)state;
    settings.idle_timeout_ms = settings.head_timeout_ms = 500; /* do not hold meanwhile */
    struct stage *stage = begin(settings);
    int fd = stage_connect(stage);
    tell(fd, "wait\necho next\n");
    usleep(800000);
    stage_answer(stage);
    expect(fd, "answered\nnext\n");
    close(fd);
    stage_end(stage);
}

/* The answer has its turn behind output that the socket has not taken yet. */
static void keeps_the_order_of_answers(void **state)
{
    struct stage *stage = begin(usual);
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "big 1000000\nwait\n");
    assert_int_equal(read_off(fd, 1000000), 1000000);
    stage_answer(stage);
    expect(fd, "answered\n");
    close(fd);
    stage_end(stage);
}

static void notices_who_goes_while_it_waits(void **state)
{
    struct stage *stage = begin(usual);
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "wait\n");
    await_waiting();
    close(fd);
    await(&book.gone, 1);
    stage_end(stage);
}

/* ---- Ends ----------------------------------------------------------------------------------------------------- */

static void answers_who_has_ended_sending(void **state)
{
    struct stage *stage = begin(usual);
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "echo a\nbig 500000\nwait\n");
    shutdown(fd, SHUT_WR);
    expect(fd, "a\n");
    assert_int_equal(read_off(fd, 500000), 500000);
    stage_answer(stage);
    expect(fd, "answered\n");
    expect_end(fd);
    close(fd);
    stage_end(stage);
}

static void leaves_what_will_never_be_whole(void **state)
{
    static const char *const parts[] = { "", "ec", "echo a\nec", "body 3\nx" };
    struct stage *stage = begin(usual);
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        int fd = stage_connect(stage);
        tell(fd, parts[i]);
        shutdown(fd, SHUT_WR);
        if (i == 2)
            expect(fd, "a\n");
        expect_end(fd);
        close(fd);
        await(&book.gone, i + 1);
    }
    stage_end(stage);
}

/* After the last answer what still comes is read and dropped, until the peer ends too. */
static void lingers(void **state)
{
    struct stage *stage = begin(usual);
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "bye\necho more\n");
    expect(fd, "bye\n");
    expect_end(fd);
    assert_true(try_to_tell(fd, "still here"));
    assert_int_equal(atomic_load(&book.gone), 0);
    close(fd);
    await(&book.gone, 1);
    fd = stage_connect(stage); /* or until it has been patient for long enough */
    tell(fd, "bye\n");
    await(&book.gone, 2);
    close(fd);
    stage_end(stage);
}

static void closes_when_the_session_says_so(void **state)
{
    struct stage *stage = begin(usual);
    (void)state;
    int fd = stage_connect(stage);
    tell(fd, "close\necho more\n");
    expect(fd, "closing\n");
    await(&book.gone, 1);
    close(fd);
    stage_end(stage);
}

static void survives_resets(void **state)
{
    static const char *const parts[] = { "ec", "body 9\nx", "big 5000000\n", "wait\n", "bye\n", "echo a\n" };
    struct stage *stage = begin(usual);
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        int fd = stage_connect(stage);
        tell(fd, parts[i]);
        usleep(5000);
        close(fd); /* with bytes unread, which is a reset */
        await(&book.gone, i + 1);
    }
    stage_end(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(answers, clear_book),
        cmocka_unit_test_setup(keeps_what_is_unfinished, clear_book),
        cmocka_unit_test_setup(answers_many_in_order, clear_book),
        cmocka_unit_test_setup(sends_what_the_socket_does_not_take_at_once, clear_book),
        cmocka_unit_test_setup(ends_a_head_that_is_late, clear_book),
        cmocka_unit_test_setup(ends_a_body_that_is_late, clear_book),
        cmocka_unit_test_setup(ends_a_body_that_trickles, clear_book),
        cmocka_unit_test_setup(closes_what_is_idle, clear_book),
        cmocka_unit_test_setup(cuts_who_does_not_read, clear_book),
        cmocka_unit_test_setup(asks_who_is_silent, clear_book),
        cmocka_unit_test_setup(parts_behind_what_is_unsent, clear_book),
        cmocka_unit_test_setup(wakes_an_open_one, clear_book),
        cmocka_unit_test_setup(waits_for_an_answer, clear_book),
        cmocka_unit_test_setup(keeps_the_order_of_answers, clear_book),
        cmocka_unit_test_setup(notices_who_goes_while_it_waits, clear_book),
        cmocka_unit_test_setup(answers_who_has_ended_sending, clear_book),
        cmocka_unit_test_setup(leaves_what_will_never_be_whole, clear_book),
        cmocka_unit_test_setup(lingers, clear_book),
        cmocka_unit_test_setup(closes_when_the_session_says_so, clear_book),
        cmocka_unit_test_setup(reads_on_while_it_sends, clear_book),
        cmocka_unit_test_setup(looks_when_it_wants_to, clear_book),
        cmocka_unit_test_setup(survives_resets, clear_book),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
