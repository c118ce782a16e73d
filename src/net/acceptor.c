/* accept4 until the queue is empty, and what to do when it cannot. */
#include "net/acceptor.h"

#include "net/listen.h"
#include "net/opening.h"

#include <errno.h>
#include <sys/socket.h>

enum {
    ACCEPTS_MAX = 64,      /* in a turn, so that a flood of new ones does not starve the established */
    LOOKS_MAX = 256,       /* connections looked at in search of an idle one */
    ACCEPT_PAUSE_MS = 100  /* where nothing is to be had that only time, or a connection that closes, can give */
};

/* The longest idle, roughly: a hand goes round the connections, passes over each that was used since it came by last
 * and takes the first idle one that was not (the policy known as CLOCK). */
static bool close_idle(struct worker *worker)
{
    for (unsigned looks = 0; looks < LOOKS_MAX && !list_empty(&worker->connections); looks++) {
        struct conn *conn = LINK_OWNER(worker->connections.next, struct conn, link);
        if (conn_expendable(conn) && !conn->recent) {
            conn_close(conn);
            return true;
        }
        conn->recent = false;
        list_remove(&conn->link);
        list_append(&worker->connections, &conn->link);
    }
    return false;
}

static bool make_room(struct worker *worker)
{
    return close_idle(worker) || close_idle(worker);
}

static bool full(const struct worker *worker)
{
    return worker->connection_count >= worker->settings->connections_max;
}

static void pause_a_while(struct worker *worker)
{
    acceptors_pause(worker, worker->clock.now_ms + ACCEPT_PAUSE_MS);
}

/* False: nothing more now. */
static bool accept_one(struct acceptor *acceptor)
{
    struct worker *worker = acceptor->worker;
    struct sockaddr_storage peer = { 0 };
    socklen_t size = sizeof peer;
    if (full(worker) && !make_room(worker)) {
        pause_a_while(worker);
        return false;
    }
    int fd = accept4(acceptor->fd, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        if (worker->host->draining)
            listen_welcome(fd);
        if (acceptor->tls != NULL)
            opening_begin(worker, fd, (struct sockaddr *)&peer, acceptor->tls);
        else
            conn_open(worker, fd, (struct sockaddr *)&peer);
        return true;
    }
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        if (make_room(worker))
            return true;
        pause_a_while(worker);
        return false;
    case EAGAIN: return false;
    default: return true; /* an error of the connection that was taken (accept(2)): the next one may be well */
    }
}

static void ready(struct watch *watch, uint32_t events)
{
    struct acceptor *acceptor = (struct acceptor *)watch;
    (void)events;
    for (unsigned i = 0; i < ACCEPTS_MAX && acceptor->worker->accepting; i++) {
        if (i > 0 && full(acceptor->worker))
            return; /* no idle connection is closed before it is known that somebody waits for its place */
        if (!accept_one(acceptor))
            return;
    }
}

static bool watch_listener(struct acceptor *acceptor)
{
    /* Level-triggered: what one turn leaves in the queue, the next turn is told of. */
    uint32_t events = EPOLLIN | (acceptor->shared ? EPOLLEXCLUSIVE : 0);
    return loop_add(&acceptor->worker->loop, acceptor->fd, events, &acceptor->watch);
}

bool acceptor_begin(struct acceptor *acceptor)
{
    acceptor->watch.ready = ready;
    acceptor->worker->accepting = true;
    return watch_listener(acceptor);
}

void acceptors_pause(struct worker *worker, uint64_t again_ms)
{
    worker->accept_again_ms = again_ms;
    worker->chores = true;
    if (!worker->accepting)
        return;
    worker->accepting = false;
    for (unsigned i = 0; i < worker->acceptor_count; i++)
        loop_remove(&worker->loop, worker->acceptors[i].fd);
}

void acceptors_resume(struct worker *worker)
{
    if (worker->accepting)
        return;
    worker->accepting = true;
    for (unsigned i = 0; i < worker->acceptor_count; i++) {
        if (watch_listener(&worker->acceptors[i]))
            continue;
        pause_a_while(worker); /* no memory in the kernel: all of them or none, so that none is forgotten */
        return;
    }
}

void acceptors_empty(struct worker *worker)
{
    for (unsigned i = 0; i < worker->acceptor_count; i++)
        while (worker->accepting && accept_one(&worker->acceptors[i]))
            ;
}
