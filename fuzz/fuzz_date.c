/* Dates: the first 8 bytes of the input are a clock, the rest is a text that may be a date, and both together are a
 * time. A text that is taken means a time that can be written again; a time that is written is read as itself. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "http/date.h"

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static const int64_t first_s = -62135596800, last_s = 253402300799; /* the years 1 to 9999 */

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

static void check_written(int64_t unix_s, int64_t now_s)
{
    char text[CLOCK_DATE_SIZE];
    int64_t again = 0;
    clock_format_date(unix_s, text);
    CHECK(date_parse(slice_make(text, sizeof text), now_s, &again));
    CHECK(again == unix_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t now_s, unix_s;
    if (size < sizeof now_s)
        return 0;
    memcpy(&now_s, data, sizeof now_s);
    struct slice text = slice_make((const char *)data + sizeof now_s, size - sizeof now_s);
    if (date_parse(text, now_s, &unix_s)) {
        CHECK(unix_s >= first_s && unix_s <= last_s + 1); /* + 1: a leap second at the very end */
        if (unix_s <= last_s)
            check_written(unix_s, now_s);
    }
    uint64_t span = (uint64_t)(last_s - first_s) + 1;
    check_written(first_s + (int64_t)((uint64_t)now_s % span), now_s);
    return 0;
}
