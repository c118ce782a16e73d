/* rawhttp: WebSocket (RFC 6455), compressed where the client takes that (RFC 7692).
 *
 *     static void message(rh_socket *socket, void *user, enum rh_message_kind kind, rh_slice bytes)
 *     {
 *         rh_socket_send(socket, kind, bytes.data, bytes.size);
 *     }
 *
 *     static void echo(rh_request *request, void *user)
 *     {
 *         rh_websocket(request, &(rh_websocket_options){ .message = message }, user);
 *     }
 *
 *     rh_route(server, "GET /echo", echo, NULL);
 */
#ifndef RAWHTTP_WEBSOCKET_H
#define RAWHTTP_WEBSOCKET_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- WebSocket ---------------------------------------------------------------------------------------------- */

/* One connection, from its opening to its closing. A pointer to it is good until `closed` has returned, and longer
 * only with rh_socket_ref. */
typedef struct rh_socket rh_socket;

enum rh_message_kind { RH_TEXT = 1, RH_BINARY = 2 };

/* What happens to a socket. Each is called on the thread of its worker, one at a time for a socket, and must not block.
 * NULL: nobody wants to know. `user` is that of rh_websocket, or of rh_socket_set_user. */
typedef struct rh_websocket_options {
    void (*opened)(rh_socket *socket, void *user);

    /* A whole message, put together and unpacked. A text is UTF-8. The bytes are gone when it returns. */
    void (*message)(rh_socket *socket, void *user, enum rh_message_kind kind, rh_slice bytes);

    /* The last call, once where rh_websocket was true, whatever happens, even if it never opened. 1000 to 4999: what
     * the client said, or what it was told where it broke the rules (1002, 1007) or sent too much (1009); 1005: it
     * gave no code; 1006: the connection broke. */
    void (*closed)(rh_socket *socket, void *user, unsigned code, rh_slice reason);

    /* After rh_socket_send was refused because too much waited: what was queued here has gone. */
    void (*writable)(rh_socket *socket, void *user);

    const char *protocols; /* subprotocols that are spoken, separated by spaces: the first of the client's that is
                              among them is chosen, see rh_socket_protocol; none is no mistake. NULL: none */
    const char *origins;   /* whose pages may connect, as browsers tell it: "https://a.example https://b.example", or
                              "*" for anybody's. Pages of the server itself, by the Host field, always may, and so may
                              programs that name no origin. NULL: nobody else. Who may not gets a 403 */
    size_t message_max;    /* bytes of a message, unpacked; default 1 MiB, else the client is told 1009 */
    size_t queue_max;      /* bytes that wait to be sent; default 1 MiB, else rh_socket_send refuses. One message alone
                              may be larger */
    bool no_compression;   /* default: where the client offers it, messages of 256 bytes and more are compressed */
} rh_websocket_options;

RH_API bool rh_websocket_begin(rh_request *request, const rh_websocket_options *options, size_t options_size,
                               void *user);

/* Answers a GET: the connection becomes a WebSocket (101). True: it will, unless it breaks before, and then `closed` is
 * called. False: the request has been answered otherwise, with 426 where it asks for no WebSocket or another version
 * of it, 400 where it does that badly, 403 because of its origin, 500 for options that cannot be (the log says what is
 * wrong), 503 without memory. Strings are copied. Fields set before go out with the answer.
 *
 * A client that says nothing is asked for a sign of life after quiet_timeout_ms (see rh_options), and cut after as long
 * again. When the server drains, it is told 1001 behind what waits for it; one that does not take that is cut after
 * drain_timeout_ms, and `closed` is told 1006. */
static inline bool rh_websocket(rh_request *request, const rh_websocket_options *options, void *user)
{
    return rh_websocket_begin(request, options, sizeof *options, user);
}

/* ---- Sending: any thread ------------------------------------------------------------------------------------ */

/* Copies. Messages that one thread sends to a socket arrive in their order. False: the socket is closed, queue_max is
 * reached, a text is not UTF-8, or there is no memory, of which what waits for all clients together has a share (the
 * buffer_memory of rh_options); nothing was sent. */
RH_API bool rh_socket_send(rh_socket *socket, enum rh_message_kind kind, const void *data, size_t size);

/* A Ping; at most 125 bytes. False as above. The Pong is not told. Those of the client are answered by themselves. */
RH_API bool rh_socket_ping(rh_socket *socket, const void *data, size_t size);

/* Closes once all has gone out that was sent before; from now on nothing can be sent. 1000 is an ordinary end, 1001 the
 * server is going, 3000 to 4999 are for applications; any code that may not be sent becomes 1000. `reason`: UTF-8, cut
 * to 123 bytes; may be NULL. */
RH_API void rh_socket_close(rh_socket *socket, unsigned code, const char *reason);

/* Bytes that were sent and have not yet left for the network. */
RH_API size_t rh_socket_queued(const rh_socket *socket);

/* The subprotocol that was chosen; data is NULL where there is none. Lives as long as the socket. */
RH_API rh_slice rh_socket_protocol(const rh_socket *socket);

/* Keeps the pointer good, not the connection: sending to one that has closed is false. Each ref wants its unref; both
 * may be called after rh_server_free. */
RH_API rh_socket *rh_socket_ref(rh_socket *socket);
RH_API void rh_socket_unref(rh_socket *socket);

/* Another `user` from the next call on. In a call of this socket's only. */
RH_API void rh_socket_set_user(rh_socket *socket, void *user);

#ifdef __cplusplus
}
#endif

#endif
