/* Entries come in at one end and leave at the other, so do their texts: a ring of entries, and behind it octets that
 * are used from the oldest entry's text on to the latest's. */
#include "wire/hpack_table.h"

#include <stdlib.h>

#include "base/writer.h"

enum { ENTRIES_MIN = 8, TEXTS_MIN = 192 - HPACK_TEXTS_SPARE };

static struct hpack_entry *entries_of(const struct hpack_table *table)
{
    return (void *)table->block;
}

static char *texts_of(const struct hpack_table *table)
{
    return (char *)(entries_of(table) + table->entries_max);
}

/* The i-th, from the oldest on. */
static struct hpack_entry *entry_at(const struct hpack_table *table, unsigned i)
{
    return &entries_of(table)[(table->first + i) & (table->entries_max - 1U)];
}

void hpack_table_init(struct hpack_table *table)
{
    *table = (struct hpack_table){ .size_max = HPACK_TABLE_DEFAULT };
}

void hpack_table_fini(struct hpack_table *table)
{
    free(table->block);
    *table = (struct hpack_table){ .size_max = 0 };
}

static size_t cost_of(const struct hpack_entry *entry)
{
    size_t name_size = hpack_nameless(entry->id) ? hpack_pseudo_name(entry->id).size : entry->name_size;
    return name_size + entry->value_size + HPACK_ENTRY_COST;
}

/* Until there is room for `size` more, of at most the maximum. */
static void evict(struct hpack_table *table, size_t size)
{
    while (table->size + size > table->size_max) {
        table->size = (uint16_t)(table->size - cost_of(entry_at(table, 0)));
        table->first = (uint16_t)((table->first + 1) & (table->entries_max - 1));
        table->count--;
    }
}

void hpack_table_resize(struct hpack_table *table, size_t size_max)
{
    table->size_max = (uint16_t)size_max;
    evict(table, 0);
    if (size_max == 0)
        hpack_table_fini(table);
}

/* The first octet in use. */
static size_t texts_begin(const struct hpack_table *table)
{
    return table->count > 0 ? entry_at(table, 0)->at : table->texts_end;
}

/* Copies what there is into `to`, which has room for it and may be the table itself. */
static void move(const struct hpack_table *table, struct hpack_table *to)
{
    size_t begin = texts_begin(table), size = table->texts_end - begin;
    memmove(texts_of(to), texts_of(table) + begin, size);
    for (unsigned i = 0; i < table->count; i++) {
        struct hpack_entry entry = *entry_at(table, i);
        entry.at = (uint16_t)(entry.at - begin);
        *entry_at(to, i) = entry;
    }
    to->texts_end = (uint16_t)size;
}

static bool grow(struct hpack_table *table, size_t texts_needed)
{
    struct hpack_table grown = *table;
    if (table->count == table->entries_max)
        grown.entries_max = (uint16_t)(table->entries_max ? 2 * table->entries_max : ENTRIES_MIN);
    if (grown.texts_max == 0)
        grown.texts_max = TEXTS_MIN;
    while (grown.texts_max < texts_needed)
        grown.texts_max = (uint16_t)(2 * grown.texts_max);
    if (grown.texts_max > HPACK_TABLE_MAX)
        grown.texts_max = HPACK_TABLE_MAX;
    grown.first = 0;
    grown.block = malloc(grown.entries_max * sizeof(struct hpack_entry) + grown.texts_max + HPACK_TEXTS_SPARE);
    if (!grown.block)
        return false;
    if (table->block)
        move(table, &grown);
    free(table->block);
    *table = grown;
    return true;
}

/* A place for one more entry, and for so many octets of text behind the others. */
static bool make_room(struct hpack_table *table, size_t size)
{
    size_t needed = table->texts_end - texts_begin(table) + size;
    if (table->count == table->entries_max || needed > table->texts_max)
        return grow(table, needed);
    if (table->texts_end + size > table->texts_max)
        move(table, table);
    return true;
}

bool hpack_table_add(struct hpack_table *table, const struct hpack_added *added)
{
    size_t cost = added->name.size + added->value.size + HPACK_ENTRY_COST;
    if (cost > table->size_max) {
        evict(table, table->size_max);
        return true;
    }
    evict(table, cost);
    struct slice name = hpack_nameless(added->id) ? SLICE("") : added->name;
    size_t size = name.size + added->value.size;
    if (!make_room(table, size))
        return false;
    struct writer text = writer_on(texts_of(table) + table->texts_end, size);
    writer_put(&text, name);
    writer_put(&text, added->value);
    *entry_at(table, table->count++) = (struct hpack_entry){
        .at = table->texts_end,
        .name_size = (uint16_t)name.size,
        .value_size = (uint16_t)added->value.size,
        .id = added->id,
        .valid = added->valid,
    };
    table->texts_end = (uint16_t)(table->texts_end + size);
    table->size = (uint16_t)(table->size + cost);
    return true;
}

struct hpack_found hpack_table_find(const struct hpack_table *table, struct slice name, struct slice value)
{
    struct hpack_found found = { 0, 0 };
    for (unsigned i = table->count; i-- > 0;) {
        const struct hpack_entry *entry = entry_at(table, i);
        const char *text = texts_of(table) + entry->at;
        if (!slice_equal(hpack_entry_name(entry, text), name))
            continue;
        size_t index = HPACK_STATIC_COUNT + table->count - i;
        if (found.name == 0)
            found.name = index;
        if (!slice_equal(slice_make(text + entry->name_size, entry->value_size), value))
            continue;
        found.field = index;
        break;
    }
    return found;
}
