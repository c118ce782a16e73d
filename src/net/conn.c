/* A connection's turn: read, let the session work, send, keep the rest, set the deadline. */
#include "net/conn.h"

#include "net/deadline.h"
#include "net/listen.h"
#include "net/opening.h"
#include "net/worker.h"

#include <unistd.h>

enum {
    ROUNDS_MAX = 4, /* reads in a turn, before others have theirs */
    STEPS_MAX = 16  /* and what the session does with each: feeds and drains */
};

/* Out of line: what an ordinary event has no need of costs it no frame. */
#define RARE __attribute__((noinline))

enum turn { TURN_STALLED, TURN_GOES_ON, TURN_OVER };

_Static_assert(offsetof(struct conn, session) <= 128, "with its session, 256 bytes of ours while it is idle");

static const struct worker_settings *settings(const struct conn *conn)
{
    return conn->worker->settings;
}

static void ready(struct watch *watch, uint32_t events);

struct conn *conn_open(struct worker *worker, int fd, const struct sockaddr *peer)
{
    struct conn *conn = pool_take(&worker->conns);
    if (conn == NULL) {
        close(fd);
        return NULL;
    }
    const struct session_type *type = worker->settings->session_type;
    *conn = (struct conn){ .watch.ready = ready, .worker = worker, .recent = true };
    conn->transport = (struct transport){ .ops = &transport_tcp, .fd = fd };
    conn->session = (struct session){ .type = type, .host = worker->host, .phase = SESSION_FRESH };
    conn->session.peer_size = (uint8_t)address_peer_text(peer, conn->session.peer, sizeof conn->session.peer);
    type->init(&conn->session);
    timer_init(&conn->timer);
    list_append(&worker->connections, &conn->link);
    worker->connection_count++;
    if (!loop_add(&worker->loop, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &conn->watch)) {
        conn_close(conn);
        return NULL;
    }
    conn->phase_before = SESSION_FRESH;
    deadline_in(conn, worker->host->draining ? GOODBYE_MS : worker->settings->head_timeout_ms);
    return conn;
}

void conn_close(struct conn *conn)
{
    if (conn->gone)
        return;
    conn->gone = true;
    conn->resting = false;
    conn->session.type->fini(&conn->session);
    backlog_free(&conn->worker->pages, conn->output);
    kept_free(&conn->input, &conn->worker->pages);
    conn->transport.ops->close(&conn->transport);
    timers_unset(&conn->timer);
    list_remove(&conn->link);
    worker_bury(conn->worker, conn);
}

/* What becomes of the connection after its output went as far as it did. `moved`: the wait for the rest begins anew. */
static bool all_out(struct conn *conn, enum sent sent, bool moved)
{
    if (sent == SENT_BROKEN) {
        conn_close(conn);
        return false;
    }
    if (sent == SENT_PAUSED)
        worker_again(conn->worker, conn);
    if (sent != SENT_ALL && moved)
        deadline_in(conn, settings(conn)->send_timeout_ms);
    return sent == SENT_ALL;
}

static RARE bool flush_in_pieces(struct conn *conn)
{
    struct worker *worker = conn->worker;
    uint64_t moved = 0;
    enum sent sent = sender_send(&conn->transport, &worker->out, &worker->pages, &conn->output, &moved);
    return all_out(conn, sent, true);
}

/* True: the outbox is empty and more can be written. */
static bool flush(struct conn *conn)
{
    struct outbox *out = &conn->worker->out;
    return out->count == 0 || sender_send_at_once(&conn->transport, out) || flush_in_pieces(conn);
}

static bool resume(struct conn *conn)
{
    uint64_t moved = 0;
    if (conn->output == NULL)
        return true;
    enum sent sent = sender_resume(&conn->transport, &conn->worker->pages, &conn->output, &moved);
    return all_out(conn, sent, moved > 0);
}

static RARE void deliver_answers(struct conn *conn)
{
    while (conn->answered != NULL) {
        struct exchange *exchange = LINK_OWNER(conn->answered, struct exchange, letter);
        conn->answered = exchange->letter.next;
        conn->session.type->answered(&conn->session, exchange, &conn->worker->out);
    }
}

