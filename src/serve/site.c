/* A generation of the site: its pages, and the table of all their addresses. Everything that an address can mean is
 * settled when the table is built; a look-up is one hash and, as a rule, one comparison.
 *
 * Generations join here: site_load builds a second site beside the first, takes over what is unchanged, and whoever
 * holds the pointer swaps it. The site knows no request. */
#include "serve/site.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define XXH_INLINE_ALL /* the hash of a look-up is made in place: a call would cost as much as the hash */
#include <xxhash.h>

#include "base/writer.h"
#include "serve/loader.h"
#include "serve/page_cache.h"
#include "serve/percent.h"

/* What one address means. The key lies in a page's path: every address of a page is a beginning of that path. */
struct entry {
    const char *key;
    uint32_t key_size;
    uint32_t location_size; /* 0: a page */
    union {
        const struct page *page;
        const char *location;
    };
};

/* Open addressing, at most a quarter full, so that nearly every look-up sees one slot. The low bits of a hash say
 * where to look, the high half says at a glance whether this is it: strings are compared only where they are as
 * good as equal. */
struct slot {
    uint32_t tag;
    uint32_t entry; /* 1 + index; 0: free */
};

struct site {
    struct slot *slots;
    uint64_t mask; /* slots - 1, a power of two - 1 */
    uint64_t seed; /* names are often chosen by people who upload: they cannot make them collide */
    struct entry *entries;
    struct page **pages;
    size_t page_count, entry_count;
    char *locations; /* the text of all redirects */
    struct site_stats stats;
};

static const struct slice index_name = SLICE_INIT("/index.html"), html = SLICE_INIT(".html");

static inline uint64_t hash_of(const struct site *site, struct slice path)
{
    return XXH3_64bits_withSeed(path.data, path.size, site->seed);
}

