/* Numbers as people write them on a command line: "4", "64K", "256MiB", "500ms", "10s"; and back again for messages.
 * Pure; knows no option and no limit. */
#ifndef MAIN_VALUE_H
#define MAIN_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* The whole text must be one such number, without sign or spaces, and fit; otherwise false and *value is left alone. */
bool value_number(const char *text, uint64_t *value);
/* B, K, M, G, T with or without B or iB, any case, all times 1024. */
bool value_size(const char *text, uint64_t *bytes);
bool value_time(const char *text, uint64_t *ms);    /* ms, s, m, h; none: seconds */
bool value_bool(const char *text, bool *value);     /* true, yes, on, 1, false, no, off, 0, any case */

enum { VALUE_TEXT_SIZE = 32 };

/* "1 byte", "64 KiB", "4.5 MiB": rounded to one decimal. */
const char *value_size_text(uint64_t bytes, char out[static VALUE_TEXT_SIZE]);

/* As one would write them: "64K", "65535", "90s", "24h", in the largest unit that is exact. */
const char *value_size_exact_text(uint64_t bytes, char out[static VALUE_TEXT_SIZE]);
const char *value_time_exact_text(uint64_t ms, char out[static VALUE_TEXT_SIZE]);

#endif
