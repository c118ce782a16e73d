/* Arenas: where the bytes come from, that they go back there, and the ceiling to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"

enum { HEADER = 32 }; /* what a block keeps of itself at its start */

static unsigned mallocs, malloc_fails_at; /* counted from 1; 0: never */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    mallocs++;
    return mallocs == malloc_fails_at ? NULL : __real_malloc(size);
}

static int start(void **state)
{
    (void)state;
    mallocs = malloc_fails_at = 0;
    return 0;
}

static _Alignas(16) char first[256];

static void takes_from_the_first_bytes(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, first, sizeof first, 0);
    assert_ptr_equal(arena_take(&arena, 1), first);
    assert_ptr_equal(arena_take(&arena, 16), first + 16);
    assert_ptr_equal(arena_take(&arena, 17), first + 32);
    assert_ptr_equal(arena_take(&arena, 0), first + 64);
    assert_ptr_equal(arena_take(&arena, 192), first + 64); /* to the very end */
    assert_null(arena_take(&arena, 1));
    assert_int_equal(arena.used, 0);

    arena_reset(&arena, NULL);
    assert_ptr_equal(arena_take(&arena, 256), first);
    assert_int_equal(mallocs, 0);
    arena_reset(&arena, NULL);
}

static void aligns_the_first_bytes(void **state)
{
    (void)state;
    for (size_t skew = 0; skew < 16; skew++) {
        for (size_t size = 0; size < 48; size++) {
            struct arena arena;
            arena_init(&arena, first + skew, size, 0);
            size_t expected = skew ? (skew + size) / 16 : size / 16;
            if (skew)
                expected = expected > 0 ? expected - 1 : 0;
            for (size_t i = 0; i < expected; i++)
                assert_int_equal((uintptr_t)arena_take(&arena, 16) % 16, 0);
            assert_null(arena_take(&arena, 16));
            arena_reset(&arena, NULL);
        }
    }
}

static void grows_from_pages_and_gives_back(void **state)
{
    struct pages pages;
    struct arena arena;
    char *taken[200];
    (void)state;
    pages_init(&pages, 1 << 20);
    arena_init(&arena, first, sizeof first, 1 << 20);
    for (int round = 0; round < 3; round++) {
        arena_reset(&arena, &pages);
        for (int i = 0; i < 200; i++) {
            taken[i] = arena_take(&arena, (size_t)i + 1);
            assert_non_null(taken[i]);
            assert_int_equal((uintptr_t)taken[i] % 16, 0);
            memset(taken[i], i, (size_t)i + 1);
        }
        for (int i = 0; i < 200; i++) /* nobody wrote over another's */
            for (int k = 0; k <= i; k++)
                assert_int_equal((unsigned char)taken[i][k], i);
        assert_true(pages.taken_bytes > 0);
        assert_int_equal(pages.taken_bytes, arena.used);
    }
    unsigned so_far = mallocs;
    arena_reset(&arena, &pages);
    assert_int_equal(pages.taken_bytes, 0);
    assert_int_equal(arena.used, 0);
    assert_ptr_equal(arena_take(&arena, 1), first);
    assert_non_null(arena_take(&arena, 2000));
    assert_int_equal(mallocs, so_far); /* kept pages serve the next request */
    arena_reset(&arena, &pages);
    pages_fini(&pages);
}

static void detaches(void **state)
{
    struct pages pages;
    struct arena arena;
    (void)state;
    pages_init(&pages, 0);
    arena_init(&arena, NULL, 0, 1 << 20);
    arena_reset(&arena, &pages);
    assert_non_null(arena_take(&arena, 100));
    assert_int_equal(pages.taken_bytes, 4096);
    arena_detach(&arena);
    char *rest = arena_take(&arena, 100); /* the block at hand serves on: it is only memory */
    assert_non_null(rest);
    char *far = arena_take(&arena, 10000);
    assert_non_null(far);
    memset(far, 1, 10000);
    assert_int_equal(pages.taken_bytes, 4096); /* the worker's pages were left alone */
    assert_int_equal(mallocs, 2);
    arena_reset(&arena, &pages); /* each block to where it came from: the sanitizers see to that */
    assert_int_equal(pages.taken_bytes, 0);

    assert_non_null(arena_take(&arena, 1)); /* attached again */
    assert_int_equal(pages.taken_bytes, 4096);
    arena_reset(&arena, NULL);
    assert_int_equal(pages.taken_bytes, 0);
    assert_non_null(arena_take(&arena, 1)); /* and now on malloc */
    assert_int_equal(pages.taken_bytes, 0);
    arena_reset(&arena, NULL);
    pages_fini(&pages);
}

