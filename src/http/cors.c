/* Origins as browsers write them, and the fields of both kinds of responses. It decides nothing but that: whether a
 * path exists and what it answers is not known here. */
#include "http/cors.h"

#include "base/writer.h"

static const struct slice allow_origin = SLICE_INIT("Access-Control-Allow-Origin");
static const struct slice allow_credentials = SLICE_INIT("Access-Control-Allow-Credentials");
static const struct slice expose_headers = SLICE_INIT("Access-Control-Expose-Headers");
static const struct slice allow_methods = SLICE_INIT("Access-Control-Allow-Methods");
static const struct slice allow_headers = SLICE_INIT("Access-Control-Allow-Headers");
static const struct slice max_age = SLICE_INIT("Access-Control-Max-Age");
static const struct slice request_method = SLICE_INIT("access-control-request-method");
static const struct slice request_headers = SLICE_INIT("access-control-request-headers");

/* ---- Which origins ---- */

static bool scheme_valid(struct slice scheme)
{
    for (size_t i = 0; i < scheme.size; i++) {
        char c = scheme.data[i];
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            return false;
    }
    return scheme.size > 0;
}

static bool has_capital(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != ascii_lower(text.data[i]))
            return true;
    return false;
}

/* Origins are compared byte for byte, so what no browser sends would never match: it is refused. */
static bool check(struct slice origin, struct why why)
{
    const char *mark = memmem(origin.data, origin.size, "://", 3);
    size_t scheme_size = mark ? (size_t)(mark - origin.data) : 0;
    struct slice scheme = slice_part(origin, 0, scheme_size);
    if (slice_equal(origin, SLICE("null")))
        return why_refuse(why, origin, "that is what pages without an origin send, of anybody; name the origins, or "
                          "write * for all");
    if (has_capital(origin))
        return why_refuse(why, origin, "browsers send an origin in small letters; write it so");
    if (!scheme_valid(scheme))
        return why_refuse(why, origin, "an origin is a scheme and a host; write for example https://app.example");

    struct slice host = slice_skip(origin, scheme_size + 3);
    if (slice_find(host, ',') < host.size)
        return why_refuse(why, origin, "origins are separated by spaces; leave out the comma");
    if (slice_find(host, '*') < host.size)
        return why_refuse(why, origin, "an origin has no star in it; name each of them, or write * alone for all");
    if (slice_find(host, '/') < host.size)
        return why_refuse(why, origin, "an origin ends before the path; leave out the / and what follows");
    if (!authority_valid(host) || slice_ends(host, SLICE(":")))
        return why_refuse(why, origin, "there is no valid host in it; write for example https://app.example");
    if ((slice_equal(scheme, SLICE("https")) && slice_ends(host, SLICE(":443"))) ||
        (slice_equal(scheme, SLICE("http")) && slice_ends(host, SLICE(":80"))))
        return why_refuse(why, origin, "browsers leave out the usual port; leave it out, too");
    return true;
}

bool cors_parse(struct cors *cors, struct slice text, struct why why)
{
    struct slice rest = text, origin;
    *cors = (struct cors){ .origins = slice_trim(text) };
    while (slice_word(&rest, &origin)) {
        if (cors->any || (cors->count > 0 && slice_equal(origin, SLICE("*"))))
            return why_refuse(why, SLICE("*"), "it stands for all origins, so it stands alone");
        cors->any = slice_equal(origin, SLICE("*"));
        if (!cors->any && !check(origin, why))
            return false;
        if (++cors->count > CORS_ORIGINS_MAX)
            return why_refuse(why, origin, "there are more than %d origins", CORS_ORIGINS_MAX);
    }
    return cors->count > 0 ||
           why_refuse(why, SLICE(""), "there is no origin; write for example https://app.example, or * for all");
}

bool cors_allows(const struct cors *cors, struct slice origin)
{
    if (cors->any)
        return true;
    struct slice rest = cors->origins, one;
    while (slice_word(&rest, &one))
        if (slice_equal(one, origin))
            return true;
    return false;
}

/* ---- The fields ---- */

static void add(struct cors_fields *fields, struct slice name, struct slice value)
{
    fields->at[fields->count++] = (struct field_pair){ name, value };
}

static void allow(const struct cors *cors, struct slice origin, struct cors_fields *fields)
{
    add(fields, allow_origin, origin);
    if (cors->credentials)
        add(fields, allow_credentials, SLICE("true"));
}

/* False: this origin may not read it. */
static bool admit(const struct cors *cors, struct slice origin, struct cors_fields *fields)
{
    fields->count = 0;
    if (cors->count == 0)
        return false;
    if (cors_constant(cors)) {
        allow(cors, cors->origins, fields);
        return cors->any || slice_equal(origin, cors->origins);
    }
    add(fields, SLICE("Vary"), SLICE("Origin"));
    if (!cors_allows(cors, origin))
        return false;
    allow(cors, origin, fields);
    return true;
}

void cors_actual(const struct cors *cors, struct slice origin, struct cors_fields *fields)
{
    if (admit(cors, origin, fields) && cors->exposed.size > 0)
        add(fields, expose_headers, cors->exposed);
}

bool cors_is_preflight(const struct request *request)
{
    return request->method == METHOD_OPTIONS && fields_has(&request->fields, FIELD_ORIGIN) &&
           fields_find(&request->fields, request_method).data != NULL;
}

bool cors_names_valid(struct slice names)
{
    struct slice rest = names, name;
    unsigned count = 0;
    while (list_next(&rest, &name)) {
        if (!field_name_valid(name))
            return false;
        count++;
    }
    return count > 0;
}

void cors_preflight(const struct cors *cors, const struct request *request, unsigned methods,
                    struct cors_fields *fields)
{
    if (!admit(cors, fields_get(&request->fields, FIELD_ORIGIN), fields))
        return;
    struct writer w = writer_on(fields->methods, sizeof fields->methods);
    method_write_allow(&w, methods);
    add(fields, allow_methods, writer_slice(&w));

    struct slice asked = fields_find(&request->fields, request_headers);
    if (cors->headers.size > 0)
        add(fields, allow_headers, cors->headers);
    else if (asked.size <= CORS_ASKED_MAX && cors_names_valid(asked)) /* what is repeated comes from the client */
        add(fields, allow_headers, asked);
    add(fields, max_age, cors->max_age_s.size > 0 ? cors->max_age_s : SLICE(CORS_MAX_AGE_S));
}
