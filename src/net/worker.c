/* A worker's life: start, turns, drain, end. */
#include "net/worker.h"

#include "base/thread.h"
#include "net/acceptor.h"
#include "net/listen.h"
#include "net/tls_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WAIT_MAX_MS = 60 * 1000,
    CHORES_MS = 20,                /* how often is looked at what no event tells of: the progress of a drain, a pause */
    TICK_MAX_MS = 10,              /* of the kernel's: so far the turn's reading of the clock may lag behind */
    REFUSE_MS = 100,               /* handshakes under way when a drain begins are given this long to be completed */
    PAGES_KEPT_BYTES = 8 << 20,
    CONNS_KEPT = 4096
};

static void ring(struct watch *watch, uint32_t events)
{
    struct worker *worker = LINK_OWNER(watch, struct worker, bell);
    (void)events;
    worker->chores = true; /* perhaps it is about what is wanted of the worker */
    mailbox_open(&worker->mailbox);
}

static bool fail(struct worker *worker)
{
    int error = errno;
    worker_fini(worker);
    errno = error;
    return false;
}

bool worker_init(struct worker *worker, const struct worker_settings *settings, struct session_host *host)
{
    memset(worker, 0, sizeof *worker);
    worker->settings = settings;
    worker->host = host;
    worker->bell.ready = ring;
    worker->loop.epoll_fd = worker->mailbox.bell_fd = -1;
    list_init(&worker->connections);
    list_init(&worker->foreigns);
    list_init(&worker->foreigns_stopped);
    alarms_init(&worker->alarms);
    clock_update(&worker->clock);
    timers_init(&worker->timers, worker->clock.now_ms, conn_expire);
    pages_init(&worker->pages, PAGES_KEPT_BYTES);
    pool_init(&worker->conns, offsetof(struct conn, session) + settings->session_type->size, CONNS_KEPT);
    worker->input = malloc(settings->input_size);
    char *output = malloc(settings->output_size);
    outbox_init(&worker->out, output, settings->output_size);
    if (worker->input == NULL || output == NULL || !mailbox_init(&worker->mailbox) || !loop_init(&worker->loop))
        return fail(worker);
    if (!loop_add(&worker->loop, worker->mailbox.bell_fd, EPOLLIN, &worker->bell))
        return fail(worker);
    return true;
}

void worker_fini(struct worker *worker)
{
    if (worker->mailbox.bell_fd >= 0)
        mailbox_fini(&worker->mailbox);
    loop_fini(&worker->loop);
    pool_fini(&worker->conns);
    pages_fini(&worker->pages);
    free(worker->input);
    free(worker->record);
    free(worker->out.buffer);
}

bool worker_listen(struct worker *worker, int fd, bool shared, struct tls_slot *tls)
{
    if (worker->acceptor_count == WORKER_LISTENERS_MAX) {
        errno = ENOSPC;
        return false;
    }
    if (tls != NULL && worker->record == NULL)
        worker->record = malloc(TLS_RECORD_SIZE);
    if (tls != NULL && worker->record == NULL)
        return false;
    struct acceptor *acceptor = &worker->acceptors[worker->acceptor_count++];
    *acceptor = (struct acceptor){ .worker = worker, .fd = fd, .shared = shared, .tls = tls };
    return acceptor_begin(acceptor);
}

void worker_again(struct worker *worker, struct conn *conn)
{
    if (conn->again)
        return;
    conn->again = worker->chores = true;
    conn->next = worker->again;
    worker->again = conn;
}

void worker_bury(struct worker *worker, struct conn *conn)
{
    worker->connection_count--;
    worker->chores = true;
    if (!conn->again) { /* else it is found, and freed, when that list is gone through */
        conn->next = worker->gone;
        worker->gone = conn;
    }
    if (!worker->accepting && worker->accept_again_ms != UINT64_MAX)
        worker->accept_again_ms = worker->clock.now_ms; /* its place, or its descriptor, may be what was missing */
}

static void run_again(struct worker *worker)
{
    struct conn *conn = worker->again;
    worker->again = NULL;
    while (conn != NULL) {
        struct conn *next = conn->next;
        conn->again = false;
        if (conn->gone) {
            conn->next = worker->gone;
            worker->gone = conn;
        } else {
            conn_run(conn);
        }
        conn = next;
    }
}

static void free_gone(struct worker *worker)
{
    while (worker->gone != NULL) {
        struct conn *conn = worker->gone;
        worker->gone = conn->next;
        pool_give(&worker->conns, conn);
    }
}

/* Calls `visit` for each connection, any of which may close meanwhile. */
static void each_connection(struct worker *worker, void (*visit)(struct conn *conn))
{
    struct link rest;
    list_init(&rest);
    while (!list_empty(&worker->connections)) {
        struct link *link = worker->connections.next;
        list_remove(link);
        list_append(&rest, link);
    }
    while (!list_empty(&rest)) {
        struct link *link = rest.next;
        list_remove(link);
        list_append(&worker->connections, link);
        visit(LINK_OWNER(link, struct conn, link));
    }
}

static void begin_drain(struct worker *worker)
{
    worker->state = WORKER_DRAINING;
    worker->host->draining = true;
    worker->refuse_ms = worker->clock.now_ms + REFUSE_MS;
    worker->drain_ms = worker->clock.now_ms + worker->settings->drain_timeout_ms;
    for (unsigned i = 0; i < worker->acceptor_count; i++)
        listen_refuse_new(worker->acceptors[i].fd);
    each_connection(worker, conn_goodbye);
}

