/* The table of chained things: finding among others with the same hash, removing, growing, and without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "serve/chains.h"

static bool no_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return no_memory ? NULL : __real_calloc(count, size);
}

enum { MANY = 1000 };

static unsigned count_with(const struct chains *chains, uint64_t hash)
{
    unsigned count = 0;
    for (const struct chained *at = chains_first(chains, hash); at; at = chains_next(at)) {
        assert_int_equal(at->hash, hash);
        count++;
    }
    return count;
}

static void empty_table(void **state)
{
    struct chains chains = { .heads = NULL };
    (void)state;
    assert_null(chains_first(&chains, 0));
    chains_fini(&chains);
    chains_fini(&chains);
}

static void many_things(void **state)
{
    static struct chained things[MANY];
    struct chains chains = { .heads = NULL };
    (void)state;

    for (unsigned i = 0; i < MANY; i++)
        assert_true(chains_add(&chains, &things[i], i / 2 * 64)); /* pairs, and all in few buckets */
    assert_int_equal(chains.count, MANY);
    assert_true(chains.room >= MANY);
    for (unsigned i = 0; i < MANY / 2; i++)
        assert_int_equal(count_with(&chains, i * 64), 2);
    assert_int_equal(count_with(&chains, 1), 0);

    for (unsigned i = 0; i < MANY; i += 2)
        chains_remove(&chains, &things[i]);
    for (unsigned i = 0; i < MANY / 2; i++) {
        assert_ptr_equal(chains_first(&chains, i * 64), &things[2 * i + 1]);
        assert_int_equal(count_with(&chains, i * 64), 1);
    }
    assert_int_equal(chains.count, MANY / 2);
    chains_fini(&chains);
    assert_null(chains_first(&chains, 0));
}

static void without_memory(void **state)
{
    static struct chained things[100];
    struct chains chains = { .heads = NULL };
    (void)state;

    no_memory = true;
    assert_false(chains_add(&chains, &things[0], 7));
    assert_int_equal(chains.count, 0);
    no_memory = false;
    assert_true(chains_add(&chains, &things[0], 0));
    no_memory = true;
    for (unsigned i = 1; i < 100; i++) /* more than there is room for: the chains get longer */
        assert_true(chains_add(&chains, &things[i], i));
    for (unsigned i = 0; i < 100; i++)
        assert_ptr_equal(chains_first(&chains, i), &things[i]);
    no_memory = false;
    chains_fini(&chains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_table),
        cmocka_unit_test(many_things),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
