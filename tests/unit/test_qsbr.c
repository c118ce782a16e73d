/* Quiescent states: what is freed when, who is woken, and workers that use what another thread replaces all the time.
 * A build with -Db_sanitize=thread or address tells of everything that is freed too early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/qsbr.h"

static bool no_memory;

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return no_memory ? NULL : __real_aligned_alloc(alignment, size);
}

/* ---- One thread ------------------------------------------------------------------------------------------------- */

static char trace[64]; /* what was freed ("a") and who was woken ("0"), in order */

static void note(char c)
{
    size_t used = strlen(trace);
    assert_true(used + 1 < sizeof trace);
    trace[used] = c;
    trace[used + 1] = '\0';
}

static void traced(const char *expected)
{
    assert_string_equal(trace, expected);
    trace[0] = '\0';
}

struct thing {
    struct retired retired;
    char name;
};

static void free_thing(struct retired *retired)
{
    struct thing *thing = (struct thing *)retired;
    note(thing->name);
    free(thing);
}

static void wake(void *user, unsigned worker)
{
    assert_ptr_equal(user, trace);
    note((char)('0' + worker));
}

static struct qsbr *make(unsigned workers)
{
    trace[0] = '\0';
    struct qsbr *qsbr = qsbr_new(workers, wake, trace);
    assert_non_null(qsbr);
    return qsbr;
}

static void retire(struct qsbr *qsbr, char name)
{
    struct thing *thing = malloc(sizeof *thing);
    assert_non_null(thing);
    thing->name = name;
    qsbr_retire(qsbr, &thing->retired, free_thing);
}

static void end_all(struct qsbr *qsbr)
{
    for (unsigned i = 0; i < qsbr->count; i++)
        qsbr_end(qsbr, i);
    qsbr_free(qsbr);
}

static void nothing_retired(void **state)
{
    (void)state;
    struct qsbr *qsbr = make(2);
    assert_int_equal(qsbr_reclaim(qsbr), 0);
    qsbr_announce(qsbr, 0);
    assert_int_equal(qsbr_reclaim(qsbr), 0);
    end_all(qsbr);
    traced("");
}

static void waits_for_every_worker(void **state)
{
    (void)state;
    struct qsbr *qsbr = make(3);
    retire(qsbr, 'a');
    traced("012");
    assert_int_equal(qsbr_reclaim(qsbr), 1);
    qsbr_announce(qsbr, 1);
    qsbr_announce(qsbr, 0);
    qsbr_announce(qsbr, 0); /* twice is not the same as two workers */
    assert_int_equal(qsbr_reclaim(qsbr), 1);
    traced("");
    qsbr_announce(qsbr, 2);
    assert_int_equal(qsbr_reclaim(qsbr), 0);
    traced("a");
    assert_int_equal(qsbr_reclaim(qsbr), 0);
    traced(""); /* each once */
    end_all(qsbr);
}

static void earlier_announcement_does_not_count(void **state)
{
    (void)state;
    struct qsbr *qsbr = make(1);
    qsbr_announce(qsbr, 0);
    retire(qsbr, 'a');
    traced("0");
    assert_int_equal(qsbr_reclaim(qsbr), 1);
    qsbr_announce(qsbr, 0);
    retire(qsbr, 'b');
    assert_int_equal(qsbr_reclaim(qsbr), 1); /* the first of them only */
    traced("0a");
    qsbr_announce(qsbr, 0);
    assert_int_equal(qsbr_reclaim(qsbr), 0);
    traced("b");
    end_all(qsbr);
}

static void oldest_first(void **state)
{
    (void)state;
    struct qsbr *qsbr = make(1);
    for (char name = 'a'; name <= 'e'; name++)
        retire(qsbr, name);
    traced("00000");
    qsbr_announce(qsbr, 0);
    retire(qsbr, 'f');
    assert_int_equal(qsbr_reclaim(qsbr), 1);
    traced("0abcde");
    retire(qsbr, 'g'); /* behind what was left there */
    qsbr_announce(qsbr, 0);
    assert_int_equal(qsbr_reclaim(qsbr), 0);
    traced("0fg");
    end_all(qsbr);
}

static void ended_is_quiet_for_ever(void **state)
{
    (void)state;
    struct qsbr *qsbr = make(2);
    qsbr_end(qsbr, 0);
    retire(qsbr, 'a');
    traced("1"); /* it is not woken any more */
    qsbr_end(qsbr, 1);
    assert_int_equal(qsbr_reclaim(qsbr), 0);
    traced("a");
    retire(qsbr, 'b');
    qsbr_free(qsbr); /* frees what still waits */
    traced("b");
}

static void no_workers(void **state)
{
    (void)state;
    struct qsbr *qsbr = make(0);
    retire(qsbr, 'a');
    assert_int_equal(qsbr_reclaim(qsbr), 0);
    traced("a");
    qsbr_free(qsbr);
    qsbr_free(NULL);
}

static struct qsbr *around; /* for a thing that retires another one when it goes */

static void free_and_retire(struct retired *retired)
{
    free_thing(retired);
    retire(around, 'z');
}

static void freeing_may_retire(void **state)
{
    (void)state;
    around = make(1);
    struct thing *thing = malloc(sizeof *thing);
    assert_non_null(thing);
    thing->name = 'a';
    qsbr_retire(around, &thing->retired, free_and_retire);
    qsbr_announce(around, 0);
    assert_int_equal(qsbr_reclaim(around), 1); /* it is not over yet */
    traced("0a0");
    assert_int_equal(qsbr_reclaim(around), 1);
    qsbr_announce(around, 0);
    assert_int_equal(qsbr_reclaim(around), 0);
    traced("z");
    end_all(around);
}

