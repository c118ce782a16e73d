/* A stream: one request and its response on a connection that has many (RFC 9113 part 5). What is kept of it, in which
 * states it can be, and what becomes of a frame that comes in each of them.
 *
 * It knows no bytes: it is found by its number, and its frames are others' to read and to write. */
#ifndef WIRE_H2_STREAM_H
#define WIRE_H2_STREAM_H

#include "http/exchange.h"
#include "wire/h2_frame.h"
#include "wire/h2_priority.h"
#include "wire/ws_buffer.h"

enum h2_stream_state {
    H2_STATE_IDLE,   /* nobody has said anything of it */
    H2_STATE_OPEN,   /* more of the request is to come */
    H2_STATE_ASKED,  /* "half-closed (remote)": the request is whole */
    H2_STATE_CLOSED,
    H2_STATE_ENDED,  /* closed by us: the peer may not know yet */
    H2_STATE_PASSED, /* never used, and a later one was */
    H2_STATE_STATES
};

enum h2_verdict {
    H2_TAKE,
    H2_IGNORE,
    H2_STREAM_FAULT,     /* a stream error: STREAM_CLOSED */
    H2_PROTOCOL_FAULT,   /* a connection error: PROTOCOL_ERROR */
    H2_CLOSED_FAULT      /* a connection error: STREAM_CLOSED */
};

/* What becomes of DATA, HEADERS, RST_STREAM or WINDOW_UPDATE about a stream in this state. */
enum h2_verdict h2_stream_verdict(enum h2_stream_state state, enum h2_frame_type type);

/* What a stream owes to the peer beside content, until there is room for it. */
enum h2_owed { H2_OWES_HEAD = 1, H2_OWES_CONTINUE = 2, H2_OWES_CREDIT = 4, H2_OWES_RESET = 8 };

struct h2_stream {
    struct h2_turn turn;        /* in the queue of those that have content to send; its number */
    struct h2_stream *next;     /* in its bucket */
    struct link owed;           /* among those that owe something */
    struct exchange *exchange;  /* NULL: it only owes a reset */
    struct ws_buffer kept;      /* of the request's body, what its receiver has no time for; of the response's, what was
                                   made and does not fit into the window; from `kept_at` on */
    size_t kept_at;
    uint64_t expected;          /* what Content-Length has announced and is still to come; UINT64_MAX: nothing was */
    uint64_t room;              /* how many more bytes of the request's body are acceptable */
    uint64_t sent;              /* bytes of content, of all of it and of the part */
    uint64_t part_sent;
    int32_t send_window;        /* below 0 where the peer has made it smaller (6.9.2) */
    int32_t receive_window;
    uint32_t consumed;          /* bytes of the request's body that the peer may send once more, and does not know */
    uint32_t moved_ms;          /* when it last got on; low bits of now_ms, as are the next */
    uint32_t rate_since_ms;     /* the window over which the rate of its body is measured */
    uint32_t rate_bytes;
    uint8_t owes;               /* enum h2_owed */
    uint8_t reset;              /* enum h2_error, where it owes one */
    uint8_t part;               /* which of the body's parts is being sent */
    bool whole;                 /* the peer has said END_STREAM */
    bool wanted;                /* its body is */
    bool expects;               /* a 100 before it sends that */
    bool asked;                 /* the host has been, or has answered without */
    bool responding;            /* there is an answer */
    bool last_owed;             /* its body has ended, and the receiver does not know yet */
    bool head_sent;
    bool later;                 /* its content's maker had nothing */
    bool holds_body;            /* references on all that the response's body lies in */
};

/* Those of one connection, by their numbers. */
enum { H2_STREAM_BUCKETS = 16 };

struct h2_streams {
    struct h2_stream *buckets[H2_STREAM_BUCKETS];
    unsigned count;
};

struct h2_stream *h2_streams_find(const struct h2_streams *streams, uint32_t id);
struct h2_stream *h2_streams_of(const struct h2_streams *streams, const struct exchange *exchange);
void h2_streams_add(struct h2_streams *streams, struct h2_stream *stream);
void h2_streams_remove(struct h2_streams *streams, struct h2_stream *stream);

/* Calls `visit` for each, which may remove the one that it is called with. */
void h2_streams_each(struct h2_streams *streams, void (*visit)(void *user, struct h2_stream *stream), void *user);

/* What is remembered of the streams that were closed last: the peer may still send to those that we have ended. */
enum { H2_CLOSED_KEPT = 32 };

struct h2_closed {
    uint32_t ids[H2_CLOSED_KEPT]; /* the highest bit: by us. A ring */
    uint8_t next;
};

void h2_closed_add(struct h2_closed *closed, uint32_t id, bool by_us);
enum h2_stream_state h2_closed_state(const struct h2_closed *closed, uint32_t id);

#endif
