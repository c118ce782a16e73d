/* Deadlines by phase. They lie on the worker's wheel; what happens when one has passed is the connection's business. */
#include "net/deadline.h"

enum { LINGER_MS = 2000 }; /* for the peer to see our last words before the connection goes */

static const struct worker_settings *settings(const struct conn *conn)
{
    return conn->worker->settings;
}

/* Within a body every byte puts the deadline off. One that trickles in would then hold a connection for ever without
 * ever being late, so its average is looked at, too. */
bool deadline_kept(struct conn *conn, size_t received)
{
    uint32_t now = (uint32_t)conn->worker->clock.now_ms;
    if (conn->phase_before != SESSION_BODY) {
        conn->body_began = now;
        conn->body_bytes = 0;
        return true; /* it begins: deadline_set */
    }
    if (received > 0)
        deadline_in(conn, settings(conn)->body_timeout_ms);
    conn->body_bytes += received < UINT32_MAX - conn->body_bytes ? (uint32_t)received : 0;
    uint32_t elapsed = now - conn->body_began;
    if (elapsed < settings(conn)->body_timeout_ms || elapsed == 0)
        return true;
    bool enough = (uint64_t)conn->body_bytes * 1000 / elapsed >= settings(conn)->body_rate_min;
    conn->body_began = now;
    conn->body_bytes = 0;
    return enough;
}

void deadline_when_quiet(struct conn *conn)
{
    if (conn->session.due_ms != 0)
        timers_set(&conn->worker->timers, &conn->timer, conn->session.due_ms);
    else
        deadline_in(conn, settings(conn)->quiet_timeout_ms);
}

/* The phase decides which deadline holds; within a head or a drain it is not put off. */
void deadline_set(struct conn *conn)
{
    enum session_phase before = conn->phase_before, now = conn->session.phase;
    conn->phase_before = conn->output != NULL ? SESSION_SENDING : now;
    if (conn->output != NULL)
        return; /* set when the output last moved; that of the phase begins when it is out */
    switch (now) {
    case SESSION_FRESH: return;
    case SESSION_IDLE:
        deadline_in(conn, conn->worker->host->draining ? GOODBYE_MS : settings(conn)->idle_timeout_ms);
        return;
    case SESSION_HEAD:
        if (before != SESSION_HEAD)
            deadline_in(conn, settings(conn)->head_timeout_ms);
        return;
    case SESSION_BODY:
        if (before != SESSION_BODY)
            deadline_in(conn, settings(conn)->body_timeout_ms);
        return;
    case SESSION_OPEN:
        if (before != SESSION_OPEN || conn->session.due_ms != 0)
            deadline_when_quiet(conn);
        return;
    case SESSION_WAITING: timers_unset(&conn->timer); return;
    case SESSION_LINGER:
        if (before != SESSION_LINGER)
            deadline_in(conn, LINGER_MS);
        return;
    case SESSION_CLOSE:
        if (before != SESSION_CLOSE)
            deadline_in(conn, settings(conn)->send_timeout_ms);
        return;
    case SESSION_SENDING: deadline_in(conn, settings(conn)->send_timeout_ms); return;
    }
}