/* What others made ready, behind all that was owed before it. True: the outbox is empty and more can be written. */
static bool deliver(struct conn *conn)
{
    bool woken = conn->woken, parts = conn->parts;
    if (conn->answered == NULL && !woken && !parts)
        return true;
    conn->woken = conn->parts = false;
    deliver_answers(conn);
    if (parts)
        conn->session.type->goodbye(&conn->session, &conn->worker->out);
    if (woken)
        conn->session.type->woken(&conn->session, &conn->worker->out);
    return flush(conn);
}

/* With input first: it may tell that what is to be sent is not wanted any more. */
static size_t feed_or_drain(struct session *session, struct slice bytes, struct outbox *out)
{
    size_t used = bytes.size > 0 ? session->type->feed(session, bytes, out) : 0;
    if (used == 0 && session->more && session->phase == SESSION_OPEN)
        session->type->drain(session, out);
    return used;
}

/* Lets the session work until it needs more input or the socket takes no more. Returns what it did not consume. */
static struct slice work(struct conn *conn, struct slice bytes)
{
    struct session *session = &conn->session;
    struct outbox *out = &conn->worker->out;
    for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
        size_t used = 0;
        switch (session->phase) {
        case SESSION_FRESH:
        case SESSION_IDLE:
        case SESSION_HEAD:
        case SESSION_BODY:
        case SESSION_OPEN:
            if (bytes.size == 0 && !session->more)
                return bytes;
            used = feed_or_drain(session, bytes, out);
            bytes = slice_skip(bytes, used);
            break;
        case SESSION_SENDING: session->type->drain(session, out); break;
        case SESSION_WAITING:
        case SESSION_LINGER:
        case SESSION_CLOSE: return bytes;
        }
        if (used > 0 && session->phase == SESSION_HEAD)
            conn->phase_before = SESSION_IDLE; /* a new head, with a deadline of its own */
        bool stalled = used == 0 && out->count == 0;
        if (!flush(conn) || stalled || (bytes.size == 0 && session->phase == SESSION_IDLE))
            return bytes;
    }
    worker_again(conn->worker, conn);
    return bytes;
}

static struct io read_input(struct conn *conn, size_t kept)
{
    size_t room = conn->worker->settings->input_size - kept;
    if (!conn->readable || room == 0)
        return (struct io){ IO_AGAIN, 0 };
    struct io io = conn->transport.ops->read(&conn->transport, conn->worker->input + kept, room);
    /* A short read means that the socket is drained, unless an end has been announced that is still to be seen. */
    if (io.state != IO_DONE || (io.size < room && !conn->hung_up))
        conn->readable = false;
    if (io.state == IO_END)
        conn->ended = true;
    return io;
}

static void expire(struct conn *conn)
{
    conn->session.type->expired(&conn->session, &conn->worker->out);
    if (conn->session.phase == SESSION_OPEN)
        deadline_when_quiet(conn);
    if (flush(conn))
        conn_run(conn);
}

static enum turn close_now(struct conn *conn)
{
    conn_close(conn);
    return TURN_OVER;
}

/* After the last response, where nothing more is expected. An end that is told (TLS) may have no room for that yet. */
static enum turn end(struct conn *conn)
{
    bool told = !conn->session.secure || conn->transport.ops->shutdown(&conn->transport);
    return told ? close_now(conn) : TURN_STALLED;
}

/* After the last response: tell the peer that no more comes, and read until it has seen that, since closing with bytes
 * unread would reset the connection and destroy the response on its way. */
static enum turn linger(struct conn *conn)
{
    if (!conn->shut)
        conn->shut = conn->transport.ops->shutdown(&conn->transport);
    struct io io = read_input(conn, 0);
    if (io.state == IO_DONE)
        return conn->readable ? TURN_GOES_ON : TURN_STALLED;
    if (io.state == IO_AGAIN && !conn->ended)
        return TURN_STALLED;
    return close_now(conn);
}

/* While an answer is awaited nothing is read, so a reset would go unseen; and the one that came together with the
 * request is not announced again. Nor would an end be seen, which is announced however much lies before it. */
static enum turn wait_for_answer(struct conn *conn)
{
    if (conn->hung_up)
        conn->session.type->ended(&conn->session);
    if (conn->reset)
        return close_now(conn);
    return conn->session.phase == SESSION_WAITING ? TURN_STALLED : TURN_GOES_ON;
}

