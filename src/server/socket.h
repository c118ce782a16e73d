/* A WebSocket as handlers see it: a counted thing that any thread may send to. What others send is pushed onto a stack
 * without a lock; the worker takes all of it over into the queue of the session. */
#ifndef SERVER_SOCKET_H
#define SERVER_SOCKET_H

#include "server/listener.h"
#include "wire/ws_session.h"

struct rh_socket {
    struct ws_socket wire;
    struct listener listener;
    struct letter letter;           /* tells the worker that something was sent */
    _Atomic(struct ws_post *) sent; /* what is not in the session's queue yet, newest first */
    rh_websocket_options on;        /* protocols and origins are of no use any more */
    void *user;
    atomic_bool busy;               /* the worker is in a call of ours, and takes over `sent` when that returns */
    atomic_bool posted;             /* the letter is on its way */
    atomic_bool ending;             /* it is closed, or to be closed: nothing more can be sent */
    atomic_bool refused;            /* something was, because of queue_max; `writable` is owed */
    atomic_ushort bare_close;       /* close with this code, there was no memory for a frame; 0: no */
    uint8_t window;                 /* bits: what is larger is not compressed, see socket.c */
    bool begun;                     /* a session has taken it */
    uint16_t protocol_size;         /* 0: none */
    char protocol[];
};

_Static_assert(sizeof(struct rh_socket) <= 256, "with its connection, 512 bytes of ours while it is idle");

/* One reference, the caller's. NULL: no memory. */
rh_socket *socket_new(struct server_worker *worker, const rh_websocket_options *options, void *user,
                      struct slice protocol);

/* The exchange that was to open it is over: drops the caller's reference. One that is not open by now never will be. */
void socket_let_go(void *socket);

#endif
