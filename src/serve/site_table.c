/* Everything that an address can mean is settled here, once. See site_table.h. */
#include "serve/site_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "serve/hosted.h"

static const struct slice index_name = SLICE_INIT("/index.html"), html = SLICE_INIT(".html");

/* ---- The table ---------------------------------------------------------------------------------------------- */

/* An address that something better has already stays with that. */
static void add(struct site *site, struct slice address, struct page *page)
{
    struct site_slot *slot = site_slot_find(site, address);

    if (slot->page)
        return;
    *slot = (struct site_slot){ page, (uint32_t)site_hash(site, address), (uint32_t)address.size };
    site->addresses++;
    assert(site->addresses < site->slot_count);
}

/* Each path is there once, whatever addresses are spelt like it. */
static void add_hidden(struct site *site, struct page *page)
{
    struct slice path = page_address(page);
    *site_slot_find_hidden(site, path) = (struct site_slot){ page, (uint32_t)site_hash(site, path),
                                                             (uint32_t)path.size | SITE_SLOT_HIDDEN };
}

static bool is_index(const struct page *page)
{
    return slice_ends(page_address(page), index_name);
}

static bool is_html(const struct page *page)
{
    return !is_index(page) && slice_ends(page_address(page), html);
}

/* How many addresses there can be at most. */
static size_t count_addresses(const struct site *site)
{
    size_t count = site->tree.count;

    for (size_t i = 0; i < site->tree.count; i++)
        count += is_html(site->tree.pages[i]) || is_index(site->tree.pages[i]);
    return count;
}

static bool make_slots(struct site *site)
{
    size_t count = count_addresses(site);

    site->slot_count = count + count / 3 + 1;
    if (site->slot_count > (uint64_t)1 << 32) {
        errno = ENOMEM;
        return false;
    }
    site->slots = calloc(site->slot_count, sizeof *site->slots);
    return site->slots && getrandom(&site->seed, sizeof site->seed, 0) == sizeof site->seed;
}

/* ---- Sidecars ----------------------------------------------------------------------------------------------- */

/* What is found out of a page before it is known whether it has to become another one. */
struct finding {
    uint64_t mark;
    uint8_t sidecars;
    bool hidden;
};

/* The coding whose suffix a file has; CODING_IDENTITY: none. */
static enum coding sidecar_coding(const struct page *page)
{
    for (unsigned coding = 1; coding < CODING_COUNT; coding++)
        if (slice_ends(page_address(page), coding_suffix(coding)))
            return coding;
    return CODING_IDENTITY;
}

/* What is added up of all sidecars of a page, because their order says nothing. */
static uint64_t print_of(const struct page *sidecar, enum coding coding)
{
    const uint64_t words[] = { coding, sidecar->size, (uint64_t)sidecar->modified_ns, sidecar->inode };
    return XXH3_64bits(words, sizeof words);
}

/* The index of each page in the table goes by way of its place in the tree, which this finds. What is called like a
 * sidecar has none itself: else it would depend on the order in which the two were found. */
static bool look_for_owner(const struct site *site, const struct page *sidecar, enum coding coding, size_t *owner,
                           const size_t *places)
{
    struct slice address = page_address(sidecar);
    struct slice base = slice_part(address, 0, address.size - coding_suffix(coding).size);
    const struct site_slot *slot = site_slot_find(site, base);

    if (!slot->page || slot->page->path_size != base.size || sidecar_coding(slot->page) != CODING_IDENTITY)
        return false;
    *owner = places[slot - site->slots];
    return true;
}

/* Exact paths: first of all that cannot be sidecars, then of the others, unless they are. */
static void add_paths(struct site *site, struct finding *findings, size_t *places)
{
    struct tree *tree = &site->tree;

    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < tree->count; i++) {
            struct page *page = tree->pages[i];
            enum coding coding = sidecar_coding(page);
            size_t owner;
            if ((coding != CODING_IDENTITY) != (round == 1))
                continue;
            findings[i].hidden = hosted_is(page_address(page));
            if (round == 1 && look_for_owner(site, page, coding, &owner, places)) {
                findings[i].hidden = true;
                findings[owner].sidecars |= (uint8_t)coding_bit(coding);
                findings[owner].mark += print_of(page, coding);
            }
            if (findings[i].hidden) {
                add_hidden(site, page);
                continue;
            }
            add(site, page_address(page), page);
            places[site_slot_find(site, page_address(page)) - site->slots] = i;
        }
    }
}

/* Not as a block: others are at its slot, its hash and its count. */
static struct page *copy_page(const struct page *page)
{
    struct page *copy = malloc(sizeof *page + page->path_size + 1u);

    if (!copy)
        return NULL;
    *copy = (struct page){ .size = page->size, .modified_ns = page->modified_ns, .inode = page->inode,
                           .hash = atomic_load_explicit(&page->hash, memory_order_relaxed), .type = page->type,
                           .count = 1, .path_size = page->path_size };
    memcpy(copy->path, page->path, page->path_size + 1u);
    return copy;
}

