/* The sockets on which a server listens: opened before its workers are made, given to them, closed when they have
 * ended. See listeners.h. */
#include "server/listeners.h"

#include "server/addresses.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { PORT_TRIES = 8 };

static int *listener_fds(rh_server *server, unsigned index)
{
    return &server->listen_fds[index * server->config.workers];
}

/* False: `why`, and errno. */
static bool open_listener(rh_server *server, unsigned index, char *why)
{
    struct address *address = &server->config.listen[index];
    int *fds = listener_fds(server, index);
    if (listen_open(address, fds, server->config.workers, why) == server->config.workers) {
        atomic_store(&server->path_held[index], address->name.any.sa_family == AF_UNIX);
        return true;
    }
    for (unsigned i = 0; i < server->config.workers; i++)
        fds[i] = -1;
    return why[0] == '\0';
}

static void close_listener(rh_server *server, unsigned index)
{
    int *fds = listener_fds(server, index);
    bool shared = server->config.listen[index].name.any.sa_family == AF_UNIX;
    for (unsigned i = 0; i < server->config.workers; i++) {
        if (fds[i] >= 0 && (i == 0 || !shared))
            close(fds[i]);
        fds[i] = -1;
    }
}

/* "localhost:0": the kernel chooses a port that is free on the first loopback, and on the second one somebody else may
 * have it. The next choice is another one. */
static bool open_pair(rh_server *server, unsigned first, char *why)
{
    struct address *pair = &server->config.listen[first];
    for (unsigned tries = 0; tries < PORT_TRIES; tries++) {
        pair[0].name.v4.sin_port = 0;
        if (!open_listener(server, first, why))
            return false;
        pair[1].name.v6.sin6_port = pair[0].name.v4.sin_port;
        if (open_listener(server, first + 1, why))
            return true;
        if (errno != EADDRINUSE)
            return false;
        close_listener(server, first);
    }
    return false;
}

static bool begins_pair(const struct config *config, unsigned index)
{
    bool any_port = address_port(&config->listen[index]) == 0;
    return any_port && index + 1 < config->listen_count && config->same_port[index + 1];
}

/* A secure listener has something to prove itself with before anybody can connect. */
static bool check_secure(rh_server *server)
{
    for (unsigned i = 0; i < server->config.listen_count; i++)
        if (server->config.listen[i].secure && atomic_load(&server->tls.now) == NULL)
            return server_fail(server, "an address to listen on begins with https://, and that needs a certificate; "
                                       "give one with tls_cert and tls_key");
    return true;
}

static bool open_all(rh_server *server)
{
    const struct config *config = &server->config;
    size_t count = (size_t)config->listen_count * config->workers;
    char why[LISTEN_WHY_SIZE];
    assert(count > 0); /* config_init has seen to it */
    server->listen_fds = malloc(count * sizeof *server->listen_fds);
    if (server->listen_fds == NULL)
        return server_fail(server, "out of memory");
    for (size_t i = 0; i < count; i++)
        server->listen_fds[i] = -1;
    for (unsigned i = 0, step; i < config->listen_count; i += step) {
        step = begins_pair(config, i) ? 2 : 1;
        if (step == 2 ? !open_pair(server, i, why) : !open_listener(server, i, why))
            return server_fail(server, "%s", why);
    }
    addresses_settle(server);
    return true;
}

bool listeners_open(rh_server *server)
{
    return check_secure(server) && open_all(server);
}

bool listeners_give(rh_server *server, struct server_worker *worker, unsigned index)
{
    const struct config *config = &server->config;
    for (unsigned i = 0; i < config->listen_count; i++) {
        int fd = listener_fds(server, i)[index];
        bool shared = config->listen[i].name.any.sa_family == AF_UNIX;
        struct tls_slot *tls = config->listen[i].secure ? &server->tls : NULL;
        if (fd >= 0 && !worker_listen(&worker->net, fd, shared, tls))
            return server_fail(server, "cannot watch a listening socket: %s", strerror(errno));
    }
    return true;
}

void listeners_leave_paths(rh_server *server)
{
    int error = errno; /* the program's, if this is a signal handler */
    for (unsigned i = 0; i < server->config.listen_count; i++)
        if (atomic_exchange(&server->path_held[i], false))
            listen_unlink(&server->config.listen[i]);
    errno = error;
}

void listeners_close(rh_server *server)
{
    for (unsigned i = 0; server->listen_fds != NULL && i < server->config.listen_count; i++)
        close_listener(server, i);
    listeners_leave_paths(server);
    free(server->listen_fds);
    server->listen_fds = NULL;
}
