/* Literals by static names, and with a table entries for what is likely to be said again.
 *
 * A name comes in as it stands in the answer ("Content-Type") and goes out in small letters (RFC 9113 8.2). */
#include "wire/hpack_encode.h"

#include "wire/hpack_huffman.h"

/* What a representation begins with (RFC 7541 part 6), and how many bits of that octet are the number's. */
struct kind {
    uint8_t first, bits;
};
static const struct kind indexed = { 0x80, 7 }, added = { 0x40, 6 }, not_added = { 0x00, 4 }, never_added = { 0x10, 4 };
static const struct kind resize = { 0x20, 5 }, plain = { 0x00, 7 }, huffman = { 0x80, 7 };

/* Names in the static table. */
enum {
    AGE = 21,
    CONTENT_DISPOSITION = 25,
    CONTENT_LENGTH = 28,
    CONTENT_LOCATION = 29,
    CONTENT_RANGE = 30,
    DATE = 33,
    ETAG = 34,
    EXPIRES = 36,
    LAST_MODIFIED = 44,
    LINK = 45,
    LOCATION = 46,
    PROXY_AUTHENTICATE = 48,
    REFRESH = 52,
    RETRY_AFTER = 53,
    SET_COOKIE = 55,
    WWW_AUTHENTICATE = 61
};

static void write_number(struct writer *w, struct kind kind, size_t value)
{
    size_t most = (1U << kind.bits) - 1;
    if (value < most) {
        writer_byte(w, (char)(kind.first | value));
        return;
    }
    writer_byte(w, (char)(kind.first | most));
    for (value -= most; value >= 0x80; value >>= 7)
        writer_byte(w, (char)(0x80 | (value & 0x7F)));
    writer_byte(w, (char)value);
}

static void write_plain(struct writer *w, struct slice text)
{
    write_number(w, plain, text.size);
    writer_put(w, text);
}

static void write_string(struct writer *w, struct slice text)
{
    size_t coded_size = hpack_huffman_size(text);
    if (coded_size >= text.size) {
        write_plain(w, text);
        return;
    }
    write_number(w, huffman, coded_size);
    hpack_huffman_encode(w, text);
}

/* A name in small letters. One that is longer than any that is worth it is not looked up, coded or kept. */
enum { NAME_MAX = 64 };
struct small {
    char name[NAME_MAX];
};

static struct slice lower(struct small *small, struct slice name)
{
    for (size_t i = 0; i < name.size; i++)
        small->name[i] = ascii_lower(name.data[i]);
    return slice_make(small->name, name.size);
}

static void write_unwieldy(struct writer *w, struct slice name, struct slice value)
{
    write_number(w, not_added, 0);
    write_number(w, plain, name.size);
    for (size_t i = 0; i < name.size; i++)
        writer_byte(w, ascii_lower(name.data[i]));
    write_string(w, value);
}

/* `entry` is one of this name, or 0. */
static void write_literal(struct writer *w, struct kind kind, size_t entry, const struct hpack_added *field)
{
    write_number(w, kind, entry);
    if (entry == 0)
        write_string(w, field->name);
    write_string(w, field->value);
}

/* ---- Without a table --------------------------------------------------------------------------------------- */

void hpack_encode_status(struct writer *w, unsigned status)
{
    char digits[3];
    struct writer text = writer_on(digits, sizeof digits);
    writer_digits(&text, status, 3);
    struct hpack_found found = hpack_static_find(hpack_pseudo_name(HPACK_STATUS), writer_slice(&text));
    if (found.field > 0)
        write_number(w, indexed, found.field);
    else
        write_literal(w, not_added, found.name, &(struct hpack_added){ .value = writer_slice(&text) });
}

