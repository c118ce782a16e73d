/* Lines are made for every request, so constant pieces are copied as they are and escapes are made only where a scan
 * finds a need, which is nearly never. */
#include "observe/access_line.h"

/* ---- What needs no escape ---- */

enum { BLOCK = 16 };

typedef int8_t block __attribute__((vector_size(BLOCK)));

/* -1 for each byte that does not stand for itself in JSON or on a terminal: controls, quote, backslash, and what is not
 * ASCII, which is negative here. */
static block mark_special(block b)
{
    return (b < ' ') | (b == 0x7f) | (b == '"') | (b == '\\');
}

static block load(const char *at)
{
    block b;
    memcpy(&b, at, BLOCK);
    return b;
}

/* Fewer bytes than a block as a whole one: some of them stand in it twice, which does not matter here. */
static block load_short(struct slice text)
{
    union {
        uint64_t eight[2];
        uint32_t four[4];
        char bytes[BLOCK];
        block whole;
    } b = { .eight = { UINT64_C(0x2020202020202020), UINT64_C(0x2020202020202020) } };
    if (text.size >= 8) {
        memcpy(&b.eight[0], text.data, 8);
        memcpy(&b.eight[1], text.data + text.size - 8, 8);
    } else if (text.size >= 4) {
        memcpy(&b.four[0], text.data, 4);
        memcpy(&b.four[1], text.data + text.size - 4, 4);
    } else if (text.size > 0) {
        b.bytes[0] = text.data[0];
        b.bytes[1] = text.data[text.size / 2];
        b.bytes[2] = text.data[text.size - 1];
    }
    return b.whole;
}

/* The last block may overlap the one before it, which saves the odd bytes a loop of their own. */
static bool is_plain(struct slice text)
{
    block special = mark_special(text.size < BLOCK ? load_short(text) : load(text.data + text.size - BLOCK));
    for (size_t i = 0; i + BLOCK < text.size; i += BLOCK)
        special |= mark_special(load(text.data + i));
    uint64_t halves[2];
    memcpy(halves, &special, BLOCK);
    return (halves[0] | halves[1]) == 0;
}

/* ---- JSON ---- */

/* U+0080 to U+009F, two bytes in UTF-8, are controls which JSON lets pass but some terminals obey: where the first one
 * is. */
static size_t find_high_control(struct slice text)
{
    for (size_t i = 0; i + 1 < text.size; i++)
        if ((unsigned char)text.data[i] == 0xc2 && ((unsigned char)text.data[i + 1] & 0xe0) == 0x80)
            return i;
    return text.size;
}

static void put_escaped(struct writer *w, struct slice text)
{
    for (;;) {
        size_t size = find_high_control(text);
        writer_json(w, slice_part(text, 0, size));
        if (size == text.size)
            return;
        writer_text(w, "\\u00");
        writer_hex(w, (unsigned char)text.data[size + 1]);
        text = slice_skip(text, size + 2);
    }
}

/* What is rare or long happens on a copy of the writer: as long as nobody else is given its address, the compiler keeps
 * the caller's in registers, which halves the cost of a line. */
static void put_with_care(struct writer *w, struct slice text)
{
    struct writer aside = *w;
    bool cut = text.size > ACCESS_VALUE_MAX;
    if (cut)
        text.size = ACCESS_VALUE_MAX;
    put_escaped(&aside, text);
    if (cut)
        writer_put(&aside, SLICE("..."));
    *w = aside;
}

/* `key` ends with the quote that opens the string. */
static inline void put_string(struct writer *w, struct slice key, struct slice text)
{
    writer_put(w, key);
    if (text.size <= ACCESS_VALUE_MAX && is_plain(text))
        writer_put(w, text);
    else
        put_with_care(w, text);
    writer_byte(w, '"');
}

/* As put_string, but null, without that quote, where there is no text. */
static inline void put_value(struct writer *w, struct slice key, struct slice text)
{
    if (text.size > 0) {
        put_string(w, key, text);
        return;
    }
    writer_bytes(w, key.data, key.size - 1);
    writer_put(w, SLICE("null"));
}

static inline void put_number(struct writer *w, uint64_t value)
{
    if (value < 10) {
        writer_byte(w, (char)('0' + value));
        return;
    }
    struct writer aside = *w;
    writer_uint(&aside, value);
    *w = aside;
}

/* 0 stands for a request line that could not be read. */
static struct slice version_text(uint8_t version)
{
    switch (version) {
    case 10:
        return SLICE("\"HTTP/1.0\"");
    case 11:
        return SLICE("\"HTTP/1.1\"");
    case 20:
        return SLICE("\"HTTP/2\"");
    default:
        return SLICE("null");
    }
}

static inline void put_duration(struct writer *w, const struct access_entry *entry, struct slice unknown)
{
    uint64_t begun_ms = entry->exchange->begun_ms;
    if (begun_ms == 0 || begun_ms > entry->now_ms)
        writer_put(w, unknown);
    else
        put_number(w, entry->now_ms - begun_ms);
}

