/* The time, read once a loop turn and shared by everything in that turn; the only file that asks the kernel.
 *
 * A clock belongs to one worker. The Date text is made anew only when the second changes. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

enum { CLOCK_DATE_SIZE = 29, CLOCK_STAMP_SIZE = 24 };

struct clock {
    uint64_t now_ms;   /* monotonic: for deadlines and durations */
    int64_t unix_s;    /* wall clock: for dates */
    uint32_t unix_ms;  /* its milliseconds within the second */
    char date[CLOCK_DATE_SIZE + 3];   /* IMF-fixdate, RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT" */
};

void clock_update(struct clock *clock); /* all zero before the first time */

/* now_ms to the millisecond, not later than the real one, for what cannot wait for the turn's reading: that moves with
 * the kernel's tick. Never behind a now_ms that was read before. */
uint64_t clock_fine_ms(void);

/* IMF-fixdate of a time into 29 bytes; years 1 to 9999, anything else is clamped. */
void clock_format_date(int64_t unix_s, char out[static CLOCK_DATE_SIZE]);

/* RFC 3339 with milliseconds, "2026-01-31T08:49:37.123Z", into 24 bytes. */
void clock_format_stamp(int64_t unix_s, uint32_t ms, char out[static CLOCK_STAMP_SIZE]);

#endif
