/* The line that says why: with and without what it is about, flattened, and cut to its room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/why.h"

static void test_says_what_it_is_about(void **state)
{
    char text[WHY_SIZE];
    struct why why = { text, sizeof text };
    (void)state;

    assert_false(why_refuse(why, SLICE("/a"), "write %d", 7));
    assert_string_equal(text, "/a: write 7");
    assert_false(why_refuse(why, SLICE(""), "write %s", "/b"));
    assert_string_equal(text, "write /b");
}

static void test_no_control_gets_through(void **state)
{
    char text[WHY_SIZE];
    struct why why = { text, sizeof text };
    (void)state;

    assert_false(why_refuse(why, SLICE("/a\nb\x7f"), "not\t%s", "\x1b[1m"));
    assert_string_equal(text, "/a?b?: not??[1m");
    assert_false(why_refuse(why, SLICE("/gr\xc3\xbc\xc3\x9f"), "good"));
    assert_string_equal(text, "/gr\xc3\xbc\xc3\x9f: good");
}

static void test_keeps_to_its_room(void **state)
{
    (void)state;
    for (size_t room = 0; room <= 12; room++) {
        char text[16];
        memset(text, '#', sizeof text);
        assert_false(why_refuse((struct why){ text, room }, SLICE("/abc"), "wrong"));
        if (room > 0) {
            size_t used = room - 1 < 11 ? room - 1 : 11;
            assert_memory_equal(text, "/abc: wrong", used);
            assert_int_equal(text[used], '\0');
        }
        assert_int_equal(text[room], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_what_it_is_about),
        cmocka_unit_test(test_no_control_gets_through),
        cmocka_unit_test(test_keeps_to_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
