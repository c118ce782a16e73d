/* Pages: sizes, keeping, counting, the ceiling, and what happens where there is no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pages.h"

static unsigned mallocs, frees;
static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    mallocs++;
    return no_memory ? NULL : __real_malloc(size);
}

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block)
{
    frees++;
    __real_free(block);
}

static int start(void **state)
{
    (void)state;
    mallocs = frees = 0;
    no_memory = false;
    return 0;
}

static void rounds_sizes(void **state)
{
    static const struct {
        size_t size, got;
    } cases[] = {
        { 0, 1024 },           { 1, 1024 },           { 1023, 1024 },          { 1024, 1024 },
        { 1025, 2048 },        { 2048, 2048 },        { 2049, 4096 },          { 16384, 16384 },
        { 16385, 32768 },      { 131073, 262144 },    { 262144, 262144 },      { 262145, 266240 },
        { 1 << 20, 1 << 20 },  { (1 << 20) + 1, (1 << 20) + 4096 },
    };
    struct pages pages;
    (void)state;
    pages_init(&pages, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t got = 0;
        char *block = pages_take(&pages, cases[i].size, &got);
        assert_non_null(block);
        assert_int_equal(got, cases[i].got);
        assert_int_equal(pages.taken_bytes, got);
        assert_int_equal((uintptr_t)block % 16, 0);
        memset(block, 0xAA, got); /* all of it is ours */
        pages_give(&pages, block, got);
        assert_int_equal(pages.taken_bytes, 0);
    }
    pages_fini(&pages);
    assert_int_equal(mallocs, frees);
}

static void keeps_blocks_for_the_next_taker(void **state)
{
    struct pages pages;
    size_t got;
    (void)state;
    pages_init(&pages, 1 << 20);
    void *a = pages_take(&pages, 4096, &got), *b = pages_take(&pages, 4096, &got);
    void *other = pages_take(&pages, 1024, &got);
    assert_int_equal(pages.taken_bytes, 4096 + 4096 + 1024);
    assert_int_equal(mallocs, 3);
    pages_give(&pages, a, 4096);
    pages_give(&pages, b, 4096);
    pages_give(&pages, other, 1024);
    assert_int_equal(pages.kept_bytes, 4096 + 4096 + 1024);
    assert_int_equal(frees, 0);

    void *c = pages_take(&pages, 3000, &got), *d = pages_take(&pages, 4000, &got);
    assert_ptr_equal(c, b); /* the one used last is the warmest */
    assert_ptr_equal(d, a);
    assert_int_equal(pages.kept_bytes, 1024);
    void *e = pages_take(&pages, 4096, &got);
    assert_int_equal(mallocs, 4);
    pages_give(&pages, c, 4096);
    pages_give(&pages, d, 4096);
    pages_give(&pages, e, 4096);
    pages_fini(&pages);
    assert_int_equal(frees, 4);
    assert_int_equal(pages.kept_bytes, 0);
}

static void keeps_no_more_than_it_may(void **state)
{
    struct pages pages;
    size_t got;
    void *blocks[4];
    (void)state;
    pages_init(&pages, 3 * 2048);
    for (int i = 0; i < 4; i++)
        blocks[i] = pages_take(&pages, 2048, &got);
    for (int i = 0; i < 4; i++)
        pages_give(&pages, blocks[i], 2048);
    assert_int_equal(pages.kept_bytes, 3 * 2048); /* exactly as much as it may */
    assert_int_equal(frees, 1);

    void *bigger = pages_take(&pages, 8192, &got); /* alone more than may be kept */
    pages_give(&pages, bigger, got);
    assert_int_equal(frees, 2);
    pages_fini(&pages);
    assert_int_equal(frees, 5);

    pages_init(&pages, 0);
    void *block = pages_take(&pages, 1, &got);
    pages_give(&pages, block, got);
    assert_int_equal(pages.kept_bytes, 0);
    assert_int_equal(frees, 6);
    pages_fini(&pages);
}

static void keeps_nothing_large(void **state)
{
    struct pages pages;
    size_t got;
    (void)state;
    pages_init(&pages, SIZE_MAX);
    void *block = pages_take(&pages, PAGES_KEPT_MAX + 1, &got);
    assert_int_equal(pages.taken_bytes, got);
    pages_give(&pages, block, got);
    assert_int_equal(pages.kept_bytes, 0);
    assert_int_equal(frees, 1);

    block = pages_take(&pages, PAGES_KEPT_MAX, &got);
    pages_give(&pages, block, got);
    assert_int_equal(pages.kept_bytes, PAGES_KEPT_MAX);
    assert_int_equal(frees, 1);
    pages_fini(&pages);
}

