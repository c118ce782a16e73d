/* A connection: moves bytes between its transport and its session, keeps what is pending in either direction, and keeps
 * its deadlines. It knows nothing of HTTP but the session's phases.
 *
 * While nothing is pending it is this struct and the session's, and nothing else (at most 256 bytes together). */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "http/session.h"
#include "net/kept.h"
#include "net/loop.h"
#include "net/sender.h"
#include "net/timers.h"
#include "net/transport.h"

#include <sys/socket.h>

struct worker;

struct conn {
    struct watch watch;
    struct worker *worker;
    struct transport transport;
    struct timer timer;
    struct link link;           /* all of the worker's connections */
    struct conn *next;          /* among those that go on next turn, or those to be freed */
    struct backlog *output;     /* unsent; while it is there nothing is read */
    struct kept *input;         /* bytes that the session has not consumed */
    struct letter *answered;    /* chain of exchanges, home again, that wait until the output before them is out */
    uint32_t body_began;        /* the window over which a body's rate is measured: its start, low bits of now_ms */
    uint32_t body_bytes;        /* and what came in it */
    uint8_t phase_before;       /* the session's when the deadline was last set; SENDING while output was pending */
    bool readable;              /* the socket may hold more */
    bool hung_up;               /* a FIN or RST has been announced: read on until it is seen */
    bool reset;                 /* an RST has been: whatever is sent now, nobody gets it */
    bool ended;                 /* the peer sends no more */
    bool shut;                  /* we send no more */
    bool woken;                 /* the session may have more to send, when the output before it is out */
    bool parts;                 /* is to be told that the server goes, when the output before that is out */
    bool again;                 /* in the worker's list for the next turn */
    bool gone;                  /* closed, waiting to be freed */
    bool recent;                /* used since the last look for idle ones */
    bool opening;               /* its handshake is not done: see opening.h */
    bool resting;               /* idle, and nothing is pending in any direction: see serve_at_once */
    struct session session;     /* the wire version's own state follows */
};

/* Takes the descriptor. NULL: no memory, and it is closed. */
struct conn *conn_open(struct worker *worker, int fd, const struct sockaddr *peer);

/* Cuts the connection and lets go of everything; its memory is freed at the end of the turn. */
void conn_close(struct conn *conn);

/* Does what can be done now. */
void conn_run(struct conn *conn);

/* The deferred exchange is back. */
void conn_answered(struct conn *conn, struct exchange *exchange);

/* Its session may have more to send. */
void conn_woken(struct conn *conn);

/* The response of this exchange cannot go on. Its client is to see that: the connection is cut, or that one alone. */
void conn_cut(struct conn *conn, struct exchange *exchange);

/* The server is going. Idle ones are closed, but one that was used a moment ago may have a request under way and is
 * given a little longer. */
void conn_goodbye(struct conn *conn);

/* Its deadline has passed. */
void conn_expire(struct timer *timer);

/* May be closed to make room for a new one: between requests, after its last response, or so slow with its first
 * request that it might never come. Nothing is owed in either direction. */
bool conn_expendable(const struct conn *conn);

static inline struct conn *conn_of(struct session *session)
{
    return (struct conn *)((char *)session - offsetof(struct conn, session));
}

#endif
