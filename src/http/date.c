/* HTTP dates read by pattern: each of the three forms is a line of a table, each letter of it a piece of a date. The
 * day's name has to be one but is not compared with the date: nothing depends on it. */
#include "http/date.h"

/* W day name, L long day name, D day, _ day padded with a space, M month name, Y year, y its last two digits,
 * h m s time, Z "GMT"; anything else stands for itself. */
static const char *const forms[] = {
    "W, D M Y h:m:s Z", /* IMF-fixdate:  Sun, 06 Nov 1994 08:49:37 GMT */
    "L, D-M-y h:m:s Z", /* RFC 850:      Sunday, 06-Nov-94 08:49:37 GMT */
    "W M _ h:m:s Y",    /* asctime:      Sun Nov  6 08:49:37 1994 */
};

static const struct slice day_names[] = {
    SLICE_INIT("Sunday"), SLICE_INIT("Monday"), SLICE_INIT("Tuesday"), SLICE_INIT("Wednesday"),
    SLICE_INIT("Thursday"), SLICE_INIT("Friday"), SLICE_INIT("Saturday"),
};

static const struct slice month_names[] = {
    SLICE_INIT("Jan"), SLICE_INIT("Feb"), SLICE_INIT("Mar"), SLICE_INIT("Apr"), SLICE_INIT("May"), SLICE_INIT("Jun"),
    SLICE_INIT("Jul"), SLICE_INIT("Aug"), SLICE_INIT("Sep"), SLICE_INIT("Oct"), SLICE_INIT("Nov"), SLICE_INIT("Dec"),
};

enum { DAYS_1970 = 719162, SHORT_NAME = 3 }; /* days from 1 January of the year 1 to that of 1970 */

static const int64_t year_s = 31556952; /* the mean Gregorian year, 365.2425 days */

struct moment {
    unsigned year, month, day, hour, minute, second;
    bool century_missing;
};

static bool take_text(struct slice *text, struct slice expected)
{
    if (!slice_starts(*text, expected))
        return false;
    *text = slice_skip(*text, expected.size);
    return true;
}

static bool take_day_name(struct slice *text, bool whole)
{
    for (unsigned i = 0; i < 7; i++)
        if (take_text(text, whole ? day_names[i] : slice_part(day_names[i], 0, SHORT_NAME)))
            return true;
    return false;
}

static bool take_month(struct slice *text, unsigned *month)
{
    for (*month = 1; *month <= 12; ++*month)
        if (take_text(text, month_names[*month - 1]))
            return true;
    return false;
}

static bool take_number(struct slice *text, size_t digits, unsigned *number)
{
    uint64_t value;
    if (text->size < digits || !slice_uint(slice_part(*text, 0, digits), &value))
        return false;
    *number = (unsigned)value;
    *text = slice_skip(*text, digits);
    return true;
}

static bool take_piece(struct slice *text, char piece, struct moment *moment)
{
    switch (piece) {
    case 'W':
        return take_day_name(text, false);
    case 'L':
        return take_day_name(text, true);
    case 'D':
        return take_number(text, 2, &moment->day);
    case '_':
        return take_number(text, take_text(text, SLICE(" ")) ? 1 : 2, &moment->day);
    case 'M':
        return take_month(text, &moment->month);
    case 'Y':
        return take_number(text, 4, &moment->year);
    case 'y':
        moment->century_missing = true;
        return take_number(text, 2, &moment->year);
    case 'h':
        return take_number(text, 2, &moment->hour);
    case 'm':
        return take_number(text, 2, &moment->minute);
    case 's':
        return take_number(text, 2, &moment->second);
    case 'Z':
        return take_text(text, SLICE("GMT"));
    default:
        return take_text(text, slice_make(&piece, 1));
    }
}

static bool match(const char *form, struct slice text, struct moment *moment)
{
    *moment = (struct moment){ 0 };
    for (; *form; form++)
        if (!take_piece(&text, *form, moment))
            return false;
    return text.size == 0;
}

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool valid(const struct moment *moment)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned last = days[moment->month - 1] + (moment->month == 2 && is_leap(moment->year) ? 1u : 0u);
    return moment->year > 0 && moment->day > 0 && moment->day <= last && moment->hour < 24 && moment->minute < 60 &&
           moment->second <= 60; /* a leap second is the first one of the next minute */
}

static int64_t seconds(const struct moment *moment)
{
    static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    int64_t past = (int64_t)moment->year - 1;
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - DAYS_1970;
    days += before[moment->month - 1] + (moment->month > 2 && is_leap(moment->year) ? 1 : 0);
    days += (int64_t)moment->day - 1;
    return ((days * 24 + moment->hour) * 60 + moment->minute) * 60 + moment->second;
}

/* RFC 9110 5.6.7: the latest year with these two digits which is not more than 50 years ahead. */
static void find_century(struct moment *moment, int64_t now_s)
{
    if (now_s < 0 || now_s > 8000 * year_s)
        now_s = 0; /* a clock that is not set */
    unsigned latest = 1970 + (unsigned)(now_s / year_s) + 51;
    moment->year = latest - (latest - moment->year) % 100;
    if (seconds(moment) - now_s > 50 * year_s)
        moment->year -= 100;
}

bool date_parse(struct slice text, int64_t now_s, int64_t *unix_s)
{
    struct moment moment;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (!match(forms[i], text, &moment))
            continue;
        if (moment.century_missing)
            find_century(&moment, now_s);
        if (!valid(&moment))
            return false;
        *unix_s = seconds(&moment);
        return true;
    }
    return false;
}
