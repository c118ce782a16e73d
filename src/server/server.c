/* A server's life: made, told its routes, started, drained, ended, freed. The public calls for that. */
#include "server/server.h"

#include "serve/encoder.h"
#include "server/addresses.h"
#include "server/deferred.h"
#include "server/guard.h"
#include "server/https.h"
#include "server/listeners.h"
#include "server/middleware.h"
#include "server/miss.h"
#include "server/sized.h"
#include "server/tls.h"
#include "wire/h1_memo.h"
#include "wire/h1_session.h"
#include "wire/h2_session.h"
#include "wire/preface.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    INPUT_EXTRA = 64 * 1024,  /* beside the longest head: what one read may bring */
    OUTPUT_SIZE = 256 * 1024
};

#define PLAIN_TEXT "This port speaks https: the address begins with https://, not with http://.\n"
#define PLAIN_ANSWER                                                                                                   \
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 76\r\n"                   \
    "Connection: close\r\n\r\n" PLAIN_TEXT
_Static_assert(sizeof PLAIN_TEXT - 1 == 76, "the Content-Length above");

_Static_assert((int)RH_LOG_DEBUG == (int)LOG_LEVEL_DEBUG, "the program's log is called with our levels");
_Static_assert((int)CONFIG_LISTEN_MAX <= (int)WORKER_LISTENERS_MAX, "a worker watches every listener");

bool server_fail(rh_server *server, const char *format, ...)
{
    va_list arguments;
    if (server->error[0] == '\0') {
        va_start(arguments, format);
        vsnprintf(server->error, sizeof server->error, format, arguments);
        va_end(arguments);
        log_write(&server->log, LOG_LEVEL_ERROR, "%s", server->error);
    }
    server->state = SERVER_FAILED;
    return false;
}

rh_server *rh_server_create(const rh_options *options, size_t options_size)
{
    rh_options known;
    rh_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    bool read = sized_read(&known, sizeof known, options, options_size);
    server->log = (struct log){ (void (*)(void *, enum log_level, const char *))known.log, known.log_user };
    server->access_fd = -1;
    pthread_mutex_init(&server->ending, NULL);
    char why[CONFIG_WHY_SIZE];
    if (!config_init(&server->config, &known, why))
        server_fail(server, "%s", why);
    if (!read)
        server_fail(server, "the program sets " SIZED_UNKNOWN);
    list_init(&server->loop_hooks);
    server->router = router_new();
    if (server->router == NULL || !hosts_begin(server))
        server_fail(server, "out of memory");
    return server;
}

bool server_was_started(const rh_server *server, const char *what)
{
    bool started = server->state == SERVER_STARTED;
    if (started)
        log_write(&server->log, LOG_LEVEL_ERROR, "%s: the server has been started already", what);
    return started;
}

static bool open_access_log(rh_server *server)
{
    const char *path = server->config.access_log;
    if (path == NULL)
        return true;
    if (strcmp(path, "-") == 0)
        server->access_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    else
        server->access_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (server->access_fd < 0)
        return server_fail(server, "cannot write the access log %s: %s; name a file that this user may write", path,
                    strerror(errno));
    enum access_log_form form = isatty(server->access_fd) ? ACCESS_LOG_COLOUR : ACCESS_LOG_JSON;
    server->access_log = access_log_new(server->access_fd, form, server->config.workers, &server->log);
    return server->access_log != NULL || server_fail(server, "cannot start the access log: %s", strerror(errno));
}

static void wake_worker(void *user, unsigned index)
{
    rh_server *server = user;
    if (index < atomic_load(&server->workers_live))
        worker_wake(&server->workers[index].net);
}

static bool open_store(rh_server *server)
{
    const struct config *config = &server->config;
    struct store *store = &server->store;
    struct rlimit limit = { .rlim_cur = 1024 };
    getrlimit(RLIMIT_NOFILE, &limit);
    store->log = &server->log;
    store->wake = miss_wake;
    store->qsbr = qsbr_new(config->workers, wake_worker, server);
    if (store->qsbr == NULL)
        return server_fail(server, "out of memory");
    server->guard_pool = malloc(sizeof *server->guard_pool);
    if (server->guard_pool == NULL)
        return server_fail(server, "out of memory");
    guard_pool_init(server->guard_pool, store->qsbr, &server->log);
    page_cache_init(&store->cache, config->cache_policy, config->cache_bytes);
    server->stored = descriptors_init(&store->descriptors, config->cache_policy, descriptors_default(limit.rlim_cur));
    if (!server->stored)
        return server_fail(server, "out of memory");
    if (config->encodes)
        store->encoder = encoder_new(store); /* without a thread for it pages go out as they are */
    return true;
}

