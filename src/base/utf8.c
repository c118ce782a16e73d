/* UTF-8 as RFC 3629 part 4 has it: the first byte says the size and what the second byte may be; the rest are
 * all continuation bytes. Overlong forms, surrogates and what is beyond U+10FFFF differ in the second byte alone. */
#include "base/utf8.h"

struct lead {
    unsigned char size, second_min, second_max;
};

static struct lead lead_of(unsigned char first)
{
    if (first < 0x80)
        return (struct lead){ 1, 0, 0 };
    if (first < 0xC2) /* a continuation byte, or C0 and C1, which could only be overlong */
        return (struct lead){ 0, 0, 0 };
    if (first < 0xE0)
        return (struct lead){ 2, 0x80, 0xBF };
    if (first < 0xF0)
        return (struct lead){ 3, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF };
    if (first < 0xF5)
        return (struct lead){ 4, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF };
    return (struct lead){ 0, 0, 0 };
}

size_t utf8_size(struct slice text)
{
    if (text.size == 0)
        return 0;
    struct lead lead = lead_of((unsigned char)text.data[0]);
    if (lead.size > text.size)
        return 0;
    if (lead.size < 2)
        return lead.size;
    unsigned char second = (unsigned char)text.data[1];
    if (second < lead.second_min || second > lead.second_max)
        return 0;
    for (size_t i = 2; i < lead.size; i++)
        if (((unsigned char)text.data[i] & 0xC0) != 0x80)
            return 0;
    return lead.size;
}

bool utf8_valid(struct slice text)
{
    while (text.size > 0) {
        size_t size = utf8_size(text);
        if (size == 0)
            return false;
        text = slice_skip(text, size);
    }
    return true;
}
