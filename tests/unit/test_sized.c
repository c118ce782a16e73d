/* Structs of programs that know fewer or more of their members. */
#include "server/sized.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct known {
    uint32_t first, second;
};

static void what_is_given_is_read(void **state)
{
    static const struct {
        unsigned char given[16];
        size_t size;
        struct known known;
        bool good;
    } cases[] = {
        { { 0 }, 0, { 0, 0 }, true },
        { { 1 }, 4, { 1, 0 }, true },                                    /* an older program */
        { { 1, 0, 0, 0, 2 }, 8, { 1, 2 }, true },
        { { 1, 0, 0, 0, 2 }, 12, { 1, 2 }, true },                       /* a newer one, which asks for nothing new */
        { { 1, 0, 0, 0, 2, 0, 0, 0, 3 }, 8, { 1, 2 }, true },            /* not its own any more */
        { { 1, 0, 0, 0, 2, 0, 0, 0, 3 }, 9, { 1, 2 }, false },
        { { 1, 0, 0, 0, 2, [15] = 1 }, 16, { 1, 2 }, false },
        { { 1, 0, 0, 0, 2, [15] = 1 }, 15, { 1, 2 }, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct known known = { 7, 7 };
        assert_int_equal(sized_read(&known, sizeof known, cases[i].given, cases[i].size), cases[i].good);
        assert_int_equal(known.first, cases[i].known.first);
        assert_int_equal(known.second, cases[i].known.second);
    }
}

static void nothing_is_given(void **state)
{
    struct known known = { 7, 7 };
    (void)state;
    assert_true(sized_read(&known, sizeof known, NULL, sizeof known + 1));
    assert_int_equal(known.first, 0);
    assert_int_equal(known.second, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_is_read),
        cmocka_unit_test(nothing_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