/* A page with other sidecars is another page: what is in memory of it no longer holds. Those of this generation alone
 * can be changed in place, for nobody has seen them. */
static bool apply(struct site *site, size_t i, const struct finding *finding)
{
    struct page *page = site->tree.pages[i];
    uint64_t mark = finding->sidecars ? finding->mark | 1 : 0;

    if (page->sidecar_mark == mark && page->hidden == finding->hidden)
        return true;
    if (atomic_load_explicit(&page->count, memory_order_relaxed) > 1) {
        struct page *copy = copy_page(page);
        if (!copy)
            return false;
        struct slice path = page_address(page);
        (finding->hidden ? site_slot_find_hidden(site, path) : site_slot_find(site, path))->page = copy;
        atomic_fetch_sub_explicit(&page->count, 1, memory_order_acq_rel); /* the generation before has it still */
        site->tree.pages[i] = page = copy;
    }
    page->sidecar_mark = mark;
    page->sidecars = finding->sidecars;
    page->hidden = finding->hidden;
    return true;
}

static bool settle_paths(struct site *site)
{
    struct finding *findings = calloc(site->tree.count + 1, sizeof *findings);
    size_t *places = calloc(site->slot_count, sizeof *places);
    bool ok = findings && places;

    if (ok)
        add_paths(site, findings, places);
    for (size_t i = 0; ok && i < site->tree.count; i++)
        ok = apply(site, i, &findings[i]);
    free(findings);
    free(places);
    return ok;
}

/* ---- Further addresses -------------------------------------------------------------------------------------- */

/* Exact files first, then "/about" for about.html, and "/docs/" for docs/index.html: the earlier one wins. "/docs",
 * which redirects there, needs no place: see site_match_folder. None of these is a sidecar, by its name. */
static void add_aliases(struct site *site)
{
    for (size_t i = 0; i < site->tree.count; i++) {
        struct page *page = site->tree.pages[i];
        struct slice address = page_address(page);
        if (is_html(page))
            add(site, slice_part(address, 0, address.size - html.size), page);
        if (is_index(page))
            add(site, site_folder(page), page);
    }
}

/* ---- What is said about the pages --------------------------------------------------------------------------- */

static bool everybody_gets_the_same(const struct rule *rule)
{
    return !rule || (rule->action == RULE_PASS && !rule->basic_auth.data && rule->cors.count == 0);
}

/* Whether what is prepared for a page holds at this address of it, too. */
static bool holds_at(const struct site *site, const struct page *page, const struct rule *rule, struct slice address)
{
    struct rule_match match;
    return dress_rule(&site->wardrobe, address) == rule && !rules_find(site->redirects, address, true, &match) &&
           headers_alike(site->headers, address, page_address(page));
}

/* Whether some request for it has to be answered in another way than it is prepared. */
static bool is_ruled(const struct site *site, const struct page *page)
{
    struct slice addresses[SITE_ADDRESSES_MAX];
    const struct rule *rule = dress_rule(&site->wardrobe, page_address(page));
    bool ruled = !everybody_gets_the_same(rule);

    for (unsigned count = site_addresses(page, addresses), i = 0; i < count && !ruled; i++)
        ruled = !holds_at(site, page, rule, addresses[i]);
    return ruled;
}

static void set_type(const struct site_config *config, struct page *page)
{
    for (size_t i = 0; i < config->type_count; i++) {
        struct slice ending = config->types[i].ending, address = page_address(page);
        bool dot = address.size > ending.size && address.data[address.size - ending.size - 1] == '.';
        if (dot && slice_equal_nocase(slice_skip(address, address.size - ending.size), ending))
            page->type = config->types[i].type;
    }
}

/* Pages that an earlier generation has, too, are settled already: what is said has not changed, or they would not be
 * shared. */
static void settle_pages(struct site *site)
{
    bool rules = site->config->rules || site->redirects || site->headers;

    for (size_t i = 0; i < site->tree.count; i++) {
        struct page *page = site->tree.pages[i];
        if (atomic_load_explicit(&page->count, memory_order_relaxed) > 1)
            continue;
        set_type(site->config, page);
        page->ruled = rules && is_ruled(site, page);
    }
}

bool site_table_build(struct site *site)
{
    if (!make_slots(site) || !settle_paths(site))
        return false;
    add_aliases(site);
    settle_pages(site);
    return true;
}

unsigned site_addresses(const struct page *page, struct slice addresses[static SITE_ADDRESSES_MAX])
{
    struct slice address = page_address(page);
    unsigned count = 0;

    addresses[count++] = address;
    if (is_html(page))
        addresses[count++] = slice_part(address, 0, address.size - html.size);
    if (is_index(page)) {
        struct slice folder = site_folder(page);
        addresses[count++] = folder;
        if (folder.size > 1)
            addresses[count++] = slice_part(folder, 0, folder.size - 1);
    }
    return count;
}
