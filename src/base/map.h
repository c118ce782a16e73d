/* A table from byte strings to pointers, filled once and then only read. Keys may come from peers, so the hash is
 * seeded (SipHash-1-3 with a random key): nobody outside can make them collide. Keys are borrowed. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/slice.h"

struct map_entry {
    struct slice key;
    void *value;
    uint64_t hash;
};

struct map {
    struct map_entry *entries; /* open addressing, a power of two of them, at most half full */
    size_t room, count;
    uint64_t seed[2];
};

void map_init(struct map *map); /* takes a random seed (getrandom) */
void map_fini(struct map *map);

enum map_result { MAP_ADDED, MAP_EXISTS, MAP_NO_MEMORY };

/* `value` must not be NULL. */
enum map_result map_add(struct map *map, struct slice key, void *value) __attribute__((warn_unused_result));
void *map_find(const struct map *map, struct slice key); /* NULL: not there */

/* SipHash-1-3 of the key. */
uint64_t map_hash(const uint64_t seed[static 2], struct slice key);

#endif
