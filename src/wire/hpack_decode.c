/* One field at a time: a table's entry, or a literal (RFC 7541 part 6). A browser's later requests are nearly all
 * entries, each of which is one copy. */
#include "wire/hpack_decode.h"

#include <assert.h>

#include "wire/hpack_huffman.h"

/* What the first octet of a representation begins with (RFC 7541 part 6), and how many of its bits are a number's. */
enum {
    INDEXED = 0x80, INDEXED_BITS = 7,
    ADDED = 0x40, ADDED_BITS = 6,
    RESIZE = 0x20, RESIZE_BITS = 5, RESIZE_MASK = 0xE0,
    LITERAL_BITS = 4, /* not added, be it this time or never */
    HUFFMAN = 0x80, STRING_BITS = 7
};

enum { RESIZES_MAX = 2 }; /* RFC 7541 4.2 */

#define RARE __attribute__((noinline, cold))
#define ALWAYS_INLINE inline __attribute__((always_inline))

void hpack_decoder_init(struct hpack_decoder *decoder)
{
    hpack_table_init(&decoder->table);
    decoder->limit = decoder->lowest = HPACK_TABLE_DEFAULT;
}

void hpack_decoder_fini(struct hpack_decoder *decoder)
{
    hpack_table_fini(&decoder->table);
}

void hpack_decoder_limit(struct hpack_decoder *decoder, size_t size)
{
    assert(size <= HPACK_TABLE_MAX);
    decoder->limit = (uint16_t)size;
    if (decoder->lowest > size)
        decoder->lowest = (uint16_t)size;
}

/* ---- Numbers and strings ----------------------------------------------------------------------------------- */

/* The octets of a number behind its prefix, least significant first (RFC 7541 5.1). Five hold any of 32 bits: what has
 * more of either is refused, even if they are zeros. */
static bool read_long(struct hpack_decode *d, uint32_t *value)
{
    uint64_t sum = *value;
    for (unsigned shift = 0; shift < 35 && d->at < d->end; shift += 7) {
        uint8_t octet = *d->at++;
        sum += (uint64_t)(octet & 0x7F) << shift;
        if (octet & 0x80)
            continue;
        *value = (uint32_t)sum;
        return sum <= UINT32_MAX;
    }
    return false;
}

/* A number that begins in the lowest `bits` of the next octet, which is there. */
static ALWAYS_INLINE bool read_number(struct hpack_decode *d, unsigned bits, uint32_t *value)
{
    uint32_t most = (1U << bits) - 1;
    *value = *d->at++ & most;
    return *value < most || read_long(d, value);
}

/* A string literal (RFC 7541 5.2). `*size` is what was written of it: all, unless the writer is marked. */
static bool read_string(struct hpack_decode *d, struct writer *w, size_t *size)
{
    uint32_t coded_size;
    if (d->at == d->end)
        return false;
    bool huffman = *d->at & HUFFMAN;
    if (!read_number(d, STRING_BITS, &coded_size) || (size_t)(d->end - d->at) < coded_size)
        return false;
    struct slice coded = slice_make((const char *)d->at, coded_size);
    d->at += coded_size;
    char *begin = w->at;
    if (!huffman)
        writer_put(w, coded);
    else if (!hpack_huffman_decode(w, coded))
        return false;
    *size = (size_t)(w->at - begin);
    return true;
}

/* ---- Fields ------------------------------------------------------------------------------------------------ */

static bool name_valid(struct slice name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!char_is(name.data[i], CHAR_TOKEN) || (name.data[i] >= 'A' && name.data[i] <= 'Z'))
            return false;
    return name.size > 0;
}

/* A literal while it is read. */
struct literal {
    struct slice name, value;
    uint8_t id, valid;
};

/* The name of a literal, which is an entry's or a string. */
static enum hpack_result read_name(struct hpack_decode *d, struct writer *text, unsigned bits, struct literal *literal)
{
    const char *texts;
    uint32_t index;
    size_t size;
    if (!read_number(d, bits, &index))
        return HPACK_MALFORMED;
    char *begin = text->at;
    if (index == 0) {
        if (!read_string(d, text, &size))
            return HPACK_MALFORMED;
        literal->name = slice_make(begin, size);
        literal->id = hpack_identify(literal->name);
        literal->valid = hpack_nameless(literal->id) || name_valid(literal->name) ? HPACK_NAME_VALID : 0;
        if (hpack_nameless(literal->id))
            text->at = begin;
    } else {
        const struct hpack_entry *entry = hpack_table_get(&d->decoder->table, index, &texts);
        if (!entry)
            return HPACK_MALFORMED;
        literal->name = slice_make(begin, entry->name_size);
        literal->id = entry->id;
        literal->valid = entry->valid & HPACK_NAME_VALID;
        writer_bytes(text, texts, entry->name_size);
    }
    if (hpack_nameless(literal->id))
        literal->name = hpack_pseudo_name(literal->id);
    return HPACK_FIELD;
}

