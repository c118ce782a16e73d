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

/* How many digits a number has: by its bits, of which 3.32 make a digit, that many or one more. */
static inline unsigned digit_count(uint64_t value)
{
    static const uint64_t powers[] = { 0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
        10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000,
        100000000000000000, 1000000000000000000, 10000000000000000000U };
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    unsigned digits = bits * 1233 >> 12; /* log10(2) is a little more than 1233 / 4096 */
    return digits + (value >= powers[digits]);
}

void writer_uint(struct writer *w, uint64_t value)
{
    if (value < 10)
        writer_byte(w, (char)('0' + value));
    else if (value < 100)
        writer_bytes(w, digit_pairs + 2 * value, 2);
    else
        writer_digits(w, value, digit_count(value));
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

typedef unsigned char lane __attribute__((vector_size(16))); /* whatever the CPU has for it */
typedef uint64_t halves __attribute__((vector_size(16)));

/* Is there a control, a quote, a backslash, DEL or what is not ASCII among sixteen bytes? */
static inline bool special_among_16(const char *at)
{
    lane bytes;
    memcpy(&bytes, at, sizeof bytes);
    halves found = (halves)((bytes < 0x20) | (bytes >= 0x7f) | (bytes == '"') | (bytes == '\\'));
    return (found[0] | found[1]) != 0;
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The same of eight, which are given as a number. The borrow of a subtraction only ever reaches bytes above one that is
 * special itself. */
static inline bool special_among_8(uint64_t eight)
{
    uint64_t quote = eight ^ EACH_BYTE('"'), backslash = eight ^ EACH_BYTE('\\'), del = eight ^ EACH_BYTE(0x7f);
    uint64_t low = (eight - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) | (backslash - EACH_BYTE(1)) |
                   (del - EACH_BYTE(1)) | eight;
    return (low & EACH_BYTE(0x80)) != 0;
}

static bool is_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x7f;
}

/* How many bytes at the start of `text` stand for themselves within a JSON string. */
static size_t plain_size(struct slice text)
{
    size_t i = 0;
    while (text.size - i >= 16 && !special_among_16(text.data + i))
        i += 16;
    while (i < text.size && !is_special((unsigned char)text.data[i]))
        i++;
    return i;
}

/* Copies while it looks; false, whatever was copied then, where something has to be escaped. Both ends are taken where
 * it is no whole number of lanes: some bytes twice, but none alone. */
static inline bool copy_plain(char *to, struct slice text)
{
    const char *from = text.data;
    size_t last;
    if (text.size < 4) {
        for (size_t i = 0; i < text.size; i++)
            to[i] = from[i];
        return plain_size(text) == text.size;
    }
    if (text.size < 8) {
        uint32_t low, high;
        last = text.size - 4;
        memcpy(&low, from, 4);
        memcpy(&high, from + last, 4);
        memcpy(to, &low, 4);
        memcpy(to + last, &high, 4);
        return !special_among_8((uint64_t)high << 32 | low);
    }
    if (text.size < 16) {
        uint64_t low, high;
        last = text.size - 8;
        memcpy(&low, from, 8);
        memcpy(&high, from + last, 8);
        memcpy(to, &low, 8);
        memcpy(to + last, &high, 8);
        return !special_among_8(low) && !special_among_8(high);
    }
    last = text.size - 16;
    for (size_t i = 0; i < last; i += 16) {
        if (special_among_16(from + i))
            return false;
        memcpy(to + i, from + i, 16);
    }
    memcpy(to + last, from + last, 16);
    return !special_among_16(from + last);
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

static void escape(struct writer *w, struct slice text)
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

void writer_json(struct writer *w, struct slice text)
{
    if ((size_t)(w->end - w->at) >= text.size && copy_plain(w->at, text))
        w->at += text.size;
    else
        escape(w, text);
}

void writer_json_string(struct writer *w, struct slice text)
{
    char *at = w->at;
    if ((size_t)(w->end - at) >= text.size + 2 && copy_plain(at + 1, text)) {
        at[0] = '"';
        at[text.size + 1] = '"';
        w->at = at + text.size + 2;
        return;
    }
    writer_byte(w, '"');
    escape(w, text);
    writer_byte(w, '"');
}

static void write_escape(struct writer *w, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char escape[] = { '\\', 'x', digits[byte >> 4], digits[byte & 15] };
    writer_bytes(w, escape, sizeof escape);
}

void writer_shown(struct writer *w, struct slice text)
{
    while (text.size > 0 && !w->overflowed) {
        size_t size = utf8_shown(text);
        if (size > 0)
            writer_bytes(w, text.data, size);
        else
            write_escape(w, (unsigned char)text.data[0]);
        text = slice_skip(text, size > 0 ? size : 1);
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