void hpack_encode_field(struct writer *w, struct slice name, struct slice value)
{
    struct small small;
    if (name.size > NAME_MAX) {
        write_unwieldy(w, name, value);
        return;
    }
    struct hpack_added field = { .name = lower(&small, name), .value = value };
    struct hpack_found found = hpack_static_find(field.name, value);
    if (found.field > 0)
        write_number(w, indexed, found.field);
    else
        write_literal(w, found.name == SET_COOKIE ? never_added : not_added, found.name, &field);
}

void hpack_encode_date(struct writer *w, const char *date)
{
    write_number(w, not_added, DATE);
    write_plain(w, slice_make(date, CLOCK_DATE_SIZE));
}

/* ---- With a table ------------------------------------------------------------------------------------------ */

void hpack_encoder_init(struct hpack_encoder *encoder)
{
    hpack_table_init(&encoder->table);
    encoder->limit = encoder->lowest = HPACK_TABLE_DEFAULT;
}

void hpack_encoder_fini(struct hpack_encoder *encoder)
{
    hpack_table_fini(&encoder->table);
}

void hpack_encoder_limit(struct hpack_encoder *encoder, uint32_t size)
{
    encoder->limit = size < HPACK_TABLE_MAX ? (uint16_t)size : HPACK_TABLE_MAX;
    if (encoder->lowest > encoder->limit)
        encoder->lowest = encoder->limit;
}

static void change_size(struct hpack_encoder *encoder, struct writer *w, size_t size)
{
    write_number(w, resize, size);
    hpack_table_resize(&encoder->table, size);
}

void hpack_encoder_begin(struct hpack_encoder *encoder, struct writer *w)
{
    if (encoder->lowest < encoder->table.size_max)
        change_size(encoder, w, encoder->lowest);
    if (encoder->limit > encoder->table.size_max)
        change_size(encoder, w, encoder->limit);
    encoder->lowest = encoder->limit;
}

/* Names whose value is mostly another one the next time. */
static bool changing(size_t static_name)
{
    switch (static_name) {
    case AGE:
    case CONTENT_DISPOSITION:
    case CONTENT_LENGTH:
    case CONTENT_LOCATION:
    case CONTENT_RANGE:
    case DATE:
    case ETAG:
    case EXPIRES:
    case LAST_MODIFIED:
    case LINK:
    case LOCATION:
    case PROXY_AUTHENTICATE: /* may have a nonce, as its sister */
    case REFRESH:
    case RETRY_AFTER:
    case WWW_AUTHENTICATE:
        return true;
    default:
        return false;
    }
}

/* Of a name that the static table has not, the first value is kept; if it comes with another one it is a changing one,
 * such as the number of a request. */
static bool lasting(const struct hpack_encoder *encoder, const struct hpack_added *field, size_t static_name,
    size_t own_name)
{
    if (field->name.size + field->value.size + HPACK_ENTRY_COST > encoder->table.size_max / 2U)
        return false;
    return static_name > 0 ? !changing(static_name) : own_name == 0;
}

void hpack_encoder_field(struct hpack_encoder *encoder, struct writer *w, struct slice name, struct slice value)
{
    struct small small;
    if (name.size > NAME_MAX) {
        write_unwieldy(w, name, value);
        return;
    }
    struct hpack_added field = { .name = lower(&small, name), .value = value };
    struct hpack_found fixed = hpack_static_find(field.name, value), own = { 0, 0 };
    if (fixed.field == 0)
        own = hpack_table_find(&encoder->table, field.name, value);
    if (fixed.field > 0 || own.field > 0) {
        write_number(w, indexed, fixed.field > 0 ? fixed.field : own.field);
        return;
    }
    size_t entry = fixed.name > 0 ? fixed.name : own.name;
    struct kind kind = fixed.name == SET_COOKIE ? never_added : not_added;
    /* Without memory it is not added. What was evicted by then the peer still has, but behind all that we have. */
    if (kind.first == not_added.first && lasting(encoder, &field, fixed.name, own.name) &&
        hpack_table_add(&encoder->table, &field))
        kind = added;
    write_literal(w, kind, entry, &field);
}
