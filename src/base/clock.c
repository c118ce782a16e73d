/* The one file that asks the kernel for the time, and the one that turns a time into text.
 *
 * The coarse clocks are read without a system call and a little cheaper than the fine ones; they move with the
 * kernel's tick (1 to 10 ms), which is fine for deadlines in milliseconds and dates in seconds. No strftime: it
 * would depend on the locale. */
#include "base/clock.h"

#include <time.h>

#include "base/writer.h"

static const int64_t unix_s_min = INT64_C(-62135596800); /* 0001-01-01T00:00:00Z */
static const int64_t unix_s_max = INT64_C(253402300799); /* 9999-12-31T23:59:59Z */

struct civil {
    unsigned year, month, day; /* 1.. */
    unsigned weekday;          /* 0: Sunday */
    unsigned hour, minute, second;
};

/* The day of the Gregorian calendar, counted from 0000-03-01: a year that begins in March has its leap day last, so
 * that the months before it have the same lengths every year, and 400 such years always have 146,097 days. */
static void set_day(struct civil *civil, unsigned days)
{
    unsigned era = days / 146097, day = days % 146097;
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned day_of_year = day - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * day_of_year + 2) / 153; /* 0: March; five months have 153 days */

    civil->day = day_of_year - (153 * month + 2) / 5 + 1;
    civil->month = month < 10 ? month + 3 : month - 9;
    civil->year = era * 400 + year + (civil->month <= 2);
    civil->weekday = (days + 3) % 7; /* 0000-03-01 was a Wednesday */
}

static struct civil civil_of(int64_t unix_s)
{
    const int64_t day_s = 86400, epoch_days = 719468; /* from 0000-03-01 to 1970-01-01 */
    if (unix_s < unix_s_min)
        unix_s = unix_s_min;
    if (unix_s > unix_s_max)
        unix_s = unix_s_max;
    uint64_t seconds = (uint64_t)(unix_s + epoch_days * day_s); /* not negative, whatever the year */
    unsigned second = (unsigned)(seconds % (uint64_t)day_s);

    struct civil civil = { .hour = second / 3600, .minute = second / 60 % 60, .second = second % 60 };
    set_day(&civil, (unsigned)(seconds / (uint64_t)day_s));
    return civil;
}

static void write_time(struct writer *w, const struct civil *civil)
{
    writer_digits(w, civil->hour, 2);
    writer_byte(w, ':');
    writer_digits(w, civil->minute, 2);
    writer_byte(w, ':');
    writer_digits(w, civil->second, 2);
}

void clock_format_date(int64_t unix_s, char out[static CLOCK_DATE_SIZE])
{
    static const char weekdays[] = "Sun, Mon, Tue, Wed, Thu, Fri, Sat, ";
    static const char months[] = " Jan  Feb  Mar  Apr  May  Jun  Jul  Aug  Sep  Oct  Nov  Dec ";
    struct civil civil = civil_of(unix_s);
    struct writer w = writer_on(out, CLOCK_DATE_SIZE);

    writer_bytes(&w, weekdays + 5 * civil.weekday, 5);
    writer_digits(&w, civil.day, 2);
    writer_bytes(&w, months + 5 * (civil.month - 1), 5);
    writer_digits(&w, civil.year, 4);
    writer_byte(&w, ' ');
    write_time(&w, &civil);
    writer_text(&w, " GMT");
}

void clock_format_stamp(int64_t unix_s, uint32_t ms, char out[static CLOCK_STAMP_SIZE])
{
    struct civil civil = civil_of(unix_s);
    struct writer w = writer_on(out, CLOCK_STAMP_SIZE);

    writer_digits(&w, civil.year, 4);
    writer_byte(&w, '-');
    writer_digits(&w, civil.month, 2);
    writer_byte(&w, '-');
    writer_digits(&w, civil.day, 2);
    writer_byte(&w, 'T');
    write_time(&w, &civil);
    writer_byte(&w, '.');
    writer_digits(&w, ms < 1000 ? ms : 999, 3);
    writer_byte(&w, 'Z');
}

static uint64_t monotonic_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_fine_ms(void)
{
    return monotonic_ms(CLOCK_MONOTONIC);
}

void clock_update(struct clock *clock)
{
    struct timespec wall;
    uint64_t now_ms = monotonic_ms(CLOCK_MONOTONIC_COARSE);
    /* Both coarse clocks move at the kernel's tick, some milliseconds long: a busy loop makes many turns within one. */
    if (clock->now_ms == now_ms && clock->date[0] != '\0')
        return;
    clock_gettime(CLOCK_REALTIME_COARSE, &wall);
    clock->now_ms = now_ms;
    clock->unix_ms = (uint32_t)(wall.tv_nsec / 1000000);
    if (clock->date[0] != '\0' && clock->unix_s == wall.tv_sec)
        return;
    clock->unix_s = wall.tv_sec;
    clock_format_date(clock->unix_s, clock->date);
}
