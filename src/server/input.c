/* The public calls for what a request brings in pairs: the query, a form, cookies. Names are compared as they are
 * found; only values that are asked for are decoded. */
#include "http/cookie.h"
#include "server/respond.h"
#include "server/sized.h"

static rh_slice out(struct slice s)
{
    return (rh_slice){ s.data, s.size };
}

/* ---- Query and form ----------------------------------------------------------------------------------------- */

/* The decoded form of `raw`, in the request's memory where it differs; data NULL: a bad escape, or no memory. */
static rh_slice decoded(struct exchange *exchange, struct slice raw)
{
    if (slice_find(raw, '%') == raw.size && slice_find(raw, '+') == raw.size)
        return (rh_slice){ raw.size ? raw.data : "", raw.size };
    char *text = arena_take(&exchange->arena, raw.size);
    size_t size;
    if (text == NULL || !query_decode(raw, text, &size))
        return (rh_slice){ NULL, 0 };
    return (rh_slice){ text, size };
}

static rh_slice find_pair(struct exchange *exchange, struct slice pairs, const char *name)
{
    struct slice key, value;
    while (query_next(&pairs, &key, &value))
        if (query_is(key, slice_text(name)))
            return decoded(exchange, value);
    return (rh_slice){ NULL, 0 };
}

static bool take_pair(struct exchange *exchange, struct slice pairs, size_t *at, rh_slice pair[2])
{
    struct slice rest = slice_skip(pairs, *at < pairs.size ? *at : pairs.size), key, value;
    bool found = query_next(&rest, &key, &value);
    *at = pairs.size - rest.size;
    if (!found)
        return false;
    pair[0] = decoded(exchange, key);
    pair[1] = decoded(exchange, value);
    return true;
}

/* The body, where its type says that it is a form. */
static struct slice form_of(const struct exchange *exchange)
{
    struct slice type = fields_get(&exchange->request.fields, FIELD_CONTENT_TYPE);
    type.size = slice_find(type, ';');
    bool form = slice_equal_nocase(slice_trim(type), SLICE("application/x-www-form-urlencoded"));
    return form ? exchange->request.body : SLICE("");
}

rh_slice rh_query(rh_request *request, const char *name)
{
    struct exchange *exchange = (struct exchange *)request;
    return find_pair(exchange, exchange->request.target.query, name);
}

bool rh_query_next(rh_request *request, size_t *at, rh_slice *name, rh_slice *value)
{
    struct exchange *exchange = (struct exchange *)request;
    rh_slice pair[2];
    if (!take_pair(exchange, exchange->request.target.query, at, pair))
        return false;
    *name = pair[0];
    *value = pair[1];
    return true;
}

rh_slice rh_form(rh_request *request, const char *name)
{
    struct exchange *exchange = (struct exchange *)request;
    return find_pair(exchange, form_of(exchange), name);
}

bool rh_form_next(rh_request *request, size_t *at, rh_slice *name, rh_slice *value)
{
    struct exchange *exchange = (struct exchange *)request;
    rh_slice pair[2];
    if (!take_pair(exchange, form_of(exchange), at, pair))
        return false;
    *name = pair[0];
    *value = pair[1];
    return true;
}

/* ---- Cookies ------------------------------------------------------------------------------------------------ */

/* A place among the cookies: which field, and where in its value, which is shorter than 64 KiB. */
enum { AT_BITS = 16 };

bool rh_cookie_next(const rh_request *request, size_t *at, rh_slice *name, rh_slice *value)
{
    const struct fields *fields = &((const struct exchange *)request)->request.fields;
    size_t from = *at >> AT_BITS, inside = *at & ((1u << AT_BITS) - 1);
    struct slice key, text;
    for (int i; from < fields->count && (i = fields_next(fields, FIELD_COOKIE, (unsigned)from)) >= 0; inside = 0) {
        struct slice whole = fields_value(fields, (unsigned)i), rest = slice_skip(whole, inside);
        if (cookie_next(&rest, &key, &text)) {
            *at = (size_t)i << AT_BITS | (whole.size - rest.size);
            *name = out(key);
            *value = out(text);
            return true;
        }
        from = (size_t)i + 1;
    }
    return false;
}

rh_slice rh_cookie(const rh_request *request, const char *name)
{
    rh_slice found, value;
    for (size_t at = 0; rh_cookie_next(request, &at, &found, &value);)
        if (rh_slice_is(found, name))
            return value;
    return (rh_slice){ NULL, 0 };
}

_Static_assert((int)RH_SAME_SITE_LAX == (int)COOKIE_LAX && (int)RH_SAME_SITE_STRICT == (int)COOKIE_STRICT &&
               (int)RH_SAME_SITE_NONE == (int)COOKIE_NONE, "the program's cookies are ours");

static struct cookie cookie_of(const rh_cookie_options *options)
{
    return (struct cookie){ .name = slice_text(options->name), .value = slice_text(options->value),
                            .path = slice_text(options->path), .domain = slice_text(options->domain),
                            .max_age_s = options->max_age_s, .secure = options->secure,
                            .http_only = options->http_only, .partitioned = options->partitioned,
                            .same_site = (enum cookie_same_site)options->same_site };
}

static bool refuse(struct exchange *exchange, const char *what)
{
    respond_refuse(exchange, "%s", what);
    return false;
}

bool rh_cookie_add(rh_request *request, const rh_cookie_options *options, size_t options_size)
{
    struct exchange *exchange = (struct exchange *)request;
    rh_cookie_options known;
    if (!sized_read(&known, sizeof known, options, options_size))
        return refuse(exchange, "sets for a cookie " SIZED_UNKNOWN);
    struct cookie cookie = cookie_of(&known);
    char told[WHY_SIZE] = "set a cookie that browsers would not take: ";
    size_t used = strlen(told);
    if (!cookie_valid(&cookie, (struct why){ told + used, sizeof told - used }))
        return refuse(exchange, told);
    size_t room = cookie_room(&cookie);
    char *text = arena_take(&exchange->arena, room);
    if (text == NULL)
        return refuse(exchange, "set a cookie for which there is no memory");
    struct writer w = writer_on(text, room);
    cookie_write(&w, &cookie);
    return respond_field(exchange, SLICE("Set-Cookie"), writer_slice(&w));
}
