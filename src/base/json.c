/* The conversions of the JSON writer, one function for each kind of value. It never looks at the locale: a number has
 * a point, whatever the process has chosen for its own texts. */
#include "base/json.h"

#include "base/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void write_string(struct writer *w, struct slice text)
{
    if (text.data)
        writer_json_string(w, text);
    else
        writer_text(w, "null");
}

static void write_made(struct writer *w, struct slice json)
{
    writer_put(w, json.data ? json : SLICE("null"));
}

static void write_int(struct writer *w, long long value)
{
    uint64_t magnitude = (uint64_t)value;
    if (value < 0) {
        writer_byte(w, '-');
        magnitude = 0 - magnitude; /* right for LLONG_MIN too, which has no positive twin */
    }
    writer_uint(w, magnitude);
}

/* snprintf knows what is shortest but writes the locale's decimal point, which may be several bytes; no other byte than
 * these can stand in what "%g" writes of a finite number. */
static void write_with_point(struct writer *w, const char *digits)
{
    size_t before = strspn(digits, "+-0123456789e");
    size_t after = before + strcspn(digits + before, "+-0123456789e");
    writer_bytes(w, digits, before);
    if (after > before)
        writer_byte(w, '.');
    writer_text(w, digits + after);
}

static void write_double(struct writer *w, double value)
{
    char digits[48]; /* "%.17g" needs 24 and the locale's decimal point */
    if (!isfinite(value)) {
        writer_text(w, "null");
        return;
    }
    for (int precision = 15; precision <= 17; precision++) { /* 17 digits always suffice for a double */
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    write_with_point(w, digits);
}

/* Behind the percent sign and a first "l"; returns where the conversion ends, or NULL where it is none. */
static const char *convert_long(struct writer *w, const char *at, va_list *arguments)
{
    bool longer = *at == 'l';
    at += longer;
    if (*at == 'd')
        write_int(w, longer ? va_arg(*arguments, long long) : va_arg(*arguments, long));
    else if (*at == 'u')
        writer_uint(w, longer ? va_arg(*arguments, unsigned long long) : va_arg(*arguments, unsigned long));
    else
        return NULL;
    return at + 1;
}

/* Behind a "z". */
static const char *convert_size(struct writer *w, const char *at, va_list *arguments)
{
    if (*at != 'u')
        return NULL;
    writer_uint(w, va_arg(*arguments, size_t));
    return at + 1;
}

static inline const char *convert(struct writer *w, const char *at, va_list *arguments)
{
    switch (*at) {
    case 's':
        write_string(w, slice_text(va_arg(*arguments, const char *)));
        break;
    case 'S':
        write_string(w, va_arg(*arguments, struct slice));
        break;
    case 'd':
        write_int(w, va_arg(*arguments, int));
        break;
    case 'u':
        writer_uint(w, va_arg(*arguments, unsigned));
        break;
    case 'l':
        return convert_long(w, at + 1, arguments);
    case 'z':
        return convert_size(w, at + 1, arguments);
    case 'f':
        write_double(w, va_arg(*arguments, double));
        break;
    case 'b':
        writer_text(w, va_arg(*arguments, int) ? "true" : "false");
        break;
    case 'j':
        write_made(w, slice_text(va_arg(*arguments, const char *)));
        break;
    case 'J':
        write_made(w, va_arg(*arguments, struct slice));
        break;
    case '%':
        writer_byte(w, '%');
        break;
    default:
        return NULL;
    }
    return at + 1;
}

const char *json_convert(struct writer *w, const char *at, va_list *arguments)
{
    return convert(w, at, arguments);
}

bool json_format(struct writer *w, const char *format, va_list *arguments)
{
    const char *end = format + strlen(format);
    while (format && (format = format_literal(w, format, end)) < end)
        format = convert(w, format + 1, arguments);
    return format != NULL;
}
