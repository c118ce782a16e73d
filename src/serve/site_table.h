/* The table of a site's addresses: filled once, then looked up by every request. */
#ifndef SERVE_SITE_TABLE_H
#define SERVE_SITE_TABLE_H

#include "serve/site.h"

#define XXH_INLINE_ALL /* the hash of a look-up is made in place: a call would cost as much as the hash */
#include <xxhash.h>

enum { SITE_SLOT_REDIRECT = 1 };

/* In the size of a page's path that is no address: no request finds it, but the next generation does. */
#define SITE_SLOT_HIDDEN (UINT32_C(1) << 31)

/* Of the pages in site->tree; finds out which of them are sidecars. False: errno. */
bool site_table_build(struct site *site) __attribute__((warn_unused_result));

static inline uint64_t site_hash(const struct site *site, struct slice path)
{
    return XXH3_64bits_withSeed(path.data, path.size, site->seed);
}

static inline struct page *site_slot_page(const struct site_slot *slot)
{
    return (struct page *)(slot->page & ~(uintptr_t)SITE_SLOT_REDIRECT);
}

static inline uint64_t site_word8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t site_word4(const char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* memcmp for two short texts of the same size, at least 1, by words that may overlap. In place, because the call and
 * what has to be saved around it cost more than the comparison: 112 instructions for a look-up became 91. */
static inline bool site_same(const char *a, const char *b, size_t size)
{
    size_t last = size - 1;

    if (size < 4)
        return a[0] == b[0] && a[last / 2] == b[last / 2] && a[last] == b[last];
    if (size < 8)
        return site_word4(a) == site_word4(b) && site_word4(a + size - 4) == site_word4(b + size - 4);
    for (size_t i = 0; i + 8 < size; i += 8)
        if (site_word8(a + i) != site_word8(b + i))
            return false;
    return site_word8(a + size - 8) == site_word8(b + size - 8);
}

/* `size`: as it stands in the slot. */
static inline __attribute__((always_inline)) struct site_slot *site_slot_search(const struct site *site,
                                                                                struct slice path, size_t size)
{
    uint64_t hash = site_hash(site, path);

    for (uint64_t at = hash & site->mask;; at = (at + 1) & site->mask) {
        struct site_slot *slot = &site->slots[at];
        if (slot->page == 0)
            return slot;
        if (slot->tag == hash >> 32 && slot->size == size &&
            site_same(site_slot_page(slot)->path, path.data, path.size))
            return slot;
    }
}

/* The slot of this address, not empty, or the free one where it belongs: there is always one. */
static inline __attribute__((always_inline)) struct site_slot *site_slot_find(const struct site *site,
                                                                              struct slice path)
{
    return site_slot_search(site, path, path.size);
}

/* The same for the path of a hidden page. */
static inline struct site_slot *site_slot_find_hidden(const struct site *site, struct slice path)
{
    return site_slot_search(site, path, path.size | SITE_SLOT_HIDDEN);
}

/* See site_find. In place where nearly every request comes by: 25 instructions less. */
static inline struct site_match site_match_of(const struct site *site, struct slice path)
{
    uintptr_t page = site_slot_find(site, path)->page;
    enum site_found found = page == 0 ? SITE_NOTHING : page & SITE_SLOT_REDIRECT ? SITE_REDIRECT : SITE_PAGE;
    return (struct site_match){ found, (struct page *)(page & ~(uintptr_t)SITE_SLOT_REDIRECT) };
}

#endif
