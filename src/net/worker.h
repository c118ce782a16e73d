/* A worker: one thread with its own loop, listeners, connections, memory, timers and clock. It shares nothing on the
 * way of a request. What others want of it comes through its mailbox. The thread is its own (worker_start), or one of
 * the program's that calls worker_begin, worker_turn until that is false, and worker_end (driven.h).
 *
 * It knows connections and sessions, not what is served: that is the session host's. */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/pages.h"
#include "base/pool.h"
#include "base/qsbr.h"
#include "net/alarms.h"
#include "net/conn.h"
#include "net/foreign.h"
#include "net/tls.h"

#include <pthread.h>

struct worker_settings {
    const struct session_type *session_type;
    const struct session_type *session_type_tls; /* the same over TLS, no larger */
    const struct session_type *session_type_h2;  /* over TLS, where client and server have agreed on that (ALPN) */
    uint32_t handshake_timeout_ms, head_timeout_ms, body_timeout_ms, idle_timeout_ms, send_timeout_ms, drain_timeout_ms;
    uint32_t quiet_timeout_ms; /* without a byte of an open session's peer until it is asked; then again, until close */
    uint32_t body_rate_min; /* bytes a second; 0: none */
    uint32_t connections_max; /* of this worker */
    size_t input_size, output_size; /* bytes of the two buffers that the connections share */
    struct slice plain_answer; /* to who speaks HTTP where TLS is spoken */
    const struct log *log;
};

struct acceptor {
    struct watch watch;
    struct worker *worker;
    int fd;
    bool shared;  /* other workers accept from the same socket */
    struct tls_slot *tls; /* NULL: plain */
};

enum worker_state { WORKER_RUNNING, WORKER_DRAINING, WORKER_ENDED };

enum { WORKER_LISTENERS_MAX = 16 };

struct worker {
    struct loop loop;
    struct clock clock;
    struct timers timers;
    struct pages pages;
    struct pool conns;
    struct mailbox mailbox;
    struct watch bell;
    const struct worker_settings *settings;
    struct session_host *host;
    /* The caller's to set; NULL: none. */
    void (*begin)(struct worker *worker), (*end)(struct worker *worker); /* called on its thread, first and last */
    struct qsbr *qsbr;         /* where each turn's end is announced, as `index` */
    unsigned index;
    char *input;
    char *record;              /* what streams of TLS put together in it; NULL: there are none */
    struct outbox out;
    struct link connections;
    size_t connection_count;
    struct conn *again, *gone;
    unsigned handshake_steps;  /* in this turn */
    _Atomic uint64_t handshakes_done, handshakes_failed; /* any thread may ask */
    bool chores;               /* there may be something to do beside events and deadlines: tend */
    struct alarms alarms;      /* the program's */
    struct link foreigns, foreigns_stopped;
    struct acceptor acceptors[WORKER_LISTENERS_MAX];
    unsigned acceptor_count;
    bool accepting;            /* the listeners are in the loop */
    uint64_t accept_again_ms;  /* while they are not: when to try again (sooner if a connection closes), or never */
    uint64_t refuse_ms;        /* draining: when the listeners are left */
    uint64_t drain_ms;         /* draining: when what is left is cut */
    enum worker_state state;
    atomic_int wanted;         /* enum worker_state, set from any thread */
    pthread_t thread;          /* its own */
    bool started;
    _Atomic pthread_t runner;  /* the thread on which it has begun */
};

/* `host` and `settings` stay the caller's. False: errno, and nothing is left behind. */
bool worker_init(struct worker *worker, const struct worker_settings *settings, struct session_host *host);

/* The listening socket stays the caller's. `tls` for https: it has a context, and outlives the worker; else NULL.
 * Before worker_start. False: errno, or too many. */
bool worker_listen(struct worker *worker, int fd, bool shared, struct tls_slot *tls);

bool worker_start(struct worker *worker); /* false: errno */

/* On the thread that is to run it: before its first turn, and after its last. What was offered to its mailbox is opened
 * then, but no more is taken. */
void worker_begin(struct worker *worker);
void worker_end(struct worker *worker);

/* One turn: waits up to `wait_ms` (-1: as long as it takes) for something to do, and does it. False: no other one. */
bool worker_turn(struct worker *worker, int wait_ms);

/* When there will be something to do, whatever happens (clock_fine_ms); it may be past. */
uint64_t worker_due_ms(const struct worker *worker);

/* This is the thread on which it has begun. */
static inline bool worker_here(const struct worker *worker)
{
    return atomic_load_explicit(&worker->runner, memory_order_relaxed) == pthread_self();
}

/* Makes it end a turn soon. Any thread; until worker_fini. */
void worker_wake(struct worker *worker);

/* Asks the worker to drain or to end. Any thread, and signal handlers. */
void worker_want(struct worker *worker, enum worker_state state);

/* Waits until its thread has ended. */
void worker_join(struct worker *worker);

/* After worker_join; no letters may be under way. */
void worker_fini(struct worker *worker);

/* For connections: another turn soon; freed at the end of this turn. */
void worker_again(struct worker *worker, struct conn *conn);
void worker_bury(struct worker *worker, struct conn *conn);

#endif
