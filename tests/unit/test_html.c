/* HTML by a format: texts escaped wherever they stand, what is made already as it is, and conversions that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/html.h"

static char buffer[256];

/* False: the format has no such conversion. What it made lies in `buffer`, as a C string. */
static bool html(const char *format, ...)
{
    struct writer w = writer_on(buffer, sizeof buffer);
    va_list arguments;
    va_start(arguments, format);
    bool known = html_format(&w, format, &arguments);
    va_end(arguments);
    writer_byte(&w, '\0');
    assert_false(w.overflowed);
    return known;
}

static void texts_are_escaped(void **state)
{
    (void)state;
    assert_true(html("<b title=\"%s\">%S</b>", "\"'", slice_make("<&>x", 3)));
    assert_string_equal(buffer, "<b title=\"&quot;&#39;\">&lt;&amp;&gt;</b>");
    assert_true(html("[%s%S]", (const char *)NULL, slice_make(NULL, 0)));
    assert_string_equal(buffer, "[]");
}

static void html_that_is_made_stays(void **state)
{
    (void)state;
    assert_true(html("%h%H%h%H", "<i>", slice_make("</i>&", 4), (const char *)NULL, slice_make(NULL, 0)));
    assert_string_equal(buffer, "<i></i>");
}

static void numbers_are_as_in_json(void **state)
{
    (void)state;
    assert_true(html("%d %u %ld %llu %zu %f %b%%", -1, 2u, -3l, 4ull, (size_t)5, 0.5, 1));
    assert_string_equal(buffer, "-1 2 -3 4 5 0.5 true%");
    assert_true(html(""));
    assert_string_equal(buffer, "");
}

static void what_is_no_conversion_is_told(void **state)
{
    static const char *const formats[] = { "a%q", "a%j", "a%J", "a%lx", "a%" };
    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        assert_false(html(formats[i], 1));
        assert_string_equal(buffer, "a");
    }
}

static void room_that_is_missing_shows(void **state)
{
    struct writer w = writer_on(buffer, 4);
    va_list none = { 0 };
    (void)state;
    assert_true(html_format(&w, "12345", &none));
    assert_true(w.overflowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(html_that_is_made_stays),
        cmocka_unit_test(numbers_are_as_in_json),
        cmocka_unit_test(what_is_no_conversion_is_told),
        cmocka_unit_test(room_that_is_missing_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
