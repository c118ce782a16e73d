/* The parts of a target decoded: the path into its one normal spelling, the query piece by piece. What could be read
 * in two ways is refused here, so that nobody behind has to think of it. */
#include "http/fields.h"
#include "http/target.h"

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* Reads what is at raw.data[*at], a byte or an escape, and moves on. -1: a bad escape. */
static int take_byte(struct slice raw, size_t *at)
{
    if (raw.data[*at] != '%')
        return (unsigned char)raw.data[(*at)++];
    if (raw.size - *at < 3 || !char_is(raw.data[*at + 1], CHAR_HEX) || !char_is(raw.data[*at + 2], CHAR_HEX))
        return -1;
    unsigned value = hex_value(raw.data[*at + 1]) << 4 | hex_value(raw.data[*at + 2]);
    *at += 3;
    return (int)value;
}

static bool decode_path(struct slice path, char *out, size_t *size)
{
    size_t used = 0;
    for (size_t at = 0; at < path.size;) {
        bool escaped = path.data[at] == '%';
        int c = take_byte(path, &at);
        if (c <= 0 || c == '\\' || (escaped && c == '/'))
            return false;
        out[used++] = (char)c;
    }
    *size = used;
    return utf8_valid(slice_make(out, used));
}

/* RFC 3986 5.2.4 in place; `*size` shrinks. False: a climb above the root, which that algorithm would hide. */
static bool resolve_dots(char *path, size_t *size)
{
    size_t used = 0;
    for (size_t at = 0; at < *size;) {
        struct slice segment = slice_make(path + at + 1, *size - at - 1);
        segment.size = slice_find(segment, '/');
        at += 1 + segment.size;
        if (slice_equal(segment, SLICE(".."))) {
            if (used == 0)
                return false;
            while (path[--used] != '/')
                continue;
        } else if (!slice_equal(segment, SLICE("."))) {
            path[used++] = '/';
            memmove(path + used, segment.data, segment.size);
            used += segment.size;
            continue;
        }
        if (at == *size)
            path[used++] = '/';
    }
    *size = used;
    return true;
}

bool target_normalise(struct slice path, char *out, size_t *size)
{
    if (path.size == 0 || path.data[0] != '/')
        return false;
    return decode_path(path, out, size) && resolve_dots(out, size);
}

bool query_decode(struct slice raw, char *out, size_t *size)
{
    size_t used = 0;
    for (size_t at = 0; at < raw.size;) {
        bool plus = raw.data[at] == '+';
        int c = take_byte(raw, &at);
        if (c < 0)
            return false;
        out[used++] = plus ? ' ' : (char)c;
    }
    *size = used;
    return true;
}

bool query_is(struct slice raw, struct slice text)
{
    size_t matched = 0;
    for (size_t at = 0; at < raw.size; matched++) {
        bool plus = raw.data[at] == '+';
        int c = take_byte(raw, &at);
        if (c < 0 || matched == text.size || text.data[matched] != (plus ? ' ' : (char)c))
            return false;
    }
    return matched == text.size;
}

bool query_next(struct slice *rest, struct slice *name, struct slice *value)
{
    while (rest->size > 0) {
        size_t end = slice_find(*rest, '&');
        struct slice pair = slice_part(*rest, 0, end);
        *rest = slice_skip(*rest, end < rest->size ? end + 1 : end);
        if (pair.size == 0)
            continue;
        size_t equals = slice_find(pair, '=');
        *name = slice_part(pair, 0, equals);
        *value = slice_skip(pair, equals < pair.size ? equals + 1 : equals);
        return true;
    }
    return false;
}
