/* The server: where the siblings meet. It owns everything that is made when it starts and shared, immutable, by its
 * workers; and for each worker what answering takes beside the network: exchanges, a log buffer, a session host. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/background.h"
#include "net/driven.h"
#include "net/worker.h"
#include "observe/access_log.h"
#include "serve/hosts.h"
#include "serve/router.h"
#include "server/config.h"
#include "server/packer.h"
#include "server/vhost.h"
#include "wire/h2_worker.h"
#include "wire/ws_session.h"

struct route {
    struct route *next; /* all of them, to be freed */
    rh_handler *handler;
    void *user;
    uint64_t body_max; /* bytes; 0: as everywhere */
    bool stream;       /* the handler runs before the body, and is given it piece by piece */
    char pattern[]; /* as it was registered: mistakes of its handler are told under this name */
};

/* What the program wants done on each loop when it begins and ends. */
struct loop_hook {
    struct link link;
    rh_loop_call *begin, *end;
    void *user;
};

/* The program's pointers of one loop. */
struct loop_value {
    const void *key;
    void *value;
};

enum { CACHE_LINE = 64, LOOP_VALUES_MAX = 16 };

struct server_worker {
    _Alignas(CACHE_LINE) struct worker net; /* no line of the next worker's, which another thread writes to */
    struct session_host host;
    rh_server *server;
    struct access_log_writer *access_log; /* NULL: off */
    struct exchange *warm;                /* answered a page a moment ago and needs but freshening; or NULL */
    struct exchange *spare;               /* chain through exchange.route of those that wait for a request */
    unsigned spare_count;
    struct ws_worker sockets;             /* what its WebSockets share */
    struct h2_worker h2;                  /* and its HTTP/2 connections */
    struct packer packer;
    size_t deferred;                      /* exchanges that somebody else still has */
    struct loop_value values[LOOP_VALUES_MAX];
    unsigned value_count;
};

/* Settled by rh_start, so that all who come later may read it without a lock. */
enum server_state { SERVER_NEW, SERVER_FAILED, SERVER_STARTED };

struct rh_server {
    struct config config;
    struct log log;
    char error[CONFIG_WHY_SIZE]; /* the first mistake */
    enum server_state state;
    pthread_mutex_t ending; /* one of the threads that wait for the end sees to it */
    struct router *router;
    struct route *routes;
    struct middleware *middleware; /* the first one; NULL: there is none */
    unsigned middleware_count;
    struct link loop_hooks;      /* in the order in which they begin */
    struct driven driven;        /* the one worker of an embedded server */
    struct store store;
    bool stored;                 /* it has been made */
    struct tls_slot tls;         /* what secure listeners prove themselves with; nothing: there are none */
    struct vhost **vhosts;       /* vhost_count of them; the first one is what rh_options say */
    size_t vhost_count;
    struct guard_pool *guard_pool;
    struct certificates *certificates; /* what rh_tls has said; NULL: nothing */
    unsigned https_port;         /* where what comes in the clear is sent; 0: nowhere */
    bool ruled;                  /* one of them has rules */
    struct hosts *hosts;         /* which of them a request is for; NULL: the first one, there is no other */
    size_t first_found;          /* from here on they are found there */
    struct background *background;
    struct access_log *access_log;
    int access_fd;
    struct worker_settings settings;
    _Atomic bool path_held[CONFIG_LISTEN_MAX]; /* the file of a unix socket is there, and ours to take away */
    char addresses[CONFIG_LISTEN_MAX][ADDRESS_TEXT_SIZE]; /* where it listens, once it was started */
    unsigned address_count;
    bool addresses_told;         /* by the program: not in the log */
    int *listen_fds;             /* listen_count rows of `workers` descriptors */
    struct server_worker *workers;
    unsigned workers_made;
    _Atomic unsigned workers_live; /* workers_made, once they can be told to drain or to stop */
    _Atomic int wanted;            /* enum worker_state: what rh_drain and rh_stop ask for, any thread, any time */
};

/* Keeps the first mistake, and tells it. Always false. */
bool server_fail(rh_server *server, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Too late for this call: that goes to the log alone, for the server is well. */
bool server_was_started(const rh_server *server, const char *what);

/* What rh_start does, for nobody to see: one worker without listeners, no log, no pages in memory before they are asked
 * for, and nothing is followed on disk. False: it has been told. */
bool server_start_apart(rh_server *server);

/* The hosts of a server (hosting.c): the default one is made, all are loaded, their pages read, followed on disk,
 * stopped, ended. */
bool hosts_begin(rh_server *server);
bool hosts_load(rh_server *server);
void hosts_warm(rh_server *server);
bool hosts_follow(rh_server *server);
void hosts_stop(rh_server *server);
void hosts_end(rh_server *server);

/* What the program has on the loops (loops.c): a worker is told what to call when it begins and ends; the hooks go. */
void loops_init(struct worker *worker);
void loops_free_hooks(rh_server *server);

/* Fills the host's calls (dispatch.c); `to_https`: of a server that sends what comes in the clear to https. */
void dispatch_init(struct session_host *host, bool to_https);

/* What comes after all middleware: a route, a page, an error. The exchange has a response afterwards, or is
 * deferred. */
void dispatch_answer(struct exchange *exchange);

/* Exchanges of a worker, made at need and used again (exchanges.c). */
struct exchange *exchanges_take(struct server_worker *worker);
void exchanges_give(struct server_worker *worker, struct exchange *exchange); /* the taker's reference */
void exchanges_free(struct server_worker *worker);

static inline struct server_worker *server_worker_of(struct session_host *host)
{
    return LINK_OWNER(host, struct server_worker, host);
}

static inline struct server_worker *exchange_worker(const struct exchange *exchange)
{
    return exchange->worker;
}

struct vhost *vhost_search(const struct exchange *exchange);

/* The host that a request is for, or NULL: it is nobody's. */
static inline struct vhost *vhost_of(const struct exchange *exchange)
{
    const rh_server *server = exchange_worker(exchange)->server;
    return server->hosts == NULL ? server->vhosts[0] : vhost_search(exchange);
}

#endif
