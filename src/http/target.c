/* Which form a request target has and what its parts are (RFC 9112 3.2). Everything is a slice of what was sent;
 * decoding and dot segments are target_path.c's, hosts authority.c's. */
#include "http/target.h"

#include "http/fields.h"

#define RARE __attribute__((noinline))

static bool hex_pair(const char *at, const char *end)
{
    return end - at >= 3 && char_is(at[1], CHAR_HEX) && char_is(at[2], CHAR_HEX);
}

/* Past all characters of this class. */
static inline const char *skip(const char *at, const char *end, unsigned class)
{
    return at + char_run(slice_make(at, (size_t)(end - at)), class);
}

/* True where a segment is "." or "..". Rare enough to stay out of the way of all other paths. */
static RARE bool has_dot_segment(struct slice path)
{
    while (path.size > 0) {
        path = slice_skip(path, 1);
        size_t slash = slice_find(path, '/');
        struct slice segment = slice_part(path, 0, slash);
        if (slice_equal(segment, SLICE(".")) || slice_equal(segment, SLICE("..")))
            return true;
        path = slice_skip(path, slash);
    }
    return false;
}

/* The path from its "/" up to the end or "?"; most of it needs no second look, and the first `plain` bytes none at all.
 * NULL: malformed. */
static const char *parse_path(struct target *target, struct slice raw, size_t plain)
{
    const char *start = raw.data, *at = start + plain, *end = start + raw.size;
    bool suspect = false; /* "/." was there */
    target->plain = true;
    for (;;) {
        at = skip(at, end, CHAR_PATH);
        if (at == end || *at == '?')
            break;
        if (*at == '.') {
            suspect |= at[-1] == '/';
            at++;
        } else if (*at == '%' && hex_pair(at, end)) {
            target->plain = false;
            at += 3;
        } else {
            return NULL;
        }
    }
    target->path = slice_make(start, (size_t)(at - start));
    if (suspect && has_dot_segment(target->path))
        target->plain = false;
    return at;
}

/* What is behind the path: nothing, or "?" and a query. */
static bool parse_query(struct target *target, const char *at, const char *end)
{
    if (at == end)
        return true;
    target->has_query = true;
    target->query = slice_make(at + 1, (size_t)(end - at - 1));
    return skip(at + 1, end, CHAR_QUERY) == end;
}

static bool parse_origin(struct target *target, struct slice raw, size_t plain)
{
    const char *at = parse_path(target, raw, plain);
    return at && parse_query(target, at, raw.data + raw.size);
}

/* The size of "http://" or "https://" at the front, any case (RFC 3986 3.1), or 0. */
static size_t scheme_size(struct slice raw)
{
    static const struct slice schemes[] = { SLICE_INIT("http://"), SLICE_INIT("https://") };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t size = schemes[i].size;
        if (raw.size > size && slice_equal_nocase(slice_part(raw, 0, size), schemes[i]))
            return size;
    }
    return 0;
}

static bool parse_absolute(struct target *target, struct slice raw, enum method method)
{
    size_t scheme = scheme_size(raw);
    if (scheme == 0)
        return false;
    struct slice rest = slice_skip(raw, scheme);
    size_t host = 0;
    while (host < rest.size && rest.data[host] != '/' && rest.data[host] != '?')
        host++;
    target->form = TARGET_ABSOLUTE;
    target->authority = slice_part(rest, 0, host);
    if (!authority_valid(target->authority))
        return false;
    rest = slice_skip(rest, host);
    if (rest.size > 0 && rest.data[0] == '/')
        return parse_origin(target, rest, 0);
    if (rest.size == 0 && method == METHOD_OPTIONS) {
        target->form = TARGET_ASTERISK; /* RFC 9112 3.2.4: no path and no query asks about the server as a whole */
        return true;
    }
    target->path = SLICE("/");
    target->plain = true;
    return parse_query(target, rest.data, rest.data + rest.size);
}

/* RFC 9112 3.2.3: host and port, and RFC 9110 9.3.6: the port has no default. */
static bool parse_authority(struct target *target, struct slice raw)
{
    target->form = TARGET_AUTHORITY;
    target->authority = raw;
    if (!authority_valid(raw))
        return false;
    size_t digits = 0;
    while (digits < raw.size && raw.data[raw.size - digits - 1] >= '0' && raw.data[raw.size - digits - 1] <= '9')
        digits++;
    return digits > 0 && digits < raw.size && raw.data[raw.size - digits - 1] == ':';
}

/* What hardly anybody but a proxy or a prober sends. */
static RARE bool parse_others(struct target *target, struct slice raw, enum method method)
{
    if (raw.size == 0)
        return false;
    if (method == METHOD_CONNECT)
        return parse_authority(target, raw);
    if (raw.data[0] != '*')
        return parse_absolute(target, raw, method);
    target->form = TARGET_ASTERISK;
    return raw.size == 1 && method == METHOD_OPTIONS;
}

bool target_parse_from(struct target *target, struct slice raw, enum method method, size_t plain)
{
    *target = (struct target){ .form = TARGET_ORIGIN };
    if (raw.size > 0 && raw.data[0] == '/' && method != METHOD_CONNECT)
        return parse_origin(target, raw, plain);
    return parse_others(target, raw, method);
}
