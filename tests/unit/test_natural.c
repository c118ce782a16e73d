/* The order of names: the pieces, and that it is an order at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/natural.h"

/* In order; every name is compared with every other one. */
static const struct slice names[] = {
    SLICE_INIT(""),
    SLICE_INIT(" "),
    SLICE_INIT("-1"),
    SLICE_INIT("0"),
    SLICE_INIT("00"),
    SLICE_INIT("0a"),
    SLICE_INIT("001"),
    SLICE_INIT("01"),
    SLICE_INIT("1"),
    SLICE_INIT("1.5"),
    SLICE_INIT("1.10"),
    SLICE_INIT("01a"),
    SLICE_INIT("1a"),
    SLICE_INIT("2"),
    SLICE_INIT("10"),
    SLICE_INIT("99999999999999999999999999999998"),
    SLICE_INIT("99999999999999999999999999999999"),
    SLICE_INIT("100000000000000000000000000000000"),
    SLICE_INIT("_"),
    SLICE_INIT("A"),
    SLICE_INIT("a"),
    SLICE_INIT("a0"),
    SLICE_INIT("a0b"),
    SLICE_INIT("a00c"),
    SLICE_INIT("a1"),
    SLICE_INIT("aa"),
    SLICE_INIT("B"),
    SLICE_INIT("b"),
    SLICE_INIT("B1"),
    SLICE_INIT("b2"),
    SLICE_INIT("img2.png"),
    SLICE_INIT("IMG10.png"),
    SLICE_INIT("img010.png"),
    SLICE_INIT("img10.png"),
    SLICE_INIT("z"),
    SLICE_INIT("\x7f"),
    SLICE_INIT("\xc3\xa4"), /* beyond ASCII: by bytes */
    SLICE_INIT("\xff"),
};

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void puts_names_in_order(void **state)
{
    const int count = (int)(sizeof names / sizeof names[0]);
    (void)state;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++)
            if (sign(natural_compare(names[i], names[j])) != sign(i - j))
                fail_msg("\"%s\" and \"%s\": %d", names[i].data, names[j].data, natural_compare(names[i], names[j]));
}

static void looks_no_farther(void **state)
{
    static const char text[] = "a12b";
    (void)state;
    assert_int_equal(sign(natural_compare(slice_make(text, 2), slice_make(text, 3))), -1); /* a1, a12 */
    assert_int_equal(sign(natural_compare(slice_make(text, 2), SLICE("a1"))), 0);
    assert_int_equal(sign(natural_compare(slice_make(NULL, 0), slice_make(text, 0))), 0);
    assert_int_equal(sign(natural_compare(slice_make(text, 1), slice_make(NULL, 0))), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_names_in_order),
        cmocka_unit_test(looks_no_farther),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
