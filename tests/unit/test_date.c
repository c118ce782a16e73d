/* Dates read: the three forms, their limits, the century of two digits, and every day of 400 years. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/date.h"

enum { DAY_S = 86400 };

static const int64_t now_s = 1767225600; /* Thu, 01 Jan 2026 00:00:00 GMT */

static void reads_the_three_forms(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_s;
    } rows[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Sun Nov  6 08:49:37 1994", 784111777 },
        { "Sun Nov 16 08:49:37 1994", 784975777 },
        { "Sun Nov 06 08:49:37 1994", 784111777 },
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
        { "Mon, 01 Jan 0001 00:00:00 GMT", -62135596800 },
        { "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
        { "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 },
        { "Thu, 29 Feb 2024 00:00:00 GMT", 1709164800 },
        { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },  /* a leap second */
        { "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 },   /* the day's name is not compared */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t unix_s = 0;
        if (!date_parse(slice_text(rows[i].text), now_s, &unix_s))
            fail_msg("%s was refused", rows[i].text);
        if (unix_s != rows[i].unix_s)
            fail_msg("%s was read as %lld", rows[i].text, (long long)unix_s);
    }
}

static void refuses(void **state)
{
    static const char *const rows[] = {
        "",
        "0",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt", /* RFC 9110 5.6.7: case-sensitive */
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 NOV 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT; length=1",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 32 Jan 1994 08:49:37 GMT",
        "Sun, 29 Feb 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 30 Feb 2000 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:4937 GMT",
        "Sun, 06 Nov 1994 08:49: 7 GMT",
        "Sun, 06 Nov 1994 08:49:-1 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov   6 08:49:37 1994",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  0 08:49:37 1994",
        "Sun Nov 31 08:49:37 1994",
        "1994-11-06T08:49:37Z",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t unix_s = 77;
        if (date_parse(slice_text(rows[i]), now_s, &unix_s))
            fail_msg("%s was taken", rows[i]);
        assert_int_equal(unix_s, 77);
    }
}

/* No cut of a date is one, and no byte of one can be a control. */
static void refuses_every_cut(void **state)
{
    static const char *const forms[] = { "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                         "Sun Nov  6 08:49:37 1994" };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        int64_t unix_s;
        char text[32];
        size_t size = strlen(forms[i]);
        for (size_t at = 0; at < size; at++) {
            assert_false(date_parse(slice_make(forms[i], at), now_s, &unix_s));
            memcpy(text, forms[i], size);
            text[at] = '\0';
            assert_false(date_parse(slice_make(text, size), now_s, &unix_s));
        }
    }
}

static void finds_the_century(void **state)
{
    static const struct {
        const char *now, *text, *meaning;
    } rows[] = {
        { "Thu, 01 Jan 2026 00:00:00 GMT", "Thursday, 01-Jan-26 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 GMT" },
        { "Thu, 01 Jan 2026 00:00:00 GMT", "Thursday, 01-Jan-75 00:00:00 GMT", "Tue, 01 Jan 2075 00:00:00 GMT" },
        { "Thu, 01 Jan 2026 00:00:00 GMT", "Friday, 31-Dec-76 00:00:00 GMT", "Fri, 31 Dec 1976 00:00:00 GMT" },
        { "Thu, 01 Jan 2026 00:00:00 GMT", "Friday, 01-Jan-77 00:00:00 GMT", "Sat, 01 Jan 1977 00:00:00 GMT" },
        { "Thu, 31 Dec 2026 00:00:00 GMT", "Wednesday, 01-Jul-76 00:00:00 GMT", "Wed, 01 Jul 2076 00:00:00 GMT" },
        { "Thu, 01 Jan 2026 00:00:00 GMT", "Friday, 31-Dec-99 00:00:00 GMT", "Fri, 31 Dec 1999 00:00:00 GMT" },
        { "Thu, 01 Jan 2026 00:00:00 GMT", "Tuesday, 29-Feb-00 00:00:00 GMT", "Tue, 29 Feb 2000 00:00:00 GMT" },
        { "Sun, 06 Nov 1994 00:00:00 GMT", "Monday, 01-Jan-24 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 GMT" },
        { "Thu, 01 Jan 2099 00:00:00 GMT", "Thursday, 01-Jan-05 00:00:00 GMT", "Thu, 01 Jan 2105 00:00:00 GMT" },
        { "Thu, 01 Jan 2099 00:00:00 GMT", "Thursday, 01-Jan-98 00:00:00 GMT", "Wed, 01 Jan 2098 00:00:00 GMT" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t now, got, expected;
        assert_true(date_parse(slice_text(rows[i].now), 0, &now));
        assert_true(date_parse(slice_text(rows[i].meaning), 0, &expected));
        assert_true(date_parse(slice_text(rows[i].text), now, &got));
        if (got != expected)
            fail_msg("%s at %s is off by %lld s", rows[i].text, rows[i].now, (long long)(got - expected));
    }
}

/* A 29 February that the century does not have is no date. */
static void refuses_a_leap_day_of_the_wrong_century(void **state)
{
    int64_t now, unix_s;
    (void)state;
    assert_true(date_parse(SLICE("Thu, 01 Jan 2099 00:00:00 GMT"), 0, &now));
    assert_false(date_parse(SLICE("Monday, 29-Feb-00 00:00:00 GMT"), now, &unix_s));
}

/* A clock that is far off still gives some century, and no harm. */
static void survives_a_mad_clock(void **state)
{
    static const int64_t clocks[] = { INT64_MIN, -62135596800, -1, 0, 253402300799, INT64_MAX };
    (void)state;
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        int64_t unix_s;
        assert_true(date_parse(SLICE("Sunday, 06-Nov-94 08:49:37 GMT"), clocks[i], &unix_s));
        assert_true(date_parse(SLICE("Sunday, 06-Nov-00 08:49:37 GMT"), clocks[i], &unix_s));
    }
}

/* A whole cycle of the calendar, and both ends of what can be written. */
static void reads_what_the_clock_writes(void **state)
{
    static const struct {
        int64_t from_s, days;
    } spans[] = {
        { -62135596800, 1000 },
        { -DAY_S * INT64_C(100), 146097 },
        { 253402300799 - DAY_S * INT64_C(999), 1000 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        for (int64_t day = 0; day < spans[i].days; day++) {
            char text[CLOCK_DATE_SIZE];
            int64_t expected = spans[i].from_s + day * DAY_S, unix_s;
            clock_format_date(expected, text);
            if (!date_parse(slice_make(text, sizeof text), 0, &unix_s) || unix_s != expected)
                fail_msg("%.29s", text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_three_forms),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(finds_the_century),
        cmocka_unit_test(refuses_a_leap_day_of_the_wrong_century),
        cmocka_unit_test(survives_a_mad_clock),
        cmocka_unit_test(reads_what_the_clock_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
