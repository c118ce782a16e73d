/* SipHash as its authors describe it: "SipHash: a fast short-input PRF", and the reference code for 128 bits. */
#include "base/siphash.h"

#include <endian.h>

struct state {
    uint64_t v[4];
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void mix(struct state *s, unsigned rounds)
{
    uint64_t *v = s->v;
    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void take(struct state *s, uint64_t word)
{
    s->v[3] ^= word;
    mix(s, 2);
    s->v[0] ^= word;
}

static uint64_t finish(struct state *s)
{
    mix(s, 4);
    return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

/* Up to eight bytes, the first one lowest; what is missing is zero. */
static uint64_t load(struct slice bytes)
{
    uint64_t word = 0;
    if (bytes.size > 0)
        memcpy(&word, bytes.data, bytes.size);
    return le64toh(word);
}

struct siphash_result siphash(const struct siphash_key *key, struct slice text)
{
    struct state s = { { key->half[0] ^ 0x736f6d6570736575, key->half[1] ^ 0x646f72616e646f6d ^ 0xee,
                         key->half[0] ^ 0x6c7967656e657261, key->half[1] ^ 0x7465646279746573 } };
    struct siphash_result result;
    size_t whole = text.size - text.size % 8;
    for (size_t at = 0; at < whole; at += 8)
        take(&s, load(slice_part(text, at, at + 8)));
    take(&s, load(slice_skip(text, whole)) | (uint64_t)text.size << 56);
    s.v[2] ^= 0xee;
    result.half[0] = finish(&s);
    s.v[1] ^= 0xdd;
    result.half[1] = finish(&s);
    return result;
}
