/* The background threads: order, ending, signals, and what they do when the system gives them no thread. Run it in
 * a build with -Db_sanitize=thread to have the locking looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/background.h"
#include "base/mailbox.h"

static bool no_memory;
static int threads_left; /* pthread_create fails after so many */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return no_memory ? NULL : __real_calloc(count, size);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    return threads_left-- > 0 ? __real_pthread_create(thread, attributes, run, argument) : EAGAIN;
}

static int start(void **state)
{
    (void)state;
    no_memory = false;
    threads_left = 1000;
    return 0;
}

struct task {
    struct job job;
    unsigned number;
    atomic_uint *done;
    struct background *background;
};

static void count_in_order(struct job *job)
{
    struct task *task = (struct task *)job;
    assert_int_equal(atomic_fetch_add(task->done, 1), task->number);
}

static void runs_in_order_on_one_thread(void **state)
{
    struct task tasks[100];
    atomic_uint done = 0;
    (void)state;
    struct background *background = background_new(1);
    assert_non_null(background);
    for (unsigned i = 0; i < 100; i++) {
        tasks[i] = (struct task){ { .run = count_in_order }, i, &done, background };
        background_submit(background, &tasks[i].job);
    }
    background_free(background); /* runs what was submitted first */
    assert_int_equal(atomic_load(&done), 100);
}

static void wait_for_the_other(struct job *job)
{
    struct task *task = (struct task *)job;
    atomic_fetch_add(task->done, 1);
    for (int i = 0; atomic_load(task->done) < 2 && i < 10000; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    assert_int_equal(atomic_load(task->done), 2);
}

static void runs_several_at_once(void **state)
{
    struct task tasks[2];
    atomic_uint done = 0;
    (void)state;
    struct background *background = background_new(2);
    for (unsigned i = 0; i < 2; i++) {
        tasks[i] = (struct task){ { .run = wait_for_the_other }, i, &done, background };
        background_submit(background, &tasks[i].job);
    }
    background_free(background);
    assert_int_equal(atomic_load(&done), 2);
}

static void free_and_submit_another(struct job *job)
{
    struct task *task = (struct task *)job;
    atomic_fetch_add(task->done, 1);
    if (task->number > 0) {
        struct task *next = malloc(sizeof *next);
        *next = *task;
        next->number--;
        background_submit(task->background, &next->job);
    }
    free(task);
}

static void jobs_may_free_themselves_and_submit(void **state)
{
    atomic_uint done = 0;
    (void)state;
    struct background *background = background_new(3);
    struct task *task = malloc(sizeof *task);
    *task = (struct task){ { .run = free_and_submit_another }, 20, &done, background };
    background_submit(background, &task->job);
    background_free(background); /* also what jobs submit while it is ending */
    assert_int_equal(atomic_load(&done), 21);
}

static void ends_without_work(void **state)
{
    (void)state;
    background_free(background_new(4));
    background_free(NULL);
}

static sigset_t seen;

static void look_at_signals(struct job *job)
{
    (void)job;
    pthread_sigmask(SIG_SETMASK, NULL, &seen);
}

static void blocks_every_signal(void **state)
{
    sigset_t before, after;
    struct job job = { .run = look_at_signals };
    (void)state;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    struct background *background = background_new(1);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    background_submit(background, &job);
    background_free(background);
    for (int signal = 1; signal < 32; signal++) {
        assert_int_equal(sigismember(&after, signal), sigismember(&before, signal)); /* its maker's are as before */
        if (signal != SIGKILL && signal != SIGSTOP)
            assert_int_equal(sigismember(&seen, signal), 1);
    }
}

static void needs_memory_and_a_thread(void **state)
{
    (void)state;
    no_memory = true;
    assert_null(background_new(4));
    no_memory = false;
    threads_left = 0;
    assert_null(background_new(4));
}

static void makes_do_with_fewer_threads(void **state)
{
    struct task tasks[10];
    atomic_uint done = 0;
    (void)state;
    threads_left = 1;
    struct background *background = background_new(4);
    assert_non_null(background);
    for (unsigned i = 0; i < 10; i++) {
        tasks[i] = (struct task){ { .run = count_in_order }, i, &done, background };
        background_submit(background, &tasks[i].job);
    }
    background_free(background);
    assert_int_equal(atomic_load(&done), 10);
}

enum { SUBMITTERS = 3, EACH = 1000 };

/* A job whose result goes home by letter, as everywhere in the server. */
struct errand {
    struct job job;
    struct letter letter;
    struct mailbox *home;
    unsigned value, *sum, *count;
};

static void come_home(struct letter *letter)
{
    struct errand *errand = (struct errand *)((char *)letter - offsetof(struct errand, letter));
    *errand->sum += errand->value;
    ++*errand->count;
    free(errand);
}

static void run_errand(struct job *job)
{
    struct errand *errand = (struct errand *)job;
    errand->value *= 2;
    errand->letter.open = come_home;
    mailbox_post(errand->home, &errand->letter);
}

struct submitter {
    struct background *background;
    struct errand like;
};

static void *submit_errands(void *argument)
{
    struct submitter *submitter = argument;
    for (unsigned i = 1; i <= EACH; i++) {
        struct errand *errand = malloc(sizeof *errand);
        *errand = submitter->like;
        errand->value = i;
        background_submit(submitter->background, &errand->job);
    }
    return NULL;
}

static void brings_every_result_home(void **state)
{
    struct mailbox home;
    unsigned sum = 0, count = 0;
    pthread_t threads[SUBMITTERS];
    (void)state;
    assert_true(mailbox_init(&home));
    struct background *background = background_new(2);
    struct submitter submitter = { background, { { .run = run_errand }, .home = &home, .sum = &sum, .count = &count } };
    for (int i = 0; i < SUBMITTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_errands, &submitter), 0);
    while (count < SUBMITTERS * EACH / 2)
        mailbox_open(&home);
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(threads[i], NULL);
    background_free(background);
    mailbox_open(&home);
    assert_int_equal(count, SUBMITTERS * EACH);
    assert_int_equal(sum, SUBMITTERS * EACH * (EACH + 1));
    mailbox_fini(&home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(runs_in_order_on_one_thread, start),
        cmocka_unit_test_setup(runs_several_at_once, start),
        cmocka_unit_test_setup(jobs_may_free_themselves_and_submit, start),
        cmocka_unit_test_setup(ends_without_work, start),
        cmocka_unit_test_setup(blocks_every_signal, start),
        cmocka_unit_test_setup(needs_memory_and_a_thread, start),
        cmocka_unit_test_setup(makes_do_with_fewer_threads, start),
        cmocka_unit_test_setup(brings_every_result_home, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
