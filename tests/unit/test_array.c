/* Arrays that grow: room is there when it is said to be, what was in them stays, and no memory changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"

static bool fails;

void *__real_reallocarray(void *at, size_t count, size_t size);
void *__wrap_reallocarray(void *at, size_t count, size_t size);

void *__wrap_reallocarray(void *at, size_t count, size_t size)
{
    return fails ? NULL : __real_reallocarray(at, count, size);
}

static void test_grows_and_keeps(void **state)
{
    unsigned *at = NULL;
    size_t room = 0;
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        at = array_grow(at, &room, i, sizeof *at);
        assert_non_null(at);
        assert_true(room > i);
        assert_true(room <= ARRAY_ROOM_MIN || room <= i + i / 2 + 1);
        at[i] = i;
    }
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(at[i], i);
    free(at);
}

static void test_no_memory(void **state)
{
    size_t room = 0;
    (void)state;
    fails = true;
    assert_null(array_grow(NULL, &room, 0, 8));
    assert_int_equal(room, 0);
    fails = false;
    uint64_t *at = array_grow(NULL, &room, 0, sizeof *at);
    assert_int_equal(room, ARRAY_ROOM_MIN);
    fails = true;
    assert_ptr_equal(array_grow(at, &room, ARRAY_ROOM_MIN - 1, sizeof *at), at); /* there is room */
    uint64_t *moved = array_grow(at, &room, ARRAY_ROOM_MIN, sizeof *at);
    assert_null(moved);
    assert_int_equal(room, ARRAY_ROOM_MIN);
    fails = false;
    free(moved ? moved : at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_keeps),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