static void holds_its_ceiling(void **state)
{
    (void)state;
    for (int with_pages = 0; with_pages < 2; with_pages++) {
        struct pages pages;
        struct arena arena;
        struct pages *source = with_pages ? &pages : NULL;
        pages_init(&pages, 0);
        arena_init(&arena, NULL, 0, 10000);
        arena_reset(&arena, source);
        assert_null(arena_take(&arena, 10000));
        assert_null(arena_take(&arena, SIZE_MAX));
        assert_null(arena_take(&arena, SIZE_MAX - 15));
        assert_null(arena_take(&arena, SIZE_MAX - HEADER));
        assert_null(arena_take(&arena, SIZE_MAX / 2));
        assert_int_equal(arena.used, 0);
        assert_non_null(arena_take(&arena, 9952));
        assert_true(arena.used <= 10000);
        assert_null(arena_take(&arena, 4096)); /* and stays there */
        arena_reset(&arena, source);

        size_t count = 0, most = (10000 - HEADER) / 16; /* in small pieces: no more, and not much less */
        while (arena_take(&arena, 16))
            count++;
        assert_true(count <= most && count > most * 9 / 10);
        assert_true(arena.used <= 10000);
        arena_reset(&arena, source);
        pages_fini(&pages);
    }
}

static void ceiling_of_everything_does_not_overflow(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, NULL, 0, SIZE_MAX);
    assert_null(arena_take(&arena, SIZE_MAX));
    assert_null(arena_take(&arena, SIZE_MAX - 1));
    assert_null(arena_take(&arena, SIZE_MAX - HEADER - 14));
    assert_int_equal(mallocs, 0);
    arena_reset(&arena, NULL);
}

static void keeps_the_larger_rest(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, NULL, 0, 1 << 20);
    char *small = arena_take(&arena, 16);
    char *large = arena_take(&arena, 100000); /* fills a block of its own */
    assert_non_null(large);
    assert_ptr_equal(arena_take(&arena, 16), small + 16);
    assert_int_equal(mallocs, 2);
    arena_reset(&arena, NULL);
}

static void needs_few_blocks(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, NULL, 0, 1 << 20);
    for (size_t taken = 0; taken < 64 * 1024; taken += 64)
        assert_non_null(arena_take(&arena, 64));
    assert_true(mallocs <= 6);
    while (arena.used < 512 * 1024) {
        size_t used = arena.used;
        assert_non_null(arena_take(&arena, 64));
        assert_true(arena.used - used <= 64 * 1024); /* but the last one is not half of everything */
    }
    arena_reset(&arena, NULL);
}

static void survives_lack_of_memory(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, first, 32, 1 << 20);
    char *before = arena_take(&arena, 16);
    malloc_fails_at = 1;
    assert_null(arena_take(&arena, 64));
    assert_int_equal(arena.used, 0);
    assert_ptr_equal(arena_take(&arena, 16), before + 16); /* what fits is still there */
    assert_non_null(arena_take(&arena, 64));               /* and later there may be memory again */
    arena_reset(&arena, NULL);

    struct pages pages;
    pages_init(&pages, 0);
    arena_reset(&arena, &pages);
    malloc_fails_at = mallocs + 1;
    assert_null(arena_take(&arena, 64));
    assert_int_equal(pages.taken_bytes, 0);
    arena_reset(&arena, NULL);
    pages_fini(&pages);
}

static void copies(void **state)
{
    struct arena arena;
    char text[] = "a\0b";
    (void)state;
    arena_init(&arena, first, sizeof first, 0);
    struct slice copy = arena_copy(&arena, slice_make(text, 3));
    text[0] = 'x';
    assert_true(slice_equal(copy, SLICE("a\0b")));

    struct slice long_one = arena_copy(&arena, slice_make(first, sizeof first));
    assert_null(long_one.data);
    assert_int_equal(long_one.size, 0);

    arena_init(&arena, NULL, 0, 0); /* nothing needs no memory */
    assert_non_null(arena_copy(&arena, SLICE("")).data);
    assert_non_null(arena_copy(&arena, slice_make(NULL, 0)).data);
    assert_int_equal(arena_copy(&arena, SLICE("")).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(takes_from_the_first_bytes, start),
        cmocka_unit_test_setup(aligns_the_first_bytes, start),
        cmocka_unit_test_setup(grows_from_pages_and_gives_back, start),
        cmocka_unit_test_setup(detaches, start),
        cmocka_unit_test_setup(holds_its_ceiling, start),
        cmocka_unit_test_setup(ceiling_of_everything_does_not_overflow, start),
        cmocka_unit_test_setup(keeps_the_larger_rest, start),
        cmocka_unit_test_setup(needs_few_blocks, start),
        cmocka_unit_test_setup(survives_lack_of_memory, start),
        cmocka_unit_test_setup(copies, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
