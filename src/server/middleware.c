/* The chain of middleware, and a request's way along it. rh_next runs what is next before it returns, so the way
 * back is the stack's; a request that was deferred goes on from the mailbox instead. See middleware.h. */
#include "server/middleware.h"

#include "base/utf8.h"
#include "server/receive.h"
#include "server/respond.h"

#include <stdlib.h>

/* ---- Registration ------------------------------------------------------------------------------------------- */

/* What is wrong with the prefix, which is without a slash at its end; NULL: nothing. */
static const char *find_fault(struct slice prefix)
{
    static const struct slice special = SLICE_INIT("*{}?#%\\");
    for (size_t i = 0; i < prefix.size; i++)
        if (slice_find(special, prefix.data[i]) < special.size)
            return "it is literal and decoded: leave out * { } ? # % and \\";
    for (struct slice rest = prefix; rest.size > 0;) {
        struct slice segment = slice_skip(rest, 1);
        segment.size = slice_find(segment, '/');
        if (segment.size == 0 || slice_equal(segment, SLICE(".")) || slice_equal(segment, SLICE("..")))
            return "no path has an empty segment or a dot segment there; leave it out";
        rest = slice_skip(rest, 1 + segment.size);
    }
    return utf8_valid(prefix) ? NULL : "it is not UTF-8";
}

/* False: it has been told. */
static bool check(rh_server *server, const char *prefix, const struct middleware *middleware)
{
    if (prefix == NULL || prefix[0] != '/')
        return server_fail(server, "middleware for \"%s\": a prefix begins with a slash", prefix ? prefix : "");
    struct slice path = slice_text(prefix);
    if (path.data[path.size - 1] == '/')
        path.size--;
    const char *fault = find_fault(path);
    if (fault != NULL)
        return server_fail(server, "middleware for %s: %s", prefix, fault);
    if (middleware->handler == NULL)
        return server_fail(server, "middleware for %s: it has no handler", prefix);
    if (server->middleware_count == MIDDLEWARE_MAX)
        return server_fail(server, "middleware for %s: there are %d already", prefix, MIDDLEWARE_MAX);
    return true;
}

static bool append(rh_server *server, const char *prefix, const struct middleware *middleware)
{
    size_t size = strlen(prefix) + 1;
    struct middleware *added = malloc(sizeof *added + size);
    if (added == NULL)
        return server_fail(server, "middleware for %s: out of memory", prefix);
    *added = *middleware;
    memcpy(added->text, prefix, size);
    added->prefix = slice_text(added->text);
    added->next = NULL;
    if (slice_ends(added->prefix, SLICE("/")))
        added->prefix.size--;
    struct middleware **end = &server->middleware;
    while (*end != NULL)
        end = &(*end)->next;
    *end = added;
    server->middleware_count++;
    return true;
}

int middleware_add(rh_server *server, const char *prefix, const struct middleware *middleware)
{
    bool open = server != NULL && !server_was_started(server, "rh_use");
    if (open && check(server, prefix, middleware) && append(server, prefix, middleware))
        return 0;
    if (middleware->free != NULL)
        middleware->free(middleware->user);
    return -1;
}

int rh_use(rh_server *server, const char *prefix, rh_handler *handler, void *user)
{
    return middleware_add(server, prefix, &(struct middleware){ .handler = handler, .user = user });
}

void middleware_free(struct middleware *first)
{
    while (first != NULL) {
        struct middleware *middleware = first;
        first = middleware->next;
        if (middleware->free != NULL)
            middleware->free(middleware->user);
        free(middleware);
    }
}

/* ---- The way ------------------------------------------------------------------------------------------------ */

static bool covers(const struct middleware *middleware, struct slice path)
{
    size_t size = middleware->prefix.size;
    return slice_starts(path, middleware->prefix) && (path.size == size || path.data[size] == '/');
}

static const struct middleware *find(const struct middleware *from, struct slice path)
{
    while (from != NULL && !covers(from, path))
        from = from->next;
    return from;
}

/* Whose turn it is when it defers the request stays so: from then on that belongs to another thread. */
static void run(struct exchange *exchange, const struct middleware *from)
{
    struct beside *beside = exchange->beside;
    beside->turn = find(from, exchange->request.path);
    beside->handed_on = false;
    if (beside->turn == NULL) {
        dispatch_answer(exchange);
        return;
    }
    beside->turn->handler((rh_request *)exchange, beside->turn->user);
    if (!exchange->deferred)
        receive_settle(exchange);
}

static bool keep_fields(struct exchange *exchange)
{
    const struct response *response = &exchange->response;
    for (unsigned i = 0; i < response->field_count; i++)
        if (!beside_keep(exchange, response->fields[i]))
            return false;
    return true;
}

/* What was said is kept, and the response is as new. */
static void hand_on(struct exchange *exchange)
{
    const struct beside *beside = exchange->beside;
    if (exchange->response.refused) {
        respond_settle(exchange);
    } else if (!keep_fields(exchange)) {
        respond_unavailable(exchange);
    } else {
        exchange_clear_response(exchange);
        run(exchange, beside->turn->next);
    }
}

void middleware_begin(struct exchange *exchange)
{
    const rh_server *server = exchange_worker(exchange)->server;
    const struct middleware *first = find(server->middleware, exchange->request.path);
    if (first == NULL) {
        dispatch_answer(exchange);
        return;
    }
    if (!exchange_settle(exchange, exchange->head_size) || beside_of(exchange) == NULL) {
        respond_unavailable(exchange);
        return;
    }
    run(exchange, first);
}

void middleware_resume(struct exchange *exchange)
{
    hand_on(exchange);
}

void rh_next(rh_request *request)
{
    struct exchange *exchange = (struct exchange *)request;
    struct beside *beside = exchange->beside;
    const struct middleware *turn = beside != NULL ? beside->turn : NULL;
    if (turn == NULL || beside->handed_on || exchange_answered(exchange)) {
        respond_complain_once(exchange, "called rh_next where nothing is next; that does nothing");
        return;
    }
    beside->handed_on = true;
    if (exchange->deferred) /* see middleware_resume */
        return;
    hand_on(exchange);
    if (exchange->deferred || !exchange_answered(exchange)) /* its body is still to come: the handler's turn goes on */
        return;
    beside->turn = turn;
    beside->handed_on = true;
}

unsigned rh_answered(const rh_request *request)
{
    const struct exchange *exchange = (const struct exchange *)request;
    return exchange->deferred ? 0 : exchange->response.status;
}