static void survives_lack_of_memory(void **state)
{
    struct pages pages;
    size_t got = 77;
    (void)state;
    pages_init(&pages, 1 << 20);
    pages_give(&pages, NULL, 0);
    no_memory = true;
    assert_null(pages_take(&pages, 1, &got));
    assert_null(pages_take(&pages, PAGES_KEPT_MAX + 1, &got));
    assert_int_equal(mallocs, 2);
    assert_null(pages_take(&pages, SIZE_MAX, &got)); /* no rounding over the edge */
    assert_null(pages_take(&pages, SIZE_MAX - 4094, &got));
    assert_int_equal(mallocs, 2);
    assert_int_equal(got, 77);
    assert_int_equal(pages.taken_bytes, 0);
    no_memory = false;

    void *block = pages_take(&pages, 1, &got);
    pages_give(&pages, block, got);
    no_memory = true;
    assert_ptr_equal(pages_take(&pages, 1, &got), block); /* what is kept needs no malloc */
    pages_give(&pages, block, got);
    no_memory = false;
    pages_fini(&pages);
}

static void lends_up_to_the_ceiling(void **state)
{
    struct pages pages;
    size_t got;
    (void)state;
    pages_init(&pages, 1 << 20);
    pages_limit(&pages, 8192);
    void *a = pages_take(&pages, 4096, &got), *b = pages_take(&pages, 2049, &got); /* rounded up: that is what counts */
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(pages.taken_bytes, 8192);
    got = 77;
    assert_null(pages_take(&pages, 1, &got));
    assert_null(pages_take(&pages, PAGES_KEPT_MAX + 1, &got));
    assert_int_equal(got, 77);
    assert_int_equal(mallocs, 2);

    pages_give(&pages, b, 4096);
    assert_null(pages_take(&pages, 4097, &got)); /* by one byte, and though a block is kept */
    b = pages_take(&pages, 4096, &got);
    assert_non_null(b);
    pages_give(&pages, b, 4096);
    pages_give(&pages, a, 4096);
    pages_fini(&pages);
}

static void lends_large_blocks_up_to_the_ceiling(void **state)
{
    struct pages pages;
    size_t got;
    (void)state;
    pages_init(&pages, 0);
    pages_limit(&pages, (1 << 20) + 4096);
    assert_null(pages_take(&pages, (1 << 20) + 4097, &got));
    void *block = pages_take(&pages, (1 << 20) + 1, &got);
    assert_int_equal(got, (1 << 20) + 4096);
    assert_null(pages_take(&pages, 0, &got));
    pages_give(&pages, block, got);
    pages_fini(&pages);
}

static void counts_what_comes_from_elsewhere(void **state)
{
    struct pages pages;
    size_t got;
    (void)state;
    pages_init(&pages, 0);
    pages_limit(&pages, 4096);
    pages_count(&pages, 3072);
    void *block = pages_take(&pages, 1024, &got);
    assert_non_null(block);
    pages_count(&pages, 10000); /* beyond the ceiling, which that is not asked about */
    assert_int_equal(pages.taken_bytes, 14096);
    assert_null(pages_take(&pages, 1, &got));
    pages_discount(&pages, 10000);
    assert_null(pages_take(&pages, 1, &got));
    pages_discount(&pages, 3072);
    pages_give(&pages, block, 1024);
    pages_fini(&pages);
}

static void others_may_charge_it(void **state)
{
    struct pages pages;
    size_t got;
    (void)state;
    pages_init(&pages, 0);
    assert_true(pages_charge(&pages, SIZE_MAX / 4)); /* there is no ceiling yet */
    pages_discharge(&pages, SIZE_MAX / 4);
    pages_limit(&pages, 4096);
    void *block = pages_take(&pages, 1024, &got);
    assert_true(pages_charge(&pages, 2047));
    assert_false(pages_charge(&pages, 2)); /* a quarter is the owner's */
    assert_true(pages_charge(&pages, 1));
    assert_int_equal(pages.charged_bytes, 2048);
    void *other = pages_take(&pages, 1024, &got);
    assert_non_null(other);
    assert_null(pages_take(&pages, 1, &(size_t){ 0 }));
    pages_discharge(&pages, 1024);
    void *third = pages_take(&pages, 1024, &(size_t){ 0 });
    assert_non_null(third);
    pages_discharge(&pages, 1024);
    pages_give(&pages, third, 1024);
    pages_give(&pages, other, 1024);
    pages_give(&pages, block, 1024);
    pages_fini(&pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rounds_sizes, start),
        cmocka_unit_test_setup(keeps_blocks_for_the_next_taker, start),
        cmocka_unit_test_setup(keeps_no_more_than_it_may, start),
        cmocka_unit_test_setup(keeps_nothing_large, start),
        cmocka_unit_test_setup(survives_lack_of_memory, start),
        cmocka_unit_test_setup(lends_up_to_the_ceiling, start),
        cmocka_unit_test_setup(lends_large_blocks_up_to_the_ceiling, start),
        cmocka_unit_test_setup(counts_what_comes_from_elsewhere, start),
        cmocka_unit_test_setup(others_may_charge_it, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
