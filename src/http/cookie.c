/* The two grammars of RFC 6265: the strict one of 4.1.1 for what is sent, and what browsers really send (5.4 of it,
 * 5.8.3 of the revision) for what is read. */
#include "http/cookie.h"

#include "http/fields.h"

bool cookie_next(struct slice *rest, struct slice *name, struct slice *value)
{
    while (rest->size > 0) {
        size_t end = slice_find(*rest, ';');
        struct slice pair = slice_trim(slice_part(*rest, 0, end));
        *rest = slice_skip(*rest, end < rest->size ? end + 1 : end);
        if (pair.size == 0)
            continue;
        size_t equals = slice_find(pair, '=');
        bool named = equals < pair.size;
        *name = named ? slice_trim(slice_part(pair, 0, equals)) : slice_part(pair, 0, 0);
        *value = named ? slice_trim(slice_skip(pair, equals + 1)) : pair;
        return true;
    }
    return false;
}

/* ---- What is valid ------------------------------------------------------------------------------------------ */

/* RFC 6265 4.1.1, cookie-octet: no control, space, quote, comma, semicolon or backslash, and ASCII only. */
static bool value_valid(struct slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\')
            return false;
    }
    return true;
}

static bool path_valid(struct slice path)
{
    for (size_t i = 0; i < path.size; i++)
        if (path.data[i] < ' ' || path.data[i] >= 0x7f || path.data[i] == ';')
            return false;
    return path.size > 0 && path.data[0] == '/' && !slice_ends(path, SLICE(" "));
}

static bool domain_valid(struct slice domain)
{
    for (size_t i = 0; i < domain.size; i++) {
        char c = ascii_lower(domain.data[i]);
        bool inside = i > 0 && i + 1 < domain.size;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (inside && (c == '-' || c == '.'))))
            return false;
    }
    return domain.size > 0;
}

static bool begins(struct slice name, struct slice prefix)
{
    return name.size >= prefix.size && slice_equal_nocase(slice_part(name, 0, prefix.size), prefix);
}

static bool spans_host(const struct cookie *cookie)
{
    return cookie->domain.data == NULL && (cookie->path.data == NULL || slice_equal(cookie->path, SLICE("/")));
}

/* What browsers ask of a cookie as a whole (the revision's 4.1.3 and 5.7; for Partitioned, CHIPS). Its prefixes hold in
 * any case. */
static bool whole_valid(const struct cookie *cookie, struct why why)
{
    bool host = begins(cookie->name, SLICE("__Host-"));
    if ((unsigned)cookie->same_site > COOKIE_NONE)
        return why_refuse(why, cookie->name, "there is no such SameSite; it is lax, strict or none");
    if (!cookie->secure && (host || begins(cookie->name, SLICE("__Secure-"))))
        return why_refuse(why, cookie->name, "a cookie of this name is secure; set that, too");
    if (host && !spans_host(cookie))
        return why_refuse(why, cookie->name, "a cookie of this name has the path \"/\" and no domain");
    if (!cookie->secure && cookie->same_site == COOKIE_NONE)
        return why_refuse(why, cookie->name, "a cookie for all sites is secure; set that, too");
    if (!cookie->secure && cookie->partitioned)
        return why_refuse(why, cookie->name, "a partitioned cookie is secure; set that, too");
    return true;
}

bool cookie_valid(const struct cookie *cookie, struct why why)
{
    if (!field_name_valid(cookie->name))
        return why_refuse(why, cookie->name, "the name of a cookie is a token: letters, digits, - _ . and their like");
    if (!value_valid(cookie->value))
        return why_refuse(why, cookie->name, "a cookie's value is ASCII without spaces, controls, \" , ; and \\; "
                          "encode it");
    if (cookie->name.size + cookie->value.size > COOKIE_PAIR_MAX)
        return why_refuse(why, cookie->name, "browsers drop a cookie of more than %d bytes", COOKIE_PAIR_MAX);
    if (cookie->path.data != NULL && !path_valid(cookie->path))
        return why_refuse(why, cookie->name, "a cookie's path begins with a slash and has no ; and no control in it");
    if (cookie->domain.data != NULL && !domain_valid(cookie->domain))
        return why_refuse(why, cookie->name, "a cookie's domain is a name such as example.org, no dot before it");
    if (cookie->path.size > COOKIE_ATTRIBUTE_MAX || cookie->domain.size > COOKIE_ATTRIBUTE_MAX)
        return why_refuse(why, cookie->name, "browsers ignore a path or a domain of more than %d bytes",
                          COOKIE_ATTRIBUTE_MAX);
    return whole_valid(cookie, why);
}

/* ---- Set-Cookie --------------------------------------------------------------------------------------------- */

enum { ATTRIBUTES_ROOM = 128 }; /* all names of attributes, and a number */

size_t cookie_room(const struct cookie *cookie)
{
    return cookie->name.size + cookie->value.size + cookie->path.size + cookie->domain.size + ATTRIBUTES_ROOM;
}

/* Without Expires: every browser of today knows Max-Age, and which of the two wins needs no thought. SameSite
 * always, as its default is not the same everywhere. */
void cookie_write(struct writer *w, const struct cookie *cookie)
{
    static const struct slice same_site[] = { [COOKIE_LAX] = SLICE_INIT("Lax"), [COOKIE_STRICT] = SLICE_INIT("Strict"),
                                              [COOKIE_NONE] = SLICE_INIT("None") };
    writer_put(w, cookie->name);
    writer_byte(w, '=');
    writer_put(w, cookie->value);
    writer_put(w, SLICE("; Path="));
    writer_put(w, cookie->path.data != NULL ? cookie->path : SLICE("/"));
    if (cookie->domain.data != NULL) {
        writer_put(w, SLICE("; Domain="));
        writer_put(w, cookie->domain);
    }
    if (cookie->max_age_s != 0) {
        writer_put(w, SLICE("; Max-Age="));
        writer_uint(w, cookie->max_age_s > 0 ? (uint64_t)cookie->max_age_s : 0);
    }
    writer_put(w, cookie->secure ? SLICE("; Secure") : SLICE(""));
    writer_put(w, cookie->http_only ? SLICE("; HttpOnly") : SLICE(""));
    writer_put(w, SLICE("; SameSite="));
    writer_put(w, same_site[cookie->same_site]);
    writer_put(w, cookie->partitioned ? SLICE("; Partitioned") : SLICE(""));
}
