/* TLS as a transport (net/transport.h): what is between the bytes of a session and those of a socket. First comes a
 * handshake, in steps that never wait; then it reads and writes like any other. It knows nothing of who drives it.
 *
 * It belongs to one worker, and lies in memory of its own with what the library keeps of a connection. */
#ifndef NET_TLS_STREAM_H
#define NET_TLS_STREAM_H

#include "net/tls.h"
#include "net/transport.h"

enum tls_step {
    TLS_STEP_AGAIN,  /* the socket has to bring or to take more first */
    TLS_STEP_DONE,
    TLS_STEP_PLAIN,  /* what came is no TLS, but may be HTTP */
    TLS_STEP_FAILED
};

enum { TLS_RECORD_SIZE = 16 * 1024, TLS_SUBJECT_SIZE = 512 };

/* Takes the socket, which is closed with the transport. `record` is room for TLS_RECORD_SIZE bytes that all streams of
 * a worker share: nothing lies in it between two calls. False: no memory, and the socket stays the caller's. */
bool tls_open(struct transport *transport, struct tls_context *context, int fd, char *record);

/* Goes on with the handshake. `*reason` is why it failed: a static text. */
enum tls_step tls_handshake(struct transport *transport, const char **reason);

/* Gives the socket back to the plain transport, without a word more. */
void tls_leave(struct transport *transport);

/* ---- After the handshake -------------------------------------------------------------------------------------- */

/* True: the transport is TLS; the calls below are for such only. */
bool tls_carries(const struct transport *transport);

bool tls_speaks_h2(const struct transport *transport);     /* agreed on by ALPN */
bool tls_resumed(const struct transport *transport);
uint16_t tls_cipher(const struct transport *transport);    /* the number of the suite: RFC 8446 B.4 */

/* Who the client has proved to be: the subject of its certificate as RFC 4514 writes it, "CN=alice,O=Example". Returns
 * how many bytes, 0 where it has shown none; one that does not fit is cut. No NUL is put behind it. */
size_t tls_client_subject(const struct transport *transport, char *text, size_t size);

#endif
