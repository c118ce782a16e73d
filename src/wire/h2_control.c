/* Frames that say something about the connection or about a stream that is there, and the end of the connection. */
#include "wire/h2_machine.h"

/* In a PING of ours: when it comes back, whatever the client sent before it knew that we are going is here. */
static const char farewell[8] = "farewell", inquiry[8] = "inquiry.";

/* ---- SETTINGS (6.5) ------------------------------------------------------------------------------------------ */

struct widening {
    struct h2_connection *c;
    int64_t by;
    bool overflowed;
};

static void widen(void *user, struct h2_stream *stream)
{
    struct widening *widening = user;
    int64_t window = stream->send_window + widening->by;
    if (window > (int64_t)H2_ID_MAX) {
        widening->overflowed = true;
        return;
    }
    stream->send_window = (int32_t)window;
    if (stream->exchange != NULL)
        h2_send_on(widening->c, stream);
}

/* 6.9.2: what is said of new streams changes those that are there as well, and may take from them what they had. */
static enum h2_error apply(struct h2_connection *c, struct h2_settings said)
{
    struct widening widening = { .c = c, .by = (int64_t)said.window - c->peer.window };
    hpack_encoder_limit(&c->encoder, said.table_size_least);
    hpack_encoder_limit(&c->encoder, said.table_size);
    c->peer = said;
    if (widening.by != 0)
        h2_streams_each(&c->streams, widen, &widening);
    return widening.overflowed ? H2_FLOW_CONTROL_ERROR : H2_NO_ERROR;
}

void h2_take_settings(struct h2_connection *c, const struct h2_frame *frame, struct slice payload, struct outbox *out)
{
    struct h2_settings said = c->peer;
    enum h2_error fault = H2_NO_ERROR;
    bool answer = frame->flags & H2_ACK; /* ours say nothing that would have to wait for it */
    if (frame->id != 0)
        fault = H2_PROTOCOL_ERROR;
    else if (answer ? payload.size > 0 : payload.size % H2_SETTING_SIZE != 0)
        fault = H2_FRAME_SIZE_ERROR;
    else if (!answer)
        fault = h2_settings_read(&said, payload);
    if (fault == H2_NO_ERROR && !answer)
        fault = apply(c, said);
    if (fault != H2_NO_ERROR) {
        h2_fail(c, fault, out);
        return;
    }
    if (answer || !h2_allows(c, H2_FLOOD_ASKS, out))
        return;
    c->settled = true;
    h2_write_settings_ack(out);
}

/* ---- PING (6.7) ---------------------------------------------------------------------------------------------- */

void h2_take_ping(struct h2_connection *c, const struct h2_frame *frame, struct slice payload, struct outbox *out)
{
    if (frame->id != 0 || payload.size != sizeof farewell) {
        h2_fail(c, frame->id != 0 ? H2_PROTOCOL_ERROR : H2_FRAME_SIZE_ERROR, out);
        return;
    }
    if (!h2_allows(c, H2_FLOOD_ASKS, out))
        return;
    if (!(frame->flags & H2_ACK))
        h2_write_ping(out, H2_ACK, payload.data);
    else if (c->leaving == H2_WARNED && memcmp(payload.data, farewell, sizeof farewell) == 0)
        h2_leave_now(c, out);
}

void h2_inquire(struct h2_connection *c, struct outbox *out)
{
    c->pinged = true;
    h2_write_ping(out, 0, inquiry);
}

/* ---- GOAWAY (6.8) -------------------------------------------------------------------------------------------- */

void h2_leave(struct h2_connection *c, struct outbox *out)
{
    if (c->leaving != H2_STAYS)
        return;
    c->leaving = H2_WARNED;
    c->left_ms = h2_now(c);
    c->session->due_ms = 0; /* sooner than it was */
    h2_write_goaway(out, H2_ID_MAX, H2_NO_ERROR);
    h2_write_ping(out, 0, farewell);
}

void h2_leave_now(struct h2_connection *c, struct outbox *out)
{
    if (c->leaving == H2_LEAVES)
        return;
    c->leaving = H2_LEAVES;
    c->said_id = c->last_id;
    h2_write_goaway(out, c->said_id, H2_NO_ERROR);
}

/* ---- Streams that are there ---------------------------------------------------------------------------------- */

void h2_take_reset(struct h2_connection *c, const struct h2_frame *frame, struct slice payload, struct outbox *out)
{
    struct h2_stream *stream;
    if (payload.size != 4) {
        h2_fail(c, H2_FRAME_SIZE_ERROR, out);
        return;
    }
    enum h2_verdict verdict = h2_stream_verdict(h2_state_of(c, frame->id, &stream), H2_RST_STREAM);
    if (frame->id == 0 || verdict == H2_PROTOCOL_FAULT)
        h2_fail(c, H2_PROTOCOL_ERROR, out);
    else if (h2_allows(c, H2_FLOOD_RESETS, out) && verdict == H2_TAKE)
        h2_drop(c, stream);
}

