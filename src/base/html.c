/* Texts in HTML by a format; whatever is no text is written as in JSON. It knows no elements: what stands in the format
 * is the program's. See html.h. */
#include "base/html.h"

#include "base/format.h"
#include "base/json.h"

/* Just behind the percent sign; returns where the conversion ends, or NULL where it is none. */
static const char *convert(struct writer *w, const char *at, va_list *arguments)
{
    switch (*at) {
    case 's':
        writer_html(w, slice_text(va_arg(*arguments, const char *)));
        return at + 1;
    case 'S':
        writer_html(w, va_arg(*arguments, struct slice));
        return at + 1;
    case 'h':
        writer_put(w, slice_text(va_arg(*arguments, const char *)));
        return at + 1;
    case 'H':
        writer_put(w, va_arg(*arguments, struct slice));
        return at + 1;
    case 'j':
    case 'J':
        return NULL;
    default:
        return json_convert(w, at, arguments);
    }
}

bool html_format(struct writer *w, const char *format, va_list *arguments)
{
    const char *end = format + strlen(format);
    while (format && (format = format_literal(w, format, end)) < end)
        format = convert(w, format + 1, arguments);
    return format != NULL;
}