static inline uint64_t word8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t word4(const char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* memcmp for two short texts of the same size, at least 1, by words that may overlap. In place, because the call
 * and what has to be saved around it cost more than the comparison: 112 instructions for a look-up became 91. */
static inline bool same(const char *a, const char *b, size_t size)
{
    size_t last = size - 1;

    if (size < 4)
        return a[0] == b[0] && a[last / 2] == b[last / 2] && a[last] == b[last];
    if (size < 8)
        return word4(a) == word4(b) && word4(a + size - 4) == word4(b + size - 4);
    for (size_t i = 0; i + 8 < size; i += 8)
        if (word8(a + i) != word8(b + i))
            return false;
    return word8(a + size - 8) == word8(b + size - 8);
}

static inline const struct entry *find(const struct site *site, struct slice path, uint64_t hash)
{
    for (uint64_t at = hash & site->mask; site->slots[at].entry != 0; at = (at + 1) & site->mask) {
        if (site->slots[at].tag != hash >> 32)
            continue;
        const struct entry *entry = &site->entries[site->slots[at].entry - 1];
        if (entry->key_size == path.size && same(entry->key, path.data, path.size))
            return entry;
    }
    return NULL;
}

void site_find(const struct site *site, struct slice path, struct site_match *match)
{
    const struct entry *entry = find(site, path, hash_of(site, path));

    if (!entry) {
        match->found = SITE_NOTHING;
        return;
    }
    if (entry->location_size == 0) {
        match->found = SITE_PAGE;
        match->page = entry->page;
        return;
    }
    match->found = SITE_REDIRECT;
    match->location = slice_make(entry->location, entry->location_size);
}

const struct page *site_page(const struct site *site, struct slice path)
{
    const struct entry *entry = find(site, path, hash_of(site, path));

    if (!entry || entry->location_size != 0 || page_address(entry->page).size != path.size)
        return NULL;
    return entry->page;
}

/* ---- Building the table ------------------------------------------------------------------------------------- */

/* An address that something better has already stays with that. */
static void add(struct site *site, struct entry entry)
{
    struct slice key = slice_make(entry.key, entry.key_size);
    uint64_t hash = hash_of(site, key), at = hash & site->mask;

    if (find(site, key, hash))
        return;
    while (site->slots[at].entry != 0)
        at = (at + 1) & site->mask;
    site->entries[site->entry_count++] = entry;
    site->slots[at] = (struct slot){ (uint32_t)(hash >> 32), (uint32_t)site->entry_count };
}

static void add_page(struct site *site, struct slice key, const struct page *page)
{
    add(site, (struct entry){ .key = key.data, .key_size = (uint32_t)key.size, .page = page });
}

static bool is_index(const struct page *page)
{
    return slice_ends(page_address(page), index_name);
}

static bool is_html(const struct page *page)
{
    return !is_index(page) && slice_ends(page_address(page), html);
}

/* "/docs/" of "/docs/index.html" */
static struct slice folder_of(const struct page *index)
{
    struct slice address = page_address(index);
    return slice_part(address, 0, address.size - (index_name.size - 1));
}

static void add_redirect(struct site *site, const struct page *index, struct writer *locations)
{
    struct slice folder = folder_of(index);
    const char *location = locations->at;

    percent_write(locations, folder);
    add(site, (struct entry){ .key = folder.data, .key_size = (uint32_t)folder.size - 1, .location = location,
                              .location_size = (uint32_t)(locations->at - location) });
}

/* Exact files first, then "/about" for about.html, then "/docs/" and "/docs" for docs/index.html: the earlier one
 * wins. */
static void fill(struct site *site, struct writer *locations)
{
    for (size_t i = 0; i < site->page_count; i++)
        add_page(site, page_address(site->pages[i]), site->pages[i]);

    for (size_t i = 0; i < site->page_count; i++) {
        struct slice address = page_address(site->pages[i]);
        if (is_html(site->pages[i]))
            add_page(site, slice_part(address, 0, address.size - html.size), site->pages[i]);
    }
    for (size_t i = 0; i < site->page_count; i++) {
        if (!is_index(site->pages[i]))
            continue;
        add_page(site, folder_of(site->pages[i]), site->pages[i]);
        if (folder_of(site->pages[i]).size > 1)
            add_redirect(site, site->pages[i], locations);
    }
}

/* How much there can be at most of what fill() adds. */
struct amount {
    size_t entries, location_bytes;
};

static struct amount measure(const struct site *site)
{
    struct amount amount = { site->page_count, 0 };

    for (size_t i = 0; i < site->page_count; i++) {
        if (is_html(site->pages[i]))
            amount.entries++;
        if (!is_index(site->pages[i]))
            continue;
        amount.entries += 2;
        amount.location_bytes += 3 * folder_of(site->pages[i]).size; /* every byte may become %XX */
    }
    return amount;
}

/* False: errno. */
static bool build_table(struct site *site)
{
    struct amount amount = measure(site);
    size_t slots = 4;

    if (amount.entries > UINT32_MAX / 2) {
        errno = EOVERFLOW;
        return false;
    }
    while (slots < 4 * amount.entries)
        slots *= 2;
    site->mask = slots - 1;
    site->slots = calloc(slots, sizeof *site->slots);
    site->entries = calloc(amount.entries + 1, sizeof *site->entries);
    site->locations = malloc(amount.location_bytes + 1);
    if (!site->slots || !site->entries || !site->locations)
        return false;
    if (getrandom(&site->seed, sizeof site->seed, 0) != sizeof site->seed)
        return false;

    struct writer locations = writer_on(site->locations, amount.location_bytes);
    fill(site, &locations);
    assert(!locations.overflowed && site->entry_count <= amount.entries);
    return true;
}

/* ---- A generation ------------------------------------------------------------------------------------------- */

static void count(struct site *site, size_t skipped)
{
    struct site_stats *stats = &site->stats;

    *stats = (struct site_stats){ .pages = site->page_count, .skipped = skipped };
    for (size_t i = 0; i < site->page_count; i++) {
        const struct page *page = site->pages[i];
        stats->bytes += page->size;
        if (!page->ok)
            continue;
        stats->pages_in_memory++;
        stats->bytes_in_memory += page->size;
    }
}

struct site *site_load(const struct files *files, uint64_t cache_bytes, unsigned threads, const struct log *log)
{
    struct tree tree;
    struct site *site = calloc(1, sizeof *site);

    if (!site || !tree_walk(&tree, files, log)) {
        free(site);
        return NULL;
    }
    loader_read(&tree, files, page_cache_plan(tree.pages, tree.count, cache_bytes), threads);
    site->pages = tree.pages;
    site->page_count = tree.count;
    count(site, tree.skipped);
    tree_tell_rest(&tree);
    if (build_table(site))
        return site;

    int error = errno;
    site_free(site);
    errno = error;
    return NULL;
}

void site_free(struct site *site)
{
    if (!site)
        return;
    for (size_t i = 0; i < site->page_count; i++)
        page_free(site->pages[i]);
    free(site->pages);
    free(site->locations);
    free(site->entries);
    free(site->slots);
    free(site);
}

struct site_stats site_stats(const struct site *site)
{
    return site->stats;
}
