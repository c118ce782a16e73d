/* Reads credentials (RFC 9110 11.4) of the Basic scheme (RFC 7617) to the letter: base64 with its padding, no bit set
 * that means nothing (RFC 4648 3.5), no control, UTF-8. */
#include "http/basic.h"

#include "base/utf8.h"

bool basic_token(const struct fields *fields, struct slice *token)
{
    const struct slice scheme = SLICE("Basic");
    if (!fields_has(fields, FIELD_AUTHORIZATION))
        return false;
    unsigned index = fields->first[FIELD_AUTHORIZATION];
    struct slice value = fields_value(fields, index);
    size_t end = slice_find(value, ' ');
    if (end == value.size || !slice_equal_nocase(slice_part(value, 0, end), scheme) ||
        fields_next(fields, FIELD_AUTHORIZATION, index + 1) >= 0)
        return false;
    while (end < value.size && value.data[end] == ' ') /* 1*SP */
        end++;
    *token = slice_skip(value, end);
    return true;
}

/* 0..63, or -1 where it is no digit of base64 (RFC 4648 part 4). */
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

static bool decode(struct slice token, char *out, size_t *size)
{
    size_t padding = slice_ends(token, SLICE("==")) ? 2 : slice_ends(token, SLICE("="));
    if (token.size == 0 || token.size % 4 != 0 || token.size / 4 * 3 - padding > BASIC_TEXT_MAX)
        return false;
    *size = 0;
    for (size_t at = 0; at < token.size; at += 4) {
        unsigned digits = at + 4 < token.size ? 4 : 4 - (unsigned)padding;
        if (!decode_four(token.data + at, digits, out + *size))
            return false;
        *size += digits - 1;
    }
    return true;
}

/* RFC 7617 part 2: no control characters. And we say, in the challenge, that it is to be UTF-8. */
static bool text_valid(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
            return false;
    return utf8_valid(text);
}

bool basic_name_valid(struct slice name)
{
    return text_valid(name) && slice_find(name, ':') == name.size;
}

bool basic_decode(struct slice token, struct basic *basic)
{
    size_t size;
    if (!decode(token, basic->text, &size))
        return false;
    struct slice text = slice_make(basic->text, size);
    size_t colon = slice_find(text, ':');
    if (colon == size || !text_valid(text))
        return false;
    basic->name = slice_part(text, 0, colon);
    basic->password = slice_skip(text, colon + 1);
    return true;
}
