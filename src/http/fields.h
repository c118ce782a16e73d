/* The fields of a request head: where each name and value lies within the head, and which names we know.
 *
 * Offsets, not pointers: a head can be moved (before a handler sees it, when an answer is deferred) by copying
 * its bytes and setting `base`. 16 bits are enough because a head is limited to 64 KiB. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include "base/slice.h"

/* The names that the server itself looks at, once. X(constant, "name") */
#define FIELD_NAMES(X)                              \
    X(ACCEPT, "accept")                             \
    X(ACCEPT_ENCODING, "accept-encoding")           \
    X(AUTHORIZATION, "authorization")               \
    X(CONNECTION, "connection")                     \
    X(CONTENT_LENGTH, "content-length")             \
    X(CONTENT_TYPE, "content-type")                 \
    X(COOKIE, "cookie")                             \
    X(EXPECT, "expect")                             \
    X(FORWARDED, "forwarded")                       \
    X(HOST, "host")                                 \
    X(IF_MATCH, "if-match")                         \
    X(IF_MODIFIED_SINCE, "if-modified-since")       \
    X(IF_NONE_MATCH, "if-none-match")               \
    X(IF_RANGE, "if-range")                         \
    X(IF_UNMODIFIED_SINCE, "if-unmodified-since")   \
    X(ORIGIN, "origin")                             \
    X(RANGE, "range")                               \
    X(REFERER, "referer")                           \
    X(TE, "te")                                     \
    X(TRAILER, "trailer")                           \
    X(TRANSFER_ENCODING, "transfer-encoding")       \
    X(UPGRADE, "upgrade")                           \
    X(USER_AGENT, "user-agent")

enum field_id {
    FIELD_OTHER,
#define FIELD_CONSTANT(constant, name) FIELD_##constant,
    FIELD_NAMES(FIELD_CONSTANT)
#undef FIELD_CONSTANT
    FIELD_ID_COUNT
};

enum { FIELDS_MAX = 250, FIELDS_HEAD_MAX = 65535, FIELDS_IDS_MAX = 32 };

struct field {
    uint16_t name, name_size;   /* offset from base, bytes */
    uint16_t value, value_size; /* without surrounding white space */
};

struct fields {
    const char *base;
    unsigned count;
    uint32_t present;         /* bit i: there is one of field_id i */
    uint8_t first[FIELDS_IDS_MAX]; /* by field_id, of those present: the index of the first one */
    uint8_t id[FIELDS_MAX];   /* by index: its field_id */
    struct field at[FIELDS_MAX];
};

_Static_assert((int)FIELD_ID_COUNT <= (int)FIELDS_IDS_MAX, "a bit each in fields.present");

static inline void fields_reset(struct fields *fields, const char *base)
{
    fields->base = base;
    fields->count = 0;
    fields->present = 0;
}

enum field_id field_identify(struct slice name); /* case-insensitive */
struct slice field_name(enum field_id id);       /* as listed above */

static inline struct slice fields_name(const struct fields *fields, unsigned index)
{
    return slice_make(fields->base + fields->at[index].name, fields->at[index].name_size);
}

static inline struct slice fields_value(const struct fields *fields, unsigned index)
{
    return slice_make(fields->base + fields->at[index].value, fields->at[index].value_size);
}

static inline uint32_t field_bit(enum field_id id)
{
    return UINT32_C(1) << id;
}

/* Whether there is any of these, which are field_bits: most requests have nothing of what most rules are about. */
static inline bool fields_have(const struct fields *fields, uint32_t bits)
{
    return (fields->present & bits) != 0;
}

static inline bool fields_has(const struct fields *fields, enum field_id id)
{
    return fields_have(fields, field_bit(id));
}

/* Notes which name the field at `index` has; of each id the first one. */
static inline void fields_note(struct fields *fields, unsigned index, enum field_id id)
{
    fields->id[index] = (uint8_t)id;
    if (!fields_has(fields, id))
        fields->first[id] = (uint8_t)index;
    fields->present |= field_bit(id);
}

/* The first field's value; data is NULL where the field is absent. */
static inline struct slice fields_get(const struct fields *fields, enum field_id id)
{
    return fields_has(fields, id) ? fields_value(fields, fields->first[id]) : slice_make(NULL, 0);
}

/* The index of the next field of this id at or after `from`, or -1: for names that may stand several times. */
int fields_next(const struct fields *fields, enum field_id id, unsigned from);

/* By any name, case-insensitive; the first one. data is NULL where it is absent. */
struct slice fields_find(const struct fields *fields, struct slice name);

/* May stand behind the content (RFC 9110 6.5.1): it is settable, and nothing that has to be known before. */
bool field_trails(struct slice name);

/* Takes the next member of a comma-separated list (RFC 9110 5.6.1), trimmed, empty members skipped, commas inside
 * quoted strings kept. False at the end. `*rest` starts as the whole value. */
bool list_next(struct slice *rest, struct slice *member);

/* Character classes, one table: tchar (RFC 9110 5.6.2); what may stand in a field value (5.5); in a path for itself,
 * that is without '%' and '.', which want a second look (target.c); in a query, '%' included; HEXDIG; in a host's name
 * (RFC 3986 3.2.2), without '%'. */
enum { CHAR_TOKEN = 1, CHAR_VALUE = 2, CHAR_PATH = 4, CHAR_QUERY = 8, CHAR_HEX = 16, CHAR_HOST = 32 };
extern const uint8_t char_class[256];

static inline bool char_is(char c, unsigned classes)
{
    return (char_class[(unsigned char)c] & classes) != 0;
}

/* How many bytes at the front are of one of these classes. Eight at a time need 2.6 instructions a byte, one at a time
 * 6. */
static inline size_t char_run(struct slice text, unsigned classes)
{
    const uint8_t *c = (const uint8_t *)text.data;
    size_t at = 0;
    while (text.size - at >= 8 && (char_class[c[at]] & char_class[c[at + 1]] & char_class[c[at + 2]] &
                                   char_class[c[at + 3]] & char_class[c[at + 4]] & char_class[c[at + 5]] &
                                   char_class[c[at + 6]] & char_class[c[at + 7]] & classes))
        at += 8;
    while (at < text.size && char_is(text.data[at], classes))
        at++;
    return at;
}

bool field_name_valid(struct slice name);   /* a token, not empty */
bool field_value_valid(struct slice value); /* no control but tab, no surrounding white space */

/* Valid, and not one that only the server itself writes: Connection, Content-Length, Transfer-Encoding, Date. */
bool field_settable(struct slice name);

#endif
