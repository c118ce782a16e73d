/* Objects of one size: taken again, kept up to a limit, counted; and none where there is no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

static void takes_again(void **state)
{
    struct pool pool;
    (void)state;
    pool_init(&pool, 100, 1);
    void *a = pool_take(&pool), *b = pool_take(&pool);
    memset(a, 1, 100);
    memset(b, 2, 100);
    assert_int_equal(pool.taken_count, 2);
    pool_give(&pool, a);
    pool_give(&pool, b); /* one too many to keep: freed */
    assert_int_equal(pool.kept_count, 1);
    assert_ptr_equal(pool_take(&pool), a);
    pool_give(&pool, a);
    assert_int_equal(pool.taken_count, 0);
    pool_fini(&pool);
}

static void smaller_than_a_pointer(void **state)
{
    struct pool pool;
    (void)state;
    pool_init(&pool, 1, 4);
    void *a = pool_take(&pool), *b = pool_take(&pool);
    pool_give(&pool, a);
    pool_give(&pool, b);
    assert_ptr_equal(pool_take(&pool), b);
    assert_ptr_equal(pool_take(&pool), a);
    pool_give(&pool, a);
    pool_give(&pool, b);
    pool_fini(&pool);
}

static void without_memory(void **state)
{
    struct pool pool;
    (void)state;
    pool_init(&pool, 64, 4);
    no_memory = true;
    void *none = pool_take(&pool);
    no_memory = false;
    assert_null(none);
    assert_int_equal(pool.taken_count, 0);
    pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_again),
        cmocka_unit_test(smaller_than_a_pointer),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
