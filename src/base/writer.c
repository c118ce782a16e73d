/* The parts of the writer that are more than a copy: numbers, and text escaped for JSON and HTML.
 *
 * Runs of bytes that need no escape are found first and copied whole; nearly all text is one such run. */
#include "base/writer.h"

#include "base/utf8.h"

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                  "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                  "8081828384858687888990919293949596979899";

static const char hex_digits[] = "0123456789abcdef";

/* The last `digits` of a number, before `end`. */
static inline void put_digits(char *end, uint64_t value, unsigned digits)
{
    for (; digits >= 2; digits -= 2) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (digits > 0)
        end[-1] = (char)('0' + value % 10);
}

void writer_digits(struct writer *w, uint64_t value, unsigned digits)
{
    if ((size_t)(w->end - w->at) < digits) {
        w->overflowed = true;
        return;
    }
    w->at += digits;
    put_digits(w->at, value, digits);
}

void writer_uint(struct writer *w, uint64_t value)
{
    enum { DIGITS_MAX = 20 }; /* UINT64_MAX has so many */
    unsigned digits = 2;
    uint64_t least = 10; /* that has so many */

    for (; digits < DIGITS_MAX && value / 10 >= least; least *= 100)
        digits += 2;
    writer_digits(w, value, value < least ? digits - 1 : digits);
}

void writer_hex(struct writer *w, uint64_t value)
{
    char digits[16];
    char *at = digits + sizeof digits;

    do {
        *--at = hex_digits[value & 15];
        value >>= 4;
    } while (value != 0);
    writer_bytes(w, at, (size_t)(digits + sizeof digits - at));
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Not 0 where one of the eight bytes is a control, a quote, a backslash, DEL or not ASCII. May also mark a byte that
 * stands above such a one (the borrow of the subtraction), which does no harm: somebody looks at the bytes then. */
static uint64_t special_bytes(uint64_t eight)
{
    uint64_t quote = eight ^ EACH_BYTE('"'), backslash = eight ^ EACH_BYTE('\\'), del = eight ^ EACH_BYTE(0x7f);
    uint64_t low = (eight - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) | (backslash - EACH_BYTE(1)) |
                   (del - EACH_BYTE(1)) | eight;
    return low & EACH_BYTE(0x80);
}

static bool is_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x7f;
}

/* How many bytes at the start of `text` stand for themselves within a JSON string. */
static size_t plain_size(struct slice text)
{
    size_t i = 0;
    for (; text.size - i >= 8; i += 8) {
        uint64_t eight;
        memcpy(&eight, text.data + i, 8);
        if (special_bytes(eight))
            break;
    }
    while (i < text.size && !is_special((unsigned char)text.data[i]))
        i++;
    return i;
}

static void escape_ascii(struct writer *w, unsigned char c)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };
    if (c == '"' || c == '\\')
        writer_bytes(w, (char[]){ '\\', (char)c }, 2);
    else if (c < 0x20 && letters[c])
        writer_bytes(w, (char[]){ '\\', letters[c] }, 2);
    else
        writer_bytes(w, (char[]){ '\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15] }, 6);
}

void writer_json(struct writer *w, struct slice text)
{
    while (text.size > 0) {
        size_t taken = plain_size(text);
        if (taken > 0) {
            writer_bytes(w, text.data, taken);
        } else if ((unsigned char)text.data[0] < 0x80) {
            escape_ascii(w, (unsigned char)text.data[0]);
            taken = 1;
        } else if ((taken = utf8_size(text)) > 0) {
            writer_bytes(w, text.data, taken);
        } else {
            writer_text(w, "\xEF\xBF\xBD"); /* U+FFFD */
            taken = 1;
        }
        text = slice_skip(text, taken);
    }
}

static const char *html_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;"; /* &apos; came only with HTML 5 */
    default:
        return NULL;
    }
}

void writer_html(struct writer *w, struct slice text)
{
    size_t done = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *entity = html_entity(text.data[i]);
        if (!entity)
            continue;
        writer_put(w, slice_part(text, done, i));
        writer_text(w, entity);
        done = i + 1;
    }
    writer_put(w, slice_part(text, done, text.size));
}
