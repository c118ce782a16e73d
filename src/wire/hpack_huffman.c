/* Decoding looks 12 bits up at a time, which are mostly two symbols. The few longer codes are found by their size: the
 * code is canonical, so that among codes filled up to 32 bits the longer one is always the larger. */
#include "wire/hpack_huffman.h"

struct code {
    uint32_t code;
    uint8_t bits;
};

static const struct code codes[256] = {
#include "wire/hpack_codes.h"
};

enum { LOOKED_UP = 12, LONGEST = 30 };

struct pair {
    uint8_t first, second;
    uint8_t bits, first_bits; /* bits == first_bits: it is one; 0: the code is longer */
};

static const struct pair pairs[1 << LOOKED_UP] = {
#include "wire/hpack_pairs.h"
};

struct long_codes {
    uint32_t last, first;
    uint8_t symbol;
    uint8_t bits;
};

#include "wire/hpack_longs.h"

/* EOS is 30 ones. */
#define EOS_MIN UINT32_C(0xFFFFFFFC)

size_t hpack_huffman_size(struct slice text)
{
    size_t bits = 0;
    for (size_t i = 0; i < text.size; i++)
        bits += codes[(uint8_t)text.data[i]].bits;
    return (bits + 7) / 8;
}

void hpack_huffman_encode(struct writer *w, struct slice text)
{
    uint64_t bits = 0; /* those that are not written yet lie lowest */
    unsigned count = 0;
    for (size_t i = 0; i < text.size; i++) {
        struct code code = codes[(uint8_t)text.data[i]];
        bits = bits << code.bits | code.code;
        count += code.bits;
        if (count < 32)
            continue;
        count -= 32;
        uint32_t out = (uint32_t)(bits >> count);
        writer_bytes(w, (uint8_t[]){ out >> 24, out >> 16 & 0xFF, out >> 8 & 0xFF, out & 0xFF }, 4);
    }
    unsigned padding = -count % 8; /* the beginning of EOS */
    bits = bits << padding | ((1U << padding) - 1);
    for (count += padding; count > 0; count -= 8)
        writer_byte(w, (char)(bits >> (count - 8)));
}

/* ---- Decoding ---------------------------------------------------------------------------------------------- */

struct reader {
    const uint8_t *at, *end;
    unsigned skip; /* bits of the octet there that were read already */
};

/* What comes next, as far as it fits. */
struct window {
    uint64_t bits;  /* the next one is the highest */
    unsigned count; /* how many there are: 57 at least, but in the last one */
    bool last;      /* all the rest of the string */
};

enum outcome { DONE, FULL, MALFORMED };

static inline uint32_t load4(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]; /* one load and a swap */
}

static inline uint64_t load8(const uint8_t *at)
{
    return (uint64_t)load4(at) << 32 | load4(at + 4);
}

/* Less than eight octets, the first one highest: taken from both ends, which may overlap. */
static inline uint64_t load_few(const uint8_t *at, size_t size)
{
    size_t below = 64 - 8 * size, middle = size / 2;
    if (size >= 4)
        return (uint64_t)load4(at) << 32 | (uint64_t)load4(at + size - 4) << below;
    if (size == 0)
        return 0;
    return (uint64_t)at[0] << 56 | (uint64_t)at[middle] << (56 - 8 * middle) | (uint64_t)at[size - 1] << below;
}

static inline struct window look(const struct reader *r)
{
    size_t left = (size_t)(r->end - r->at);
    if (left >= 8)
        return (struct window){ load8(r->at) << r->skip, 64 - r->skip, left == 8 };
    return (struct window){ load_few(r->at, left) << r->skip, 8 * (unsigned)left - r->skip, true };
}

/* Behind what was taken out of the window. */
static inline void advance(struct reader *r, const struct window *v)
{
    unsigned whole = r->end - r->at >= 8 ? 64 : 8 * (unsigned)(r->end - r->at);
    unsigned taken = whole - v->count;
    r->at += taken / 8;
    r->skip = taken % 8;
}

static inline void drop(struct window *v, unsigned bits)
{
    v->bits <<= bits;
    v->count -= bits;
}

/* The rest of the last window is padding (RFC 7541 5.2): at most 7 bits, all ones. */
static inline bool ended(const struct window *v)
{
    return v->count < 8 && (v->bits | UINT64_MAX >> v->count) == UINT64_MAX;
}

/* Takes one symbol of any size. False: there is none, or only the beginning of one. */
static bool take_one(struct window *v, char *symbol)
{
    struct pair pair = pairs[v->bits >> (64 - LOOKED_UP)];
    unsigned bits = pair.first_bits;
    *symbol = (char)pair.first;
    if (bits == 0) {
        const struct long_codes *row = longs;
        uint32_t code = (uint32_t)(v->bits >> 32);
        if (code >= EOS_MIN)
            return false;
        while (code > row->last)
            row++;
        bits = row->bits;
        *symbol = (char)long_symbols[row->symbol + ((code - row->first) >> (32 - bits))];
    }
    if (bits > v->count)
        return false;
    drop(v, bits);
    return true;
}

/* Until the window has less than it takes; two octets are written at a time. */
static inline char *take_pairs(struct window *v, char *out, const char *stop)
{
    while (v->count >= LOOKED_UP && out < stop) {
        struct pair pair = pairs[v->bits >> (64 - LOOKED_UP)];
        if (pair.bits == 0)
            break;
        out[0] = (char)pair.first;
        out[1] = (char)pair.second;
        out += 1 + (pair.bits > pair.first_bits);
        drop(v, pair.bits);
    }
    return out;
}

/* Writes from `*out` on until `stop`, behind which there must be room for one octet more. */
static enum outcome decode(struct reader *r, char **out, const char *stop)
{
    for (;;) {
        struct window v = look(r);
        do {
            *out = take_pairs(&v, *out, stop);
            if (v.last && ended(&v))
                return DONE;
            if (*out >= stop)
                break;
            if (!v.last && v.count < LONGEST)
                break;
            if (!take_one(&v, *out))
                return MALFORMED;
            *out += 1;
        } while (v.last);
        advance(r, &v);
        if (*out >= stop)
            return FULL;
    }
}

/* Through a buffer of its own, so that the last octet of a tight room can be used, and a string without room be
 * checked. */
static bool decode_tightly(struct writer *w, struct reader *r)
{
    enum outcome outcome;
    do {
        char some[256], *out = some;
        outcome = decode(r, &out, some + sizeof some - 1);
        writer_bytes(w, some, (size_t)(out - some));
    } while (outcome == FULL);
    return outcome == DONE;
}

bool hpack_huffman_decode(struct writer *w, struct slice coded)
{
    struct reader r = { .at = (const uint8_t *)coded.data, .end = (const uint8_t *)coded.data + coded.size };
    if ((size_t)(w->end - w->at) < hpack_huffman_decoded_max(coded.size) + 2)
        return decode_tightly(w, &r);
    return decode(&r, &w->at, w->end - 1) == DONE;
}
