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

static bool within(struct slice text, size_t at, unsigned char least, unsigned char most)
{
    unsigned char byte = (unsigned char)text.data[at];
    return byte >= least && byte <= most;
}

size_t utf8_shown(struct slice text)
{
    size_t size = utf8_size(text);
    bool control = (size == 1 && (within(text, 0, 0, 0x1F) || within(text, 0, 0x7F, 0x7F))) ||
                   (size == 2 && within(text, 0, 0xC2, 0xC2) && within(text, 1, 0x80, 0x9F));
    bool steers = slice_starts(text, SLICE("\xE2\x80")) && size == 3 && within(text, 2, 0xA8, 0xAE);
    bool isolates = slice_starts(text, SLICE("\xE2\x81")) && size == 3 && within(text, 2, 0xA6, 0xA9);
    return control || steers || isolates ? 0 : size;
}

/* Most text is mostly ASCII: eight bytes at a time, as long as none has its highest bit set. */
static struct slice skip_ascii(struct slice text)
{
    uint64_t eight;
    while (text.size >= sizeof eight) {
        memcpy(&eight, text.data, sizeof eight);
        if (eight & UINT64_C(0x8080808080808080))
            break;
        text = slice_skip(text, sizeof eight);
    }
    while (text.size > 0 && (unsigned char)text.data[0] < 0x80)
        text = slice_skip(text, 1);
    return text;
}

static bool begin_character(struct utf8_run *run, unsigned char first)
{
    struct lead lead = lead_of(first);
    if (lead.size == 0)
        return false;
    *run = (struct utf8_run){ (uint8_t)(lead.size - 1), lead.second_min, lead.second_max };
    return true;
}

static bool go_on(struct utf8_run *run, unsigned char byte)
{
    if (byte < run->second_min || byte > run->second_max)
        return false;
    *run = (struct utf8_run){ (uint8_t)(run->left - 1), 0x80, 0xBF };
    return true;
}

bool utf8_continue(struct utf8_run *run, struct slice piece)
{
    for (;;) {
        if (run->left == 0)
            piece = skip_ascii(piece);
        if (piece.size == 0)
            return true;
        unsigned char byte = (unsigned char)piece.data[0];
        if (run->left > 0 ? !go_on(run, byte) : !begin_character(run, byte))
            return false;
        piece = slice_skip(piece, 1);
    }
}

bool utf8_valid(struct slice text)
{
    struct utf8_run run = { 0 };
    return utf8_continue(&run, text) && run.left == 0;
}