static void fill_settings(rh_server *server)
{
    const struct config *config = &server->config;
    uint32_t share = config->connections_max / config->workers;
    server->settings = (struct worker_settings){
        .session_type = config->http2 ? &preface_session_type : &h1_session_type,
        .session_type_tls = &h1_session_type,
        .session_type_h2 = &h2_session_type,
        .handshake_timeout_ms = config->handshake_timeout_ms,
        .plain_answer = SLICE_INIT(PLAIN_ANSWER),
        .head_timeout_ms = config->head_timeout_ms,
        .body_timeout_ms = config->body_timeout_ms,
        .idle_timeout_ms = config->idle_timeout_ms,
        .send_timeout_ms = config->send_timeout_ms,
        .quiet_timeout_ms = config->quiet_timeout_ms,
        .drain_timeout_ms = config->drain_timeout_ms,
        .body_rate_min = config->body_rate_min,
        .connections_max = share > 0 ? share : 1,
        .input_size = config->limits.head_max + INPUT_EXTRA,
        .output_size = OUTPUT_SIZE,
        .log = &server->log,
    };
}

static bool make_worker(rh_server *server, unsigned index)
{
    struct server_worker *worker = &server->workers[index];
    worker->server = server;
    worker->host = (struct session_host){ .clock = &worker->net.clock, .limits = &server->config.limits,
                                          .server_field = server->config.server_field,
                                          .hsts = slice_make(server->config.hsts, server->config.hsts_size) };
    dispatch_init(&worker->host, server->https_port != 0);
    if (server->access_log != NULL)
        worker->access_log = access_log_writer(server->access_log, index);
    if (!worker_init(&worker->net, &server->settings, &worker->host))
        return server_fail(server, "cannot make a worker: %s", strerror(errno));
    worker->sockets.pages = &worker->net.pages;
    packer_init(&worker->packer, &worker->net.pages);
    worker->host.memo = h1_memo_new();
    worker->net.qsbr = server->store.qsbr;
    worker->net.index = index;
    loops_init(&worker->net);
    server->workers_made++;
    if (!h2_worker_init(&worker->h2, &worker->net.pages, &server->config.limits))
        return server_fail(server, "out of memory");
    worker->host.h2 = &worker->h2;
    uint64_t share = server->config.buffer_memory / server->config.workers;
    pages_limit(&worker->net.pages, share < SIZE_MAX ? (size_t)share : SIZE_MAX);
    return listeners_give(server, worker, index);
}

static bool make_workers(rh_server *server)
{
    fill_settings(server);
    server->https_port = https_redirect_port(&server->config);
    server->background = background_new(server->config.background);
    server->workers = aligned_alloc(CACHE_LINE, server->config.workers * sizeof *server->workers);
    if (server->background == NULL || server->workers == NULL)
        return server_fail(server, "out of memory or threads");
    memset(server->workers, 0, server->config.workers * sizeof *server->workers);
    for (unsigned i = 0; i < server->config.workers; i++)
        if (!make_worker(server, i))
            return false;
    return true;
}

/* Tells those workers that are there. Sequentially consistent, like the store before it: whoever comes second, this or
 * start_workers, sees what the other one wrote. */
static void tell_workers(rh_server *server)
{
    unsigned live = atomic_load(&server->workers_live);
    enum worker_state wanted = (enum worker_state)atomic_load(&server->wanted);
    for (unsigned i = 0; i < live && wanted != WORKER_RUNNING; i++)
        worker_want(&server->workers[i].net, wanted);
}

static void want(rh_server *server, enum worker_state state)
{
    if (server == NULL)
        return;
    listeners_leave_paths(server);
    int before = atomic_load(&server->wanted); /* a stop is not taken back by a drain */
    while (before < (int)state && !atomic_compare_exchange_weak(&server->wanted, &before, state))
        ;
    tell_workers(server);
}

void rh_drain(rh_server *server)
{
    want(server, WORKER_DRAINING);
}

void rh_stop(rh_server *server)
{
    want(server, WORKER_ENDED);
}

static bool run_workers(rh_server *server)
{
    if (server->config.embedded)
        return driven_begin(&server->driven, &server->workers[0].net) ||
               server_fail(server, "cannot make a timer: %s", strerror(errno));
    for (unsigned i = 0; i < server->workers_made; i++)
        if (!worker_start(&server->workers[i].net))
            return server_fail(server, "cannot start a thread: %s", strerror(errno));
    return true;
}

static bool start_workers(rh_server *server)
{
    atomic_store(&server->workers_live, server->workers_made);
    if (!run_workers(server))
        return false;
    server->state = SERVER_STARTED;
    tell_workers(server);
    return true;
}

