/* Alarms against a plain list: who is called, when, and in which order, whatever is added and cancelled meanwhile, also
 * from within a call; numbers that have been used; too many; no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "net/alarms.h"

static struct alarms alarms;

static int start(void **state)
{
    (void)state;
    alarms_init(&alarms);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    allocations_left = -1;
    alarms_fini(&alarms);
    return 0;
}

static char called[64];

static void *letter(const char *text)
{
    return (void *)text;
}

/* user: a letter. */
static void write_down(void *user)
{
    size_t used = strlen(called);
    assert_true(used + 1 < sizeof called);
    called[used] = *(const char *)user;
    called[used + 1] = '\0';
}

static uint64_t add(uint64_t due_ms, uint32_t every_ms, const char *text)
{
    uint64_t number = alarms_add(&alarms, due_ms, every_ms, write_down, letter(text));
    assert_true(number != 0);
    return number;
}

static void expect_at(uint64_t now_ms, const char *letters)
{
    called[0] = '\0';
    alarms_run(&alarms, now_ms);
    assert_string_equal(called, letters);
}

static void calls_in_order(void **state)
{
    (void)state;
    assert_true(alarms.next_ms == UINT64_MAX);
    expect_at(1000, "");
    add(30, 0, "c");
    assert_int_equal(alarms.next_ms, 30);
    add(10, 0, "a");
    add(20, 0, "b");
    add(10, 0, "A"); /* due at the same time, and came later */
    add(10, 0, "1");
    assert_int_equal(alarms.next_ms, 10);
    expect_at(9, "");
    expect_at(10, "aA1");
    assert_int_equal(alarms.next_ms, 20);
    expect_at(100, "bc");
    assert_true(alarms.next_ms == UINT64_MAX);
    expect_at(UINT64_MAX - 1, "");
}

static void repeats_without_drifting(void **state)
{
    (void)state;
    uint64_t number = add(10, 10, "t");
    expect_at(13, "t");
    assert_int_equal(alarms.next_ms, 20);
    expect_at(20, "t");
    expect_at(29, "");
    expect_at(75, "t"); /* 30 to 70 are one */
    assert_int_equal(alarms.next_ms, 80);
    add(80, 0, "x");
    expect_at(80, "tx"); /* it was there first */
    add(90, 0, "y");
    assert_true(alarms_cancel(&alarms, number));
    expect_at(200, "y");
}

static void stale_numbers_do_no_harm(void **state)
{
    (void)state;
    uint64_t first = add(10, 0, "a");
    assert_true(alarms_cancel(&alarms, first));
    assert_false(alarms_cancel(&alarms, first));
    uint64_t second = add(10, 0, "b"); /* in the same place */
    assert_true(second != first && second % ALARMS_MAX == first % ALARMS_MAX);
    assert_false(alarms_cancel(&alarms, first));
    expect_at(10, "b");
    assert_false(alarms_cancel(&alarms, second));
    assert_false(alarms_cancel(&alarms, 0));
    assert_false(alarms_cancel(&alarms, 12345));
    assert_false(alarms_cancel(&alarms, UINT64_MAX));
    assert_false(alarms_cancel(&alarms, second + ALARMS_MAX)); /* the next one to be given there */
}

/* ---- From within a call ---- */

static struct {
    uint64_t own, other;
    unsigned calls;
    bool stopped;
} self;

static void stop_both(void *user)
{
    (void)user;
    self.calls++;
    self.stopped = alarms_cancel(&alarms, self.own);
    alarms_cancel(&alarms, self.other);
}

static void can_be_stopped_within_a_call(void **state)
{
    (void)state;
    for (uint32_t every_ms = 0; every_ms < 2; every_ms++) {
        memset(&self, 0, sizeof self);
        self.own = alarms_add(&alarms, 5, every_ms, stop_both, NULL);
        self.other = add(5, 0, "o");
        expect_at(50, "");
        assert_int_equal(self.calls, 1);
        assert_int_equal(self.stopped, every_ms > 0); /* one that is called once is over when it is called */
        assert_int_equal(alarms.count, 0);
    }
}

static void add_many(void *user)
{
    for (unsigned i = 0; i < 1000; i++)
        add(101, 0, user); /* the places move meanwhile */
    self.calls++;
}

static void can_be_added_within_a_call(void **state)
{
    (void)state;
    memset(&self, 0, sizeof self);
    alarms_add(&alarms, 5, 0, add_many, letter("m"));
    alarms_add(&alarms, 6, 1000, add_many, letter("m"));
    expect_at(100, "");
    assert_int_equal(self.calls, 2);
    assert_int_equal(alarms.count, 2001);
}

/* ---- A model ---- */

