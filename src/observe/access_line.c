/* Lines are made for every request, so constant pieces are copied as they are and escapes are made only where a scan
 * finds a need, which is nearly never. */
#include "observe/access_line.h"

/* ---- What needs no escape ---- */

enum { BLOCK = 16 };
typedef uint8_t block __attribute__((vector_size(BLOCK)));

/* Bytes that stand for themselves in JSON and on a terminal: printable ASCII without quote and backslash. */
static bool byte_is_plain(unsigned char c)
{
    return (uint8_t)(c - 0x20) < 0x5f && c != '"' && c != '\\';
}

static block mark_special(const char *at)
{
    block b;
    memcpy(&b, at, BLOCK);
    return (block)((b - 0x20 >= 0x5f) | (b == '"') | (b == '\\'));
}

/* The last block may overlap the one before it, which saves the odd bytes a loop of their own. */
static bool is_plain(struct slice text)
{
    if (text.size < BLOCK) {
        for (size_t i = 0; i < text.size; i++)
            if (!byte_is_plain((unsigned char)text.data[i]))
                return false;
        return true;
    }
    block special = mark_special(text.data + text.size - BLOCK);
    for (size_t i = 0; i + BLOCK < text.size; i += BLOCK)
        special |= mark_special(text.data + i);
    uint64_t halves[2];
    memcpy(halves, &special, BLOCK);
    return (halves[0] | halves[1]) == 0;
}

/* ---- JSON ---- */

/* U+0080 to U+009F, two bytes in UTF-8, are controls which JSON lets pass but some terminals obey: where the first one is. */
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

static void put_string(struct writer *w, struct slice text)
{
    bool cut = text.size > ACCESS_VALUE_MAX;
    if (cut)
        text.size = ACCESS_VALUE_MAX;
    writer_byte(w, '"');
    if (is_plain(text))
        writer_put(w, text);
    else
        put_escaped(w, text);
    if (cut)
        writer_put(w, SLICE("..."));
    writer_byte(w, '"');
}

static void put_value(struct writer *w, struct slice text)
{
    if (text.size == 0)
        writer_put(w, SLICE("null"));
    else
        put_string(w, text);
}

/* 11 is "HTTP/1.1"; 0 stands for a request line that could not be read. */
static void put_version(struct writer *w, uint8_t version)
{
    if (version == 0) {
        writer_put(w, SLICE("null"));
        return;
    }
    writer_put(w, SLICE("\"HTTP/"));
    writer_byte(w, (char)('0' + version / 10));
    writer_byte(w, '.');
    writer_byte(w, (char)('0' + version % 10));
    writer_byte(w, '"');
}

static void put_duration(struct writer *w, const struct access_entry *entry, struct slice unknown)
{
    uint64_t begun_ms = entry->exchange->begun_ms;
    if (begun_ms == 0 || begun_ms > entry->now_ms)
        writer_put(w, unknown);
    else
        writer_uint(w, entry->now_ms - begun_ms);
}

void access_line_json(struct writer *w, const struct access_entry *entry)
{
    const struct request *request = &entry->exchange->request;
    writer_put(w, SLICE("{\"time\":\""));
    writer_bytes(w, entry->stamp, CLOCK_STAMP_SIZE);
    writer_put(w, SLICE("\",\"peer\":"));
    put_value(w, request->peer);
    writer_put(w, SLICE(",\"method\":"));
    put_value(w, request->method_name);
    writer_put(w, SLICE(",\"target\":"));
    put_value(w, request->raw_target);
    writer_put(w, SLICE(",\"status\":"));
    writer_uint(w, entry->exchange->response.status);
    writer_put(w, SLICE(",\"bytes\":"));
    writer_uint(w, entry->body_bytes);
    writer_put(w, SLICE(",\"ms\":"));
    put_duration(w, entry, SLICE("null"));
    writer_put(w, SLICE(",\"version\":"));
    put_version(w, request->version);
    if (fields_has(&request->fields, FIELD_REFERER)) {
        writer_put(w, SLICE(",\"referer\":"));
        put_string(w, fields_get(&request->fields, FIELD_REFERER));
    }
    if (fields_has(&request->fields, FIELD_USER_AGENT)) {
        writer_put(w, SLICE(",\"agent\":"));
        put_string(w, fields_get(&request->fields, FIELD_USER_AGENT));
    }
    writer_put(w, SLICE("}\n"));
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

    put_left(w, request->peer, PEER_COLUMN, PEER_SHOWN_MAX);
    writer_put(w, SLICE("  "));
    put_shown(w, request->raw_target, TARGET_SHOWN_MAX);
    writer_byte(w, '\n');
}
