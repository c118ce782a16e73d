/* Open addressing with linear probing, and SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF",
 * with one round per word and three at the end, which is what hash tables need of it).
 *
 * An entry without a value is free; nothing is ever removed, so there are no tombstones. */
#include "base/map.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/random.h>

enum { ROOM_MIN = 16 };

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void mix(uint64_t v[static 4])
{
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

static void absorb(uint64_t v[static 4], uint64_t word)
{
    v[3] ^= word;
    mix(v);
    v[0] ^= word;
}

uint64_t map_hash(const uint64_t seed[static 2], struct slice key)
{
    uint64_t v[4] = {
        seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
        seed[0] ^ UINT64_C(0x6c7967656e657261), seed[1] ^ UINT64_C(0x7465646279746573),
    };
    uint64_t word, last = (uint64_t)key.size << 56; /* the size is the last word's top byte */
    size_t i = 0;

    for (; key.size - i >= 8; i += 8) {
        memcpy(&word, key.data + i, 8);
        absorb(v, le64toh(word));
    }
    for (unsigned shift = 0; i < key.size; i++, shift += 8)
        last |= (uint64_t)(unsigned char)key.data[i] << shift;
    absorb(v, last);
    v[2] ^= 0xff;
    for (int round = 0; round < 3; round++)
        mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* getrandom of so few bytes fails only where a sandbox forbids it; then the 16 random bytes which the kernel gave the
 * process at its start must do. */
void map_init(struct map *map)
{
    *map = (struct map){ .entries = NULL };
    if (getrandom(map->seed, sizeof map->seed, 0) == (ssize_t)sizeof map->seed)
        return;
    const void *at_start = (const void *)getauxval(AT_RANDOM);
    if (at_start)
        memcpy(map->seed, at_start, sizeof map->seed);
}

void map_fini(struct map *map)
{
    free(map->entries);
    *map = (struct map){ .entries = NULL };
}

/* The entry of that key, or the free one where it belongs. There is one: at most half of them are taken. */
static struct map_entry *probe(const struct map *map, struct slice key, uint64_t hash)
{
    for (size_t i = hash & (map->room - 1);; i = (i + 1) & (map->room - 1)) {
        struct map_entry *entry = &map->entries[i];
        if (!entry->value || (entry->hash == hash && slice_equal(entry->key, key)))
            return entry;
    }
}

static bool grow(struct map *map)
{
    struct map bigger = *map;
    bigger.room = map->room ? map->room * 2 : ROOM_MIN;
    bigger.entries = calloc(bigger.room, sizeof *bigger.entries);
    if (!bigger.entries)
        return false;
    for (size_t i = 0; i < map->room; i++)
        if (map->entries[i].value)
            *probe(&bigger, map->entries[i].key, map->entries[i].hash) = map->entries[i];
    free(map->entries);
    *map = bigger;
    return true;
}

enum map_result map_add(struct map *map, struct slice key, void *value)
{
    assert(value != NULL);
    if (map_find(map, key))
        return MAP_EXISTS;
    if (map->count >= map->room / 2 && !grow(map))
        return MAP_NO_MEMORY;
    uint64_t hash = map_hash(map->seed, key);
    *probe(map, key, hash) = (struct map_entry){ key, value, hash };
    map->count++;
    return MAP_ADDED;
}

void *map_find(const struct map *map, struct slice key)
{
    if (map->count == 0)
        return NULL;
    return probe(map, key, map_hash(map->seed, key))->value;
}