static bool widen_connection(struct h2_connection *c, uint32_t by, struct outbox *out)
{
    if ((int64_t)c->send_window + by > (int64_t)H2_ID_MAX) {
        h2_fail(c, H2_FLOW_CONTROL_ERROR, out);
        return false;
    }
    c->send_window += (int32_t)by;
    return true;
}

static void widen_stream(struct h2_connection *c, struct h2_stream *stream, uint32_t by, struct outbox *out)
{
    if ((int64_t)stream->send_window + by > (int64_t)H2_ID_MAX) {
        h2_blame_stream(c, stream->turn.id, H2_FLOW_CONTROL_ERROR, out);
        return;
    }
    stream->send_window += (int32_t)by;
    h2_send_on(c, stream);
}

/* 6.9. An increment that is worth nothing is as good as none. */
void h2_take_window_update(struct h2_connection *c, const struct h2_frame *frame, struct slice payload,
                           struct outbox *out)
{
    enum { TINY = 256 };
    struct h2_stream *stream = NULL;
    enum h2_verdict verdict = H2_TAKE;
    if (payload.size != 4) {
        h2_fail(c, H2_FRAME_SIZE_ERROR, out);
        return;
    }
    uint32_t by = h2_get32(payload.data) & H2_ID_MAX;
    if (frame->id != 0)
        verdict = h2_stream_verdict(h2_state_of(c, frame->id, &stream), H2_WINDOW_UPDATE);
    if (verdict == H2_PROTOCOL_FAULT || (frame->id == 0 && by == 0))
        h2_fail(c, H2_PROTOCOL_ERROR, out);
    else if (by < TINY && !h2_allows(c, H2_FLOOD_NOTHING, out))
        return;
    else if (frame->id == 0)
        widen_connection(c, by, out);
    else if (verdict == H2_TAKE && by == 0)
        h2_blame_stream(c, frame->id, H2_PROTOCOL_ERROR, out);
    else if (verdict == H2_TAKE)
        widen_stream(c, stream, by, out);
}

/* ---- Priorities ---------------------------------------------------------------------------------------------- */

/* RFC 9113 5.3.2: read past, but for its form. */
void h2_take_priority(struct h2_connection *c, const struct h2_frame *frame, struct slice payload, struct outbox *out)
{
    if (frame->id == 0)
        h2_fail(c, H2_PROTOCOL_ERROR, out);
    else if (payload.size != 5)
        h2_blame_stream(c, frame->id, H2_FRAME_SIZE_ERROR, out);
    else if (h2_frame_circular(frame, payload))
        h2_blame_stream(c, frame->id, H2_PROTOCOL_ERROR, out);
    else
        h2_allows(c, H2_FLOOD_NOTHING, out);
}

static void remember(struct h2_connection *c, uint32_t id, struct h2_priority priority)
{
    unsigned at = c->soon_next;
    for (unsigned i = 0; i < H2_SOON_KEPT; i++)
        if (c->soon[i].id == id)
            at = i;
    c->soon[at] = (struct h2_soon){ id, priority };
    if (at == c->soon_next)
        c->soon_next = (uint8_t)((at + 1) % H2_SOON_KEPT);
}

static void move(struct h2_connection *c, struct h2_stream *stream, struct h2_priority priority)
{
    bool queued = stream->turn.queued;
    h2_queue_remove(&c->queue, &stream->turn);
    stream->turn.priority = priority;
    if (queued)
        h2_queue_add(&c->queue, &stream->turn);
}

/* RFC 9218 7.1; it may come before the stream does. */
void h2_take_priority_update(struct h2_connection *c, const struct h2_frame *frame, struct slice payload,
                             struct outbox *out)
{
    struct h2_stream *stream;
    if (frame->id != 0 || payload.size < 4) {
        h2_fail(c, frame->id != 0 ? H2_PROTOCOL_ERROR : H2_FRAME_SIZE_ERROR, out);
        return;
    }
    uint32_t id = h2_get32(payload.data) & H2_ID_MAX;
    enum h2_stream_state state = h2_state_of(c, id, &stream);
    if (id % 2 == 0) {
        h2_fail(c, H2_PROTOCOL_ERROR, out); /* we push nothing, and 0 is no stream */
        return;
    }
    if (!h2_allows(c, H2_FLOOD_NOTHING, out))
        return;
    struct h2_priority priority = h2_priority_read(slice_skip(payload, 4));
    if (state == H2_STATE_IDLE)
        remember(c, id, priority);
    else if (stream != NULL)
        move(c, stream, priority);
}
