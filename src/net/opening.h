/* The beginning of a connection on an https listener: until its handshake is done, a connection has nothing to read and
 * nothing to say. It has its descriptor, its timer and a session that waits for a first request, so draining, closing
 * and making room know nothing of handshakes.
 *
 * It knows that there are handshakes, not how one goes (tls_stream.h). */
#ifndef NET_OPENING_H
#define NET_OPENING_H

#include "net/tls.h"
#include "net/worker.h"

/* Takes the descriptor. False: no memory, and it is closed. */
bool opening_begin(struct worker *worker, int fd, const struct sockaddr *peer, struct tls_slot *slot);

/* Goes on with the handshake. True: that is over, one way or the other, and the connection goes on as any. */
bool opening_over(struct conn *conn);

#endif
