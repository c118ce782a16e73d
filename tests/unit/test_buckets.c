/* Token buckets: how many at once, how they come again, who is forgotten, and that nothing is lost or given twice where
 * several threads take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/types.h>

#include "failing_memory.h"
#include "server/buckets.h"

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return allocation_allowed() ? __real_aligned_alloc(alignment, size) : NULL;
}

static bool has_random = true;

ssize_t __real_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
    return has_random ? __real_getrandom(buffer, size, flags) : -1;
}

static struct buckets *make(unsigned count, uint64_t interval_us, uint64_t burst)
{
    struct buckets *buckets = buckets_new(count, (struct bucket_rate){ interval_us, burst });
    assert_non_null(buckets);
    return buckets;
}

static void gives_a_burst_and_then_one_after_the_other(void **state)
{
    struct buckets *buckets = make(64, 1000, 3);
    struct slice owner = SLICE("192.0.2.1");
    const uint64_t now = 5000000;
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(buckets_take(buckets, owner, now), 0);
    assert_int_equal(buckets_take(buckets, owner, now), 1000);
    assert_int_equal(buckets_take(buckets, owner, now + 999), 1);
    assert_int_equal(buckets_take(buckets, owner, now + 1000), 0);
    assert_int_equal(buckets_take(buckets, owner, now + 1000), 1000);
    assert_int_equal(buckets_take(buckets, owner, now + 500), 1500); /* another thread's clock is a little behind */
    for (int i = 0; i < 2; i++)
        assert_int_equal(buckets_take(buckets, owner, now + 3000), 0);
    assert_int_equal(buckets_take(buckets, owner, now + 3500), 500);
    for (int i = 0; i < 3; i++) /* full again, and no fuller than that */
        assert_int_equal(buckets_take(buckets, owner, now + 1000000), 0);
    assert_int_equal(buckets_take(buckets, owner, now + 1000000), 1000);
    buckets_free(buckets);
}

static void knows_owners_apart(void **state)
{
    struct buckets *buckets = make(65536, 1000000, 1);
    (void)state;
    for (uint32_t round = 0; round < 2; round++) {
        unsigned given = 0;
        for (uint32_t i = 0; i < 100; i++) /* so few that no set is asked for five: once in 10^9 runs */
            given += buckets_take(buckets, slice_make((const char *)&i, sizeof i), 1000000) == 0;
        assert_int_equal(given, round == 0 ? 100 : 0);
    }
    buckets_free(buckets);
}

/* In 64 buckets each set has four: of a thousand owners who come once, only the last ones can be known, and one who
 * comes all the time, and so will be full last, is never the first to go. */
static void forgets_who_has_been_quiet(void **state)
{
    struct buckets *buckets = make(1, 1000, 1000);
    uint64_t now = 1000000;
    (void)state;
    for (int i = 0; i < 500; i++)
        assert_int_equal(buckets_take(buckets, SLICE("busy"), now), 0);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(buckets_take(buckets, slice_make((const char *)&i, sizeof i), now), 0);
        now += 10;
    }
    for (int i = 0; i < 510; i++)
        assert_int_equal(buckets_take(buckets, SLICE("busy"), now), 0);
    assert_int_not_equal(buckets_take(buckets, SLICE("busy"), now), 0);
    buckets_free(buckets);
}

static void goes_to_its_limits(void **state)
{
    struct buckets *buckets = make(BUCKETS_MIN, UINT64_C(86400) * 1000000, 1000000);
    const uint64_t day = UINT64_C(86400) * 1000000;
    (void)state;
    for (int i = 0; i < 1000000; i++)
        assert_int_equal(buckets_take(buckets, SLICE("a"), 1), 0);
    assert_int_equal(buckets_take(buckets, SLICE("a"), 1), day);
    buckets_free(buckets);
}

enum { THREADS = 4, OWNERS = 50, ROUNDS = 2000, BURST = 1000 };

static void *take_often(void *user)
{
    size_t given = 0;
    for (uint32_t round = 0; round < ROUNDS; round++)
        for (uint32_t owner = 0; owner < OWNERS; owner++)
            given += buckets_take(user, slice_make((const char *)&owner, sizeof owner), 1000000) == 0;
    return (void *)given;
}

static void is_shared(void **state)
{
    struct buckets *buckets = make(65536, 1000, BURST);
    pthread_t threads[THREADS];
    size_t given = 0;
    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_often, buckets), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *some;
        pthread_join(threads[i], &some);
        given += (size_t)some;
    }
    assert_int_equal(given, OWNERS * BURST);
    buckets_free(buckets);
}

static void cannot_be_made_without_memory_or_secrets(void **state)
{
    (void)state;
    allocations_left = 0;
    assert_null(buckets_new(64, (struct bucket_rate){ 1, 1 }));
    allocations_left = -1;
    has_random = false;
    assert_null(buckets_new(64, (struct bucket_rate){ 1, 1 }));
    has_random = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_a_burst_and_then_one_after_the_other),
        cmocka_unit_test(knows_owners_apart),
        cmocka_unit_test(forgets_who_has_been_quiet),
        cmocka_unit_test(goes_to_its_limits),
        cmocka_unit_test(is_shared),
        cmocka_unit_test(cannot_be_made_without_memory_or_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
