/* One pass from the first hop to the last: each hop that is not trusted takes the place of what was known before it.
 * See forwarded.h. */
#include "http/forwarded.h"

/* What is known if all that follows is trusted. */
struct way {
    const struct networks *trusted;
    bool told; /* there was a hop at all */
    struct forwarded at;
};

struct hop {
    bool known; /* `ip` is set */
    struct ip ip;
    bool https;
};

static void pass(struct way *way, const struct hop *hop)
{
    way->told = true;
    if (!hop->known)
        way->at = (struct forwarded){ .known = false };
    else if (!way->at.known || !networks_have(way->trusted, &hop->ip))
        way->at = (struct forwarded){ true, hop->ip, hop->https };
}

/* ---- A node ------------------------------------------------------------------------------------------------- */

/* RFC 7239 6: digits, or "_" and a name. Which one it is says nothing. */
static bool port_valid(struct slice port)
{
    bool hidden = port.size > 1 && port.data[0] == '_';
    for (size_t i = hidden; i < port.size; i++) {
        char c = ascii_lower(port.data[i]);
        bool digit = c >= '0' && c <= '9';
        if (!digit && !(hidden && ((c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-')))
            return false;
    }
    return port.size > 0;
}

/* An address with or without port. An IPv6 address that has no brackets, as X-Forwarded-For may have it, has no
 * port. */
static bool parse_node(struct slice node, bool bare, struct ip *ip)
{
    bool bracketed = node.size > 0 && node.data[0] == '[';
    size_t end = slice_find(node, bracketed ? ']' : ':');
    struct slice address = slice_part(node, bracketed && end > 0, end), rest = slice_skip(node, end);
    if (bracketed) {
        if (rest.size == 0 || slice_find(address, ':') == address.size)
            return false;
        rest = slice_skip(rest, 1);
    } else if (rest.size > 0 && slice_find(slice_skip(rest, 1), ':') < rest.size - 1) {
        return bare && ip_parse(node, ip);
    }
    if (rest.size > 0 && (rest.data[0] != ':' || !port_valid(slice_skip(rest, 1))))
        return false;
    return ip_parse(address, ip);
}

/* ---- Forwarded ---------------------------------------------------------------------------------------------- */

/* A token or a quoted string, without its quotes; what is unquoted but should be (an address with a port) passes,
 * for the address is looked at itself. An escape is of no use in any value that is understood here, so it stays as
 * it is. False: there is no end, or nothing. */
static bool take_value(struct slice *rest, struct slice *value)
{
    if (rest->size > 0 && rest->data[0] == '"') {
        struct slice inside = slice_skip(*rest, 1);
        size_t end = 0;
        while (end < inside.size && inside.data[end] != '"')
            end += inside.data[end] == '\\' ? 2 : 1;
        if (end >= inside.size)
            return false;
        *value = slice_part(inside, 0, end);
        *rest = slice_skip(inside, end + 1);
        return true;
    }
    size_t end = 0;
    while (end < rest->size && rest->data[end] != ';' && rest->data[end] != '"')
        end++;
    *value = slice_trim(slice_part(*rest, 0, end));
    *rest = slice_skip(*rest, end);
    return value->size > 0;
}

/* "name=value", up to the semicolon. False: it is none. */
static bool take_parameter(struct slice *rest, struct slice *name, struct slice *value)
{
    size_t equals = slice_find(*rest, '=');
    *name = slice_trim(slice_part(*rest, 0, equals));
    if (equals == rest->size || !field_name_valid(*name))
        return false;
    *rest = slice_skip(*rest, equals + 1);
    if (!take_value(rest, value))
        return false;
    *rest = slice_trim(*rest);
    if (rest->size == 0)
        return true;
    bool goes_on = rest->data[0] == ';';
    *rest = slice_trim(slice_skip(*rest, 1));
    return goes_on;
}

/* RFC 7239 4: no parameter stands twice. Without `for` nobody knows the hop. */
static struct hop read_element(struct slice element)
{
    const struct hop unknown = { .known = false };
    struct hop hop = unknown;
    bool has_for = false, has_proto = false;
    struct slice name, value;
    while (element.size > 0) {
        if (!take_parameter(&element, &name, &value))
            return unknown;
        if (slice_equal_nocase(name, SLICE("for"))) {
            if (has_for || !parse_node(value, false, &hop.ip))
                return unknown;
            has_for = true;
        } else if (slice_equal_nocase(name, SLICE("proto"))) {
            if (has_proto)
                return unknown;
            has_proto = true;
            hop.https = slice_equal_nocase(value, SLICE("https"));
        }
    }
    hop.known = has_for;
    return hop;
}

static void read_forwarded(const struct fields *fields, struct way *way)
{
    for (int i = fields_next(fields, FIELD_FORWARDED, 0); i >= 0;
         i = fields_next(fields, FIELD_FORWARDED, (unsigned)i + 1)) {
        struct slice rest = fields_value(fields, (unsigned)i), element;
        while (list_next(&rest, &element)) {
            struct hop hop = read_element(element);
            pass(way, &hop);
        }
    }
}

/* ---- X-Forwarded-... ---------------------------------------------------------------------------------------- */

/* All that are there say so. It is about the request as a whole, whoever the client is. */
static bool says_https(const struct fields *fields)
{
    unsigned count = 0, secure = 0;
    for (unsigned i = 0; i < fields->count; i++) {
        bool proto = slice_equal_nocase(fields_name(fields, i), SLICE("x-forwarded-proto"));
        count += proto;
        secure += proto && slice_equal_nocase(fields_value(fields, i), SLICE("https"));
    }
    return count > 0 && secure == count;
}

static void read_x_forwarded(const struct fields *fields, struct way *way)
{
    for (unsigned i = 0; i < fields->count; i++) {
        struct slice rest = fields_value(fields, i), node;
        if (!slice_equal_nocase(fields_name(fields, i), SLICE("x-forwarded-for")))
            continue;
        while (list_next(&rest, &node)) {
            struct hop hop = { .https = false };
            hop.known = parse_node(node, true, &hop.ip);
            pass(way, &hop);
        }
    }
    way->at.https = says_https(fields);
}

void forwarded_read(const struct fields *fields, const struct networks *trusted, struct forwarded *forwarded)
{
    struct way one = { .trusted = trusted }, other = { .trusted = trusted };
    read_forwarded(fields, &one);
    read_x_forwarded(fields, &other);
    *forwarded = one.told ? one.at : other.at;
    if (!one.told || !other.told)
        return;
    bool same = one.at.known && other.at.known && memcmp(&one.at.client, &other.at.client, sizeof(struct ip)) == 0;
    forwarded->known = same;
    forwarded->https = same && one.at.https && other.at.https;
}
