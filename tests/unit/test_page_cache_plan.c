/* Who is read into an empty cache at start, in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/page.h"
#include "serve/page_cache.h"

enum { PAGES_MAX = 10 };

static void small_ones_first(void **state)
{
    static const struct {
        uint64_t bytes_max;
        uint64_t sizes[PAGES_MAX + 1]; /* ended by UINT64_MAX */
        size_t fits;
    } cases[] = {
        { 0, { UINT64_MAX }, 0 },
        { 800, { UINT64_MAX }, 0 },
        { 800, { 100, UINT64_MAX }, 1 },                  /* just an eighth */
        { 800, { 101, UINT64_MAX }, 0 },
        { 807, { 101, UINT64_MAX }, 0 },                  /* an eighth is rounded down */
        { 808, { 101, UINT64_MAX }, 1 },
        { 800, { 101, 5, 99, UINT64_MAX }, 2 },
        { 80, { 10, 10, 10, 10, 10, 10, 10, 10, UINT64_MAX }, 8 },
        { 80, { 10, 10, 10, 10, 10, 10, 10, 10, 10, UINT64_MAX }, 8 },
        { 80, { 10, 10, 10, 10, 10, 10, 10, 10, 1, UINT64_MAX }, 8 },
        { 80, { 10, 10, 10, 10, 10, 10, 10, 10, 0, UINT64_MAX }, 9 },
        { 0, { 0, 0, 1, UINT64_MAX }, 2 },                /* what is empty costs nothing */
        { UINT64_MAX, { UINT64_MAX / 8, 1, UINT64_MAX / 4, UINT64_MAX }, 2 },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct page pages[PAGES_MAX], *order[PAGES_MAX];
        size_t count = 0;
        for (; cases[i].sizes[count] != UINT64_MAX; count++) {
            pages[count] = (struct page){ .size = cases[i].sizes[count], .path = SLICE("x") };
            order[count] = &pages[count];
        }
        if (page_cache_plan(order, count, cases[i].bytes_max) != cases[i].fits)
            fail_msg("case %zu", i);
        for (size_t at = 1; at < count; at++)
            assert_true(order[at - 1]->size <= order[at]->size);
    }
}

static void among_equals_by_path(void **state)
{
    struct page pages[] = { { .size = 10, .path = SLICE("c") }, { .size = 10, .path = SLICE("a") },
                            { .size = 10, .path = SLICE("b") }, { .size = 9, .path = SLICE("d") } };
    struct page *order[] = { &pages[0], &pages[1], &pages[2], &pages[3] };
    (void)state;

    assert_int_equal(page_cache_plan(order, 4, 80), 4);
    assert_ptr_equal(order[0], &pages[3]);
    assert_ptr_equal(order[1], &pages[1]);
    assert_ptr_equal(order[2], &pages[2]);
    assert_ptr_equal(order[3], &pages[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_ones_first),
        cmocka_unit_test(among_equals_by_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
