/* JSON by a format: the text of the format is the JSON, and conversions in it stand for values, each escaped as it
 * has to be (RFC 8259). Nobody checks that the format itself is JSON; it is a constant of the program.
 *
 *     %s const char * as a string (NULL: null)       %S struct slice as a string (data NULL: null)
 *     %d int   %u unsigned   %ld %lu long   %lld %llu long long   %zu size_t
 *     %f double: 15 digits, or the 16 or 17 it takes to read back the same (NaN, infinity: null)
 *     %b int as true or false                        %% a percent sign
 *     %j const char *, %J struct slice: JSON already made (NULL: null) */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdarg.h>

#include "base/writer.h"

/* False: the format has a conversion that is not in the list; nothing is written from there on. Room that was
 * missing shows in the writer, as always.
 *
 * %S and %J take a struct slice by value. The public rh_slice must keep the very same layout, because it is passed in
 * its place. */
bool json_format(struct writer *w, const char *format, va_list *arguments);

/* Writes the one conversion at `at`, just behind its percent sign; returns where it ends, or NULL where it is none. */
const char *json_convert(struct writer *w, const char *at, va_list *arguments);

#endif