enum { MODEL_MAX = 300, STEPS = 20000 };

static struct model {
    uint64_t number, due_ms, order;
    uint32_t every_ms;
    unsigned calls, expected;
} model[MODEL_MAX];

static void count_call(void *user)
{
    ((struct model *)user)->calls++;
}

static uint32_t random_below(uint32_t most)
{
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return (state >> 8) % most;
}

static void model_run(uint64_t now_ms)
{
    for (unsigned i = 0; i < MODEL_MAX; i++) {
        struct model *one = &model[i];
        if (one->number == 0 || one->due_ms > now_ms)
            continue;
        one->expected++;
        if (one->every_ms == 0)
            one->number = 0;
        while (one->number != 0 && one->due_ms <= now_ms)
            one->due_ms += one->every_ms;
    }
}

static uint64_t model_next(void)
{
    uint64_t next_ms = UINT64_MAX;
    for (unsigned i = 0; i < MODEL_MAX; i++)
        if (model[i].number != 0 && model[i].due_ms < next_ms)
            next_ms = model[i].due_ms;
    return next_ms;
}

static void change(struct model *one, uint64_t now_ms)
{
    if (one->number != 0) {
        assert_true(alarms_cancel(&alarms, one->number));
        one->number = 0;
        return;
    }
    one->due_ms = now_ms + 1 + random_below(500);
    one->every_ms = random_below(3) == 0 ? 1 + random_below(200) : 0;
    one->number = alarms_add(&alarms, one->due_ms, one->every_ms, count_call, one);
    assert_true(one->number != 0);
}

static void is_like_a_list(void **state)
{
    uint64_t now_ms = 1000;
    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        change(&model[random_below(MODEL_MAX)], now_ms);
        if (random_below(4) != 0)
            continue;
        now_ms += random_below(40);
        alarms_run(&alarms, now_ms);
        model_run(now_ms);
        assert_true(alarms.next_ms == model_next());
        for (unsigned i = 0; i < MODEL_MAX; i++)
            assert_int_equal(model[i].calls, model[i].expected);
    }
}

static uint64_t last_due_ms;
static unsigned in_order;

static void check_due(void *user)
{
    uint64_t due_ms = *(const uint64_t *)user;
    in_order += due_ms >= last_due_ms;
    last_due_ms = due_ms;
}

/* Out of the middle too, where the one that takes the gap has to rise. */
static void keeps_the_order_whoever_leaves(void **state)
{
    enum { COUNT = 2000 };
    static uint64_t due_ms[COUNT], numbers[COUNT];
    unsigned left = COUNT;
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        due_ms[i] = random_below(1000000);
        numbers[i] = alarms_add(&alarms, due_ms[i], 0, check_due, &due_ms[i]);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned leaves = random_below(2);
        left -= leaves;
        if (leaves == 1)
            assert_true(alarms_cancel(&alarms, numbers[i]));
    }
    assert_int_equal(alarms.count, left);
    in_order = 0;
    last_due_ms = 0;
    alarms_run(&alarms, 1000000);
    assert_int_equal(in_order, left);
}

/* ---- Limits ---- */

static void there_can_be_too_many(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (unsigned i = 0; i < ALARMS_MAX; i++)
        last = add(1000 + i, 0, "x");
    assert_int_equal(alarms_add(&alarms, 5, 0, write_down, letter("y")), 0);
    assert_int_equal(alarms.next_ms, 1000);
    assert_true(alarms_cancel(&alarms, last));
    add(5, 0, "y");
    expect_at(5, "y");
}

/* The first one takes memory, and the one for which that is not enough; the others are there all the same. */
static void memory_may_run_out(void **state)
{
    (void)state;
    for (long i = 0; i < 2; i++) {
        allocations_left = i;
        assert_int_equal(alarms_add(&alarms, 5, 0, write_down, letter("x")), 0);
        assert_true(alarms.next_ms == UINT64_MAX);
    }
    allocations_left = -1;
    for (unsigned i = 0; i < 16; i++)
        add(10, 0, "m");
    for (long i = 0; i < 2; i++) {
        allocations_left = i;
        assert_int_equal(alarms_add(&alarms, 5, 0, write_down, letter("x")), 0);
    }
    allocations_left = -1;
    add(5, 0, "x");
    expect_at(10, "xmmmmmmmmmmmmmmmm");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_in_order),
        TEST(repeats_without_drifting),
        TEST(stale_numbers_do_no_harm),
        TEST(can_be_stopped_within_a_call),
        TEST(can_be_added_within_a_call),
        TEST(is_like_a_list),
        TEST(keeps_the_order_whoever_leaves),
        TEST(there_can_be_too_many),
        TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
