/* The static and the dynamic table of HPACK (RFC 7541 2.3): fields by number. Both the decoder and the encoder have a
 * dynamic one for each connection, which has to agree with the peer's to the last octet.
 *
 * A dynamic table holds no memory before its first entry, and then grows with what it holds: one block, in which the
 * texts of the entries lie one behind the other and are moved to its front when its end is reached.
 * It knows nothing of how anything is written on the wire. */
#ifndef WIRE_HPACK_TABLE_H
#define WIRE_HPACK_TABLE_H

#include "http/fields.h"

/* What a name is: a field_id where the server knows it, or one of these, which no field can be (RFC 9113 8.3, RFC 8441
 * 4). Numbers behind those of field_id, so that one octet tells both. */
enum hpack_pseudo {
    HPACK_PSEUDO = FIELDS_IDS_MAX, /* from here on: the name begins with ':'. This one: some that nobody knows */
    HPACK_AUTHORITY,
    HPACK_METHOD,
    HPACK_PATH,
    HPACK_PROTOCOL,
    HPACK_SCHEME,
    HPACK_STATUS
};

/* The octets that an entry costs beside its name and value (RFC 7541 4.1), what both sides begin with (RFC 9113 6.5.2),
 * and the most that we ever keep. */
enum { HPACK_ENTRY_COST = 32, HPACK_TABLE_DEFAULT = 4096, HPACK_TABLE_MAX = 4096 };

enum { HPACK_STATIC_COUNT = 61, HPACK_TEXTS_SPARE = 32 };

/* What was found out about a field's octets (RFC 9113 8.2.1): the name is a token without capitals, and all of it: the
 * value has no control but tab, and no white space around it, either. */
enum { HPACK_VALID = 1, HPACK_NAME_VALID = 2 };

/* The name, and the value right behind it. A pseudo field's name is not there: the id says it. */
struct hpack_entry {
    uint16_t at; /* within the texts of its table */
    uint16_t name_size, value_size;
    uint8_t id;    /* field_id or hpack_pseudo */
    uint8_t valid; /* of the above */
};

/* Whether the id is that of a pseudo field that is known. */
static inline bool hpack_nameless(uint8_t id)
{
    return id > HPACK_PSEUDO;
}

struct hpack_table {
    char *block;                       /* entries, a ring, and behind them the texts; NULL: no memory yet */
    uint16_t size, size_max;           /* as the RFC counts */
    uint16_t first, count;             /* the oldest entry, and how many there are */
    uint16_t entries_max, texts_max;   /* places for entries, a power of two, and octets for their texts */
    uint16_t texts_end;                /* where the next text begins */
};

/* An empty one of HPACK_TABLE_DEFAULT octets. */
void hpack_table_init(struct hpack_table *table);
void hpack_table_fini(struct hpack_table *table);

/* Changes its size, at most HPACK_TABLE_MAX, and evicts what is too much by then. Size 0 gives the memory back. */
void hpack_table_resize(struct hpack_table *table, size_t size_max);

/* A field to be added; its texts lie outside of the table. */
struct hpack_added {
    struct slice name, value; /* the name is given even where it is not kept */
    uint8_t id, valid;
};

/* Evicts what has to go (RFC 7541 4.4: all of it for a field larger than the table, which is then not added), and adds.
 * False: no memory, and the table no longer agrees with the peer's. */
__attribute__((warn_unused_result)) bool hpack_table_add(struct hpack_table *table, const struct hpack_added *added);

/* The static table: entries and their texts, from 1 on. */
extern const struct hpack_entry hpack_static_entries[HPACK_STATIC_COUNT + 1];
extern const char hpack_static_texts[HPACK_STATIC_COUNT + 2][HPACK_TEXTS_SPARE];

/* An entry of either table by the RFC's index (2.3.3): 1 to 61, and from 62 on the dynamic one's, latest first. NULL:
 * there is none. `*texts` is where its text begins: valid until something is added, and readable, but meaningless, for
 * HPACK_TEXTS_SPARE octets beyond its end, so that short ones can be copied as whole words. */
static inline const struct hpack_entry *hpack_table_get(const struct hpack_table *table, size_t index,
    const char **texts)
{
    if (index - 1 < HPACK_STATIC_COUNT) {
        *texts = hpack_static_texts[index];
        return &hpack_static_entries[index];
    }
    size_t age = index - HPACK_STATIC_COUNT; /* 1: the latest */
    if (age > table->count) /* so is that of index 0 */
        return NULL;
    const struct hpack_entry *entries = (const void *)table->block;
    const struct hpack_entry *entry = &entries[(table->first + table->count - age) & (table->entries_max - 1U)];
    *texts = (const char *)(entries + table->entries_max) + entry->at;
    return entry;
}

/* The index of the first entry of this name, which is in lower case, and of that with this value, too; 0 where there is
 * none. */
struct hpack_found {
    size_t name, field;
};
struct hpack_found hpack_static_find(struct slice name, struct slice value);
struct hpack_found hpack_table_find(const struct hpack_table *table, struct slice name, struct slice value);

/* The name of a pseudo field that is known, HPACK_AUTHORITY to HPACK_STATUS. */
struct slice hpack_pseudo_name(uint8_t id);

static inline struct slice hpack_entry_name(const struct hpack_entry *entry, const char *texts)
{
    return hpack_nameless(entry->id) ? hpack_pseudo_name(entry->id) : slice_make(texts, entry->name_size);
}

/* The id of a name in lower case, pseudo names too. */
uint8_t hpack_identify(struct slice name);

#endif
