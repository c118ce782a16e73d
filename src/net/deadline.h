/* How long a connection waits for what: the session's phase decides, and what the session itself asks for. */
#ifndef NET_DEADLINE_H
#define NET_DEADLINE_H

#include "net/worker.h"

enum { GOODBYE_MS = 1000 }; /* a connection used or opened within this time may have a request under way */

static inline void deadline_in(struct conn *conn, uint32_t ms)
{
    timers_set(&conn->worker->timers, &conn->timer, conn->worker->clock.now_ms + ms);
}

/* The one of the phase that the connection is in, after it has done what it could. */
void deadline_set(struct conn *conn);

/* Until an open session, of whose peer something has just come, is asked to look. */
void deadline_when_quiet(struct conn *conn);

/* Bytes of a body have come, or none. False: it is too slow. */
bool deadline_kept(struct conn *conn, size_t received);

#endif
