/* The wheel: never early, at most a tick late, put off for nothing, brought forward at once, any distance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/timers.h"

enum { TICK_MS = 1 << TIMERS_TICK_BITS };

struct probe {
    struct timer timer;
    unsigned fired;
};

static struct probe *revive; /* set again by its own firing */
static struct timers *revive_in;
static uint64_t revive_at;

static void fire(struct timer *timer)
{
    struct probe *probe = LINK_OWNER(timer, struct probe, timer);
    assert_true(list_empty(&timer->link));
    probe->fired++;
    if (probe == revive)
        timers_set(revive_in, timer, revive_at);
}

static void fires_on_time(void **state)
{
    static const uint64_t delays[] = { 0, 1, 63, 64, 65, 1000, 10000, 60000, 65535, 65536, 65600, 200000, 3600000 };
    static const uint64_t starts[] = { 0, 1, 63, 64, 1000000007, (uint64_t)UINT32_MAX + 5 };
    (void)state;
    for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
        for (size_t d = 0; d < sizeof delays / sizeof delays[0]; d++) {
            struct timers timers;
            struct probe probe = { .fired = 0 };
            uint64_t now = starts[s], due = now + delays[d];
            timers_init(&timers, now, fire);
            timer_init(&probe.timer);
            timers_set(&timers, &probe.timer, due);
            while (probe.fired == 0) {
                uint64_t next = timers_next_ms(&timers);
                now = next <= now ? now + 1 : next < now + 60000 ? next : now + 60000;
                timers_run(&timers, now);
                assert_true(now <= due + 2 * TICK_MS);
                assert_true(probe.fired == 0 || now >= due);
            }
            timers_run(&timers, now + 100000);
            assert_int_equal(probe.fired, 1);
        }
    }
}

static void puts_off_without_moving(void **state)
{
    struct timers timers;
    struct probe probe = { .fired = 0 };
    (void)state;
    timers_init(&timers, 0, fire);
    timer_init(&probe.timer);
    timers_set(&timers, &probe.timer, 640);
    struct link *before = probe.timer.link.next;
    for (uint64_t now = 0; now < 60000; now += 10) {
        timers_set(&timers, &probe.timer, now + 640);
        if (now < 640)
            assert_ptr_equal(probe.timer.link.next, before);
        timers_run(&timers, now);
        assert_int_equal(probe.fired, 0);
    }
    timers_run(&timers, 62000);
    assert_int_equal(probe.fired, 1);
}

static void brings_forward_at_once(void **state)
{
    struct timers timers;
    struct probe probe = { .fired = 0 };
    (void)state;
    timers_init(&timers, 0, fire);
    timer_init(&probe.timer);
    timers_set(&timers, &probe.timer, 60000);
    timers_run(&timers, 1000);
    timers_set(&timers, &probe.timer, 2000);
    timers_run(&timers, 1999);
    assert_int_equal(probe.fired, 0);
    timers_run(&timers, 2000 + 2 * TICK_MS);
    assert_int_equal(probe.fired, 1);
}

static void forgets_what_is_unset(void **state)
{
    struct timers timers;
    struct probe probe = { .fired = 0 };
    (void)state;
    timers_init(&timers, 0, fire);
    timer_init(&probe.timer);
    timers_set(&timers, &probe.timer, 100);
    timers_unset(&probe.timer);
    timers_unset(&probe.timer);
    timers_run(&timers, 100000);
    assert_int_equal(probe.fired, 0);
    timers_set(&timers, &probe.timer, 100100);
    timers_run(&timers, 100300);
    assert_int_equal(probe.fired, 1);
}

static void can_be_set_while_it_fires(void **state)
{
    struct timers timers;
    struct probe probe = { .fired = 0 };
    (void)state;
    timers_init(&timers, 0, fire);
    timer_init(&probe.timer);
    revive = &probe;
    revive_in = &timers;
    revive_at = 5000;
    timers_set(&timers, &probe.timer, 100);
    timers_run(&timers, 1000);
    assert_int_equal(probe.fired, 1);
    revive = NULL;
    timers_run(&timers, 4990);
    assert_int_equal(probe.fired, 1);
    timers_run(&timers, 5200);
    assert_int_equal(probe.fired, 2);
}

static void many_at_random(void **state)
{
    enum { COUNT = 2000 };
    static struct probe probes[COUNT];
    static uint64_t due[COUNT];
    struct timers timers;
    uint32_t random = 1;
    (void)state;
    timers_init(&timers, 0, fire);
    for (unsigned i = 0; i < COUNT; i++) {
        random = random * 1664525 + 1013904223;
        due[i] = random % 300000;
        probes[i].fired = 0;
        timer_init(&probes[i].timer);
        timers_set(&timers, &probes[i].timer, due[i]);
    }
    for (uint64_t now = 0; now < 301000;) {
        random = random * 1664525 + 1013904223;
        now += 1 + random % 500;
        timers_run(&timers, now);
        for (unsigned i = 0; i < COUNT; i++) {
            assert_true(probes[i].fired == 0 || due[i] <= now);
            assert_true(probes[i].fired == 1 || due[i] + 2 * TICK_MS > now);
        }
    }
}

static void without_a_timer_nothing_comes_up(void **state)
{
    struct timers timers;
    (void)state;
    timers_init(&timers, 5000, fire);
    assert_true(timers_next_ms(&timers) > UINT32_MAX);
    timers_run(&timers, 5000 + (1 << 20));
    assert_true(timers_next_ms(&timers) > UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_on_time),          cmocka_unit_test(puts_off_without_moving),
        cmocka_unit_test(brings_forward_at_once), cmocka_unit_test(forgets_what_is_unset),
        cmocka_unit_test(can_be_set_while_it_fires), cmocka_unit_test(many_at_random),
        cmocka_unit_test(without_a_timer_nothing_comes_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