static void the_end_leaves_nothing(void **state)
{
    (void)state;
    around = make(1);
    struct thing *thing = malloc(sizeof *thing);
    assert_non_null(thing);
    thing->name = 'a';
    qsbr_retire(around, &thing->retired, free_and_retire);
    end_all(around);
    traced("0az");
}

static void without_memory(void **state)
{
    (void)state;
    no_memory = true;
    assert_null(qsbr_new(4, wake, NULL));
    no_memory = false;
}

static void workers_have_lines_of_their_own(void **state)
{
    (void)state;
    struct qsbr *qsbr = make(2);
    assert_int_equal((uintptr_t)&qsbr->epoch % QSBR_LINE, 0);
    assert_true((char *)&qsbr->lock - (char *)&qsbr->epoch >= QSBR_LINE);
    assert_int_equal((char *)&qsbr->workers[1].announced - (char *)&qsbr->workers[0].announced, QSBR_LINE);
    end_all(qsbr);
}

/* ---- Threads ---------------------------------------------------------------------------------------------------- */

enum { READERS = 3, SWAPS = 2000, PUBLISHERS = 2 };

struct value {
    struct retired retired;
    unsigned alive, copy; /* not atomic: reading them while they are freed is what the sanitizers look for */
};

static struct {
    struct qsbr *qsbr;
    _Atomic(struct value *) shared[PUBLISHERS];
    sem_t bells[READERS];
    atomic_bool ending;
    atomic_uint freed, turns;
} stage;

static void free_value(struct retired *retired)
{
    struct value *value = (struct value *)retired;
    assert_int_equal(value->alive, value->copy);
    value->alive = 0;
    free(value);
    atomic_fetch_add(&stage.freed, 1);
}

static struct value *make_value(unsigned number)
{
    struct value *value = malloc(sizeof *value);
    assert_non_null(value);
    value->alive = value->copy = number;
    return value;
}

static void ring(void *user, unsigned worker)
{
    (void)user;
    sem_post(&stage.bells[worker]);
}

/* Sleeps between its turns until it is rung for, as a worker does in epoll; the last one is always busy. */
static void *read_values(void *argument)
{
    unsigned worker = (unsigned)(uintptr_t)argument;

    while (!atomic_load(&stage.ending)) {
        for (unsigned i = 0; i < PUBLISHERS; i++) {
            const struct value *value = atomic_load_explicit(&stage.shared[i], memory_order_acquire);
            if (value->alive == 0 || value->alive != value->copy)
                abort();
        }
        atomic_fetch_add_explicit(&stage.turns, 1, memory_order_relaxed);
        qsbr_announce(stage.qsbr, worker);
        if (worker != READERS - 1)
            sem_wait(&stage.bells[worker]);
    }
    qsbr_end(stage.qsbr, worker);
    return NULL;
}

static void *publish_values(void *argument)
{
    unsigned which = (unsigned)(uintptr_t)argument;

    for (unsigned i = 2; i < SWAPS + 2; i++) {
        struct value *old = atomic_exchange_explicit(&stage.shared[which], make_value(i), memory_order_acq_rel);
        qsbr_retire(stage.qsbr, &old->retired, free_value);
        qsbr_reclaim(stage.qsbr);
        if (i % 64 == 0)
            while (qsbr_reclaim(stage.qsbr) > 0) /* every sleeper answers its bell, so this comes to an end */
                sched_yield();
    }
    return NULL;
}

static void used_while_replaced(void **state)
{
    pthread_t readers[READERS], publishers[PUBLISHERS];
    (void)state;

    stage.qsbr = qsbr_new(READERS, ring, NULL);
    assert_non_null(stage.qsbr);
    for (unsigned i = 0; i < PUBLISHERS; i++)
        atomic_store(&stage.shared[i], make_value(1));
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(sem_init(&stage.bells[i], 0, 0), 0);
        assert_int_equal(pthread_create(&readers[i], NULL, read_values, (void *)(uintptr_t)i), 0);
    }
    for (unsigned i = 0; i < PUBLISHERS; i++)
        assert_int_equal(pthread_create(&publishers[i], NULL, publish_values, (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < PUBLISHERS; i++)
        pthread_join(publishers[i], NULL);

    atomic_store(&stage.ending, true);
    for (unsigned i = 0; i < READERS; i++) {
        ring(NULL, i);
        pthread_join(readers[i], NULL);
    }
    assert_int_equal(qsbr_reclaim(stage.qsbr), 0);
    assert_int_equal(atomic_load(&stage.freed), PUBLISHERS * SWAPS);
    assert_true(atomic_load(&stage.turns) >= READERS);
    qsbr_free(stage.qsbr);
    for (unsigned i = 0; i < PUBLISHERS; i++)
        free(atomic_load(&stage.shared[i]));
    for (unsigned i = 0; i < READERS; i++)
        sem_destroy(&stage.bells[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_retired),
        cmocka_unit_test(waits_for_every_worker),
        cmocka_unit_test(earlier_announcement_does_not_count),
        cmocka_unit_test(oldest_first),
        cmocka_unit_test(ended_is_quiet_for_ever),
        cmocka_unit_test(no_workers),
        cmocka_unit_test(freeing_may_retire),
        cmocka_unit_test(the_end_leaves_nothing),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(workers_have_lines_of_their_own),
        cmocka_unit_test(used_while_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
