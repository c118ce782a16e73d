/* Counted references: gone with the last one, once, whichever thread it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/hold.h"

struct thing {
    struct hold hold;
    unsigned gone;
    unsigned touched[4]; /* by its thread alone, read by whoever is last */
};

static void count_gone(struct hold *hold)
{
    struct thing *thing = (struct thing *)hold;
    thing->gone++;
    for (int i = 0; i < 4; i++)
        assert_int_equal(thing->touched[i], thing->touched[0]); /* what the others did before letting go is seen */
}

static void goes_with_the_last(void **state)
{
    struct thing thing = { .gone = 0 };
    (void)state;
    hold_init(&thing.hold, count_gone);
    hold_ref(&thing.hold);
    hold_ref(&thing.hold);
    hold_unref(&thing.hold);
    hold_unref(&thing.hold);
    assert_int_equal(thing.gone, 0);
    hold_unref(&thing.hold);
    assert_int_equal(thing.gone, 1);
}

static void nothing_may_be_held(void **state)
{
    (void)state;
    hold_ref(NULL);
    hold_unref(NULL);
}

struct holder {
    struct thing *thing;
    unsigned number;
};

static void *hold_and_let_go(void *argument)
{
    struct holder *holder = argument;
    for (int i = 0; i < 1000; i++) {
        hold_ref(&holder->thing->hold);
        hold_unref(&holder->thing->hold);
    }
    holder->thing->touched[holder->number] = 1;
    hold_unref(&holder->thing->hold);
    return NULL;
}

static void counts_across_threads(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct thing thing = { .gone = 0 };
        struct holder holders[4];
        pthread_t threads[4];
        hold_init(&thing.hold, count_gone);
        for (unsigned i = 1; i < 4; i++)
            hold_ref(&thing.hold);
        for (unsigned i = 0; i < 4; i++) {
            holders[i] = (struct holder){ &thing, i };
            assert_int_equal(pthread_create(&threads[i], NULL, hold_and_let_go, &holders[i]), 0);
        }
        for (unsigned i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(thing.gone, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_with_the_last),
        cmocka_unit_test(nothing_may_be_held),
        cmocka_unit_test(counts_across_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
