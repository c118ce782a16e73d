/* Field names known by number, look-ups among the fields of a request, lists in their values, and the one table of
 * character classes. What a field means is for others to know. */
#include "http/fields.h"

enum {
    VALUE = CHAR_VALUE,
    DELIM = CHAR_VALUE | CHAR_PATH | CHAR_QUERY | CHAR_HOST, /* a sub-delim (RFC 3986 2.2) that is no tchar */
    EVERY = DELIM | CHAR_TOKEN,
    HEXED = EVERY | CHAR_HEX,
    PCHAR = CHAR_VALUE | CHAR_PATH | CHAR_QUERY /* RFC 3986 3.3, and what browsers send as if it were one */
};

const uint8_t char_class[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = EVERY,
    ['"'] = VALUE,
    ['#'] = VALUE | CHAR_TOKEN,
    ['$'] = EVERY,
    ['%'] = VALUE | CHAR_TOKEN | CHAR_QUERY,
    ['&'] = EVERY,
    ['\''] = EVERY,
    ['('] = DELIM,
    [')'] = DELIM,
    ['*'] = EVERY,
    ['+'] = EVERY,
    [','] = DELIM,
    ['-'] = EVERY,
    ['.'] = VALUE | CHAR_TOKEN | CHAR_QUERY | CHAR_HOST,
    ['/'] = PCHAR,
    ['0' ... '9'] = HEXED,
    [':'] = PCHAR,
    [';'] = DELIM,
    ['<'] = VALUE,
    ['='] = DELIM,
    ['>'] = VALUE,
    ['?'] = VALUE | CHAR_QUERY,
    ['@'] = PCHAR,
    ['A' ... 'F'] = HEXED,
    ['G' ... 'Z'] = EVERY,
    ['['] = PCHAR,
    ['\\'] = VALUE | CHAR_QUERY,
    [']'] = PCHAR,
    ['^'] = PCHAR | CHAR_TOKEN,
    ['_'] = EVERY,
    ['`'] = VALUE | CHAR_TOKEN | CHAR_QUERY,
    ['a' ... 'f'] = HEXED,
    ['g' ... 'z'] = EVERY,
    ['{'] = VALUE | CHAR_QUERY,
    ['|'] = PCHAR | CHAR_TOKEN,
    ['}'] = VALUE | CHAR_QUERY,
    ['~'] = EVERY,
    [0x80 ... 0xFF] = VALUE,
};

static const struct slice names[FIELD_ID_COUNT] = {
    [FIELD_OTHER] = SLICE_INIT(""),
#define FIELD_NAME(constant, name) [FIELD_##constant] = SLICE_INIT(name),
    FIELD_NAMES(FIELD_NAME)
#undef FIELD_NAME
};

/* The case bit is forced only where the lower-case name has a letter (0x40 is set in letters, not in '-'), so that CR,
 * which is '-' without its 0x20, equals nothing. */
static inline bool same8(const char *name, const char *lower)
{
    uint64_t have, want;
    memcpy(&have, name, 8);
    memcpy(&want, lower, 8);
    return (have | (want & 0x4040404040404040) >> 1) == want;
}

static inline bool same4(const char *name, const char *lower)
{
    uint32_t have, want;
    memcpy(&have, name, 4);
    memcpy(&want, lower, 4);
    return (have | (want & 0x40404040) >> 1) == want;
}

/* Whether a name of the right size is this one: by words, the last of which overlaps the one before it. Inlined with a
 * constant, for which the compiler makes the words and their masks: 4 instructions each, and 9 if they were loaded. */
static inline __attribute__((always_inline)) bool is(const char *name, enum field_id id)
{
    const char *lower = names[id].data;
    size_t size = names[id].size;
    if (size < 4)
        return slice_equal_nocase(slice_make(name, size), names[id]);
    if (size < 8)
        return same4(name, lower) && same4(name + size - 4, lower + size - 4);
    return same8(name, lower) && (size <= 16 || same8(name + 8, lower + 8)) && same8(name + size - 8, lower + size - 8);
}

/* Which of two names of the right size it is, if one of them. */
static inline __attribute__((always_inline)) enum field_id choose(const char *name, enum field_id a, enum field_id b)
{
    return is(name, a) ? a : is(name, b) ? b : FIELD_OTHER;
}

static inline __attribute__((always_inline)) enum field_id check(const char *name, enum field_id id)
{
    return is(name, id) ? id : FIELD_OTHER;
}

