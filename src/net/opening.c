/* A handshake takes a hundred times as long as a page, so they wait for the end of the turn, when those who are
 * connected have been served, and only so many are gone on with; the others have their turn in the next one. */
#include "net/opening.h"

#include "net/tls_stream.h"

enum {
    STEPS_MAX = 8 /* in a turn: 5 ms with RSA of 2048 bits, 1 ms with P-256, which is what others then wait at most */
};

static void become(struct conn *conn, const struct session_type *type)
{
    conn->session.type->fini(&conn->session);
    conn->session.type = type;
    type->init(&conn->session);
}

bool opening_begin(struct worker *worker, int fd, const struct sockaddr *peer, struct tls_slot *slot)
{
    struct conn *conn = conn_open(worker, fd, peer);
    if (conn == NULL)
        return false;
    struct tls_context *context = atomic_load_explicit(&slot->now, memory_order_acquire);
    if (!tls_open(&conn->transport, context, fd, worker->record)) {
        conn_close(conn);
        return false;
    }
    conn->opening = conn->session.secure = true;
    become(conn, worker->settings->session_type_tls);
    if (!worker->host->draining)
        timers_set(&worker->timers, &conn->timer, worker->clock.now_ms + worker->settings->handshake_timeout_ms);
    return true;
}

/* From now on it is a connection of which nothing has come yet. */
static void admit(struct conn *conn)
{
    struct worker *worker = conn->worker;
    conn->session.cipher = tls_cipher(&conn->transport);
    if (tls_speaks_h2(&conn->transport))
        become(conn, worker->settings->session_type_h2);
    if (!worker->host->draining)
        timers_set(&worker->timers, &conn->timer, worker->clock.now_ms + worker->settings->head_timeout_ms);
    atomic_fetch_add_explicit(&worker->handshakes_done, 1, memory_order_relaxed);
}

/* Closed like any connection after its last word, which is the library's alert, or a readable line for who has
 * forgotten the "s": not before the peer can have seen it. */
static void turn_away(struct conn *conn, struct slice words)
{
    struct worker *worker = conn->worker;
    tls_leave(&conn->transport);
    conn->session.phase = SESSION_LINGER;
    conn->woken = outbox_copy(&worker->out, words); /* so that it is sent before anything else is done */
    atomic_fetch_add_explicit(&worker->handshakes_failed, 1, memory_order_relaxed);
}

/* Not more than a line for debugging: anybody can make as many of these as they like. */
static void note_failure(const struct conn *conn, const char *reason)
{
    const struct log *log = conn->worker->settings->log;
    struct slice peer = session_peer(&conn->session);
    if (log != NULL)
        log_write(log, LOG_LEVEL_DEBUG, "a TLS handshake with %.*s failed: %s", (int)peer.size, peer.data, reason);
}

static bool go_on(struct conn *conn)
{
    const char *reason;
    switch (tls_handshake(&conn->transport, &reason)) {
    case TLS_STEP_AGAIN: return false;
    case TLS_STEP_DONE: admit(conn); break;
    case TLS_STEP_PLAIN: turn_away(conn, conn->worker->settings->plain_answer); break;
    case TLS_STEP_FAILED:
        note_failure(conn, reason);
        turn_away(conn, SLICE(""));
        break;
    }
    return true;
}

bool opening_over(struct conn *conn)
{
    struct worker *worker = conn->worker;
    if (conn->session.phase == SESSION_FRESH) { /* else it is late, or the server is going */
        if (worker->handshake_steps == STEPS_MAX) {
            worker_again(worker, conn);
            return false;
        }
        worker->handshake_steps++;
        if (!go_on(conn))
            return false;
    }
    conn->opening = false;
    conn->readable = true;
    return true;
}
