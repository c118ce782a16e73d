/* The head of a frame is 2 to 14 bytes, and each of them is looked at as soon as it is there: a peer that is wrong in
 * its first byte is told so after that byte. */
#include "wire/ws_frame.h"

#include "base/utf8.h"

enum {
    FIN = 0x80,
    RSV1 = 0x40,
    RSV = 0x30, /* 2 and 3: no extension that we speak uses them */
    OPCODE = 0x0F,
    MASKED = 0x80,
    SIZE_7 = 0x7F,
    SIZE_16 = 126,
    SIZE_64 = 127
};

/* ---- Reading ------------------------------------------------------------------------------------------------ */

static bool first_valid(uint8_t first, bool deflate)
{
    enum ws_opcode opcode = (enum ws_opcode)(first & OPCODE);
    if ((first & RSV) || (opcode > WS_BINARY && opcode < WS_CLOSE) || opcode > WS_PONG)
        return false;
    /* RFC 7692 6.1: the first frame of a message says that it is compressed, no other one. */
    if ((first & RSV1) && !(deflate && (opcode == WS_TEXT || opcode == WS_BINARY)))
        return false;
    return (first & FIN) || !ws_is_control(opcode);
}

static bool second_valid(uint8_t first, uint8_t second)
{
    bool control = ws_is_control((enum ws_opcode)(first & OPCODE));
    return (second & MASKED) && (!control || (second & SIZE_7) <= WS_CONTROL_MAX); /* 5.1, 5.5 */
}

static uint64_t read_number(const uint8_t *at, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | at[i];
    return number;
}

/* 5.2: the shortest form, and the highest bit of 64 is 0. */
static bool size_valid(uint64_t size, size_t field)
{
    uint64_t least = field == 0 ? 0 : field == 2 ? SIZE_16 : UINT64_C(0x10000);
    return size >= least && size <= INT64_MAX;
}

enum ws_frame_result ws_frame_read(struct slice *bytes, bool deflate, struct ws_frame *frame)
{
    const uint8_t *at = (const uint8_t *)bytes->data;
    if (bytes->size >= 1 && !first_valid(at[0], deflate))
        return WS_FRAME_BAD;
    if (bytes->size < 2)
        return WS_FRAME_MORE;
    if (!second_valid(at[0], at[1]))
        return WS_FRAME_BAD;

    uint8_t short_size = at[1] & SIZE_7;
    size_t field = short_size == SIZE_64 ? 8 : short_size == SIZE_16 ? 2 : 0;
    if (bytes->size < 2 + field)
        return WS_FRAME_MORE;
    uint64_t size = field > 0 ? read_number(at + 2, field) : short_size;
    if (!size_valid(size, field))
        return WS_FRAME_BAD;
    if (bytes->size < 2 + field + sizeof frame->mask)
        return WS_FRAME_MORE;

    *frame = (struct ws_frame){ .opcode = (enum ws_opcode)(at[0] & OPCODE), .fin = (at[0] & FIN) != 0,
                                .compressed = (at[0] & RSV1) != 0, .size = size };
    memcpy(&frame->mask, at + 2 + field, sizeof frame->mask);
    *bytes = slice_skip(*bytes, 2 + field + sizeof frame->mask);
    return WS_FRAME_DONE;
}

/* ---- Masks -------------------------------------------------------------------------------------------------- */

static uint32_t rotate(uint32_t mask, size_t by)
{
    char twice[2 * sizeof mask];
    memcpy(twice, &mask, sizeof mask);
    memcpy(twice + sizeof mask, &mask, sizeof mask);
    memcpy(&mask, twice + by % sizeof mask, sizeof mask);
    return mask;
}

static inline void unmask_word(char *out, const char *in, uint64_t mask)
{
    uint64_t word;
    memcpy(&word, in, sizeof word);
    word ^= mask;
    memcpy(out, &word, sizeof word);
}

/* By words, four of which a compiler makes one of or two; the addresses may be odd, to which no machine that we know
 * minds more than a little. */
uint32_t ws_unmask(char *out, struct slice in, uint32_t mask)
{
    enum { WORD = sizeof(uint64_t) };
    uint64_t wide = (uint64_t)mask << 32 | mask;
    size_t at = 0;
    for (; in.size - at >= 4 * WORD; at += 4 * WORD)
        for (size_t i = 0; i < 4 * WORD; i += WORD)
            unmask_word(out + at + i, in.data + at + i, wide);
    for (; in.size - at >= WORD; at += WORD)
        unmask_word(out + at, in.data + at, wide);

    char bytes[sizeof mask];
    memcpy(bytes, &mask, sizeof mask);
    for (size_t i = 0; at < in.size; at++, i++) /* `at` was a multiple of four */
        out[at] = (char)(in.data[at] ^ bytes[i % sizeof mask]);
    return rotate(mask, in.size);
}

/* ---- Writing ------------------------------------------------------------------------------------------------ */

static void write_number(struct writer *w, uint64_t number, unsigned size)
{
    while (size-- > 0)
        writer_byte(w, (char)(number >> 8 * size));
}

void ws_frame_write(struct writer *w, enum ws_opcode opcode, bool compressed, uint64_t size)
{
    writer_byte(w, (char)(FIN | (compressed ? RSV1 : 0) | opcode));
    if (size < SIZE_16) {
        writer_byte(w, (char)size);
    } else if (size <= UINT16_MAX) {
        writer_byte(w, SIZE_16);
        write_number(w, size, 2);
    } else {
        writer_byte(w, SIZE_64);
        write_number(w, size, 8);
    }
}

/* ---- Close -------------------------------------------------------------------------------------------------- */

/* 7.4.1, and what has been registered since: 1012 to 1014. 1004 means nothing yet; 1005, 1006 and 1015 are for
 * interfaces, not for the wire. */
bool ws_close_valid(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

unsigned ws_close_read(struct slice payload, unsigned *code, struct slice *reason)
{
    *code = WS_NO_STATUS;
    *reason = SLICE("");
    if (payload.size == 0)
        return 0;
    if (payload.size == 1)
        return WS_PROTOCOL_ERROR;
    unsigned said = (unsigned)read_number((const uint8_t *)payload.data, 2);
    if (!ws_close_valid(said))
        return WS_PROTOCOL_ERROR;
    if (!utf8_valid(slice_skip(payload, 2)))
        return WS_BAD_DATA;
    *code = said;
    *reason = slice_skip(payload, 2);
    return 0;
}

static struct slice shorten(struct slice reason)
{
    struct slice rest = reason;
    size_t size = 0;
    for (size_t next; (next = utf8_size(rest)) > 0 && size + next <= WS_REASON_MAX; size += next)
        rest = slice_skip(rest, next);
    return slice_part(reason, 0, size);
}

void ws_close_write(struct writer *w, unsigned code, struct slice reason)
{
    if (code == WS_NO_STATUS) {
        ws_frame_write(w, WS_CLOSE, false, 0);
        return;
    }
    struct slice shown = shorten(reason);
    ws_frame_write(w, WS_CLOSE, false, 2 + shown.size);
    write_number(w, code, 2);
    writer_put(w, shown);
}
