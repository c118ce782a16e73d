/* Who answers: the handler of a route, a page, a redirect, an error, in that order. This is what a worker's sessions
 * call when a request has come in.
 *
 * It knows no socket and no wire version. */
#include "server/client.h"
#include "server/gate.h"
#include "server/https.h"
#include "server/middleware.h"
#include "server/pages.h"
#include "server/receive.h"
#include "server/respond.h"

#define RARE __attribute__((noinline))

enum { PAGE_METHODS = 1u << METHOD_GET | 1u << METHOD_HEAD | 1u << METHOD_OPTIONS };

static bool reads(enum method method)
{
    return method == METHOD_GET || method == METHOD_HEAD;
}

struct found {
    struct route *route; /* NULL: none */
    unsigned allow;      /* the methods that routes with this path have */
};

/* Apart, as all below that is: what a page has no need of costs it no frame. */
static RARE struct found search(const struct router *router, struct exchange *exchange)
{
    struct router_match match;
    const struct request *request = &exchange->request;
    router_find(router, request->path, request->method, &match);
    struct found found = { match.target, match.found ? match.methods : 0 };
    if (found.route == NULL || match.param_count == 0)
        return found;
    exchange->params = arena_take(&exchange->arena, sizeof match);
    if (exchange->params == NULL) {
        respond_unavailable(exchange);
        return (struct found){ NULL, found.allow };
    }
    *(struct router_match *)exchange->params = match;
    return found;
}

static struct found find_route(struct exchange *exchange)
{
    const struct router *router = exchange_worker(exchange)->server->router;
    return router_empty(router) ? (struct found){ NULL, 0 } : search(router, exchange);
}

/* Parameter values are slices of the path, which moves with the head. */
static void rebase_params(struct exchange *exchange, const char *before)
{
    struct router_match *match = exchange->params;
    const char *after = exchange->request.path.data;
    for (unsigned i = 0; match != NULL && i < match->param_count; i++)
        match->params[i].value.data = after + (match->params[i].value.data - before);
}

static void run_handler(struct exchange *exchange)
{
    const struct route *route = exchange->route;
    route->handler((rh_request *)exchange, route->user);
}

static RARE void call_handler(struct exchange *exchange, const struct route *route)
{
    const char *before = exchange->request.path.data;
    exchange->route = (void *)route;
    if (!exchange_settle(exchange, exchange->head_size)) {
        respond_unavailable(exchange);
        return;
    }
    rebase_params(exchange, before);
    bool asked = exchange_worker(exchange)->server->middleware != NULL; /* before that */
    if (!asked && !gate_open(exchange) && !gate_admit(exchange, run_handler))
        return;
    run_handler(exchange);
    if (!exchange->deferred)
        receive_settle(exchange);
}

static bool is_routable(const struct request *request)
{
    return target_has_path(&request->target) && request->method != METHOD_OTHER;
}

/* Methods that nobody knows, and targets that name no path: "*" speaks of the server as a whole, and there are no
 * tunnels here. */
static RARE void answer_unroutable(struct exchange *exchange)
{
    unsigned all = PAGE_METHODS;
    if (exchange->request.method == METHOD_OTHER) {
        respond_error(exchange, 501, 0, SLICE(""));
        return;
    }
    if (!router_empty(exchange_worker(exchange)->server->router))
        all |= method_bit(METHOD_POST) | method_bit(METHOD_PUT) | method_bit(METHOD_PATCH) | method_bit(METHOD_DELETE);
    if (exchange->request.target.form == TARGET_ASTERISK)
        respond_options(exchange, all);
    else
        respond_error(exchange, 405, all, SLICE(""));
}

void dispatch_answer(struct exchange *exchange)
{
    struct found found = { exchange->route, 0 };
    if (!is_routable(&exchange->request)) {
        answer_unroutable(exchange);
        return;
    }
    if (found.route == NULL)
        found = find_route(exchange);
    if (exchange_answered(exchange))
        return;
    if (found.route != NULL)
        call_handler(exchange, found.route);
    else
        pages_answer(exchange, found.allow);
}

static void dispatch(struct exchange *exchange)
{
    bool waits = exchange_worker(exchange)->server->middleware != NULL;
    if (!waits || !target_has_path(&exchange->request.target)) {
        dispatch_answer(exchange);
        return;
    }
    if (gate_open(exchange) || gate_admit(exchange, middleware_begin))
        middleware_begin(exchange);
    if (!exchange->deferred && exchange_answered(exchange))
        respond_dress(exchange);
}