/* With its name and value right behind one another in the text, where the writer is not marked. */
static enum hpack_result read_literal(struct hpack_decode *d, struct writer *text, unsigned bits,
    struct literal *literal)
{
    size_t size;
    enum hpack_result result = read_name(d, text, bits, literal);
    if (result != HPACK_FIELD)
        return result;
    const char *begin = text->at;
    if (!read_string(d, text, &size))
        return HPACK_MALFORMED;
    literal->value = slice_make(begin, size);
    if (literal->valid && (hpack_nameless(literal->id) || field_value_valid(literal->value)))
        literal->valid |= HPACK_VALID;
    return HPACK_FIELD;
}

static void describe(const struct literal *literal, const struct writer *text, struct hpack_field *field)
{
    size_t name_size = hpack_nameless(literal->id) ? 0 : literal->name.size;
    size_t value = (size_t)(literal->value.data - text->start);
    field->at = (struct field){
        .name = (uint16_t)(value - name_size),
        .name_size = (uint16_t)name_size,
        .value = (uint16_t)value,
        .value_size = (uint16_t)literal->value.size,
    };
    field->id = literal->id;
    field->fixed = 0;
    field->valid = literal->valid & HPACK_VALID;
}

static bool add(struct hpack_decode *d, const struct literal *literal)
{
    return hpack_table_add(&d->decoder->table, &(struct hpack_added){
        .name = literal->name, .value = literal->value, .id = literal->id, .valid = literal->valid });
}

/* ---- Blocks ------------------------------------------------------------------------------------------------ */

static bool resize_next(const struct hpack_decode *d)
{
    return d->at < d->end && (*d->at & RESIZE_MASK) == RESIZE;
}

/* Changes of the table's size stand at the beginning of a block, and one has to stand there if the table is larger than
 * it was allowed to be at any time since the last one (RFC 7541 4.2). */
static bool read_resizes(struct hpack_decode *d)
{
    struct hpack_decoder *decoder = d->decoder;
    bool owed = decoder->table.size_max > decoder->lowest;
    for (unsigned i = 0; i < RESIZES_MAX && resize_next(d); i++) {
        uint32_t size, most = owed ? decoder->lowest : decoder->limit;
        if (!read_number(d, RESIZE_BITS, &size) || size > most)
            return false;
        hpack_table_resize(&decoder->table, size);
        owed = false;
    }
    decoder->lowest = decoder->limit;
    return !owed;
}

RARE static void begin_oddly(struct hpack_decode *d)
{
    if (read_resizes(d))
        return;
    d->at = d->end;
    d->ending = HPACK_MALFORMED;
}

void hpack_decode_begin(struct hpack_decode *d, struct hpack_decoder *decoder, struct slice block, struct writer *text)
{
    assert(text->end - text->start <= FIELDS_HEAD_MAX);
    d->at = (const uint8_t *)block.data;
    d->end = d->at + block.size;
    d->decoder = decoder;
    d->text = text;
    d->ending = HPACK_END;
    if (decoder->lowest != decoder->limit || decoder->table.size_max > decoder->limit || resize_next(d))
        begin_oddly(d);
}

/* What the text has no room for: its place in the table. */
static enum hpack_result skip_literal(struct hpack_decode *d, unsigned bits)
{
    char room[HPACK_TABLE_MAX];
    struct writer text = writer_on(room, sizeof room);
    struct literal literal;
    enum hpack_result result = read_literal(d, &text, bits, &literal);
    if (result != HPACK_FIELD || bits != ADDED_BITS)
        return result;
    if (text.overflowed) /* larger than any table: what it is does not matter, only that it empties ours */
        literal.name = slice_make(room, sizeof room);
    return add(d, &literal) ? HPACK_FIELD : HPACK_NO_MEMORY;
}

