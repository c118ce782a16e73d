/* The conversions of the JSON writer, one function for each kind of value. It never looks at the locale: a number has
 * a point, whatever the process has chosen for its own texts. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void write_string(struct writer *w, struct slice text)
{
    if (!text.data) {
        writer_text(w, "null");
        return;
    }
    writer_byte(w, '"');
    writer_json(w, text);
    writer_byte(w, '"');
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

/* "d" or "u" after `longs` times "l". */
static bool write_integer(struct writer *w, char kind, int longs, va_list *arguments)
{
    if (kind == 'd' && longs == 0)
        write_int(w, va_arg(*arguments, int));
    else if (kind == 'd' && longs == 1)
        write_int(w, va_arg(*arguments, long));
    else if (kind == 'd')
        write_int(w, va_arg(*arguments, long long));
    else if (kind == 'u' && longs == 0)
        writer_uint(w, va_arg(*arguments, unsigned));
    else if (kind == 'u' && longs == 1)
        writer_uint(w, va_arg(*arguments, unsigned long));
    else if (kind == 'u')
        writer_uint(w, va_arg(*arguments, unsigned long long));
    else
        return false;
    return true;
}

static bool write_value(struct writer *w, char kind, va_list *arguments)
{
    switch (kind) {
    case 's':
        write_string(w, slice_text(va_arg(*arguments, const char *)));
        return true;
    case 'S':
        write_string(w, va_arg(*arguments, struct slice));
        return true;
    case 'f':
        write_double(w, va_arg(*arguments, double));
        return true;
    case 'b':
        writer_text(w, va_arg(*arguments, int) ? "true" : "false");
        return true;
    case 'j':
        write_made(w, slice_text(va_arg(*arguments, const char *)));
        return true;
    case 'J':
        write_made(w, va_arg(*arguments, struct slice));
        return true;
    case '%':
        writer_byte(w, '%');
        return true;
    default:
        return write_integer(w, kind, 0, arguments);
    }
}

const char *json_convert(struct writer *w, const char *at, va_list *arguments)
{
    int longs = 0;
    if (at[0] == 'z') {
        if (at[1] != 'u')
            return NULL;
        writer_uint(w, va_arg(*arguments, size_t));
        return at + 2;
    }
    while (longs < 2 && at[longs] == 'l')
        longs++;
    if (longs > 0)
        return write_integer(w, at[longs], longs, arguments) ? at + longs + 1 : NULL;
    return write_value(w, *at, arguments) ? at + 1 : NULL;
}

bool json_format(struct writer *w, const char *format, va_list *arguments)
{
    for (;;) {
        size_t literal = strcspn(format, "%");
        writer_bytes(w, format, literal);
        format += literal;
        if (*format == '\0')
            return true;
        format = json_convert(w, format + 1, arguments);
        if (!format)
            return false;
    }
}
