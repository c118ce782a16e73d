/* Lines are made for every request, so constant pieces are copied as they are, and values are copied while it is looked
 * whether they need an escape, which is nearly never. */
#include "observe/access_line.h"

/* ---- What needs no escape ---- */

enum { BLOCK = 16 };

typedef uint8_t block __attribute__((vector_size(BLOCK)));
typedef int8_t signed_block __attribute__((vector_size(BLOCK)));
typedef uint64_t halves __attribute__((vector_size(BLOCK)));

/* All bits set for each byte that does not stand for itself in JSON or on a terminal: controls, quote, backslash, and
 * what is not ASCII. One more than 0x7f, and than all above, is negative or zero. */
static block mark_special(block b)
{
    return (block)(((signed_block)(b + 1) < '!') | (b == '"') | (b == '\\'));
}

static block copy_block(char *to, const char *from)
{
    block b;
    memcpy(&b, from, BLOCK);
    memcpy(to, &b, BLOCK);
    return mark_special(b);
}

static uint64_t copy_eight(char *to, const char *from)
{
    uint64_t eight;
    memcpy(&eight, from, 8);
    memcpy(to, &eight, 8);
    return eight;
}

static uint32_t copy_four(char *to, const char *from)
{
    uint32_t four;
    memcpy(&four, from, 4);
    memcpy(to, &four, 4);
    return four;
}

/* Fewer bytes than a block, in pieces that may overlap, and spaces for the rest of it. */
static block copy_short(char *to, struct slice text)
{
    halves b = { UINT64_C(0x2020202020202020), UINT64_C(0x2020202020202020) };
    if (text.size >= 8) {
        size_t last = text.size - 8;
        b = (halves){ copy_eight(to, text.data), copy_eight(to + last, text.data + last) };
    } else if (text.size >= 4) {
        size_t last = text.size - 4;
        b[0] = (uint64_t)copy_four(to, text.data) << 32 | copy_four(to + last, text.data + last);
    } else {
        for (size_t i = 0; i < text.size; i++)
            b[0] = b[0] << 8 | (unsigned char)(to[i] = text.data[i]);
    }
    return mark_special((block)b);
}

/* False where some byte needs an escape. The last block may overlap the one before it, which saves the odd bytes a loop
 * of their own. */
static bool copy_plain(char *to, struct slice text)
{
    block special;
    if (text.size < BLOCK) {
        special = copy_short(to, text);
    } else {
        special = copy_block(to + text.size - BLOCK, text.data + text.size - BLOCK);
        for (size_t i = 0; i + BLOCK < text.size; i += BLOCK)
            special |= copy_block(to + i, text.data + i);
    }
    halves found = (halves)special;
    return (found[0] | found[1]) == 0;
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
static __attribute__((noinline)) struct writer put_with_care(struct writer w, struct slice text)
{
    bool cut = text.size > ACCESS_VALUE_MAX;
    if (cut)
        text.size = ACCESS_VALUE_MAX;
    put_escaped(&w, text);
    if (cut)
        writer_put(&w, SLICE("..."));
    return w;
}

/* `key` ends with the quote that opens the string. */
static inline __attribute__((always_inline)) void put_string(struct writer *w, struct slice key, struct slice text)
{
    writer_put(w, key);
    size_t room = (size_t)(w->end - w->at);
    if (text.size <= ACCESS_VALUE_MAX && text.size <= room && copy_plain(w->at, text))
        w->at += text.size;
    else
        *w = put_with_care(*w, text);
    writer_byte(w, '"');
}

/* As put_string, but null, without that quote, where there is no text. */
static inline __attribute__((always_inline)) void put_value(struct writer *w, struct slice key, struct slice text)
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
    } else if (value >= 100 && value <= 999) { /* a status */
        writer_digits(w, value, 3);
    } else {
        struct writer aside = *w;
        writer_uint(&aside, value);
        *w = aside;
    }
}

/* 0 stands for a request line that could not be read. */
static inline void put_version(struct writer *w, uint8_t version)
{
    switch (version) {
    case 10:
        writer_put(w, SLICE(",\"version\":\"HTTP/1.0\""));
        break;
    case 11:
        writer_put(w, SLICE(",\"version\":\"HTTP/1.1\""));
        break;
    case 20:
        writer_put(w, SLICE(",\"version\":\"HTTP/2\""));
        break;
    default:
        writer_put(w, SLICE(",\"version\":null"));
    }
}

/* Suites by their number (RFC 8446 B.4, RFC 5289 3, RFC 7905 2); another one is shown as that. */
static __attribute__((noinline)) struct writer put_cipher(struct writer w, uint16_t number)
{
    static const struct {
        uint16_t number;
        struct slice name;
    } suites[] = {
        { 0x1301, SLICE_INIT("TLS_AES_128_GCM_SHA256") },
        { 0x1302, SLICE_INIT("TLS_AES_256_GCM_SHA384") },
        { 0x1303, SLICE_INIT("TLS_CHACHA20_POLY1305_SHA256") },
        { 0xc02b, SLICE_INIT("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256") },
        { 0xc02c, SLICE_INIT("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384") },
        { 0xc02f, SLICE_INIT("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256") },
        { 0xc030, SLICE_INIT("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384") },
        { 0xcca8, SLICE_INIT("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256") },
        { 0xcca9, SLICE_INIT("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256") },
    };
    size_t i = 0, count = sizeof suites / sizeof suites[0];
    writer_put(&w, number >> 8 == 0x13 ? SLICE(",\"tls\":\"TLSv1.3\"") : SLICE(",\"tls\":\"TLSv1.2\""));
    writer_put(&w, SLICE(",\"cipher\":\""));
    while (i < count && suites[i].number != number)
        i++;
    if (i < count) {
        writer_put(&w, suites[i].name);
    } else {
        writer_put(&w, SLICE("0x"));
        writer_hex(&w, number);
    }
    writer_byte(&w, '"');
    return w;
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
    put_value(&w, SLICE("\",\"peer\":\""), request->peer);
    if (entry->client.size > 0)
        put_string(&w, SLICE(",\"client\":\""), entry->client);
    if (slice_equal(request->method_name, SLICE("GET")))
        writer_put(&w, SLICE(",\"method\":\"GET\""));
    else
        put_value(&w, SLICE(",\"method\":\""), request->method_name);
    put_value(&w, SLICE(",\"target\":\""), request->raw_target);
    writer_put(&w, SLICE(",\"status\":"));
    put_number(&w, entry->exchange->response.status);
    writer_put(&w, SLICE(",\"bytes\":"));
    put_number(&w, entry->body_bytes);
    writer_put(&w, SLICE(",\"ms\":"));
    put_duration(&w, entry, SLICE("null"));
    put_version(&w, request->version);
    if (request->cipher != 0)
        w = put_cipher(w, request->cipher);
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

__attribute__((noinline)) void access_line_colour(struct writer *w, const struct access_entry *entry)
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
