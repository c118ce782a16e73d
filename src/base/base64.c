/* Three bytes are four digits of six bits; what is left over at the end is padded. */
#include "base/base64.h"

/* 0..63, or -1 where it is no digit. */
static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* `digits` of the four are digits, which mean one byte less. False: one is none, or the last one has a bit set that
 * belongs to no byte. */
static bool decode_four(const char *in, unsigned digits, char *out)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        int value = i < digits ? digit_value(in[i]) : 0;
        if (value < 0)
            return false;
        bits = bits << 6 | (unsigned)value;
    }
    for (unsigned i = 0; i + 1 < digits; i++)
        out[i] = (char)(bits >> (16 - 8 * i));
    return (bits & (0xffffffu >> 8 * (digits - 1))) == 0;
}

bool base64_decode(struct slice text, char *out, size_t room, size_t *size)
{
    size_t padding = slice_ends(text, SLICE("==")) ? 2 : slice_ends(text, SLICE("="));
    *size = 0;
    if (text.size % 4 != 0 || text.size / 4 * 3 - padding > room)
        return false;
    for (size_t at = 0; at < text.size; at += 4) {
        unsigned digits = at + 4 < text.size ? 4 : 4 - (unsigned)padding;
        if (!decode_four(text.data + at, digits, out + *size))
            return false;
        *size += digits - 1;
    }
    return true;
}

void base64_write(struct writer *w, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while (bytes.size > 0) {
        size_t count = bytes.size < 3 ? bytes.size : 3;
        unsigned bits = 0;
        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (i < count ? (unsigned char)bytes.data[i] : 0);
        for (unsigned i = 0; i < 4; i++)
            writer_byte(w, i <= count ? digits[bits >> (18 - 6 * i) & 63] : '=');
        bytes = slice_skip(bytes, count);
    }
}