/* Feeds what is there. */
static enum turn take_in(struct conn *conn)
{
    size_t kept = kept_take(&conn->input, &conn->worker->pages, conn->worker->input);
    struct io io = { IO_AGAIN, 0 };
    if (conn->session.phase <= SESSION_OPEN)
        io = read_input(conn, kept);
    if (io.state == IO_FAILED)
        return close_now(conn);
    struct slice rest = work(conn, slice_make(conn->worker->input, kept + io.size));
    if (conn->gone)
        return TURN_OVER;
    if (conn->session.phase != SESSION_LINGER && !kept_put(&conn->input, &conn->worker->pages, rest))
        return close_now(conn);
    conn->recent = true;
    if (conn->session.phase == SESSION_OPEN && io.size > 0)
        deadline_when_quiet(conn);
    if (conn->session.phase == SESSION_BODY && conn->output == NULL && !deadline_kept(conn, io.size)) {
        expire(conn);
        return TURN_OVER;
    }
    return conn->readable ? TURN_GOES_ON : TURN_STALLED;
}

static enum turn turn(struct conn *conn)
{
    switch (conn->session.phase) {
    case SESSION_CLOSE: return end(conn);
    case SESSION_LINGER: return linger(conn);
    case SESSION_WAITING: return wait_for_answer(conn);
    case SESSION_FRESH:
    case SESSION_IDLE:
    case SESSION_HEAD:
    case SESSION_BODY:
    case SESSION_OPEN:
    case SESSION_SENDING: break;
    }
    enum turn outcome = take_in(conn);
    bool more = !conn->ended || conn->input != NULL; /* requests that were sent before the end are answered */
    if (outcome == TURN_OVER || (conn->session.phase == SESSION_IDLE && conn->output == NULL && more))
        return outcome;
    if (conn->output != NULL)
        return TURN_STALLED;
    if (conn->session.phase == SESSION_CLOSE || (conn->session.phase == SESSION_LINGER && !conn->shut))
        return TURN_GOES_ON;
    if (conn->ended && !conn->again && !conn->session.type->ended(&conn->session))
        return close_now(conn);
    return outcome;
}

static bool rests(const struct conn *conn)
{
    return conn->session.phase == SESSION_IDLE && conn->output == NULL && conn->input == NULL &&
           conn->answered == NULL && !conn->woken && !conn->readable && !conn->hung_up && !conn->ended && !conn->again;
}

/* Between two turns. */
static void settle(struct conn *conn)
{
    conn->resting = rests(conn);
    deadline_set(conn);
}

void conn_run(struct conn *conn)
{
    if (conn->gone || (conn->opening && !opening_over(conn)))
        return;
    enum turn outcome = resume(conn) && deliver(conn) ? TURN_GOES_ON : TURN_STALLED;
    for (unsigned rounds = 0; outcome == TURN_GOES_ON && rounds < ROUNDS_MAX; rounds++)
        outcome = turn(conn);
    if (conn->gone)
        return;
    if (outcome == TURN_GOES_ON)
        worker_again(conn->worker, conn);
    settle(conn);
}

/* Neither answered at once nor at rest again. Of the input `rest` has not been consumed. */
static RARE void serve_further(struct conn *conn, struct slice rest)
{
    if (conn->gone)
        return;
    if (!kept_put(&conn->input, &conn->worker->pages, rest))
        conn_close(conn);
    else if (conn->output != NULL)
        settle(conn);
    else
        conn_run(conn);
}

/* What nearly every event is: whole requests for a connection at rest, which are answered at once, and it is at rest
 * again. Whatever else it turns out to be is left to conn_run, which could do this as well, but asks for all that might
 * be: 100 instructions more. Flat, like the feed of a session: all that such an event takes is inlined here. */
__attribute__((flatten)) static RARE void serve_at_once(struct conn *conn)
{
    struct worker *worker = conn->worker;
    size_t room = worker->settings->input_size, used = 0;
    struct io io = conn->transport.ops->read(&conn->transport, worker->input, room);
    conn->resting = false;
    conn->recent = true;
    conn->readable = io.state != IO_DONE || io.size == room; /* an end, or a failure, will be seen again */
    if (io.state == IO_DONE) {
        used = conn->session.type->feed(&conn->session, slice_make(worker->input, io.size), &worker->out);
        bool more = !flush(conn) || used < io.size || conn->readable;
        if (!more && conn->session.phase == SESSION_IDLE) {
            deadline_in(conn, worker->settings->idle_timeout_ms);
            conn->resting = true;
            return;
        }
    }
    serve_further(conn, slice_make(worker->input + used, io.size - used));
}

