/* HTML by a format: the text of the format is the HTML, and conversions in it stand for values. Nobody checks that the
 * format itself is HTML; it is a constant of the program.
 *
 *     %s const char *, %S struct slice: text, escaped for elements and quoted attributes (NULL: nothing)
 *     %h const char *, %H struct slice: HTML already made (NULL: nothing)
 *     numbers, %b and %% as in base/json.h, without its %j and %J */
#ifndef BASE_HTML_H
#define BASE_HTML_H

#include <stdarg.h>

#include "base/writer.h"

/* As json_format. */
bool html_format(struct writer *w, const char *format, va_list *arguments);

#endif