static enum hpack_result skip_one(struct hpack_decode *d)
{
    const char *texts;
    uint32_t index;
    if (*d->at & INDEXED)
        return read_number(d, INDEXED_BITS, &index) && hpack_table_get(&d->decoder->table, index, &texts) ?
            HPACK_FIELD : HPACK_MALFORMED;
    if (*d->at & ADDED)
        return skip_literal(d, ADDED_BITS);
    return *d->at & RESIZE ? HPACK_MALFORMED : skip_literal(d, LITERAL_BITS);
}

enum hpack_result hpack_decode_skip(struct hpack_decode *d)
{
    enum hpack_result result = HPACK_FIELD;
    while (d->at < d->end && result == HPACK_FIELD)
        result = skip_one(d);
    return result == HPACK_FIELD ? d->ending : result;
}

/* The text had no room for the field that began at `field_at`, when there was text up to `text_at`. */
RARE static enum hpack_result overflow(struct hpack_decode *d, const uint8_t *field_at, char *text_at)
{
    d->text->at = text_at;
    d->at = field_at;
    enum hpack_result result = hpack_decode_skip(d);
    return result == HPACK_END ? HPACK_TOO_LARGE : result;
}

static ALWAYS_INLINE void describe_entry(const struct hpack_entry *entry, size_t at, struct hpack_field *field)
{
    unsigned name_size = entry->name_size;
    field->at = (struct field){ (uint16_t)at, (uint16_t)name_size, (uint16_t)(at + name_size), entry->value_size };
    field->id = entry->id;
    field->valid = entry->valid & HPACK_VALID;
}

static __attribute__((noinline)) enum hpack_result next_indexed(struct hpack_decode *d, struct hpack_field *field)
{
    const uint8_t *field_at = d->at;
    struct writer *text = d->text;
    const char *texts;
    uint32_t index;
    if (!read_number(d, INDEXED_BITS, &index))
        return HPACK_MALFORMED;
    const struct hpack_entry *entry = hpack_table_get(&d->decoder->table, index, &texts);
    if (!entry)
        return HPACK_MALFORMED;
    describe_entry(entry, writer_used(text), field);
    field->fixed = index <= HPACK_STATIC_COUNT ? (uint8_t)index : 0;
    writer_bytes(text, texts, (size_t)entry->name_size + entry->value_size);
    return text->overflowed ? overflow(d, field_at, text->at) : HPACK_FIELD;
}

/* The usual entry: an index of one octet, and a text so short that copying the most it can be costs less than looking.
 * Calls nothing, so that it needs no registers kept: half of the instructions of the general way. */
static ALWAYS_INLINE bool next_short(struct hpack_decode *d, struct hpack_field *field)
{
    struct writer *text = d->text;
    const char *texts;
    unsigned index = *d->at & ((1U << INDEXED_BITS) - 1);
    const struct hpack_entry *entry = hpack_table_get(&d->decoder->table, index, &texts);
    if (!entry || index == (1U << INDEXED_BITS) - 1)
        return false;
    size_t size = (size_t)entry->name_size + entry->value_size;
    if (size > HPACK_TEXTS_SPARE || text->end - text->at < HPACK_TEXTS_SPARE)
        return false;
    memcpy(text->at, texts, HPACK_TEXTS_SPARE);
    describe_entry(entry, writer_used(text), field);
    field->fixed = index <= HPACK_STATIC_COUNT ? (uint8_t)index : 0;
    text->at += size;
    d->at++;
    return true;
}

static enum hpack_result next_literal(struct hpack_decode *d, unsigned bits, struct hpack_field *field)
{
    const uint8_t *field_at = d->at;
    char *text_at = d->text->at;
    struct literal literal;
    enum hpack_result result = read_literal(d, d->text, bits, &literal);
    if (result != HPACK_FIELD)
        return result;
    if (d->text->overflowed)
        return overflow(d, field_at, text_at);
    describe(&literal, d->text, field);
    return bits != ADDED_BITS || add(d, &literal) ? HPACK_FIELD : HPACK_NO_MEMORY;
}

enum hpack_result hpack_decode_next(struct hpack_decode *d, struct hpack_field *field)
{
    if (d->at == d->end)
        return d->ending;
    if (*d->at & INDEXED)
        return next_short(d, field) ? HPACK_FIELD : next_indexed(d, field);
    if (*d->at & ADDED)
        return next_literal(d, ADDED_BITS, field);
    return *d->at & RESIZE ? HPACK_MALFORMED : next_literal(d, LITERAL_BITS, field);
}
