/* A table from the literal texts of patterns to what follows them; texts are borrowed.
 *
 * Not seeded: what is in here was chosen by a programmer, so no peer can make the entries collide, and a hash that has
 * nothing to withstand halves a look-up (124 instructions instead of 260 with SipHash, for "/hello" among 1,000
 * routes). */
#ifndef SERVE_LITERALS_H
#define SERVE_LITERALS_H

#define XXH_INLINE_ALL /* a call would cost as much as the hash */
#include <xxhash.h>

#include "base/slice.h"

struct literal {
    struct slice text;
    uint64_t hash;
    void *value; /* NULL: a free entry */
};

struct literals {
    struct literal *at; /* open addressing, at most half full, so a search meets a free entry soon */
    size_t room, count; /* room: 0 or a power of two */
};

/* The text must not be there yet, the value not NULL. False: no memory. */
bool literals_add(struct literals *literals, struct slice text, void *value) __attribute__((warn_unused_result));
void literals_fini(struct literals *literals);

static inline uint64_t literals_hash(struct slice text)
{
    return XXH3_64bits(text.data, text.size);
}

/* The entry with this text, or the free one where it belongs; there must be room. */
static inline struct literal *literals_probe(const struct literals *literals, struct slice text, uint64_t hash)
{
    for (size_t i = hash & (literals->room - 1);; i = (i + 1) & (literals->room - 1)) {
        struct literal *literal = &literals->at[i];
        if (!literal->value || (literal->hash == hash && slice_equal(literal->text, text)))
            return literal;
    }
}

/* NULL: not there. */
static inline void *literals_find(const struct literals *literals, struct slice text)
{
    return literals->count == 0 ? NULL : literals_probe(literals, text, literals_hash(text))->value;
}

#endif