/* Said before anybody is answered, so that nothing that comes of a request stands in front of it. */
static bool answer(rh_server *server)
{
    addresses_log(server);
    return start_workers(server);
}

/* Whoever goes on without this server, or tries another, finds its addresses free. */
static int give_up(rh_server *server)
{
    rh_stop(server);
    rh_wait(server);
    atomic_store(&server->workers_live, 0);
    return -1;
}

static bool load_pages(rh_server *server)
{
    if (!hosts_load(server))
        return false;
    hosts_warm(server);
    return true;
}

int rh_start(rh_server *server)
{
    if (server == NULL || server_was_started(server, "rh_start") || server->state == SERVER_FAILED)
        return -1;
    bool started = open_access_log(server) && open_store(server) && tls_begin(server) && load_pages(server) &&
                   listeners_open(server) && make_workers(server) && answer(server) && hosts_follow(server) &&
                   tls_follow(server);
    return started ? 0 : give_up(server);
}

bool server_start_apart(rh_server *server)
{
    if (server_was_started(server, "an explanation") || server->state == SERVER_FAILED)
        return false;
    server->config.workers = 1;
    server->config.listen_count = 0;
    bool started = open_store(server) && hosts_load(server) && make_workers(server) && start_workers(server);
    return started || give_up(server) == 0;
}

void rh_wait(rh_server *server)
{
    if (server == NULL)
        return;
    while (driven_turn(&server->driven, -1))
        continue;
    pthread_mutex_lock(&server->ending);
    for (unsigned i = 0; i < server->workers_made; i++)
        worker_join(&server->workers[i].net);
    listeners_close(server);
    pthread_mutex_unlock(&server->ending);
}

int rh_run(rh_server *server)
{
    if (server == NULL)
        return 1;
    if (server->state == SERVER_NEW && rh_start(server) != 0)
        return 1;
    if (server->state == SERVER_FAILED)
        return 1;
    rh_wait(server);
    return 0;
}

/* What sockets and topics have posted to workers that have ended. To open one may post another. */
static void open_last_letters(rh_server *server)
{
    for (unsigned i = 0; i < server->workers_made;) {
        struct mailbox *mailbox = &server->workers[i].net.mailbox;
        bool opened = !mailbox_empty(mailbox);
        if (opened)
            mailbox_open(mailbox);
        i = opened ? 0 : i + 1;
    }
}

static void free_workers(rh_server *server)
{
    /* Background work first: it sends exchanges home, which the workers then still have to take in. */
    if (server->background != NULL)
        background_free(server->background);
    server->background = NULL;
    if (server->guard_pool != NULL)
        guard_pool_fini(server->guard_pool);
    free(server->guard_pool);
    for (unsigned i = 0; i < server->workers_made; i++) {
        deferred_await(&server->workers[i]);
        exchanges_free(&server->workers[i]);
    }
    open_last_letters(server);
    for (unsigned i = 0; i < server->workers_made; i++) {
        ws_inflater_free(server->workers[i].sockets.inflater);
        packer_fini(&server->workers[i].packer);
        h2_worker_fini(&server->workers[i].h2);
        worker_fini(&server->workers[i].net);
        free(server->workers[i].host.memo);
    }
    free(server->workers);
}

/* No worker and no background thread is there any more, and some workers perhaps never were. */
static void close_store(rh_server *server)
{
    struct store *store = &server->store;
    for (unsigned i = 0; store->qsbr != NULL && i < server->config.workers; i++)
        qsbr_end(store->qsbr, i);
    encoder_free(store->encoder);
    store->encoder = NULL;
    hosts_end(server);
    if (store->qsbr != NULL)
        qsbr_free(store->qsbr);
    if (server->stored)
        descriptors_fini(&store->descriptors);
    if (server->stored)
        page_cache_fini(&store->cache);
}

void rh_server_free(rh_server *server)
{
    if (server == NULL)
        return;
    rh_stop(server);
    rh_wait(server);
    hosts_stop(server);
    certificates_stop(server->certificates);
    free_workers(server);
    certificates_free(server->certificates);
    if (server->access_log != NULL)
        access_log_free(server->access_log);
    if (server->access_fd >= 0)
        close(server->access_fd);
    close_store(server);
    tls_slot_fini(&server->tls);
    loops_free_hooks(server);
    router_free(server->router);
    while (server->routes != NULL) {
        struct route *route = server->routes;
        server->routes = route->next;
        free(route);
    }
    middleware_free(server->middleware);
    config_fini(&server->config);
    pthread_mutex_destroy(&server->ending);
    free(server);
}

const char *rh_error(const rh_server *server)
{
    return server != NULL ? server->error : "out of memory";
}
