/* Sorts entries and hands out a listing piece by piece. The pieces of a format are written by a row of stages, one
 * after the other; those of JSON are here, those of HTML in listing_html.c. */
#include "serve/listing.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "http/target.h"
#include "serve/listing_html.h"
#include "serve/natural.h"

/* ---- Order --------------------------------------------------------------------------------------------------- */

static const struct slice key_names[LISTING_KEYS] = {
    [LISTING_BY_NAME] = SLICE_INIT("name"),
    [LISTING_BY_SIZE] = SLICE_INIT("size"),
    [LISTING_BY_DATE] = SLICE_INIT("date"),
};

struct slice listing_key_name(enum listing_key key)
{
    return key_names[key];
}

static enum listing_key find_key(struct slice name)
{
    for (unsigned key = 0; key < LISTING_KEYS; key++)
        if (slice_equal(name, key_names[key]))
            return (enum listing_key)key;
    return LISTING_BY_NAME;
}

struct listing_order listing_order_of(struct slice query)
{
    struct listing_order order = { LISTING_BY_NAME, false };
    struct slice name, value;
    while (query_next(&query, &name, &value)) {
        if (slice_equal(name, SLICE("sort")))
            order.key = find_key(value);
        else if (slice_equal(name, SLICE("order")))
            order.descending = slice_equal(value, SLICE("desc"));
    }
    return order;
}

/* Folders have no size. */
static int compare_by(enum listing_key key, const struct listing_entry *a, const struct listing_entry *b)
{
    switch (key) {
    case LISTING_BY_SIZE:
        return a->is_folder ? 0 : (a->size > b->size) - (a->size < b->size);
    case LISTING_BY_DATE:
        return (a->modified_s > b->modified_s) - (a->modified_s < b->modified_s);
    case LISTING_BY_NAME:
    case LISTING_KEYS:
        break;
    }
    return natural_compare(a->name, b->name);
}

static int compare(const void *left, const void *right, void *user)
{
    const struct listing_entry *a = left, *b = right;
    const struct listing_order *order = user;
    if (a->is_folder != b->is_folder)
        return a->is_folder ? -1 : 1;
    int by_key = compare_by(order->key, a, b);
    if (by_key != 0)
        return (by_key > 0) != order->descending ? 1 : -1;
    return natural_compare(a->name, b->name);
}

/* ---- JSON ---------------------------------------------------------------------------------------------------- */

static bool begin_json(struct listing *listing, struct writer *w)
{
    (void)listing;
    writer_byte(w, '[');
    return false;
}

/* RFC 3339, without the fraction, which is not known. */
static void write_date(struct writer *w, int64_t modified_s)
{
    char stamp[CLOCK_STAMP_SIZE];
    if (modified_s < 0) {
        writer_text(w, "null");
        return;
    }
    clock_format_stamp(modified_s, 0, stamp);
    writer_byte(w, '"');
    writer_bytes(w, stamp, sizeof "2026-01-31T08:49:37" - 1);
    writer_text(w, "Z\"");
}

static bool write_entry(struct listing *listing, struct writer *w)
{
    if (listing->at == listing->folder.count)
        return false;
    const struct listing_entry *entry = &listing->folder.entries[listing->at++];
    writer_text(w, listing->at > 1 ? ",\n{\"name\":\"" : "\n{\"name\":\"");
    writer_json(w, entry->name);
    writer_text(w, entry->is_folder ? "\",\"type\":\"folder\",\"size\":null" : "\",\"type\":\"file\",\"size\":");
    if (!entry->is_folder)
        writer_uint(w, entry->size);
    writer_text(w, ",\"modified\":");
    write_date(w, entry->modified_s);
    writer_byte(w, '}');
    return true;
}

static bool end_json(struct listing *listing, struct writer *w)
{
    writer_text(w, listing->folder.count > 0 ? "\n]\n" : "]\n");
    return false;
}

static listing_stage *const json_stages[] = { begin_json, write_entry, end_json, NULL };

/* ---- Pieces -------------------------------------------------------------------------------------------------- */

static const struct {
    struct slice type;
    listing_stage *const *stages;
} formats[] = {
    [LISTING_HTML] = { SLICE_INIT("text/html; charset=utf-8"), listing_html_stages },
    [LISTING_JSON] = { SLICE_INIT("application/json"), json_stages },
};

struct slice listing_type(enum listing_format format)
{
    return formats[format].type;
}

/* Closes the gaps that names which are too long leave. */
static void drop_long_names(struct listing_folder *folder)
{
    size_t kept = 0;
    for (size_t i = 0; i < folder->count; i++)
        if (folder->entries[i].name.size <= LISTING_NAME_MAX)
            folder->entries[kept++] = folder->entries[i];
    folder->count = kept;
}

void listing_begin(struct listing *listing, const struct listing_folder *folder, enum listing_format format,
                   struct listing_order order)
{
    listing->folder = *folder;
    listing->order = order;
    listing->folder_count = 0;
    listing->bytes = 0;
    listing->stage = formats[format].stages;
    listing->at = 0;
    listing->piece = slice_make(listing->text, 0);
    drop_long_names(&listing->folder);
    for (size_t i = 0; i < listing->folder.count; i++) {
        const struct listing_entry *entry = &listing->folder.entries[i];
        listing->folder_count += entry->is_folder;
        listing->bytes += entry->is_folder ? 0 : entry->size;
    }
    if (listing->folder.count > 1)
        qsort_r(listing->folder.entries, listing->folder.count, sizeof *folder->entries, compare, &order);
}

static void make_piece(struct listing *listing)
{
    struct writer w = writer_on(listing->text, sizeof listing->text);
    if (!(*listing->stage)(listing, &w)) {
        listing->stage++;
        listing->at = 0;
    }
    assert(!w.overflowed);
    listing->piece = writer_slice(&w);
}

/* A piece that does not fit goes out in parts, so that any room is enough. */
long listing_pull(void *user, char *out, size_t size)
{
    struct listing *listing = user;
    struct writer w = writer_on(out, size);
    for (;;) {
        size_t room = size - writer_used(&w);
        size_t part = listing->piece.size < room ? listing->piece.size : room;
        writer_bytes(&w, listing->piece.data, part);
        listing->piece = slice_skip(listing->piece, part);
        if (listing->piece.size > 0 || *listing->stage == NULL)
            return (long)writer_used(&w);
        make_piece(listing);
    }
}
