/* Input that is kept: comes back as it was, costs nothing where there is none, and gives its block back each way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/kept.h"

static void comes_back_as_it_was(void **state)
{
    static const size_t sizes[] = { 1, 1015, 1016, 1017, 40000 };
    static char bytes[40000], buffer[40000];
    struct kept *kept = NULL;
    struct pages pages;
    (void)state;
    pages_init(&pages, 1 << 20);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_true(kept_put(&kept, &pages, slice_make(bytes, sizes[i])));
        assert_non_null(kept);
        assert_int_equal(kept_take(&kept, &pages, buffer), sizes[i]);
        assert_memory_equal(buffer, bytes, sizes[i]);
        assert_null(kept);
        assert_int_equal(pages.taken_bytes, 0);
    }
    pages_fini(&pages);
}

static void nothing_takes_no_block(void **state)
{
    struct kept *kept = NULL;
    struct pages pages;
    char buffer[1];
    (void)state;
    pages_init(&pages, 0);
    assert_true(kept_put(&kept, &pages, SLICE("")));
    assert_null(kept);
    assert_int_equal(kept_take(&kept, &pages, buffer), 0);
    kept_free(&kept, &pages);
    assert_int_equal(pages.taken_bytes, 0);
    pages_fini(&pages);
}

static void goes_with_its_connection(void **state)
{
    struct kept *kept = NULL;
    struct pages pages;
    (void)state;
    pages_init(&pages, 0);
    assert_true(kept_put(&kept, &pages, SLICE("GET / HT")));
    kept_free(&kept, &pages);
    assert_null(kept);
    assert_int_equal(pages.taken_bytes, 0);
    pages_fini(&pages);
}

static void may_find_no_memory(void **state)
{
    struct kept *kept = NULL;
    struct pages pages;
    (void)state;
    pages_init(&pages, 0);
    pages_limit(&pages, 1);
    assert_false(kept_put(&kept, &pages, SLICE("GET / HT")));
    assert_null(kept);
    pages_fini(&pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was),
        cmocka_unit_test(nothing_takes_no_block),
        cmocka_unit_test(goes_with_its_connection),
        cmocka_unit_test(may_find_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
