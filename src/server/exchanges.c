/* The exchanges of a worker: as many as are in use at once, and a few spare ones. A request that is answered at once
 * always gets the same one, which is then warm in the cache. */
#include "server/server.h"

#include <stdlib.h>

enum { SPARE_MAX = 64, ARENA_MAX = 64 << 20 };

static void gone(struct hold *hold)
{
    struct exchange *exchange = LINK_OWNER(hold, struct exchange, hold);
    struct server_worker *worker = exchange_worker(exchange);
    exchange_release(exchange);
    if (worker->spare_count >= SPARE_MAX) {
        pages_discount(exchange->pages, sizeof *exchange);
        free(exchange);
        return;
    }
    exchange->route = worker->spare;
    worker->spare = exchange;
    worker->spare_count++;
}

/* Out of line, so that taking and giving the warm one needs no frame. */
#define RARE __attribute__((noinline))

static RARE struct exchange *take_spare(struct server_worker *worker)
{
    struct exchange *exchange = worker->spare;
    if (exchange != NULL) {
        worker->spare = exchange->route;
        worker->spare_count--;
    } else {
        exchange = malloc(sizeof *exchange);
        if (exchange == NULL)
            return NULL;
        pages_count(&worker->net.pages, sizeof *exchange);
        exchange_init(exchange, &worker->net.pages, ARENA_MAX, gone);
        exchange->worker = worker;
    }
    exchange_renew(exchange);
    return exchange;
}

struct exchange *exchanges_take(struct server_worker *worker)
{
    struct exchange *exchange = worker->warm;
    if (exchange == NULL)
        return take_spare(worker);
    worker->warm = NULL;
    exchange_freshen(exchange);
    return exchange;
}

static RARE void keep_as_new(struct server_worker *worker, struct exchange *exchange)
{
    exchange_reset(exchange);
    worker->warm = exchange;
}

void exchanges_give(struct server_worker *worker, struct exchange *exchange)
{
    if (worker->warm != NULL || !hold_sole(&exchange->hold))
        hold_unref(&exchange->hold);
    else if (exchange_untouched(exchange))
        worker->warm = exchange;
    else
        keep_as_new(worker, exchange);
}

void exchanges_free(struct server_worker *worker)
{
    if (worker->warm != NULL)
        hold_unref(&worker->warm->hold);
    worker->warm = NULL;
    while (worker->spare != NULL) {
        struct exchange *exchange = worker->spare;
        worker->spare = exchange->route;
        pages_discount(&worker->net.pages, sizeof *exchange);
        free(exchange);
    }
    worker->spare_count = 0;
}
