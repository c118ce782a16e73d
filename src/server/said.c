/* A response that was prepared is taken apart, so that fields can be added to it. See said.h. */
#include "server/said.h"

#include "server/middleware.h"
#include "server/respond.h"

void said_preflight(struct exchange *exchange, const struct rule *rule, unsigned methods)
{
    struct cors_fields fields;
    bool added = true;
    cors_preflight(&rule->cors, &exchange->request, methods, &fields);
    for (unsigned i = 0; added && i < fields.count; i++)
        added = exchange_add_field(exchange, fields.at[i].name, fields.at[i].value);
    if (added)
        exchange->response.status = 204;
    else
        respond_unavailable(exchange);
}

static bool varies_by(const struct response *response, struct slice names)
{
    for (unsigned i = 0; i < response->field_count; i++)
        if (slice_equal_nocase(response->fields[i].name, SLICE("Vary")) &&
            slice_equal(response->fields[i].value, names))
            return true;
    return false;
}

static bool add(struct exchange *exchange, const struct dress *dress)
{
    if (!exchange_reopen(exchange))
        return false;
    unsigned own = exchange->response.field_count; /* of what is added there may be several with one name */
    for (unsigned i = 0; i < dress->vary_count; i++)
        if (!varies_by(&exchange->response, dress->vary[i]) &&
            !exchange_add_field(exchange, SLICE("Vary"), dress->vary[i]))
            return false;
    for (unsigned i = 0; i < dress->count; i++)
        if (!response_has_field(&exchange->response, own, dress->fields[i].name) &&
            !exchange_add_field(exchange, dress->fields[i].name, dress->fields[i].value))
            return false;
    return true;
}

bool said_by_program(const struct exchange *exchange)
{
    const struct beside *beside = exchange->beside;
    return exchange->route != NULL || (beside != NULL && beside->turn != NULL && !beside->handed_on);
}

static struct wardrobe wardrobe_of(const struct exchange *exchange)
{
    const struct vhost *vhost = vhost_of(exchange);
    const struct site *site = vhost && !said_by_program(exchange) ? vhost_generation(vhost)->site : NULL;
    return (struct wardrobe){ vhost ? vhost->config.rules : NULL, site ? site->headers : NULL };
}

static bool add_words(struct exchange *exchange, const struct wardrobe *wardrobe)
{
    const struct request *request = &exchange->request;
    struct response before = exchange->response;
    struct dress dress;
    dress_other(&dress, wardrobe, request->path, fields_get(&request->fields, FIELD_ORIGIN));
    if (dress.count + dress.vary_count == 0 || add(exchange, &dress))
        return true;
    exchange->response = before;
    return false;
}

bool said_add(struct exchange *exchange)
{
    const struct wardrobe wardrobe = wardrobe_of(exchange);
    bool silent = !wardrobe.rules && !wardrobe.headers;
    return silent || exchange->request.path.size == 0 || add_words(exchange, &wardrobe);
}
