/* The request target (RFC 9112 3.2) and the path in it (RFC 3986): which form it has, what it names, and the one
 * normal spelling under which the site and the routes know it.
 *
 * A path is percent-decoded once and its dot segments are resolved, once. What could be read in two ways (an
 * encoded slash, a backslash, NUL, overlong UTF-8, a climb above the root) is refused here and nowhere else. */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "base/utf8.h"
#include "http/method.h"

enum target_form { TARGET_ORIGIN, TARGET_ABSOLUTE, TARGET_AUTHORITY, TARGET_ASTERISK }; /* the first two have a path */

struct target {
    enum target_form form;
    bool plain;             /* path is its own normal form: nothing encoded, no dot segment */
    bool has_query;         /* "?" was there, be it with nothing behind */
    struct slice path;      /* as sent, from "/"; "/" for an absolute one without path; "" for authority, asterisk */
    struct slice query;     /* behind the "?", as sent */
    struct slice authority; /* host[:port] of absolute and authority form, and of an OPTIONS which was absolute without
                               path or query and so is an asterisk (RFC 9112 3.2.4); else empty */
};

static inline bool target_has_path(const struct target *target)
{
    return target->form <= TARGET_ABSOLUTE;
}

/* False: malformed, or a form that this method cannot have (400). The caller has seen the first `plain` bytes to be
 * plain: CHAR_PATH, and dots that follow no slash. */
bool target_parse_from(struct target *target, struct slice raw, enum method method, size_t plain);

static inline bool target_parse(struct target *target, struct slice raw, enum method method)
{
    return target_parse_from(target, raw, method, 0);
}

/* What target_parse says where all of it is plain, the first byte is "/", and the method is not CONNECT. */
static inline void target_set_plain(struct target *target, struct slice path)
{
    *target = (struct target){ .form = TARGET_ORIGIN, .plain = true, .path = path };
}

/* The normal path into `out` (at least path.size bytes): decoded, resolved, begins with "/". False: refused (400). */
bool target_normalise(struct slice path, char *out, size_t *size);

/* host[:port] as RFC 3986 3.2.2 has it: a name, an IPv4 or a bracketed IPv6 address, a port of digits up to 65535,
 * which may be empty; an empty host is not valid for http (RFC 9110 4.2.1). No userinfo. */
bool authority_valid(struct slice authority);

/* The same; the caller has seen that the first `plain` bytes are each a CHAR_HOST. */
bool authority_valid_from(struct slice authority, size_t plain);

/* Percent-decodes a query or form part into `out` (at least raw.size bytes), "+" as space. False: a bad escape. */
bool query_decode(struct slice raw, char *out, size_t *size);

/* The decoded form of `raw` is `text`. */
bool query_is(struct slice raw, struct slice text);

/* Takes the next name=value of an application/x-www-form-urlencoded text, still encoded. False at the end. */
bool query_next(struct slice *rest, struct slice *name, struct slice *value);

#endif
