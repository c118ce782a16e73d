/* How threads are started: their signals, their names, and what their maker keeps when there is none to be had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>

#include "base/thread.h"

static bool no_thread;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user)
{
    return no_thread ? EAGAIN : __real_pthread_create(thread, attributes, run, user);
}

/* A thread that takes down its mask, then waits to be let go, so that it can be looked at meanwhile. */
struct subject {
    sigset_t mask;
    pthread_mutex_t leash;
};

static void *wait_to_go(void *user)
{
    struct subject *subject = user;
    pthread_sigmask(SIG_SETMASK, NULL, &subject->mask);
    pthread_mutex_lock(&subject->leash);
    pthread_mutex_unlock(&subject->leash);
    return subject;
}

/* What the thread is called while it runs, and that its maker's mask is as it was, whatever that is. */
static void look_at(const char *name, const char *called, const sigset_t *makers)
{
    struct subject subject = { .leash = PTHREAD_MUTEX_INITIALIZER };
    pthread_t thread;
    void *result;
    char found[16];
    sigset_t before, after;

    pthread_sigmask(SIG_SETMASK, makers, NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    pthread_mutex_lock(&subject.leash);
    assert_int_equal(thread_start(&thread, name, wait_to_go, &subject), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(pthread_getname_np(thread, found, sizeof found), 0);
    pthread_mutex_unlock(&subject.leash);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &subject);
    assert_string_equal(found, called);
    for (int number = 1; number < NSIG; number++) {
        assert_int_equal(sigismember(&after, number), sigismember(&before, number));
        if (number < 32 && number != SIGKILL && number != SIGSTOP)
            assert_int_equal(sigismember(&subject.mask, number), 1);
    }
}

static void blocks_signals_and_names(void **state)
{
    char own[16];
    sigset_t none, one, all;
    (void)state;
    pthread_getname_np(pthread_self(), own, sizeof own);
    sigemptyset(&none);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    sigfillset(&all);
    look_at("a", "a", &none);
    look_at("fifteen-letters", "fifteen-letters", &one);
    look_at("sixteen-letters-", own, &all); /* the kernel has none of it: a thread all the same */
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static void says_why_there_is_none(void **state)
{
    sigset_t none, after;
    pthread_t thread;
    (void)state;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    no_thread = true;
    assert_int_equal(thread_start(&thread, "none", wait_to_go, NULL), EAGAIN);
    no_thread = false;
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_true(sigisemptyset(&after));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_signals_and_names),
        cmocka_unit_test(says_why_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
