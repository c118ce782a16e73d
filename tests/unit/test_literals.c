/* The table of literal texts: what was put in is found, nothing else is, at every size and without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "serve/literals.h"

static bool calloc_fails;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return calloc_fails ? NULL : __real_calloc(count, size);
}

enum { COUNT = 1000 };

static char texts[COUNT][16];

static struct slice text(unsigned i)
{
    return slice_make(texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "text%u", i));
}

static void test_finds_what_was_added(void **state)
{
    (void)state;
    struct literals literals = { .at = NULL };
    assert_null(literals_find(&literals, SLICE("text0")));
    for (unsigned i = 0; i < COUNT; i++) {
        assert_null(literals_find(&literals, text(i)));
        assert_true(literals_add(&literals, text(i), texts[i]));
        assert_int_equal(literals.count, i + 1);
        assert_true(2 * literals.count <= literals.room);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        char copy[16];
        memcpy(copy, texts[i], sizeof copy);
        assert_ptr_equal(literals_find(&literals, slice_text(copy)), texts[i]);
    }
    static const char *const others[] = { "", "text", "text1000", "Text1", "text1 ", "ext1" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_null(literals_find(&literals, slice_text(others[i])));
    literals_fini(&literals);
    assert_null(literals_find(&literals, SLICE("text1")));
}

static void test_the_empty_text_is_a_text(void **state)
{
    (void)state;
    struct literals literals = { .at = NULL };
    assert_true(literals_add(&literals, SLICE("a"), &literals));
    assert_null(literals_find(&literals, SLICE("")));
    assert_true(literals_add(&literals, SLICE(""), state));
    assert_ptr_equal(literals_find(&literals, SLICE("")), state);
    literals_fini(&literals);
}

static void test_no_memory_leaves_all_as_it_was(void **state)
{
    (void)state;
    struct literals literals = { .at = NULL };
    for (unsigned i = 0; i < 100; i++) {
        calloc_fails = true;
        bool added = literals_add(&literals, text(i), texts[i]);
        calloc_fails = false;
        if (!added) {
            assert_null(literals_find(&literals, text(i)));
            assert_true(literals_add(&literals, text(i), texts[i]));
        }
        for (unsigned k = 0; k <= i; k++)
            assert_ptr_equal(literals_find(&literals, text(k)), texts[k]);
    }
    literals_fini(&literals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_was_added),
        cmocka_unit_test(test_the_empty_text_is_a_text),
        cmocka_unit_test(test_no_memory_leaves_all_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
