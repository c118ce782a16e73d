/* The machine: a frame at a time, each with room for what may have to be said about it, then what there is to send. The
 * phases are those that the connection knows: FRESH until the client has introduced itself, IDLE while no stream is
 * there, OPEN while there are some, LINGER behind the last word. */
#include "wire/h2_session.h"

#include <assert.h>

#include "wire/h2_machine.h"

enum { FAREWELL_MS = 1000 }; /* for the client to have heard that we are going */

static struct h2_session *of(struct session *session)
{
    return (struct h2_session *)session;
}

/* ---- Beginning and end --------------------------------------------------------------------------------------- */

static void drop(void *user, struct h2_stream *stream)
{
    h2_drop(user, stream);
}

void h2_fail(struct h2_connection *c, enum h2_error error, struct outbox *out)
{
    if (c->over)
        return;
    c->over = true;
    h2_write_goaway(out, c->leaving == H2_LEAVES ? c->said_id : c->last_id, error); /* 6.8: never more than was said */
    h2_streams_each(&c->streams, drop, c);
}

bool h2_allows(struct h2_connection *c, enum h2_flood_kind kind, struct outbox *out)
{
    bool allowed = h2_flood_allows(&c->flood, kind, h2_host(c)->clock->now_ms);
    if (!allowed)
        h2_fail(c, H2_ENHANCE_YOUR_CALM, out);
    return allowed && !c->over;
}

static void close_connection(struct h2_session *s)
{
    struct h2_connection *c = s->connection;
    if (c == NULL)
        return;
    h2_streams_each(&c->streams, drop, c);
    ws_buffer_free(&c->block.bytes, c->worker->pages);
    hpack_decoder_fini(&c->decoder);
    hpack_encoder_fini(&c->encoder);
    pool_give(&c->worker->connections, c);
    s->connection = NULL;
}

static struct h2_connection *open_connection(struct h2_session *s)
{
    struct h2_worker *worker = s->base.host->h2;
    struct h2_connection *c = pool_take(&worker->connections);
    if (c == NULL)
        return NULL;
    *c = (struct h2_connection){
        .session = &s->base, .worker = worker, .peer = h2_settings_default(),
        .send_window = H2_WINDOW_DEFAULT, .receive_window = H2_CONNECTION_WINDOW,
    };
    h2_queue_init(&c->queue);
    list_init(&c->owed);
    hpack_decoder_init(&c->decoder);
    hpack_encoder_init(&c->encoder);
    s->connection = c;
    return c;
}

/* ---- Frames -------------------------------------------------------------------------------------------------- */

typedef void take_frame(struct h2_connection *c, const struct h2_frame *frame, struct slice payload,
                        struct outbox *out);

/* Only a server pushes (6.6), and there is nothing that a client's GOAWAY would change: it begins no streams of ours to
 * begin with. */
static void take_push(struct h2_connection *c, const struct h2_frame *frame, struct slice payload, struct outbox *out)
{
    (void)frame, (void)payload;
    h2_fail(c, H2_PROTOCOL_ERROR, out);
}

static void take_goaway(struct h2_connection *c, const struct h2_frame *frame, struct slice payload,
                        struct outbox *out)
{
    if (frame->id != 0)
        h2_fail(c, H2_PROTOCOL_ERROR, out);
    else if (payload.size < 8)
        h2_fail(c, H2_FRAME_SIZE_ERROR, out);
    else
        h2_allows(c, H2_FLOOD_NOTHING, out);
}

/* 4.1, 5.5: frames that nobody knows are passed over. */
static void take_unknown(struct h2_connection *c, const struct h2_frame *frame, struct slice payload,
                         struct outbox *out)
{
    (void)frame, (void)payload;
    h2_allows(c, H2_FLOOD_NOTHING, out);
}

static take_frame *const takers[H2_FRAME_TYPES] = {
    [H2_HEADERS] = h2_take_headers,
    [H2_PRIORITY] = h2_take_priority,
    [H2_RST_STREAM] = h2_take_reset,
    [H2_SETTINGS] = h2_take_settings,
    [H2_PUSH_PROMISE] = take_push,
    [H2_PING] = h2_take_ping,
    [H2_GOAWAY] = take_goaway,
    [H2_WINDOW_UPDATE] = h2_take_window_update,
    [H2_CONTINUATION] = h2_take_continuation,
};

static take_frame *taker_of(uint8_t type)
{
    if (type == H2_PRIORITY_UPDATE)
        return h2_take_priority_update;
    return type < H2_FRAME_TYPES ? takers[type] : take_unknown;
}

/* What may not come now, or at all. */
static enum h2_error judge(const struct h2_connection *c, const struct h2_frame *frame)
{
    if (!c->settled && (frame->type != H2_SETTINGS || frame->flags & H2_ACK))
        return H2_PROTOCOL_ERROR; /* 3.4 */
    if (frame->size > H2_FRAME_MAX)
        return H2_FRAME_SIZE_ERROR; /* 4.2 */
    if (c->block.id != 0 && frame->type != H2_CONTINUATION)
        return H2_PROTOCOL_ERROR; /* 6.10 */
    return H2_NO_ERROR;
}

/* DATA is taken as it comes: only its head, and the octet that tells its padding, are waited for. False: not there. */
static bool begin_data(struct h2_connection *c, const struct h2_frame *frame, struct slice *bytes, struct outbox *out)
{
    size_t head = H2_FRAME_HEAD + (frame->flags & H2_PADDED && frame->size > 0 ? 1 : 0);
    if (bytes->size < head)
        return false;
    uint8_t padding = head > H2_FRAME_HEAD ? (uint8_t)bytes->data[H2_FRAME_HEAD] : 0;
    *bytes = slice_skip(*bytes, head);
    h2_data_begin(c, frame, padding, out);
    if (c->data.begun && c->data.left == 0 && c->data.padding == 0)
        h2_data_take(c, bytes, out);
    return true;
}

/* False: more of it has to come. */
static bool step(struct h2_connection *c, struct slice *bytes, struct outbox *out)
{
    if (c->data.begun) {
        h2_data_take(c, bytes, out);
        return true;
    }
    if (bytes->size < H2_FRAME_HEAD)
        return false;
    struct h2_frame frame = h2_frame_read(bytes->data);
    enum h2_error fault = judge(c, &frame);
    if (fault != H2_NO_ERROR) {
        h2_fail(c, fault, out);
        return true;
    }
    if (frame.type == H2_DATA)
        return begin_data(c, &frame, bytes, out);
    if (bytes->size - H2_FRAME_HEAD < frame.size)
        return false;
    struct slice payload = slice_part(*bytes, H2_FRAME_HEAD, H2_FRAME_HEAD + frame.size);
    *bytes = slice_skip(*bytes, H2_FRAME_HEAD + frame.size);
    taker_of(frame.type)(c, &frame, payload, out);
    return true;
}

/* The client's preface, of which whoever made us perhaps has seen the beginning, and our own. False: not there yet. */
static bool greet(struct h2_connection *c, struct slice *bytes, struct outbox *out)
{
    size_t size = bytes->size < h2_preface.size ? bytes->size : h2_preface.size;
    if (memcmp(bytes->data, h2_preface.data, size) != 0) {
        h2_fail(c, H2_PROTOCOL_ERROR, out);
        return true;
    }
    if (size < h2_preface.size || !h2_has_room(out, H2_GREETING_SIZE))
        return false;
    *bytes = slice_skip(*bytes, h2_preface.size);
    c->greeted = true;
    h2_settings_greet(out, h2_host(c)->limits);
    return true;
}

/* ---- Phases -------------------------------------------------------------------------------------------------- */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* How long nothing can have become late. */
static uint32_t patience(const struct h2_connection *c)
{
    const struct session_limits *limits = h2_host(c)->limits;
    uint32_t ms = least(least(limits->head_timeout_ms, limits->body_timeout_ms),
                        least(limits->send_timeout_ms, limits->quiet_timeout_ms));
    return c->leaving == H2_WARNED ? least(ms, FAREWELL_MS) : ms;
}

static enum session_phase phase_of(const struct h2_connection *c)
{
    bool busy = c->streams.count > 0 || c->cut || c->data.begun || c->block.id != 0 || c->leaving == H2_WARNED;
    if (c->over)
        return SESSION_LINGER;
    if (!c->settled)
        return SESSION_FRESH;
    if (busy)
        return SESSION_OPEN;
    return c->leaving == H2_LEAVES ? SESSION_LINGER : SESSION_IDLE;
}

/* Sends what there is to send, and says where that leaves the connection. */
static void settle(struct h2_connection *c, struct outbox *out)
{
    struct session *session = c->session;
    session->more = false;
    if (h2_host(c)->draining && c->settled && !c->over && h2_has_room(out, 2 * H2_CONTROL_SIZE))
        h2_leave(c, out);
    if (!c->over)
        h2_pump(c, out);
    enum session_phase before = session->phase;
    session->phase = phase_of(c);
    if (session->phase != SESSION_OPEN)
        session->due_ms = 0;
    else if (before != SESSION_OPEN || session->due_ms == 0)
        session->due_ms = h2_host(c)->clock->now_ms + patience(c);
}

/* ---- Lateness ------------------------------------------------------------------------------------------------ */

struct watch {
    struct h2_connection *c;
    struct outbox *out;
};

/* Whoever sends a byte now and then is never late, but too slow (see conn.c). */
static bool trickles(struct h2_connection *c, struct h2_stream *stream)
{
    const struct session_limits *limits = h2_host(c)->limits;
    uint32_t elapsed = h2_now(c) - stream->rate_since_ms;
    if (elapsed < limits->body_timeout_ms || elapsed == 0)
        return false;
    bool slow = (uint64_t)stream->rate_bytes * 1000 / elapsed < limits->body_rate_min;
    stream->rate_since_ms = h2_now(c);
    stream->rate_bytes = 0;
    return slow;
}

static void end_late(struct watch *watch, struct h2_stream *stream)
{
    if (stream->responding || stream->exchange->deferred)
        h2_reset_stream(watch->c, stream->turn.id, H2_CANCEL, watch->out);
    else
        h2_refuse(watch->c, stream, 408, watch->out);
}

/* How long it has not got on. Where it has a window of its own it waits for its turn, and while others have theirs that
 * is no fault of the client's: a hundred large files over a slow line take their time. */
static uint32_t stillness(const struct h2_connection *c, const struct h2_stream *stream)
{
    uint32_t still = h2_now(c) - stream->moved_ms;
    return stream->turn.queued ? least(still, h2_now(c) - c->sent_ms) : still;
}

/* It waits for the client's body, or for a window of the client's; or for neither, and then it has time. */
static void look(void *user, struct h2_stream *stream)
{
    struct watch *watch = user;
    struct h2_connection *c = watch->c;
    const struct session_limits *limits = h2_host(c)->limits;
    uint32_t still = stillness(c, stream);
    if (stream->exchange == NULL)
        return;
    bool sends = stream->responding && !stream->later;
    bool receives = !stream->responding && !stream->whole && !stream->exchange->deferred && c->receive_window > 0;
    if (stream->exchange->deferred)
        stream->rate_since_ms = h2_now(c);
    if (sends && still >= limits->send_timeout_ms)
        end_late(watch, stream);
    else if (receives && (still >= limits->body_timeout_ms || trickles(c, stream)))
        end_late(watch, stream);
}

/* Of the connection as a whole. False: it is not there any more, or does not say what it has begun to say. */
static bool look_at_connection(struct h2_connection *c, struct outbox *out)
{
    const struct session_limits *limits = h2_host(c)->limits;
    bool stuck = (c->cut && !c->data.begun) || c->block.id != 0;
    uint32_t quiet = h2_now(c) - c->heard_ms;
    if (stuck && h2_now(c) - c->cut_ms >= limits->head_timeout_ms)
        return false;
    if (quiet < limits->quiet_timeout_ms)
        return true;
    if (c->pinged && quiet >= 2 * limits->quiet_timeout_ms)
        return false;
    if (!c->pinged)
        h2_inquire(c, out);
    return true;
}

static void expired_open(struct h2_connection *c, struct outbox *out)
{
    struct watch watch = { c, out };
    if (!h2_has_room(out, H2_STEP_ROOM))
        return;
    if (c->leaving == H2_WARNED && h2_now(c) - c->left_ms >= FAREWELL_MS)
        h2_leave_now(c, out);
    if (!look_at_connection(c, out)) {
        h2_fail(c, H2_NO_ERROR, out);
        return;
    }
    h2_streams_each(&c->streams, look, &watch);
}

/* ---- The calls ----------------------------------------------------------------------------------------------- */

static void init(struct session *session)
{
    *of(session) = (struct h2_session){ .base = *session };
    session->phase = SESSION_FRESH;
    assert(session->host->h2 != NULL);
}

/* How long a frame, or a block, has not been whole. */
static void note_cut(struct h2_connection *c, bool cut)
{
    bool before = c->cut || c->block.id != 0;
    c->cut = cut;
    if (!before && (cut || c->block.id != 0))
        c->cut_ms = h2_now(c);
}

static size_t feed(struct session *session, struct slice bytes, struct outbox *out)
{
    struct h2_connection *c = of(session)->connection;
    struct slice rest = bytes;
    bool stopped = false; /* by a frame that is not whole */
    if (c == NULL)
        c = open_connection(of(session));
    if (c == NULL) {
        session->phase = SESSION_CLOSE;
        return bytes.size;
    }
    c->heard_ms = h2_now(c);
    c->pinged = false;
    if (!c->greeted)
        stopped = !greet(c, &rest, out);
    while (!stopped && !c->over && rest.size > 0 && outbox_fits(out, H2_STEP_ROOM, 4))
        stopped = !step(c, &rest, out);
    note_cut(c, stopped);
    settle(c, out);
    return c->over ? bytes.size : bytes.size - rest.size;
}

static void drain(struct session *session, struct outbox *out)
{
    struct h2_connection *c = of(session)->connection;
    if (c != NULL && !c->over)
        settle(c, out);
}

static void answered(struct session *session, struct exchange *exchange, struct outbox *out)
{
    struct h2_connection *c = of(session)->connection;
    struct h2_stream *stream = h2_streams_of(&c->streams, exchange);
    assert(stream != NULL);
    exchange->deferred = false;
    if (exchange->streaming)
        h2_body_receive_on(c, stream, out);
    else
        h2_respond(c, stream, out);
    settle(c, out);
}

static void wake(void *user, struct h2_stream *stream)
{
    if (stream->later)
        h2_wake(user, stream);
}

static void woken(struct session *session, struct outbox *out)
{
    struct h2_connection *c = of(session)->connection;
    if (c == NULL || c->over)
        return;
    h2_streams_each(&c->streams, wake, c);
    settle(c, out);
}

static void expired(struct session *session, struct outbox *out)
{
    struct h2_connection *c = of(session)->connection;
    if (c == NULL || c->over) {
        session->phase = SESSION_CLOSE;
        return;
    }
    if (session->phase == SESSION_OPEN)
        expired_open(c, out);
    else
        h2_fail(c, H2_NO_ERROR, out);
    session->due_ms = 0;
    settle(c, out);
}

static void goodbye(struct session *session, struct outbox *out)
{
    struct h2_connection *c = of(session)->connection;
    if (c == NULL || !c->settled)
        session->phase = SESSION_CLOSE;
    if (c == NULL || !c->settled || c->over || !h2_has_room(out, 2 * H2_CONTROL_SIZE))
        return;
    if (session->phase == SESSION_IDLE)
        h2_leave_now(c, out);
    else
        h2_leave(c, out);
    settle(c, out);
}

struct remainder {
    struct h2_connection *c;
    bool owed;
};

/* A request that is not whole will never be, and a window that is used up stays so. */
static void end_input(void *user, struct h2_stream *stream)
{
    struct remainder *rest = user;
    struct exchange *exchange = stream->exchange;
    if (exchange == NULL)
        return;
    bool known = exchange_lost(exchange);
    exchange_lose(exchange);
    if (stream->later && !known) { /* there may be no point in making more: its maker is asked once more */
        h2_wake(rest->c, stream);
        rest->c->session->more = true;
    }
    bool waits = exchange->deferred || stream->later;
    if (!stream->whole && !stream->responding && !exchange->deferred)
        h2_drop(rest->c, stream);
    else
        rest->owed |= waits || stream->turn.queued || stream->owes != 0;
}

static bool ended(struct session *session)
{
    struct h2_connection *c = of(session)->connection;
    struct remainder rest = { .c = c };
    if (c == NULL || c->over)
        return false;
    h2_streams_each(&c->streams, end_input, &rest);
    return rest.owed && (c->send_window > 0 || h2_queue_empty(&c->queue));
}

static void cut(struct session *session, struct exchange *exchange)
{
    struct h2_connection *c = of(session)->connection;
    h2_break_stream(c, h2_streams_of(&c->streams, exchange), H2_INTERNAL_ERROR);
    session->more = true;
}

static void fini(struct session *session)
{
    close_connection(of(session));
}

const struct session_type h2_session_type = {
    .size = sizeof(struct h2_session),
    .init = init,
    .feed = feed,
    .drain = drain,
    .answered = answered,
    .woken = woken,
    .expired = expired,
    .goodbye = goodbye,
    .ended = ended,
    .cut = cut,
    .fini = fini,
};