void access_line_json(struct writer *out, const struct access_entry *entry)
{
    const struct request *request = &entry->exchange->request;
    struct writer w = *out;
    writer_put(&w, SLICE("{\"time\":\""));
    writer_bytes(&w, entry->stamp, CLOCK_STAMP_SIZE);
    writer_byte(&w, '"');
    put_value(&w, SLICE(",\"peer\":\""), request->peer);
    if (entry->client.size > 0)
        put_string(&w, SLICE(",\"client\":\""), entry->client);
    put_value(&w, SLICE(",\"method\":\""), request->method_name);
    put_value(&w, SLICE(",\"target\":\""), request->raw_target);
    writer_put(&w, SLICE(",\"status\":"));
    put_number(&w, entry->exchange->response.status);
    writer_put(&w, SLICE(",\"bytes\":"));
    put_number(&w, entry->body_bytes);
    writer_put(&w, SLICE(",\"ms\":"));
    put_duration(&w, entry, SLICE("null"));
    writer_put(&w, SLICE(",\"version\":"));
    writer_put(&w, version_text(request->version));
    if (fields_has(&request->fields, FIELD_REFERER))
        put_string(&w, SLICE(",\"referer\":\""), fields_get(&request->fields, FIELD_REFERER));
    if (fields_has(&request->fields, FIELD_USER_AGENT))
        put_string(&w, SLICE(",\"agent\":\""), fields_get(&request->fields, FIELD_USER_AGENT));
    if (entry->id.size > 0)
        put_string(&w, SLICE(",\"id\":\""), entry->id);
    writer_put(&w, SLICE("}\n"));
    *out = w;
}

/* ---- For a terminal ---- */

enum { METHOD_COLUMN = 7, SIZE_COLUMN = 8, DURATION_COLUMN = 5, PEER_COLUMN = 15 };
enum { METHOD_SHOWN_MAX = 16, PEER_SHOWN_MAX = 64, TARGET_SHOWN_MAX = 256 };

static void put_spaces(struct writer *w, size_t used, size_t width)
{
    for (; used < width; used++)
        writer_byte(w, ' ');
}

/* Anything but printable ASCII is shown as \x1b: a terminal obeys escapes, and letters can be made to run backwards. */
static void put_shown(struct writer *w, struct slice text, size_t shown_max)
{
    bool cut = text.size > shown_max;
    if (cut)
        text.size = shown_max;
    if (text.size == 0)
        writer_byte(w, '-');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            writer_byte(w, (char)c);
        } else {
            writer_put(w, c < 0x10 ? SLICE("\\x0") : SLICE("\\x"));
            writer_hex(w, c);
        }
    }
    if (cut)
        writer_put(w, SLICE("..."));
}

static void put_status(struct writer *w, unsigned status)
{
    static const struct slice colours[] = {
        SLICE_INIT("\033[0m"), SLICE_INIT("\033[0m"), SLICE_INIT("\033[32m"), SLICE_INIT("\033[36m"),
        SLICE_INIT("\033[33m"), SLICE_INIT("\033[31m"),
    };
    writer_put(w, colours[status / 100 < 6 ? status / 100 : 0]);
    writer_digits(w, status, 3);
    writer_put(w, SLICE("\033[0m"));
}

/* "512 B", "1.5 kB": three digits or so are what a person reads. */
static void put_size(struct writer *w, uint64_t bytes)
{
    static const char units[][4] = { " B", " kB", " MB", " GB", " TB", " PB", " EB" };
    uint64_t tenths = bytes % 1000 / 100;
    unsigned unit = 0;
    while (bytes >= 1000) {
        tenths = bytes % 1000 / 100;
        bytes /= 1000;
        unit++;
    }
    writer_uint(w, bytes);
    if (unit > 0) {
        writer_byte(w, '.');
        writer_uint(w, tenths);
    }
    writer_text(w, units[unit]);
}

static void put_right(struct writer *w, const struct writer *text, size_t width)
{
    put_spaces(w, writer_used(text), width);
    writer_put(w, writer_slice(text));
}

static void put_left(struct writer *w, struct slice text, size_t width, size_t shown_max)
{
    size_t before = writer_used(w);
    put_shown(w, text, shown_max);
    put_spaces(w, writer_used(w) - before, width);
}

void access_line_colour(struct writer *w, const struct access_entry *entry)
{
    enum { TIME_AT = 11, TIME_SIZE = 8 }; /* in "2026-01-31T08:49:37.123Z" */
    const struct request *request = &entry->exchange->request;
    char column[32];
    writer_put(w, SLICE("\033[2m"));
    writer_bytes(w, entry->stamp + TIME_AT, TIME_SIZE);
    writer_put(w, SLICE("\033[0m "));
    put_status(w, entry->exchange->response.status);
    writer_byte(w, ' ');
    put_left(w, request->method_name, METHOD_COLUMN, METHOD_SHOWN_MAX);

    struct writer size = writer_on(column, sizeof column);
    put_size(&size, entry->body_bytes);
    put_right(w, &size, SIZE_COLUMN);
    struct writer duration = writer_on(column, sizeof column);
    put_duration(&duration, entry, SLICE("-"));
    put_right(w, &duration, DURATION_COLUMN);
    writer_put(w, SLICE(" ms  "));

    put_left(w, entry->client.size > 0 ? entry->client : request->peer, PEER_COLUMN, PEER_SHOWN_MAX);
    writer_put(w, SLICE("  "));
    put_shown(w, request->raw_target, TARGET_SHOWN_MAX);
    writer_byte(w, '\n');
}