static struct exchange *take(struct session_host *host)
{
    return exchanges_take(server_worker_of(host));
}

static enum body_plan plan_for(struct exchange *exchange)
{
    const struct route *route = exchange->route;
    exchange->body_max = route->body_max;
    return route->stream ? BODY_PLAN_STREAM : BODY_PLAN_WHOLE;
}

/* Only a handler wants a body. Where there is none for this request the answer does not depend on the body: a refusal
 * goes out at once, a page once the body has been read, and so does what middleware may have a word in. */
static enum body_plan head(struct session_host *host, struct exchange *exchange)
{
    struct found found = { NULL, 0 };
    const struct request *request = &exchange->request;
    bool named = target_has_path(&request->target);
    if (is_routable(request))
        found = find_route(exchange);
    exchange->route = found.route;
    if (found.route != NULL && !gate_open(exchange) && gate_refuse(exchange))
        return BODY_PLAN_DISCARD;
    if (found.route != NULL)
        return plan_for(exchange);
    if (reads(request->method) || exchange_answered(exchange))
        return BODY_PLAN_DISCARD;
    if (named && server_worker_of(host)->server->middleware != NULL)
        return BODY_PLAN_DISCARD;
    if (is_routable(request))
        pages_answer_early(exchange, found.allow);
    else
        dispatch(exchange);
    return BODY_PLAN_DISCARD;
}

static void request(struct session_host *host, struct exchange *exchange)
{
    (void)host;
    dispatch(exchange);
}

static void received(struct session_host *host, struct exchange *exchange, struct slice piece, bool last)
{
    (void)host;
    receive_piece(exchange, piece, last);
    if (!exchange->deferred && exchange_answered(exchange))
        respond_dress(exchange);
}

static void refuse(struct session_host *host, struct exchange *exchange, unsigned status)
{
    (void)host;
    if (exchange->settled) /* so its head was whole, and it is the body that is wrong, or late */
        respond_error(exchange, status, 0, SLICE(""));
    else
        respond_refused(exchange, status);
}

static void write_log(const struct exchange *exchange, uint64_t body_bytes, struct slice client)
{
    const struct server_worker *worker = exchange_worker(exchange);
    const struct beside *beside = exchange->beside;
    struct access_entry entry = { .exchange = exchange, .body_bytes = body_bytes, .client = client,
                                  .id = beside != NULL ? beside->id : SLICE("") };
    access_log_line(worker->access_log, &entry, worker->host.clock);
}

static RARE void write_log_of_client(const struct exchange *exchange, uint64_t body_bytes)
{
    char room[IP_TEXT_MAX];
    write_log(exchange, body_bytes, client_text(exchange, room));
}

static RARE void finish_further(struct server_worker *worker, struct exchange *exchange, uint64_t body_bytes)
{
    if (worker->access_log != NULL && networks_any(&worker->server->config.trusted))
        write_log_of_client(exchange, body_bytes);
    else if (worker->access_log != NULL)
        write_log(exchange, body_bytes, SLICE(""));
    if (exchange->beside != NULL)
        beside_end(exchange, body_bytes);
    exchanges_give(worker, exchange);
}

static void finished(struct session_host *host, struct exchange *exchange, uint64_t body_bytes)
{
    struct server_worker *worker = server_worker_of(host);
    if (worker->access_log != NULL || exchange->beside != NULL)
        finish_further(worker, exchange, body_bytes);
    else
        exchanges_give(worker, exchange);
}

static enum body_plan head_to_https(struct session_host *host, struct exchange *exchange)
{
    return https_send_on(exchange) ? BODY_PLAN_DISCARD : head(host, exchange);
}

static void request_to_https(struct session_host *host, struct exchange *exchange)
{
    if (!https_send_on(exchange))
        request(host, exchange);
}

/* A server which sends nobody to https pays nothing for that. */
void dispatch_init(struct session_host *host, bool to_https)
{
    host->take = take;
    host->head = to_https ? head_to_https : head;
    host->request = to_https ? request_to_https : request;
    host->received = received;
    host->refuse = refuse;
    host->finished = finished;
}
