/* Cross-origin requests for what lies beneath a prefix, with all that can be said about them. The fields are
 * http/cors's; here is where the options lie, and which methods a path has. */
#include "http/cors.h"
#include "http/method.h"
#include "server/middleware.h"
#include "server/respond.h"
#include "server/sized.h"

#include <stdlib.h>

enum { PAGE_METHODS = 1u << METHOD_GET | 1u << METHOD_HEAD | 1u << METHOD_OPTIONS };

struct use_cors {
    struct cors cors;
    unsigned methods; /* 0: those that the path has */
    char text[];      /* what cors's slices lie in */
};

/* ---- Options ------------------------------------------------------------------------------------------------ */

static bool parse_methods(unsigned *methods, struct slice list)
{
    struct slice token;
    while (list_next(&list, &token)) {
        enum method method = method_from(token);
        if (method == METHOD_OTHER)
            return false;
        *methods |= method_bit(method);
    }
    return *methods != 0;
}

static bool refuse(rh_server *server, const char *prefix, const char *why)
{
    return server_fail(server, "cross-origin requests for %s: %s", prefix ? prefix : "", why);
}

static bool check_list(rh_server *server, const char *prefix, struct slice names)
{
    return names.data == NULL || cors_names_valid(names) ||
           refuse(server, prefix, "fields are names separated by commas, such as Content-Type, X-Key");
}

static bool check(rh_server *server, const char *prefix, const struct use_cors *use)
{
    if (!check_list(server, prefix, use->cors.headers) || !check_list(server, prefix, use->cors.exposed))
        return false;
    return !use->cors.any || !use->cors.credentials ||
           refuse(server, prefix, "browsers send no credentials where all origins are allowed; name them");
}

static struct slice copy(struct writer *w, const char *text)
{
    const char *at = w->at;
    if (text == NULL)
        return slice_make(NULL, 0);
    writer_text(w, text);
    return slice_make(at, (size_t)(w->at - at));
}

static bool fill(rh_server *server, const char *prefix, struct use_cors *use, const rh_cors_options *options,
                 size_t room)
{
    char why[WHY_SIZE] = "";
    struct writer w = writer_on(use->text, room);
    if (!cors_parse(&use->cors, copy(&w, options->origins ? options->origins : ""), (struct why){ why, sizeof why }))
        return refuse(server, prefix, why);
    if (options->methods != NULL && !parse_methods(&use->methods, slice_text(options->methods)))
        return refuse(server, prefix, "methods are names such as GET, POST; separate them by commas");
    use->cors.credentials = options->credentials;
    use->cors.headers = copy(&w, options->headers);
    use->cors.exposed = copy(&w, options->expose);
    if (options->max_age_s != 0) {
        const char *at = w.at;
        writer_uint(&w, options->max_age_s == RH_OFF ? 0 : options->max_age_s);
        use->cors.max_age_s = slice_make(at, (size_t)(w.at - at));
    }
    return check(server, prefix, use);
}

/* ---- Requests ----------------------------------------------------------------------------------------------- */

static unsigned find_methods(const struct exchange *exchange)
{
    struct router_match match;
    router_find(exchange_worker(exchange)->server->router, exchange->request.path, METHOD_OPTIONS, &match);
    return match.found ? match.methods : PAGE_METHODS;
}

static bool add(struct exchange *exchange, const struct cors_fields *fields)
{
    for (unsigned i = 0; i < fields->count; i++)
        if (!exchange_add_field(exchange, fields->at[i].name, fields->at[i].value))
            return false;
    return true;
}

static void handle(rh_request *request, void *user)
{
    const struct use_cors *use = user;
    struct exchange *exchange = (struct exchange *)request;
    struct cors_fields fields;
    bool asks = cors_is_preflight(&exchange->request);
    if (asks)
        cors_preflight(&use->cors, &exchange->request, use->methods ? use->methods : find_methods(exchange), &fields);
    else
        cors_actual(&use->cors, fields_get(&exchange->request.fields, FIELD_ORIGIN), &fields);
    if (!add(exchange, &fields))
        respond_starved(exchange);
    else if (asks)
        rh_empty(request);
    else
        rh_next(request);
}

static size_t length(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

int rh_cors_add(rh_server *server, const char *prefix, const rh_cors_options *options, size_t options_size)
{
    rh_cors_options known;
    if (server == NULL || server_was_started(server, "rh_use_cors") ||
        !sized_take(server, &known, sizeof known, options, options_size))
        return -1;
    size_t room = length(known.origins) + length(known.headers) + length(known.expose) + sizeof "4294967295";
    struct use_cors *use = calloc(1, sizeof *use + room);
    if (use == NULL) {
        refuse(server, prefix, "out of memory");
        return -1;
    }
    if (fill(server, prefix, use, &known, room))
        return middleware_add(server, prefix, &(struct middleware){ .handler = handle, .user = use, .free = free });
    free(use);
    return -1;
}
