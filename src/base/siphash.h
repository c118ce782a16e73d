/* SipHash-2-4 with 128 bits of result (Aumasson and Bernstein): a keyed hash that nobody without the key can foretell,
 * not even after seeing many results. It is quick, so it is no way to keep passwords: with the key they can be guessed.
 * */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/slice.h"

struct siphash_key {
    uint64_t half[2]; /* all of it random */
};

struct siphash_result {
    uint64_t half[2];
};

struct siphash_result siphash(const struct siphash_key *key, struct slice text);

#endif