static void go_on_draining(struct worker *worker)
{
    if (worker->refuse_ms != 0 && worker->clock.now_ms >= worker->refuse_ms) {
        worker->refuse_ms = 0;
        acceptors_empty(worker);
        acceptors_pause(worker, UINT64_MAX);
    }
    bool done = worker->refuse_ms == 0 && worker->connection_count == 0;
    if (done || worker->clock.now_ms >= worker->drain_ms)
        worker->state = WORKER_ENDED;
}

/* What has to be done in a turn beside events and deadlines. Most turns have nothing of it, and look at one flag
 * only. */
static void tend(struct worker *worker)
{
    worker->handshake_steps = 0;
    run_again(worker);
    enum worker_state wanted = (enum worker_state)atomic_load_explicit(&worker->wanted, memory_order_acquire);
    if (wanted == WORKER_DRAINING && worker->state == WORKER_RUNNING)
        begin_drain(worker);
    if (wanted == WORKER_ENDED)
        worker->state = WORKER_ENDED;
    if (worker->state == WORKER_DRAINING)
        go_on_draining(worker);
    if (!worker->accepting && worker->clock.now_ms >= worker->accept_again_ms)
        acceptors_resume(worker);
    free_gone(worker);
    foreign_free_stopped(worker);
    worker->chores = worker->again != NULL || worker->state == WORKER_DRAINING || !worker->accepting;
}

static bool alarms_set(const struct worker *worker)
{
    return worker->alarms.next_ms != UINT64_MAX;
}

/* By the turn's reading of the clock. */
static uint64_t next_ms(const struct worker *worker)
{
    uint64_t now_ms = worker->clock.now_ms, timers_ms = timers_next_ms(&worker->timers);
    uint64_t most_ms = worker->again != NULL ? now_ms : worker->chores ? now_ms + CHORES_MS : UINT64_MAX;
    return timers_ms < most_ms ? timers_ms : most_ms;
}

static uint64_t left(uint64_t due_ms, uint64_t now_ms, uint64_t most_ms)
{
    if (due_ms <= now_ms)
        return 0;
    return due_ms - now_ms < most_ms ? due_ms - now_ms : most_ms;
}

static int time_left(const struct worker *worker, int most_ms)
{
    uint64_t left_ms = most_ms >= 0 && most_ms < WAIT_MAX_MS ? (uint64_t)most_ms : WAIT_MAX_MS;
    left_ms = left(next_ms(worker), worker->clock.now_ms, left_ms);
    if (alarms_set(worker))
        left_ms = left(worker->alarms.next_ms, clock_fine_ms(), left_ms);
    return (int)left_ms;
}

uint64_t worker_due_ms(const struct worker *worker)
{
    if (worker->again != NULL)
        return 0;
    uint64_t due_ms = next_ms(worker) + TICK_MAX_MS;
    return due_ms < worker->alarms.next_ms ? due_ms : worker->alarms.next_ms;
}

void worker_begin(struct worker *worker)
{
    atomic_store_explicit(&worker->runner, pthread_self(), memory_order_relaxed);
    if (worker->begin != NULL)
        worker->begin(worker);
}

/* In place where nobody else drives the loop: a call of it would save and restore what the loop keeps in registers, 30
 * instructions a turn. */
static inline __attribute__((always_inline)) bool turn(struct worker *worker, int wait_ms)
{
    unsigned count = loop_wait(&worker->loop, time_left(worker, wait_ms));
    clock_update(&worker->clock);
    loop_dispatch(&worker->loop, count);
    timers_run(&worker->timers, worker->clock.now_ms);
    if (alarms_set(worker))
        alarms_run(&worker->alarms, clock_fine_ms());
    if (worker->chores)
        tend(worker);
    if (worker->qsbr != NULL)
        qsbr_announce(worker->qsbr, worker->index);
    return worker->state != WORKER_ENDED;
}

bool worker_turn(struct worker *worker, int wait_ms)
{
    return turn(worker, wait_ms);
}

/* Connections first: who learns then that a client has gone can still use the loop. */
void worker_end(struct worker *worker)
{
    acceptors_pause(worker, UINT64_MAX);
    each_connection(worker, conn_close);
    run_again(worker);
    free_gone(worker);
    mailbox_close(&worker->mailbox);
    if (worker->end != NULL)
        worker->end(worker);
    foreign_free_all(worker);
    alarms_fini(&worker->alarms);
    if (worker->qsbr != NULL)
        qsbr_end(worker->qsbr, worker->index);
}

static void *live(void *argument)
{
    struct worker *worker = argument;
    worker_begin(worker);
    while (turn(worker, -1))
        ;
    worker_end(worker);
    return NULL;
}

bool worker_start(struct worker *worker)
{
    errno = thread_start(&worker->thread, "rawhttp-worker", live, worker);
    worker->started = errno == 0;
    return worker->started;
}

void worker_wake(struct worker *worker)
{
    uint64_t one = 1;
    ssize_t written = write(worker->mailbox.bell_fd, &one, sizeof one);
    (void)written; /* a full counter means that the bell rings already */
}

void worker_want(struct worker *worker, enum worker_state state)
{
    int error = errno; /* the program's, if this is a signal handler */
    atomic_store_explicit(&worker->wanted, state, memory_order_release);
    worker_wake(worker);
    errno = error;
}

void worker_join(struct worker *worker)
{
    if (worker->started)
        pthread_join(worker->thread, NULL);
    worker->started = false;
}
