/* Why something cannot be as it was asked for: one line for whoever asked, which says what to write instead. It goes
 * into a buffer of the caller's, who knows where it was written (a line of a file, a call) and who is to be told.
 *
 * What is wrong may be quoted, whatever it holds: no control gets into the line. */
#ifndef BASE_WHY_H
#define BASE_WHY_H

#include <stdarg.h>

#include "base/slice.h"

enum { WHY_SIZE = 512 }; /* enough for any line about a thing of ordinary size; what is longer is cut */

struct why {
    char *text;
    size_t size; /* 0: nobody wants to know */
};

/* "about: what is wrong", or without `about` where that is empty. Always false, to be returned. */
bool why_refuse(struct why why, struct slice about, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool why_refuse_with(struct why why, struct slice about, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif
