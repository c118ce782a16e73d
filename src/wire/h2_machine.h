/* The HTTP/2 session's own state, and what its parts call of each other: h2_session.c has the frames in and the phases,
 * h2_control.c what frames say about the connection, h2_headers.c header blocks, h2_body.c what comes behind them,
 * h2_exchange.c who answers, h2_pump.c the way out. Nobody else includes this, but who makes the memory (h2_worker.c)
 * and who gives it (preface.c). */
#ifndef WIRE_H2_MACHINE_H
#define WIRE_H2_MACHINE_H

#include "http/session.h"
#include "wire/h2_flood.h"
#include "wire/h2_frame.h"
#include "wire/h2_priority.h"
#include "wire/h2_settings.h"
#include "wire/h2_stream.h"
#include "wire/h2_worker.h"
#include "wire/hpack_decode.h"
#include "wire/hpack_encode.h"

#define RARE __attribute__((noinline))

enum {
    H2_SESSION_ROOM = 128, /* of any session: with the connection around it, 256 bytes */
    H2_SOON_KEPT = 8       /* priorities of streams that are still to come */
};

static const struct slice h2_preface = SLICE_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/* How far the end of the connection has come (6.8). */
enum h2_leaving {
    H2_STAYS,
    H2_WARNED, /* we have said that we are going, but not which stream is the last: the answer to a PING tells when */
    H2_LEAVES  /* later streams are refused; those that are there come to their end */
};

/* A header block that comes in several frames (6.10). */
struct h2_block {
    struct ws_buffer bytes;
    uint32_t id;      /* of its stream; 0: there is none */
    uint16_t frames;
    bool last;        /* the HEADERS that it began with has END_STREAM */
    bool circular;    /* see h2_frame_circular */
};

/* The DATA frame of which a part has come. */
struct h2_data {
    uint32_t id;
    uint32_t left;    /* bytes of content */
    uint32_t padding; /* and behind it */
    bool begun, last; /* it has END_STREAM */
};

struct h2_soon {
    uint32_t id;
    struct h2_priority priority;
};

struct h2_connection {
    struct session *session;
    struct h2_worker *worker;
    struct h2_streams streams;
    struct h2_queue queue;       /* those that have content to send, and a window for it */
    struct link owed;            /* those that owe something else */
    struct hpack_decoder decoder;
    struct hpack_encoder encoder;
    struct h2_settings peer;
    struct h2_block block;
    struct h2_data data;
    struct h2_flood flood;
    struct h2_closed closed;
    struct h2_soon soon[H2_SOON_KEPT]; /* a ring */
    uint8_t soon_next;
    uint8_t leaving;             /* enum h2_leaving */
    bool greeted;                /* the client's preface has come, and ours has gone out */
    bool settled;                /* so have its settings */
    bool over;                   /* our last word is GOAWAY: nothing that still comes matters */
    bool full;                   /* the outbox was, since it was last empty */
    bool pinged;                 /* to find out whether the peer is still there */
    bool cut;                    /* the input ends within a frame */
    uint32_t last_id;            /* the highest of its streams */
    uint32_t said_id;            /* the last one that it still answers, where it LEAVES */
    uint32_t cut_ms;             /* since when; low bits of now_ms, as are the next */
    uint32_t heard_ms;           /* when something last came */
    uint32_t sent_ms;            /* when content of any stream last went out */
    uint32_t left_ms;            /* when it was warned */
    int32_t send_window;
    int32_t receive_window;
    uint32_t consumed;           /* see struct h2_stream */
};

_Static_assert(sizeof(struct h2_connection) <= 1152, "2 KiB with its tables while it is idle");

struct h2_session {
    struct session base;
    struct h2_connection *connection; /* NULL: nothing has come, or all is over */
};

_Static_assert(sizeof(struct h2_session) <= H2_SESSION_ROOM, "it has to fit where any session does");

static inline struct session_host *h2_host(const struct h2_connection *c)
{
    return c->session->host;
}

static inline uint32_t h2_now(const struct h2_connection *c)
{
    return (uint32_t)h2_host(c)->clock->now_ms;
}

/* Whether a frame, and what may have to be said about it, can be dealt with now. */
enum { H2_STEP_ROOM = 2 * H2_CONTROL_SIZE + 2 * H2_RESET_SIZE };

static inline bool h2_has_room(const struct outbox *out, size_t size)
{
    return outbox_fits(out, size, 1);
}

/* ---- h2_session.c ---- */

/* The connection ends: says why, and lets go of everything. There is room. */
void h2_fail(struct h2_connection *c, enum h2_error error, struct outbox *out);

/* The same if the client has done too much of this. True: go on. */
bool h2_allows(struct h2_connection *c, enum h2_flood_kind kind, struct outbox *out);

/* ---- h2_control.c: frames that are no request; whole, with room for an answer ---- */

void h2_take_settings(struct h2_connection *c, const struct h2_frame *frame, struct slice payload, struct outbox *out);
void h2_take_ping(struct h2_connection *c, const struct h2_frame *frame, struct slice payload, struct outbox *out);
void h2_take_window_update(struct h2_connection *c, const struct h2_frame *frame, struct slice payload,
                           struct outbox *out);
void h2_take_reset(struct h2_connection *c, const struct h2_frame *frame, struct slice payload, struct outbox *out);
void h2_take_priority(struct h2_connection *c, const struct h2_frame *frame, struct slice payload,
                      struct outbox *out);
void h2_take_priority_update(struct h2_connection *c, const struct h2_frame *frame, struct slice payload,
                             struct outbox *out);

/* Whether the peer is still there. */
void h2_inquire(struct h2_connection *c, struct outbox *out);

/* The server is going (6.8): first that, then, when the peer has heard of it, which stream is the last. */
void h2_leave(struct h2_connection *c, struct outbox *out);
void h2_leave_now(struct h2_connection *c, struct outbox *out);

/* ---- h2_headers.c: header blocks ---- */

void h2_take_headers(struct h2_connection *c, const struct h2_frame *frame, struct slice payload, struct outbox *out);
void h2_take_continuation(struct h2_connection *c, const struct h2_frame *frame, struct slice payload,
                          struct outbox *out);

/* ---- h2_body.c ---- */

/* A request whose head is whole, and behind which a body is to come. */
void h2_body_expect(struct h2_connection *c, struct h2_stream *stream, struct outbox *out);

/* DATA begins: its head, and where it is padded the octet that says so; then what there is of its content. */
void h2_data_begin(struct h2_connection *c, const struct h2_frame *frame, uint8_t padding, struct outbox *out);
void h2_data_take(struct h2_connection *c, struct slice *bytes, struct outbox *out);

/* Its last byte has come: with DATA, or with trailers. */
void h2_body_end(struct h2_connection *c, struct h2_stream *stream, struct outbox *out);

/* Its exchange was with somebody else, and is ready for more. */
void h2_body_receive_on(struct h2_connection *c, struct h2_stream *stream, struct outbox *out);

/* Tells the peer what it may send, where that is enough to be worth it. */
void h2_give_credit(struct h2_connection *c, struct h2_stream *stream, struct outbox *out);

/* ---- h2_exchange.c: streams and their exchanges ---- */

enum h2_stream_state h2_state_of(const struct h2_connection *c, uint32_t id, struct h2_stream **stream);

/* A stream error: the peer is told, and the stream is gone. It may be one that is not there. There is room. */
void h2_reset_stream(struct h2_connection *c, uint32_t id, enum h2_error error, struct outbox *out);

/* The same for one that is there, as soon as there is room to say it. */
void h2_break_stream(struct h2_connection *c, struct h2_stream *stream, enum h2_error error);

/* A stream error where the client is to blame, who can do that only so often. */
void h2_blame_stream(struct h2_connection *c, uint32_t id, enum h2_error error, struct outbox *out);

/* Lets go of the exchange, which broke, and of the stream. */
void h2_drop(struct h2_connection *c, struct h2_stream *stream);

/* All of the response is in the outbox. */
void h2_finish(struct h2_connection *c, struct h2_stream *stream, struct outbox *out);

/* The request is whole: to the host. */
void h2_ask(struct h2_connection *c, struct h2_stream *stream, struct outbox *out);
void h2_refuse(struct h2_connection *c, struct h2_stream *stream, unsigned status, struct outbox *out);

/* ---- h2_pump.c: the way out ---- */

/* Its response is there: begins it, or notes that it has to. */
void h2_respond(struct h2_connection *c, struct h2_stream *stream, struct outbox *out);

/* It owes this as soon as there is room. */
void h2_owe(struct h2_connection *c, struct h2_stream *stream, enum h2_owed what);

/* Its window, or the maker of its content, may let it go on. */
void h2_send_on(struct h2_connection *c, struct h2_stream *stream);

/* Its content's maker has more. */
void h2_wake(struct h2_connection *c, struct h2_stream *stream);

/* Sends what there is to send, until the outbox is full. */
void h2_pump(struct h2_connection *c, struct outbox *out);

#endif
