/* Signals become calls: the library's two calls are counted here instead of made. */
#include "main/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static atomic_int drains, stops;

void rh_drain(rh_server *server)
{
    (void)server;
    atomic_fetch_add(&drains, 1);
}

void rh_stop(rh_server *server)
{
    (void)server;
    atomic_fetch_add(&stops, 1);
}

static rh_server *const some_server = (rh_server *)(uintptr_t)&drains; /* never looked into */
static const struct report silent = { .fd = -1, .quiet = true };
static const struct report silent_terminal = { .fd = -1, .quiet = true, .terminal = true };

static bool comes_true(atomic_int *counter, int wanted)
{
    for (int i = 0; i < 5000 && atomic_load(counter) != wanted; i++)
        usleep(1000);
    return atomic_load(counter) == wanted;
}

static void begin(struct signals *signals, const struct report *report)
{
    atomic_store(&drains, 0);
    atomic_store(&stops, 0);
    signals_block(signals, report);
    assert_int_equal(signals_start(signals), 0);
}

static void the_first_drains_the_second_stops(void **state)
{
    static const int numbers[] = { SIGTERM, SIGINT };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct signals signals;
        begin(&signals, &silent);
        signals_serve(&signals, some_server);
        kill(getpid(), numbers[i]);
        assert_true(comes_true(&drains, 1));
        assert_int_equal(atomic_load(&stops), 0);
        kill(getpid(), numbers[1 - i]);
        assert_true(comes_true(&stops, 1));
        assert_true(signals_stop(&signals));
        assert_int_equal(atomic_load(&drains), 1);
    }
}

static void one_is_no_cut(void **state)
{
    struct signals signals;
    (void)state;
    begin(&signals, &silent);
    signals_serve(&signals, some_server);
    kill(getpid(), SIGTERM);
    assert_true(comes_true(&drains, 1));
    assert_false(signals_stop(&signals));
}

static void none_at_all(void **state)
{
    struct signals signals;
    (void)state;
    begin(&signals, &silent);
    assert_false(signals_stop(&signals)); /* could not start */
    begin(&signals, &silent);
    signals_serve(&signals, some_server);
    assert_false(signals_stop(&signals)); /* ended by itself */
    assert_int_equal(atomic_load(&drains) + atomic_load(&stops), 0);
}

/* What comes before there is a thread waits in the kernel; what comes before there is a server, in the thread. */
static void an_early_one_is_not_lost(void **state)
{
    struct signals signals;
    (void)state;
    atomic_store(&drains, 0);
    signals_block(&signals, &silent);
    kill(getpid(), SIGTERM);
    assert_int_equal(signals_start(&signals), 0);
    usleep(20000);
    assert_int_equal(atomic_load(&drains), 0);
    signals_serve(&signals, some_server);
    assert_true(comes_true(&drains, 1));
    assert_false(signals_stop(&signals));
}

static void others_are_ignored(void **state)
{
    static const int numbers[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ };
    struct signals signals;
    (void)state;
    begin(&signals, &silent);
    signals_serve(&signals, some_server);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        kill(getpid(), numbers[i]);
        usleep(5000);
    }
    assert_int_equal(atomic_load(&drains) + atomic_load(&stops), 0);
    kill(getpid(), SIGTERM); /* the thread is still there */
    assert_true(comes_true(&drains, 1));
    signals_stop(&signals);
}

static void a_terminal_that_hangs_up_drains(void **state)
{
    struct signals signals;
    (void)state;
    begin(&signals, &silent_terminal);
    signals_serve(&signals, some_server);
    kill(getpid(), SIGHUP);
    assert_true(comes_true(&drains, 1));
    signals_stop(&signals);
}

static void nohup_is_obeyed(void **state)
{
    struct signals signals;
    (void)state;
    void (*before)(int) = signal(SIGHUP, SIG_IGN);
    begin(&signals, &silent_terminal);
    signals_serve(&signals, some_server);
    kill(getpid(), SIGHUP);
    usleep(20000);
    assert_int_equal(atomic_load(&drains), 0);
    signals_stop(&signals);
    signal(SIGHUP, before);
}

/* `count` times TERM in a process of its own, with a pause so that none merges into another; its wait status. */
static int end_child(unsigned count, bool serving)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct signals signals;
        atomic_store(&drains, 0);
        signals_block(&signals, &silent);
        if (signals_start(&signals) != 0)
            _exit(99);
        if (serving)
            signals_serve(&signals, some_server);
        for (unsigned i = 0; i < count; i++) {
            kill(getpid(), SIGTERM);
            usleep(50000);
        }
        _exit(42);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void who_insists_gets_out(void **state)
{
    (void)state;
    assert_int_equal(end_child(1, false), 42);
    assert_int_equal(end_child(2, false), 1); /* a start that hangs */
    assert_int_equal(end_child(2, true), 42);
    assert_int_equal(end_child(3, true), 1); /* a stop that hangs */
}

static void after_the_end_a_signal_ends_the_process(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct signals signals;
        signals_block(&signals, &silent);
        if (signals_start(&signals) != 0)
            _exit(99);
        signals_stop(&signals);
        kill(getpid(), SIGTERM);
        _exit(42);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_drains_the_second_stops),
        cmocka_unit_test(one_is_no_cut),
        cmocka_unit_test(none_at_all),
        cmocka_unit_test(an_early_one_is_not_lost),
        cmocka_unit_test(others_are_ignored),
        cmocka_unit_test(a_terminal_that_hangs_up_drains),
        cmocka_unit_test(nohup_is_obeyed),
        cmocka_unit_test(who_insists_gets_out),
        cmocka_unit_test(after_the_end_a_signal_ends_the_process),
    };
    signal(SIGHUP, SIG_DFL); /* the tests may run under nohup */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
