/* A frame is a word of flags and a payload. */
#include "frames.h"

struct flag {
    struct slice name;
    unsigned bits;
};

enum { BARE = 0x100, MORE = 0x200 };

static const struct flag flags[] = {
    { SLICE_INIT("cont"), 0 },    { SLICE_INIT("text"), 1 },     { SLICE_INIT("binary"), 2 },
    { SLICE_INIT("close"), 8 },   { SLICE_INIT("ping"), 9 },     { SLICE_INIT("pong"), 10 },
    { SLICE_INIT("rsv1"), 0x40 }, { SLICE_INIT("rsv2"), 0x20 },  { SLICE_INIT("rsv3"), 0x10 },
    { SLICE_INIT("more"), MORE }, { SLICE_INIT("bare"), BARE },
};

static bool take_flag(struct slice name, unsigned *bits)
{
    uint64_t opcode;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (slice_equal(name, flags[i].name)) {
            *bits |= flags[i].bits;
            return true;
        }
    }
    if (!slice_starts(name, SLICE("op")) || !slice_uint(slice_skip(name, 2), &opcode) || opcode > 15)
        return false;
    *bits |= (unsigned)opcode;
    return true;
}

static void add_byte(struct text *text, unsigned byte)
{
    char c = (char)byte;
    text_append(text, slice_make(&c, 1));
}

static void add_size(struct text *text, unsigned mask_bit, size_t size)
{
    if (size < 126) {
        add_byte(text, mask_bit | (unsigned)size);
        return;
    }
    add_byte(text, mask_bit | (size < 65536 ? 126 : 127));
    for (unsigned shift = size < 65536 ? 16 : 64; shift > 0; shift -= 8)
        add_byte(text, (unsigned)((uint64_t)size >> (shift - 8) & 0xff));
}

bool frames_add(struct text *text, struct slice word, struct slice payload, bool client)
{
    static const unsigned char mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    unsigned bits = 0;
    while (word.size > 0) {
        size_t dot = slice_find(word, '.');
        if (!take_flag(slice_part(word, 0, dot), &bits))
            return false;
        word = slice_skip(word, dot < word.size ? dot + 1 : dot);
    }
    bool masked = client && !(bits & BARE);
    add_byte(text, (bits & MORE ? 0 : 0x80) | (bits & 0x7f));
    add_size(text, masked ? 0x80 : 0, payload.size);
    for (size_t i = 0; masked && i < sizeof mask; i++)
        add_byte(text, mask[i]);
    for (size_t i = 0; i < payload.size; i++)
        add_byte(text, (unsigned char)payload.data[i] ^ (masked ? mask[i % 4] : 0u));
    return true;
}

void frames_open(struct text *input, bool deflate)
{
    text_append(input, SLICE("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    if (deflate)
        text_append(input, SLICE("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"));
    text_append(input, SLICE("\r\n"));
}