static void ready(struct watch *watch, uint32_t events)
{
    struct conn *conn = (struct conn *)watch;
    if (conn->resting && events == (EPOLLIN | EPOLLOUT)) {
        serve_at_once(conn);
        return;
    }
    if (conn->gone)
        return;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        conn->readable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        conn->hung_up = true;
    if (events & (EPOLLHUP | EPOLLERR))
        conn->reset = true;
    if (conn->opening)
        worker_again(conn->worker, conn);
    else
        conn_run(conn);
}

void conn_answered(struct conn *conn, struct exchange *exchange)
{
    struct letter **end = &conn->answered;
    exchange->deferred = false;
    exchange->letter.next = NULL;
    while (*end != NULL)
        end = &(*end)->next;
    *end = &exchange->letter;
    conn_run(conn);
}

void conn_woken(struct conn *conn)
{
    conn->woken = true;
    conn_run(conn);
}

/* It may be home, and waiting for the output before it. */
static void take_back(struct conn *conn, const struct exchange *exchange)
{
    struct letter **at = &conn->answered;
    while (*at != NULL && *at != &exchange->letter)
        at = &(*at)->next;
    if (*at != NULL)
        *at = (*at)->next;
}

void conn_cut(struct conn *conn, struct exchange *exchange)
{
    if (conn->session.type->cut == NULL) {
        conn_close(conn);
        return;
    }
    take_back(conn, exchange);
    conn->session.type->cut(&conn->session, exchange);
    conn_run(conn);
}

void conn_expire(struct timer *timer)
{
    struct conn *conn = LINK_OWNER(timer, struct conn, timer);
    if (conn->output == NULL && conn->session.phase <= SESSION_OPEN)
        expire(conn);
    else
        conn_close(conn);
}

/* It has waited for a request or its head for a while; how long follows from its deadline. */
static bool waits_long(const struct conn *conn)
{
    uint32_t patience = conn->session.phase == SESSION_IDLE ? settings(conn)->idle_timeout_ms
                        : conn->opening                     ? settings(conn)->handshake_timeout_ms
                                                            : settings(conn)->head_timeout_ms;
    uint64_t due_ms = (uint64_t)conn->timer.due << TIMERS_TICK_BITS;
    return due_ms + GOODBYE_MS <= conn->worker->clock.now_ms + patience;
}

bool conn_expendable(const struct conn *conn)
{
    if (conn->output != NULL)
        return false;
    switch (conn->session.phase) {
    case SESSION_IDLE:
    case SESSION_LINGER: return conn->input == NULL;
    case SESSION_FRESH:
    case SESSION_HEAD: return !conn->worker->host->draining && waits_long(conn); /* a drain has deadlines of its own */
    case SESSION_BODY:
    case SESSION_OPEN:
    case SESSION_WAITING:
    case SESSION_SENDING:
    case SESSION_CLOSE: break;
    }
    return false;
}

/* What goes on for long is told, and may end itself. */
static void part(struct conn *conn)
{
    conn->session.type->goodbye(&conn->session, &conn->worker->out);
    if (flush(conn))
        conn_woken(conn);
}

void conn_goodbye(struct conn *conn)
{
    bool open = conn->session.phase == SESSION_OPEN;
    if (conn->output == NULL && (open || conn->session.phase == SESSION_WAITING)) {
        part(conn);
        return;
    }
    conn->parts = open;
    if (conn->output != NULL || conn->session.phase > SESSION_IDLE)
        return;
    bool fresh = !waits_long(conn);
    conn->readable = true;
    conn_run(conn);
    if (conn->gone || conn->output != NULL || conn->session.phase > SESSION_IDLE)
        return;
    if (fresh) {
        deadline_in(conn, GOODBYE_MS);
        return;
    }
    conn->session.type->goodbye(&conn->session, &conn->worker->out);
    if (flush(conn))
        conn_run(conn);
}
