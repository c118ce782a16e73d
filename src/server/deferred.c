/* The way out and home of a deferred exchange, and the public calls for it. */
#include "server/deferred.h"

#include "server/middleware.h"
#include "server/receive.h"
#include "server/respond.h"

#include <assert.h>
#include <poll.h>

enum { AWAIT_TOLD_MS = 2000 };

static void let_go(rh_request *request, const rh_end *end, void *body)
{
    (void)request, (void)end;
    body_unref(body);
}

/* Middleware has its answer from what came next, and defers all the same: what that lies in may go with the turn. */
static void keep_answer(struct exchange *exchange)
{
    struct response *response = &exchange->response;
    if (response->answer == NULL) {
        struct body *body = arena_take(&exchange->arena, sizeof *body);
        if (body != NULL && rh_on_end((rh_request *)exchange, let_go, body)) {
            *body = response->body;
            body_ref(body);
        } else {
            respond_unavailable(exchange);
        }
    }
    if (response->answer != NULL && exchange->held == NULL) {
        exchange->held = response->answer;
        answer_ref(exchange->held);
    }
}

void deferred_begin(struct exchange *exchange)
{
    if (exchange->deferred)
        return;
    if (exchange_answered(exchange))
        keep_answer(exchange);
    exchange->deferred = true;
    hold_ref(&exchange->hold); /* its connection may go while it is away */
    arena_detach(&exchange->arena);
    exchange_worker(exchange)->deferred++;
}

static void deliver(struct exchange *exchange)
{
    receive_settle(exchange);
    if (exchange->deferred)
        return;
    if (exchange_answered(exchange))
        respond_dress(exchange);
    conn_answered(conn_of(exchange->session), exchange);
}

static void come_home(struct letter *letter)
{
    struct exchange *exchange = LINK_OWNER(letter, struct exchange, letter);
    exchange_worker(exchange)->deferred--;
    if (exchange->session != NULL) {
        exchange->deferred = false;
        exchange->letter.open = NULL; /* for the next time */
        if (exchange->finish != NULL)
            exchange->finish(exchange);
        if (!exchange->deferred)
            deliver(exchange);
        hold_unref(&exchange->hold);
    } else {
        struct session_host *host = &exchange_worker(exchange)->host;
        host->finished(host, exchange, 0); /* its session could not report it while it was away */
    }
}

void deferred_complete(struct exchange *exchange, void (*finish)(struct exchange *exchange))
{
    /* Not twice: by then it may be home, and in use for another request. One sign or the other holds until that is
     * deferred. */
    assert(exchange->deferred && exchange->letter.open == NULL);
    atomic_store(&exchange->on_gone, NULL);
    exchange->letter.open = come_home;
    exchange->finish = finish;
    mailbox_post(&exchange_worker(exchange)->net.mailbox, &exchange->letter);
}

/* A program that waits for itself here would otherwise not find out why it does not end. */
void deferred_await(struct server_worker *worker)
{
    struct pollfd bell = { .fd = worker->net.mailbox.bell_fd, .events = POLLIN };
    for (int wait_ms = AWAIT_TOLD_MS; worker->deferred > 0; mailbox_open(&worker->net.mailbox)) {
        if (poll(&bell, 1, wait_ms) != 0)
            continue;
        log_write(&worker->server->log, LOG_LEVEL_WARN,
                  "rh_server_free waits for deferred requests that nobody has completed: %zu", worker->deferred);
        wait_ms = -1;
    }
}

void rh_defer(rh_request *request)
{
    deferred_begin((struct exchange *)request);
}

void rh_complete(rh_request *request)
{
    struct exchange *exchange = (struct exchange *)request;
    bool next = middleware_handed_on(exchange) && !exchange_answered(exchange); /* else that has run already */
    deferred_complete(exchange, next ? middleware_resume : NULL);
}

bool rh_gone(const rh_request *request)
{
    return exchange_lost((const struct exchange *)request);
}

bool rh_on_gone(rh_request *request, rh_call *call, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    assert(worker_here(&exchange_worker(exchange)->net));
    if (rh_gone(request))
        return false;
    exchange->gone_user = user;
    atomic_store(&exchange->on_gone, call);
    return true;
}

/* Lies in the exchange's arena. */
struct work {
    struct job job;
    struct exchange *exchange;
    rh_handler *handler;
    void *user;
};

static void run(struct job *job)
{
    struct work *work = (struct work *)job;
    struct exchange *exchange = work->exchange;
    work->handler((rh_request *)exchange, work->user);
    rh_complete((rh_request *)exchange);
}

void rh_background(rh_request *request, rh_handler *handler, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    assert(!exchange->deferred); /* whoever has it would complete it, and so would its work */
    struct work *work = arena_take(&exchange->arena, sizeof *work);
    if (work == NULL) {
        respond_unavailable(exchange);
        return;
    }
    deferred_begin(exchange);
    *work = (struct work){ .job.run = run, .exchange = exchange, .handler = handler, .user = user };
    background_submit(exchange_worker(exchange)->server->background, &work->job);
}
