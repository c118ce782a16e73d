/* What a person may write for HSTS, and the field's value that it makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/hsts.h"

static void test_values(void **state)
{
    static const struct {
        const char *text, *value;
    } rows[] = {
        { "31536000", "max-age=31536000" },
        { "0", "max-age=0" },
        { "3153600000", "max-age=3153600000" },
        { " 60\t", "max-age=60" },
        { "max-age=60", "max-age=60" },
        { "MAX-AGE=60;", "max-age=60" },
        { "60 includeSubDomains", "max-age=60; includeSubDomains" },
        { "60,includesubdomains", "max-age=60; includeSubDomains" },
        { "60; preload; INCLUDESUBDOMAINS", "max-age=60; includeSubDomains; preload" },
        { "60 preload", "max-age=60; preload" },
        { "3153600000 includeSubDomains preload", "max-age=3153600000; includeSubDomains; preload" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[HSTS_VALUE_MAX], why[WHY_SIZE] = "";
        struct writer w = writer_on(text, sizeof text);
        assert_true(hsts_parse(slice_text(rows[i].text), &w, (struct why){ why, sizeof why }));
        assert_false(w.overflowed);
        assert_int_equal(writer_used(&w), strlen(rows[i].value));
        assert_memory_equal(text, rows[i].value, writer_used(&w));
        assert_string_equal(why, "");
    }
}

static void test_mistakes_are_explained(void **state)
{
    static const char seconds[] = "seconds come first; write for example 31536000, which is a year";
    static const char words[] = "behind the seconds only includeSubDomains and preload can stand";
    static const struct {
        const char *text, *about, *why;
    } rows[] = {
        { "", "", "there are no seconds; write for example 31536000, which is a year" },
        { " ;, ", "", "there are no seconds; write for example 31536000, which is a year" },
        { "year", "year", seconds },
        { "-1", "-1", seconds },
        { "max-age=", "max-age=", seconds },
        { "max-age=x", "max-age=x", seconds },
        { "1y", "1y", seconds },
        { "includeSubDomains 60", "includeSubDomains", seconds },
        { "99999999999999999999999", "99999999999999999999999", seconds },
        { "3153600001", "3153600001", "that is more than a hundred years of seconds" },
        { "60 sub", "sub", words },
        { "60 61", "61", words },
        { "60 preload preload", "preload", "it stands there twice" },
        { "60 includeSubDomains includesubdomains", "includesubdomains", "it stands there twice" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[HSTS_VALUE_MAX], why[WHY_SIZE] = "", expected[WHY_SIZE];
        struct writer w = writer_on(text, sizeof text);
        snprintf(expected, sizeof expected, "%s%s%s", rows[i].about, *rows[i].about ? ": " : "", rows[i].why);
        assert_false(hsts_parse(slice_text(rows[i].text), &w, (struct why){ why, sizeof why }));
        assert_string_equal(why, expected);
        assert_int_equal(writer_used(&w), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_mistakes_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
