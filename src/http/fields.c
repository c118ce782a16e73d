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

/* The only known name of this size and letter; whether it is that name the caller has to compare. */
static enum field_id candidate(struct slice name)
{
    const char *at = name.data;
    switch (name.size) {
    case 2:
        return FIELD_TE;
    case 4:
        return FIELD_HOST;
    case 5:
        return FIELD_RANGE;
    case 6:
        switch (at[0] | 0x20) {
        case 'a':
            return FIELD_ACCEPT;
        case 'c':
            return FIELD_COOKIE;
        case 'e':
            return FIELD_EXPECT;
        default:
            return FIELD_ORIGIN;
        }
    case 7:
        switch (at[0] | 0x20) {
        case 'r':
            return FIELD_REFERER;
        case 'u':
            return FIELD_UPGRADE;
        default:
            return FIELD_TRAILER;
        }
    case 8:
        return (at[3] | 0x20) == 'm' ? FIELD_IF_MATCH : FIELD_IF_RANGE;
    case 9:
        return FIELD_FORWARDED;
    case 10:
        return (at[0] | 0x20) == 'u' ? FIELD_USER_AGENT : FIELD_CONNECTION;
    case 12:
        return FIELD_CONTENT_TYPE;
    case 13:
        return (at[0] | 0x20) == 'i' ? FIELD_IF_NONE_MATCH : FIELD_AUTHORIZATION;
    case 14:
        return FIELD_CONTENT_LENGTH;
    case 15:
        return FIELD_ACCEPT_ENCODING;
    case 17:
        return (at[0] | 0x20) == 'i' ? FIELD_IF_MODIFIED_SINCE : FIELD_TRANSFER_ENCODING;
    case 19:
        return FIELD_IF_UNMODIFIED_SINCE;
    default:
        return FIELD_OTHER;
    }
}

/* The case bit is forced only where the lower-case name has a letter (0x40 is set in letters, not in '-'), so that CR,
 * which is '-' without its 0x20, equals nothing. */
static bool same8(const char *name, const char *lower)
{
    uint64_t have, want;
    memcpy(&have, name, 8);
    memcpy(&want, lower, 8);
    return (have | (want & 0x4040404040404040) >> 1) == want;
}

static bool same4(const char *name, const char *lower)
{
    uint32_t have, want;
    memcpy(&have, name, 4);
    memcpy(&want, lower, 4);
    return (have | (want & 0x40404040) >> 1) == want;
}

/* Words of 8 or 4 bytes, the last of which overlaps the one before it. */
static bool same(const char *name, const char *lower, size_t size)
{
    if (size < 4)
        return slice_equal_nocase(slice_make(name, size), slice_make(lower, size));
    if (size < 8)
        return same4(name, lower) && same4(name + size - 4, lower + size - 4);
    for (size_t at = 0; at + 8 < size; at += 8)
        if (!same8(name + at, lower + at))
            return false;
    return same8(name + size - 8, lower + size - 8);
}

enum field_id field_identify(struct slice name)
{
    enum field_id id = candidate(name);
    if (id == FIELD_OTHER)
        return id;
    return same(name.data, names[id].data, name.size) ? id : FIELD_OTHER;
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

static bool all_are(struct slice s, unsigned class)
{
    for (size_t i = 0; i < s.size; i++)
        if (!char_is(s.data[i], class))
            return false;
    return true;
}

bool field_name_valid(struct slice name)
{
    return name.size > 0 && all_are(name, CHAR_TOKEN);
}

bool field_value_valid(struct slice value)
{
    return slice_trim(value).size == value.size && all_are(value, CHAR_VALUE);
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
