/* The table of a site's addresses: filled once, then looked up by every request. */
#ifndef SERVE_SITE_TABLE_H
#define SERVE_SITE_TABLE_H

#include "serve/site.h"

#define XXH_INLINE_ALL /* the hash of a look-up is made in place: a call would cost as much as the hash */
#include <xxhash.h>

/* In the size of a page's path that is no address: no request finds it, but the next generation does. */
#define SITE_SLOT_HIDDEN (UINT32_C(1) << 31)

/* Of the pages in site->tree; finds out which of them are sidecars. False: errno. */
bool site_table_build(struct site *site) __attribute__((warn_unused_result));

static inline uint64_t site_hash(const struct site *site, struct slice path)
{
    return XXH3_64bits_withSeed(path.data, path.size, site->seed);
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
    struct site_slot *slot = &site->slots[(hash >> 32) * site->slot_count >> 32];
    const struct site_slot *end = site->slots + site->slot_count;

    while (slot->page && !(slot->tag == (uint32_t)hash && slot->size == size &&
                           site_same(slot->page->path, path.data, path.size)))
        slot = slot + 1 < end ? slot + 1 : site->slots;
    return slot;
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

/* What a path means that is no address: a redirect to the folder that it is with a slash at its end or without
 * "index", or nothing. */
struct site_match site_match_folder(const struct site *site, struct slice path);

/* See site_find. In place where nearly every request comes by: 25 instructions less. */
static inline struct site_match site_match_of(const struct site *site, struct slice path)
{
    struct page *page = site_slot_find(site, path)->page;
    return page ? (struct site_match){ SITE_PAGE, page } : site_match_folder(site, path);
}

#endif