enum field_id field_identify(struct slice name)
{
    const char *at = name.data;
    switch (name.size) {
    case 2:
        return check(at, FIELD_TE);
    case 4:
        return check(at, FIELD_HOST);
    case 5:
        return check(at, FIELD_RANGE);
    case 6:
        return is(at, FIELD_ACCEPT)   ? FIELD_ACCEPT
               : is(at, FIELD_COOKIE) ? FIELD_COOKIE
                                      : choose(at, FIELD_ORIGIN, FIELD_EXPECT);
    case 7:
        return is(at, FIELD_REFERER) ? FIELD_REFERER : choose(at, FIELD_UPGRADE, FIELD_TRAILER);
    case 8:
        return choose(at, FIELD_IF_MATCH, FIELD_IF_RANGE);
    case 9:
        return check(at, FIELD_FORWARDED);
    case 10:
        return choose(at, FIELD_USER_AGENT, FIELD_CONNECTION);
    case 12:
        return check(at, FIELD_CONTENT_TYPE);
    case 13:
        return choose(at, FIELD_IF_NONE_MATCH, FIELD_AUTHORIZATION);
    case 14:
        return check(at, FIELD_CONTENT_LENGTH);
    case 15:
        return check(at, FIELD_ACCEPT_ENCODING);
    case 17:
        return choose(at, FIELD_IF_MODIFIED_SINCE, FIELD_TRANSFER_ENCODING);
    case 19:
        return check(at, FIELD_IF_UNMODIFIED_SINCE);
    default:
        return FIELD_OTHER;
    }
}

struct slice field_name(enum field_id id)
{
    return names[id];
}

int fields_next(const struct fields *fields, enum field_id id, unsigned from)
{
    for (unsigned i = from; i < fields->count; i++)
        if (fields->id[i] == id)
            return (int)i;
    return -1;
}

struct slice fields_find(const struct fields *fields, struct slice name)
{
    enum field_id id = field_identify(name);
    if (id != FIELD_OTHER)
        return fields_get(fields, id);
    for (unsigned i = 0; i < fields->count; i++)
        if (fields->id[i] == FIELD_OTHER && slice_equal_nocase(fields_name(fields, i), name))
            return fields_value(fields, i);
    return slice_make(NULL, 0);
}

/* Where the first comma outside quoted strings stands, or the size. A string that does not end takes all the rest. */
static size_t find_comma(struct slice s)
{
    bool quoted = false;
    for (size_t i = 0; i < s.size; i++) {
        if (s.data[i] == '"')
            quoted = !quoted;
        else if (quoted && s.data[i] == '\\')
            i++;
        else if (!quoted && s.data[i] == ',')
            return i;
    }
    return s.size;
}

bool list_next(struct slice *rest, struct slice *member)
{
    while (rest->size > 0) {
        size_t comma = find_comma(*rest);
        *member = slice_trim(slice_part(*rest, 0, comma));
        *rest = slice_skip(*rest, comma < rest->size ? comma + 1 : comma);
        if (member->size > 0)
            return true;
    }
    return false;
}

bool field_name_valid(struct slice name)
{
    return name.size > 0 && char_run(name, CHAR_TOKEN) == name.size;
}

bool field_value_valid(struct slice value)
{
    return slice_trim(value).size == value.size && char_run(value, CHAR_VALUE) == value.size;
}

bool field_settable(struct slice name)
{
    switch (field_identify(name)) {
    case FIELD_CONNECTION:
    case FIELD_CONTENT_LENGTH:
    case FIELD_TRANSFER_ENCODING:
        return false;
    default:
        return field_name_valid(name) && !slice_equal_nocase(name, SLICE("date"));
    }
}

/* Routing, request modifiers, authentication, response controls and content format. */
bool field_trails(struct slice name)
{
    static const struct slice before[] = {
        SLICE_INIT("age"),         SLICE_INIT("authorization"), SLICE_INIT("cache-control"),
        SLICE_INIT("expires"),     SLICE_INIT("host"),          SLICE_INIT("location"),
        SLICE_INIT("retry-after"), SLICE_INIT("server"),        SLICE_INIT("set-cookie"),
        SLICE_INIT("te"),          SLICE_INIT("trailer"),       SLICE_INIT("proxy-authenticate"),
        SLICE_INIT("upgrade"),     SLICE_INIT("vary"),          SLICE_INIT("www-authenticate"),
    };
    if (!field_settable(name) || (name.size >= 8 && slice_equal_nocase(slice_part(name, 0, 8), SLICE("content-"))))
        return false;
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        if (slice_equal_nocase(name, before[i]))
            return false;
    return true;
}
