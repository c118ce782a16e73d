/* The clock: its texts against the C library's calendar, over all the years there are, and the reading of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static const int64_t first_s = INT64_C(-62135596800), last_s = INT64_C(253402300799);

static void assert_texts(int64_t unix_s, const char *date, const char *stamp)
{
    char d[CLOCK_DATE_SIZE + 1] = { [CLOCK_DATE_SIZE] = '#' }, s[CLOCK_STAMP_SIZE + 1] = { [CLOCK_STAMP_SIZE] = '#' };
    clock_format_date(unix_s, d);
    clock_format_stamp(unix_s, 7, s);
    assert_int_equal(d[CLOCK_DATE_SIZE], '#');
    assert_int_equal(s[CLOCK_STAMP_SIZE], '#');
    assert_int_equal(strlen(date), CLOCK_DATE_SIZE);
    assert_int_equal(strlen(stamp), CLOCK_STAMP_SIZE);
    if (memcmp(d, date, CLOCK_DATE_SIZE) != 0 || memcmp(s, stamp, CLOCK_STAMP_SIZE) != 0)
        fail_msg("%lld: %.29s %.24s, not %s %s", (long long)unix_s, d, s, date, stamp);
}

static void formats_known_times(void **state)
{
    static const struct {
        int64_t unix_s;
        const char *date, *stamp;
    } cases[] = {
        { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.007Z" }, /* RFC 9110 5.6.7 */
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.007Z" },
        { -1, "Wed, 31 Dec 1969 23:59:59 GMT", "1969-12-31T23:59:59.007Z" },
        { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00.007Z" }, /* divisible by 400 */
        { 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT", "2100-03-01T00:00:00.007Z" }, /* by 100 alone */
        { 4107542399, "Sun, 28 Feb 2100 23:59:59 GMT", "2100-02-28T23:59:59.007Z" },
        { 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT", "2038-01-19T03:14:08.007Z" },
        { 1735689599, "Tue, 31 Dec 2024 23:59:59 GMT", "2024-12-31T23:59:59.007Z" },
        { INT64_C(-62135596800), "Mon, 01 Jan 0001 00:00:00 GMT", "0001-01-01T00:00:00.007Z" },
        { INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59.007Z" },
        { INT64_C(-62135596801), "Mon, 01 Jan 0001 00:00:00 GMT", "0001-01-01T00:00:00.007Z" }, /* clamped */
        { INT64_C(253402300800), "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59.007Z" },
        { INT64_MIN, "Mon, 01 Jan 0001 00:00:00 GMT", "0001-01-01T00:00:00.007Z" },
        { INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59.007Z" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_texts(cases[i].unix_s, cases[i].date, cases[i].stamp);
}

/* strftime would follow the locale, but the test runs in "C". */
static void assert_like_the_library(int64_t unix_s)
{
    time_t at = (time_t)unix_s;
    struct tm tm;
    char date[64], stamp[64];
    assert_non_null(gmtime_r(&at, &tm));
    size_t used = strftime(date, sizeof date, "%a, %d %b ", &tm);
    snprintf(date + used, sizeof date - used, "%04d %02d:%02d:%02d GMT", tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
    snprintf(stamp, sizeof stamp, "%04d-%02d-%02dT%02d:%02d:%02d.007Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
    assert_texts(unix_s, date, stamp);
}

static void formats_every_day_of_four_centuries(void **state)
{
    (void)state;
    for (int64_t day = -135140; day < 146097 - 135140; day++) /* from 1600-01-01 */
        assert_like_the_library(day * 86400 + (day & 1 ? 86399 : 0));
}

static void formats_times_of_all_years(void **state)
{
    (void)state;
    for (int64_t at = first_s; at <= last_s; at += 9999991)
        assert_like_the_library(at);
}

static void clamps_milliseconds(void **state)
{
    static const struct {
        uint32_t ms;
        const char *text;
    } cases[] = { { 0, ".000Z" }, { 45, ".045Z" }, { 999, ".999Z" }, { 1000, ".999Z" }, { UINT32_MAX, ".999Z" } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char stamp[CLOCK_STAMP_SIZE];
        clock_format_stamp(0, cases[i].ms, stamp);
        assert_memory_equal(stamp + CLOCK_STAMP_SIZE - 5, cases[i].text, 5);
    }
}

static void reads_the_time(void **state)
{
    struct clock clock = { .now_ms = 0 };
    (void)state;
    time_t before = time(NULL);
    clock_update(&clock);
    time_t after = time(NULL);
    assert_in_range(clock.unix_s, before - 1, after); /* the coarse clock may be a tick behind */
    assert_in_range(clock.unix_ms, 0, 999);

    char date[CLOCK_DATE_SIZE];
    clock_format_date(clock.unix_s, date);
    assert_memory_equal(clock.date, date, CLOCK_DATE_SIZE);

    struct timespec fine;
    clock_gettime(CLOCK_MONOTONIC, &fine);
    uint64_t fine_ms = (uint64_t)fine.tv_sec * 1000 + (uint64_t)fine.tv_nsec / 1000000;
    assert_true(clock.now_ms <= fine_ms && clock.now_ms + 1000 > fine_ms);
    assert_true(clock_fine_ms() >= fine_ms && clock_fine_ms() < fine_ms + 1000);
}

static void moves_on(void **state)
{
    struct clock clock = { .now_ms = 0 };
    (void)state;
    clock_update(&clock);
    uint64_t ms = clock.now_ms;
    nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
    clock_update(&clock);
    assert_true(clock.now_ms >= ms + 10);
}

static void makes_the_date_only_when_the_second_changes(void **state)
{
    struct clock clock = { .now_ms = 0 };
    (void)state;
    for (int attempt = 0; attempt < 3; attempt++) { /* the second may just turn between the two */
        clock_update(&clock);
        int64_t second = clock.unix_s;
        clock.date[0] = '?';
        clock.now_ms--; /* as though the tick had changed */
        clock_update(&clock);
        if (clock.unix_s == second) {
            assert_int_equal(clock.date[0], '?');
            break;
        }
        assert_true(attempt < 2);
    }
    clock.unix_s--; /* as though the second had changed */
    clock.now_ms--; /* with the tick */
    clock_update(&clock);
    assert_int_not_equal(clock.date[0], '?');
    char date[CLOCK_DATE_SIZE];
    clock_format_date(clock.unix_s, date);
    assert_memory_equal(clock.date, date, CLOCK_DATE_SIZE);
}

static void reads_the_wall_clock_once_a_tick(void **state)
{
    struct clock clock = { .now_ms = 0 };
    (void)state;
    for (int attempt = 0; attempt < 100; attempt++) { /* the tick may just turn between the two */
        clock_update(&clock);
        uint64_t tick = clock.now_ms;
        clock.unix_ms = 5000;
        clock_update(&clock);
        if (clock.now_ms == tick) {
            assert_int_equal(clock.unix_ms, 5000);
            return;
        }
        assert_in_range(clock.unix_ms, 0, 999);
    }
    fail();
}

static void makes_the_first_date_in_any_second(void **state)
{
    struct clock clock = { .now_ms = 0 };
    (void)state;
    clock_update(&clock);
    clock.date[0] = '\0'; /* a fresh clock whose zero second happens to be now */
    clock_update(&clock);
    assert_int_not_equal(clock.date[0], '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_known_times),
        cmocka_unit_test(formats_every_day_of_four_centuries),
        cmocka_unit_test(formats_times_of_all_years),
        cmocka_unit_test(clamps_milliseconds),
        cmocka_unit_test(reads_the_time),
        cmocka_unit_test(moves_on),
        cmocka_unit_test(makes_the_date_only_when_the_second_changes),
        cmocka_unit_test(reads_the_wall_clock_once_a_tick),
        cmocka_unit_test(makes_the_first_date_in_any_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
