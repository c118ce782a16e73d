/* The static table (RFC 7541, Appendix A), with what the server knows of each name, and names looked up in it. */
#include "wire/hpack_table.h"

/* P(index, name, value, id) for pseudo fields, X for others. */
#define STATIC_TABLE(P, X)                                              \
    P(1, ":authority", "", HPACK_AUTHORITY)                             \
    P(2, ":method", "GET", HPACK_METHOD)                                \
    P(3, ":method", "POST", HPACK_METHOD)                               \
    P(4, ":path", "/", HPACK_PATH)                                      \
    P(5, ":path", "/index.html", HPACK_PATH)                            \
    P(6, ":scheme", "http", HPACK_SCHEME)                               \
    P(7, ":scheme", "https", HPACK_SCHEME)                              \
    P(8, ":status", "200", HPACK_STATUS)                                \
    P(9, ":status", "204", HPACK_STATUS)                                \
    P(10, ":status", "206", HPACK_STATUS)                               \
    P(11, ":status", "304", HPACK_STATUS)                               \
    P(12, ":status", "400", HPACK_STATUS)                               \
    P(13, ":status", "404", HPACK_STATUS)                               \
    P(14, ":status", "500", HPACK_STATUS)                               \
    X(15, "accept-charset", "", FIELD_OTHER)                            \
    X(16, "accept-encoding", "gzip, deflate", FIELD_ACCEPT_ENCODING)    \
    X(17, "accept-language", "", FIELD_OTHER)                           \
    X(18, "accept-ranges", "", FIELD_OTHER)                             \
    X(19, "accept", "", FIELD_ACCEPT)                                   \
    X(20, "access-control-allow-origin", "", FIELD_OTHER)               \
    X(21, "age", "", FIELD_OTHER)                                       \
    X(22, "allow", "", FIELD_OTHER)                                     \
    X(23, "authorization", "", FIELD_AUTHORIZATION)                     \
    X(24, "cache-control", "", FIELD_OTHER)                             \
    X(25, "content-disposition", "", FIELD_OTHER)                       \
    X(26, "content-encoding", "", FIELD_OTHER)                          \
    X(27, "content-language", "", FIELD_OTHER)                          \
    X(28, "content-length", "", FIELD_CONTENT_LENGTH)                   \
    X(29, "content-location", "", FIELD_OTHER)                          \
    X(30, "content-range", "", FIELD_OTHER)                             \
    X(31, "content-type", "", FIELD_CONTENT_TYPE)                       \
    X(32, "cookie", "", FIELD_COOKIE)                                   \
    X(33, "date", "", FIELD_OTHER)                                      \
    X(34, "etag", "", FIELD_OTHER)                                      \
    X(35, "expect", "", FIELD_EXPECT)                                   \
    X(36, "expires", "", FIELD_OTHER)                                   \
    X(37, "from", "", FIELD_OTHER)                                      \
    X(38, "host", "", FIELD_HOST)                                       \
    X(39, "if-match", "", FIELD_IF_MATCH)                               \
    X(40, "if-modified-since", "", FIELD_IF_MODIFIED_SINCE)             \
    X(41, "if-none-match", "", FIELD_IF_NONE_MATCH)                     \
    X(42, "if-range", "", FIELD_IF_RANGE)                               \
    X(43, "if-unmodified-since", "", FIELD_IF_UNMODIFIED_SINCE)         \
    X(44, "last-modified", "", FIELD_OTHER)                             \
    X(45, "link", "", FIELD_OTHER)                                      \
    X(46, "location", "", FIELD_OTHER)                                  \
    X(47, "max-forwards", "", FIELD_OTHER)                              \
    X(48, "proxy-authenticate", "", FIELD_OTHER)                        \
    X(49, "proxy-authorization", "", FIELD_OTHER)                       \
    X(50, "range", "", FIELD_RANGE)                                     \
    X(51, "referer", "", FIELD_REFERER)                                 \
    X(52, "refresh", "", FIELD_OTHER)                                   \
    X(53, "retry-after", "", FIELD_OTHER)                               \
    X(54, "server", "", FIELD_OTHER)                                    \
    X(55, "set-cookie", "", FIELD_OTHER)                                \
    X(56, "strict-transport-security", "", FIELD_OTHER)                 \
    X(57, "transfer-encoding", "", FIELD_TRANSFER_ENCODING)             \
    X(58, "user-agent", "", FIELD_USER_AGENT)                           \
    X(59, "vary", "", FIELD_OTHER)                                      \
    X(60, "via", "", FIELD_OTHER)                                       \
    X(61, "www-authenticate", "", FIELD_OTHER)

