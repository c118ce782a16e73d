/* The seam between a connection (net/) and a wire version (wire/): a session is a pure machine. Bytes are fed in and
 * exchanges come out to its host; answers go in and bytes come out into an outbox. It makes no system call, reads no
 * clock and knows no socket, so a readiness loop, a completion loop and a unit test all can drive it. */
#ifndef HTTP_SESSION_H
#define HTTP_SESSION_H

#include "base/clock.h"
#include "http/exchange.h"
#include "http/outbox.h"

/* What the connection waits for, which decides its deadline. */
enum session_phase {
    SESSION_FRESH,   /* nothing of a first request has come */
    SESSION_IDLE,    /* between requests */
    SESSION_HEAD,    /* a head has begun */
    SESSION_BODY,    /* a body is coming in */
    SESSION_OPEN,    /* bytes come and go at any time, until the session ends it: after an upgrade, or with streams */
    SESSION_WAITING, /* an answer is deferred, or more of it, or of a body: feed takes nothing until then */
    SESSION_SENDING, /* there is more of a response than the outbox took: call drain when that has gone out */
    SESSION_LINGER,  /* no more responses; what still comes in is read and thrown away, then close */
    SESSION_CLOSE    /* close when the outbox has gone out; nothing more is expected from the peer */
};

struct session_limits {
    uint32_t request_line_max; /* bytes, without CRLF: beyond it 414 */
    uint32_t head_max;         /* bytes, request line and fields together: beyond it 431; at most FIELDS_HEAD_MAX */
    uint32_t fields_max;       /* beyond it 431; at most FIELDS_MAX */
    uint64_t body_max;         /* bytes given whole to a handler: beyond it 413 */
    uint64_t discard_max;      /* bytes of an unwanted body read for the sake of the connection; beyond it close */
    uint32_t pipelined_max;    /* requests answered in one feed before the output goes out */
    uint32_t streams_max;      /* requests in flight on a connection that has several: beyond it they are refused */
    /* For sessions with several requests at a time: the connection knows only one deadline (session.due_ms). */
    uint32_t head_timeout_ms, body_timeout_ms, send_timeout_ms, quiet_timeout_ms;
    uint32_t body_rate_min;    /* bytes a second; 0: none */
};

struct h1_memo; /* wire's */
struct h2_worker;

enum body_plan {
    BODY_PLAN_WHOLE,  /* collected, then the request is put */
    BODY_PLAN_STREAM, /* the request is put at once, then the body's pieces are handed on as they come */
    BODY_PLAN_DISCARD
};

/* What a session asks of those above it; one for each worker. */
struct session_host {
    const struct clock *clock;
    const struct session_limits *limits;
    bool server_field; /* send "Server: rawhttp" */
    struct slice hsts; /* the value of Strict-Transport-Security in each response of a secure session that does not say
                          it itself; empty: none. It outlives all sessions */
    bool draining;     /* the server is going: every response from now on says close */
    struct h1_memo *memo; /* for HTTP/1 sessions of one thread under these limits; NULL: they do without */
    struct h2_worker *h2; /* what HTTP/2 sessions of one thread share; NULL: there are none */

    /* A fresh exchange, or NULL: no memory (the session then sends a bare 503 and closes). */
    struct exchange *(*take)(struct session_host *host);

    /* A head is whole and a body follows: route it. The response may be set already (404, 405): then the body is
     * discarded. What is wanted of it may be limited by exchange.body_max, else session_limits.body_max holds. */
    enum body_plan (*head)(struct session_host *host, struct exchange *exchange);

    /* The request is whole: answer it (response.status is set on return) or defer it (exchange.deferred is set). One
     * whose body is streamed may also be left as it is, for received to go on with. */
    void (*request)(struct session_host *host, struct exchange *exchange);

    /* The next piece of a streamed body, valid during the call, or the end of it (`last`, with no bytes). It may be
     * deferred, and nothing more comes until it is back; or be given an answer, and nothing more comes at all. After
     * the last one it must be one or the other. */
    void (*received)(struct session_host *host, struct exchange *exchange, struct slice piece, bool last);

    /* The peer's fault: prepare the response for this status. The request part may be incomplete. */
    void (*refuse)(struct session_host *host, struct exchange *exchange, unsigned status);

    /* All of the response is in the outbox (or the connection broke): to log and to count. The session's reference
     * comes back with it. */
    void (*finished)(struct session_host *host, struct exchange *exchange, uint64_t body_bytes);
};

enum { SESSION_PEER_SIZE = 39 }; /* the longest IPv6 address; one with IPv4 in it is shown as IPv4 */

struct session {
    const struct session_type *type;
    struct session_host *host;
    enum session_phase phase;
    bool secure; /* over TLS */
    uint8_t peer_size;
    char peer[SESSION_PEER_SIZE]; /* the peer's address as text, without port; "unix" for one that has none */
    bool more;                    /* in OPEN: there is more to send than the outbox took: call drain */
    uint16_t cipher;              /* the suite by its number (RFC 8446 B.4), where it is secure; TLS 1.3: 0x13.. */
    uint64_t due_ms;              /* in OPEN: when expired is to be called (clock.now_ms); 0: when nothing has come for
                                     the usual while */
};

static inline struct slice session_peer(const struct session *session)
{
    return slice_make(session->peer, session->peer_size);
}

struct session_type {
    size_t size; /* of the struct that begins with a struct session */

    void (*init)(struct session *session);

    /* Takes what it can; returns how many bytes it consumed. The rest is fed again, at its front, with more behind it.
     * It consumes less than all where a head is not whole, where the outbox is full, or in WAITING, SENDING. */
    size_t (*feed)(struct session *session, struct slice bytes, struct outbox *out);

    /* In SENDING, and where there is `more`: goes on with the response. */
    void (*drain)(struct session *session, struct outbox *out);

    /* In WAITING or OPEN: a deferred exchange is back, with its response, or ready for more of its body. */
    void (*answered)(struct session *session, struct exchange *exchange, struct outbox *out);

    /* There may be more to send: of a response whose maker had nothing (BODY_PULL_LATER), or of what an OPEN session
     * carries. Called whenever somebody thinks so: where there is nothing it does nothing. */
    void (*woken)(struct session *session, struct outbox *out);

    /* The deadline of the phase has passed: 408 where a request had begun, then close. In OPEN: nothing has come from
     * the peer for a while, or due_ms has passed; ask whether it is still there, or end what is late. */
    void (*expired)(struct session *session, struct outbox *out);

    /* The server is going: the next response is the last one; an idle session closes at once, an open one says so. */
    void (*goodbye)(struct session *session, struct outbox *out);

    /* The peer sends no more (it may still read), though what it has sent may still have to be fed. Who makes a
     * deferred answer is told; content that is awaited is asked for once more (SENDING), in case it ends with that.
     * True: an answer is still owed, keep the connection for it. More than once does no harm. */
    bool (*ended)(struct session *session);

    /* The response of this exchange, which is being sent, breaks off, and nothing else does; what has to be said about
     * that is said when the session is next drained. NULL: only with the connection. */
    void (*cut)(struct session *session, struct exchange *exchange);

    /* The connection has gone: lets go of the exchanges. */
    void (*fini)(struct session *session);
};

#endif
