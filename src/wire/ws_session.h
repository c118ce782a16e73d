/* The WebSocket session (RFC 6455): frames in, messages to a socket; what waits in the socket's queue out again. An
 * HTTP/1.1 session becomes one in place, in the same memory, when its 101 has gone out.
 *
 * It knows neither threads nor handlers: whoever owns the socket brings what others send into its queue. At rest it
 * holds no memory but its own and the socket's. */
#ifndef WIRE_WS_SESSION_H
#define WIRE_WS_SESSION_H

#include <stdatomic.h>

#include "http/session.h"
#include "wire/ws_parcel.h"

/* What the sockets of one worker share. */
struct ws_worker {
    struct pages *pages;
    struct ws_inflater *inflater; /* made for the first compressed message; freed by whoever frees this */
};

struct ws_socket;

/* All are called on the worker's thread, and may append to the queue. */
struct ws_socket_type {
    /* What it appends goes out when the session is woken. */
    void (*opened)(struct ws_socket *socket);

    /* A whole message: WS_TEXT, which is UTF-8, or WS_BINARY. The bytes are gone when it returns. */
    void (*message)(struct ws_socket *socket, enum ws_opcode kind, struct slice bytes);

    /* Somebody woke the session: appends what has been sent meanwhile. */
    void (*collect)(struct ws_socket *socket);

    /* The queue was not empty, and is now. */
    void (*drained)(struct ws_socket *socket);

    /* The last call, once: the session has let go of the socket and of its queue. The peer's code; WS_NO_STATUS where
     * it gave none, ours where we failed the connection, WS_ABNORMAL where it broke. */
    void (*closed)(struct ws_socket *socket, unsigned code, struct slice reason);
};

struct ws_socket {
    struct upgrade upgrade;  /* for the response; see ws_socket_init */
    const struct ws_socket_type *type;
    struct ws_worker *worker;
    struct session *session; /* NULL: not yet, or not any more */
    struct ws_queue queue;
    atomic_size_t queued;    /* bytes of frames: added by whoever sends, before they are in the queue; taken off here */
    size_t message_max;      /* bytes, once inflated: beyond it 1009 */
    bool deflate;            /* was negotiated */
};

/* All but its upgrade is the caller's to set. */
void ws_socket_init(struct ws_socket *socket);

/* Closes with this code once the queue is empty, without taking memory. On the worker's thread; the session is then to
 * be woken. */
void ws_session_leave(struct session *session, unsigned code);

extern const struct session_type ws_session_type;

#endif