/* The last row is only there to be read beyond the one before. */
const char hpack_static_texts[HPACK_STATIC_COUNT + 2][HPACK_TEXTS_SPARE] = {
#define TEXTS(index, name, value, id) [index] = name value,
#define VALUE(index, name, value, id) [index] = value,
    STATIC_TABLE(VALUE, TEXTS)
#undef TEXTS
#undef VALUE
};

const struct hpack_entry hpack_static_entries[HPACK_STATIC_COUNT + 1] = {
#define ENTRY(index, name, value, id) \
    [index] = { (index) * HPACK_TEXTS_SPARE, sizeof(name) - 1, sizeof(value) - 1, id, HPACK_VALID | HPACK_NAME_VALID },
#define PSEUDO(index, name, value, id) \
    [index] = { (index) * HPACK_TEXTS_SPARE, 0, sizeof(value) - 1, id, HPACK_VALID | HPACK_NAME_VALID },
    STATIC_TABLE(PSEUDO, ENTRY)
#undef ENTRY
#undef PSEUDO
};

enum { NAME_MAX = 27, NAMES_MAX = 6 };

/* The first entry of each name, by the name's size. */
static const uint8_t by_size[NAME_MAX + 1][NAMES_MAX] = {
    [3] = { 21, 60 },
    [4] = { 34, 33, 59, 45, 37, 38 },
    [5] = { 4, 22, 50 },
    [6] = { 54, 19, 32, 35 },
    [7] = { 8, 36, 2, 6, 51, 52 },
    [8] = { 46, 39, 42 },
    [10] = { 55, 1, 58 },
    [11] = { 53 },
    [12] = { 31, 47 },
    [13] = { 24, 44, 18, 30, 23, 41 },
    [14] = { 28, 15 },
    [15] = { 16, 17 },
    [16] = { 26, 27, 29, 61 },
    [17] = { 40, 57 },
    [18] = { 48 },
    [19] = { 25, 43, 49 },
    [25] = { 56 },
    [27] = { 20 },
};

static struct slice name_of(size_t index)
{
    return hpack_entry_name(&hpack_static_entries[index], hpack_static_texts[index]);
}

static struct slice value_of(size_t index)
{
    const struct hpack_entry *entry = &hpack_static_entries[index];
    return slice_make(hpack_static_texts[index] + entry->name_size, entry->value_size);
}

static size_t find_name(struct slice name)
{
    if (name.size > NAME_MAX)
        return 0;
    const uint8_t *indexes = by_size[name.size];
    for (unsigned i = 0; i < NAMES_MAX && indexes[i] != 0; i++)
        if (slice_equal(name_of(indexes[i]), name))
            return indexes[i];
    return 0;
}

struct hpack_found hpack_static_find(struct slice name, struct slice value)
{
    size_t first = find_name(name);
    if (first > 0)
        for (size_t i = first; i <= HPACK_STATIC_COUNT && slice_equal(name_of(i), name); i++)
            if (slice_equal(value_of(i), value))
                return (struct hpack_found){ first, i };
    return (struct hpack_found){ first, 0 };
}

static const struct slice pseudo_names[] = {
    [HPACK_AUTHORITY - HPACK_PSEUDO] = SLICE_INIT(":authority"),
    [HPACK_METHOD - HPACK_PSEUDO] = SLICE_INIT(":method"),
    [HPACK_PATH - HPACK_PSEUDO] = SLICE_INIT(":path"),
    [HPACK_PROTOCOL - HPACK_PSEUDO] = SLICE_INIT(":protocol"),
    [HPACK_SCHEME - HPACK_PSEUDO] = SLICE_INIT(":scheme"),
    [HPACK_STATUS - HPACK_PSEUDO] = SLICE_INIT(":status"),
};

struct slice hpack_pseudo_name(uint8_t id)
{
    return pseudo_names[id - HPACK_PSEUDO];
}

uint8_t hpack_identify(struct slice name)
{
    if (name.size == 0 || name.data[0] != ':')
        return (uint8_t)field_identify(name);
    for (unsigned id = HPACK_PSEUDO + 1; id <= HPACK_STATUS; id++)
        if (slice_equal(hpack_pseudo_name((uint8_t)id), name))
            return (uint8_t)id;
    return HPACK_PSEUDO;
}
