/* Names of requests: SipHash of a number, under a key that was drawn when the middleware was registered. That is as
 * good as drawing each of them, and needs no system call. */
#include "base/siphash.h"
#include "server/middleware.h"
#include "server/respond.h"
#include "server/sized.h"

#include <stdlib.h>
#include <sys/random.h>

enum { ID_DIGITS = 32, GIVEN_MAX = 128 };

struct use_request_id {
    struct siphash_key key;
    _Atomic uint64_t count; /* of all workers: no number comes twice */
    bool trust;
};

static const struct slice field = SLICE_INIT("X-Request-Id");

static bool is_valid(struct slice id)
{
    for (size_t i = 0; i < id.size; i++) {
        char c = ascii_lower(id.data[i]);
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || strchr("-_.:/+=@~", c) == NULL))
            return false;
    }
    return id.size > 0 && id.size <= GIVEN_MAX;
}

static struct slice make_id(struct use_request_id *use, struct exchange *exchange)
{
    uint64_t number = atomic_fetch_add_explicit(&use->count, 1, memory_order_relaxed);
    struct siphash_result hash = siphash(&use->key, slice_make((const char *)&number, sizeof number));
    char *text = arena_take(&exchange->arena, ID_DIGITS);
    struct writer w = writer_on(text, text != NULL ? ID_DIGITS : 0);
    for (unsigned i = 0; text != NULL && i < ID_DIGITS; i++)
        writer_byte(&w, "0123456789abcdef"[hash.half[i / 16] >> (60 - i % 16 * 4) & 15]);
    return writer_slice(&w);
}

/* One that has been given further out holds. */
static void handle(rh_request *request, void *user)
{
    struct use_request_id *use = user;
    struct exchange *exchange = (struct exchange *)request;
    struct beside *beside = exchange->beside;
    if (beside->id.size > 0) {
        rh_next(request);
        return;
    }
    struct slice given = fields_find(&exchange->request.fields, field), id = given;
    if (!use->trust || !is_valid(given))
        id = make_id(use, exchange);
    if (id.size == 0 || !exchange_add_constant(exchange, field, id)) {
        respond_starved(exchange);
        return;
    }
    beside->id = id;
    rh_next(request);
}

int rh_request_id_add(rh_server *server, const char *prefix, const rh_request_id_options *options, size_t options_size)
{
    rh_request_id_options known;
    if (server == NULL || server_was_started(server, "rh_use_request_id") ||
        !sized_take(server, &known, sizeof known, options, options_size))
        return -1;
    struct use_request_id *use = malloc(sizeof *use);
    if (use == NULL || getrandom(&use->key, sizeof use->key, 0) != sizeof use->key) {
        free(use);
        server_fail(server, "request identifiers for %s: no memory or no random numbers", prefix ? prefix : "");
        return -1;
    }
    atomic_init(&use->count, 0);
    use->trust = known.trust;
    return middleware_add(server, prefix, &(struct middleware){ .handler = handle, .user = use, .free = free });
}

rh_slice rh_request_id_of(const rh_request *request)
{
    const struct beside *beside = ((const struct exchange *)request)->beside;
    bool has = beside != NULL && beside->id.size > 0;
    return has ? (rh_slice){ beside->id.data, beside->id.size } : (rh_slice){ NULL, 0 };
}
