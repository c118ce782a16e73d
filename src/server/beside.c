/* Lists in the memory of the request, each of a few entries. See beside.h. */
#include "server/beside.h"

#include <string.h>

struct kept_field {
    struct kept_field *next;
    struct field_pair field;
};

struct attached {
    struct attached *next;
    const void *key;
    void *value;
};

struct ending {
    struct ending *next;
    rh_ended *ended;
    void *user;
};

struct beside *beside_of(struct exchange *exchange)
{
    struct beside *beside = exchange->beside;
    if (beside != NULL)
        return beside;
    beside = arena_take(&exchange->arena, sizeof *beside);
    if (beside == NULL)
        return NULL;
    *beside = (struct beside){ .kept_end = &beside->kept };
    exchange->beside = beside;
    return beside;
}

/* ---- Fields ------------------------------------------------------------------------------------------------- */

bool beside_keep(struct exchange *exchange, struct field_pair field)
{
    struct beside *beside = beside_of(exchange);
    struct kept_field *kept = beside ? arena_take(&exchange->arena, sizeof *kept) : NULL;
    if (kept == NULL)
        return false;
    *kept = (struct kept_field){ NULL, field };
    *beside->kept_end = kept;
    beside->kept_end = &kept->next;
    return true;
}

/* Those of which several say more than one, and none contradicts another. */
static bool adds_up(struct slice name)
{
    static const struct slice names[] = { SLICE_INIT("Set-Cookie"), SLICE_INIT("Vary"), SLICE_INIT("Link"),
                                          SLICE_INIT("Server-Timing") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal_nocase(name, names[i]))
            return true;
    return false;
}

bool beside_dress(struct exchange *exchange)
{
    const struct beside *beside = exchange->beside;
    if (beside == NULL || beside->kept == NULL)
        return true;
    if (!exchange_reopen(exchange))
        return false;
    unsigned own = exchange->response.field_count; /* of what is added there may be several with one name */
    for (const struct kept_field *kept = beside->kept; kept != NULL; kept = kept->next) {
        bool wanted = adds_up(kept->field.name) || !response_has_field(&exchange->response, own, kept->field.name);
        if (wanted && !exchange_add_constant(exchange, kept->field.name, kept->field.value))
            return false;
    }
    return true;
}

/* ---- Memory and values -------------------------------------------------------------------------------------- */

void *rh_memory(rh_request *request, size_t size)
{
    void *memory = arena_take(&((struct exchange *)request)->arena, size);
    return memory != NULL ? memset(memory, 0, size) : NULL;
}

static struct attached *find_attached(const struct exchange *exchange, const void *key)
{
    const struct beside *beside = exchange->beside;
    struct attached *attached = beside != NULL ? beside->attached : NULL;
    while (attached != NULL && attached->key != key)
        attached = attached->next;
    return attached;
}

bool rh_attach(rh_request *request, const void *key, void *value)
{
    struct exchange *exchange = (struct exchange *)request;
    struct attached *attached = find_attached(exchange, key);
    if (attached != NULL) {
        attached->value = value;
        return true;
    }
    struct beside *beside = beside_of(exchange);
    attached = beside != NULL ? arena_take(&exchange->arena, sizeof *attached) : NULL;
    if (attached == NULL)
        return false;
    *attached = (struct attached){ beside->attached, key, value };
    beside->attached = attached;
    return true;
}

void *rh_attached(const rh_request *request, const void *key)
{
    const struct attached *attached = find_attached((const struct exchange *)request, key);
    return attached != NULL ? attached->value : NULL;
}

/* ---- The end ------------------------------------------------------------------------------------------------ */

bool rh_on_end(rh_request *request, rh_ended *ended, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    struct beside *beside = beside_of(exchange);
    struct ending *ending = beside != NULL ? arena_take(&exchange->arena, sizeof *ending) : NULL;
    if (ending == NULL)
        return false;
    *ending = (struct ending){ beside->endings, ended, user };
    beside->endings = ending;
    return true;
}

/* Whoever is called may attach, and take memory; another call for the end would come too late. */
void beside_end(struct exchange *exchange, uint64_t body_bytes)
{
    struct beside *beside = exchange->beside;
    struct ending *ending = beside->endings;
    uint64_t now_ms = exchange_worker(exchange)->host.clock->now_ms;
    const rh_end end = { .status = exchange->response.status, .bytes = body_bytes,
                         .ms = now_ms > exchange->begun_ms ? now_ms - exchange->begun_ms : 0,
                         .gone = exchange_abandoned(exchange) };
    for (beside->endings = NULL; ending != NULL; ending = ending->next)
        ending->ended((rh_request *)exchange, &end, ending->user);
}
