/* Reads credentials (RFC 9110 11.4) of the Basic scheme (RFC 7617) to the letter: base64 with its padding, no control,
 * UTF-8. */
#include "http/basic.h"

#include "base/base64.h"
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
    if (token.size == 0 || !base64_decode(token, basic->text, BASIC_TEXT_MAX, &size))
        return false;
    struct slice text = slice_make(basic->text, size);
    size_t colon = slice_find(text, ':');
    if (colon == size || !text_valid(text))
        return false;
    basic->name = slice_part(text, 0, colon);
    basic->password = slice_skip(text, colon + 1);
    return true;
}
