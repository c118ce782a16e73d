/* What comes behind a head: content that is collected, handed on piece by piece, or thrown away, and the windows that
 * say how much of it may come (RFC 9113 5.2, 6.9).
 *
 * A byte is given back to the windows when it has been consumed; whoever is slow to take a body so slows its sender,
 * and what is kept for him meanwhile is never more than a window. */
#include "wire/h2_machine.h"

enum { PIECE_MAX = 64 * 1024 };

/* ---- Windows ------------------------------------------------------------------------------------------------- */

/* Its client could send nothing for it until now, and is not to blame. */
static void begin_anew(void *user, struct h2_stream *stream)
{
    const struct h2_connection *c = user;
    if (stream->responding || stream->whole)
        return;
    stream->moved_ms = stream->rate_since_ms = h2_now(c);
    stream->rate_bytes = 0;
}

static void give_credit(struct h2_connection *c, struct outbox *out)
{
    if (c->consumed < H2_CONNECTION_WINDOW / 2 || !h2_has_room(out, H2_CONTROL_SIZE))
        return; /* the pump looks again */
    if (c->receive_window == 0)
        h2_streams_each(&c->streams, begin_anew, c);
    h2_write_window_update(out, 0, c->consumed);
    c->receive_window += (int32_t)c->consumed;
    c->consumed = 0;
}

void h2_give_credit(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    give_credit(c, out);
    if (stream == NULL || stream->whole || stream->exchange == NULL || stream->consumed < H2_STREAM_WINDOW / 2)
        return;
    if (!h2_has_room(out, H2_CONTROL_SIZE)) {
        h2_owe(c, stream, H2_OWES_CREDIT);
        return;
    }
    h2_write_window_update(out, stream->turn.id, stream->consumed);
    stream->receive_window += (int32_t)stream->consumed;
    stream->consumed = 0;
}

static void consume(struct h2_connection *c, struct h2_stream *stream, size_t size)
{
    c->consumed += (uint32_t)size;
    stream->consumed += (uint32_t)size;
    if (!stream->exchange->deferred)
        stream->exchange->request.body_bytes += size;
}

/* ---- A body that is handed on -------------------------------------------------------------------------------- */

static void end_stream(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    struct exchange *exchange = stream->exchange;
    stream->last_owed = false;
    exchange->streaming = false;
    h2_host(c)->received(h2_host(c), exchange, SLICE(""), true);
    if (!exchange->deferred)
        h2_respond(c, stream, out);
}

/* Nobody wants what is still to come. */
static void disclaim(struct h2_connection *c, struct h2_stream *stream)
{
    stream->exchange->streaming = stream->wanted = stream->last_owed = stream->expects = false;
    stream->room = h2_host(c)->limits->discard_max;
}

/* The next piece of what has been kept, of at most what one read brings: receivers have no room for a whole window. */
static void hand_on_kept(struct h2_connection *c, struct h2_stream *stream)
{
    struct ws_buffer *kept = &stream->kept;
    size_t size = kept->size < PIECE_MAX ? kept->size : PIECE_MAX;
    consume(c, stream, size);
    h2_host(c)->received(h2_host(c), stream->exchange, slice_make(kept->bytes, size), false);
    kept->size -= size;
    if (kept->size > 0)
        memmove(kept->bytes, kept->bytes + size, kept->size);
    else
        ws_buffer_free(kept, c->worker->pages);
}

static void want(struct h2_connection *c, struct h2_stream *stream)
{
    if (stream->expects)
        h2_owe(c, stream, H2_OWES_CONTINUE);
    stream->expects = false;
}

void h2_body_receive_on(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    struct exchange *exchange = stream->exchange;
    stream->moved_ms = h2_now(c);
    while (stream->kept.size > 0 && !exchange->deferred && !exchange_answered(exchange))
        hand_on_kept(c, stream);
    if (exchange->deferred)
        return;
    if (exchange_answered(exchange)) {
        disclaim(c, stream);
        h2_respond(c, stream, out);
    } else if (stream->last_owed) {
        end_stream(c, stream, out);
    } else {
        want(c, stream);
        if (!c->data.begun) /* else at the end of that frame, so that how it was cut makes no difference */
            h2_give_credit(c, stream, out);
    }
}

static void put_early(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    stream->asked = true;
    stream->exchange->streaming = true;
    h2_host(c)->request(h2_host(c), stream->exchange);
    h2_body_receive_on(c, stream, out);
}

/* ---- What is to become of a body ----------------------------------------------------------------------------- */

static void read_past(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    uint64_t most = h2_host(c)->limits->discard_max;
    bool long_one = stream->expected != UINT64_MAX && stream->expected > most;
    bool unread = stream->expects || long_one;
    disclaim(c, stream);
    if (exchange_answered(stream->exchange))
        h2_respond(c, stream, out);
    else if (unread)
        h2_ask(c, stream, out);
}

void h2_body_expect(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    struct session_host *host = h2_host(c);
    struct exchange *exchange = stream->exchange;
    enum body_plan plan = host->head(host, exchange);
    uint64_t most = exchange->body_max != 0 ? exchange->body_max : host->limits->body_max;
    stream->wanted = plan != BODY_PLAN_DISCARD && !exchange_answered(exchange);
    stream->room = most;
    if (stream->wanted && stream->expected != UINT64_MAX && stream->expected > most) {
        host->refuse(host, exchange, 413);
        stream->wanted = false;
    }
    if (!stream->wanted)
        read_past(c, stream, out);
    else if (plan == BODY_PLAN_STREAM)
        put_early(c, stream, out);
    else
        want(c, stream);
}

/* ---- Pieces -------------------------------------------------------------------------------------------------- */

/* Beyond the limit nothing is given back, so that the peer stops where the window ends. */
static void throw_away(struct h2_connection *c, struct h2_stream *stream, size_t size, struct outbox *out)
{
    if (size <= stream->room) {
        stream->room -= size;
        consume(c, stream, size);
        return;
    }
    c->consumed += (uint32_t)size;
    stream->room = 0;
    if (!stream->asked)
        h2_ask(c, stream, out);
}

static void keep(struct h2_connection *c, struct h2_stream *stream, struct slice piece, struct outbox *out)
{
    char *at = ws_buffer_reserve(&stream->kept, c->worker->pages, piece.size);
    if (at == NULL) {
        c->consumed += (uint32_t)piece.size;
        h2_reset_stream(c, stream->turn.id, H2_INTERNAL_ERROR, out);
        return;
    }
    memcpy(at, piece.data, piece.size);
    stream->kept.size += piece.size;
}

static void collect(struct h2_connection *c, struct h2_stream *stream, struct slice piece, struct outbox *out)
{
    consume(c, stream, piece.size);
    if (!exchange_body_append(stream->exchange, piece))
        h2_refuse(c, stream, 503, out);
}

static void hand_on(struct h2_connection *c, struct h2_stream *stream, struct slice piece, struct outbox *out)
{
    if (stream->exchange->deferred) {
        keep(c, stream, piece, out);
        return;
    }
    consume(c, stream, piece.size);
    h2_host(c)->received(h2_host(c), stream->exchange, piece, false);
    h2_body_receive_on(c, stream, out);
}

static void take_piece(struct h2_connection *c, struct h2_stream *stream, struct slice piece, struct outbox *out)
{
    stream->rate_bytes += (uint32_t)piece.size;
    stream->moved_ms = h2_now(c);
    stream->expects = false; /* RFC 9110 10.1.1: no 100 where the client has gone on without it */
    if (stream->expected != UINT64_MAX) {
        if (piece.size > stream->expected) {
            c->consumed += (uint32_t)piece.size;
            h2_blame_stream(c, stream->turn.id, H2_PROTOCOL_ERROR, out); /* RFC 9113 8.1.1 */
            return;
        }
        stream->expected -= piece.size;
    }
    if (!stream->wanted) {
        throw_away(c, stream, piece.size, out);
        return;
    }
    if (piece.size > stream->room) {
        c->consumed += (uint32_t)piece.size;
        if (!stream->exchange->deferred)
            h2_refuse(c, stream, 413, out);
        else
            h2_reset_stream(c, stream->turn.id, H2_CANCEL, out);
        return;
    }
    stream->room -= piece.size;
    if (stream->exchange->streaming)
        hand_on(c, stream, piece, out);
    else
        collect(c, stream, piece, out);
}

void h2_body_end(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    if (stream->expected != UINT64_MAX && stream->expected > 0) {
        h2_blame_stream(c, stream->turn.id, H2_PROTOCOL_ERROR, out);
        return;
    }
    stream->whole = true;
    stream->moved_ms = h2_now(c);
    if (!stream->asked)
        h2_ask(c, stream, out);
    else if (stream->exchange->streaming && stream->exchange->deferred)
        stream->last_owed = true;
    else if (stream->exchange->streaming)
        end_stream(c, stream, out);
}

/* ---- DATA (6.1) ---------------------------------------------------------------------------------------------- */

/* All of a frame counts, its padding too, whatever becomes of it (6.1). */
static bool within_windows(struct h2_connection *c, struct h2_stream *stream, uint32_t size, struct outbox *out)
{
    if ((int32_t)size > c->receive_window) {
        h2_fail(c, H2_FLOW_CONTROL_ERROR, out);
        return false;
    }
    c->receive_window -= (int32_t)size;
    if (stream == NULL)
        return true;
    if ((int32_t)size > stream->receive_window) {
        h2_blame_stream(c, stream->turn.id, H2_FLOW_CONTROL_ERROR, out);
        return !c->over;
    }
    stream->receive_window -= (int32_t)size;
    return true;
}

static bool judge(struct h2_connection *c, uint32_t id, struct h2_stream **stream, struct outbox *out)
{
    enum h2_verdict verdict = h2_stream_verdict(h2_state_of(c, id, stream), H2_DATA);
    if (verdict == H2_PROTOCOL_FAULT || id == 0) {
        h2_fail(c, H2_PROTOCOL_ERROR, out);
        return false;
    }
    if (verdict == H2_STREAM_FAULT)
        h2_blame_stream(c, id, H2_STREAM_CLOSED, out);
    if (verdict == H2_IGNORE)
        h2_allows(c, H2_FLOOD_NOTHING, out);
    if (verdict != H2_TAKE)
        *stream = NULL;
    return !c->over;
}

void h2_data_begin(struct h2_connection *c, const struct h2_frame *frame, uint8_t padding, struct outbox *out)
{
    bool padded = frame->flags & H2_PADDED, last = frame->flags & H2_END_STREAM;
    uint32_t content = frame->size - (padded ? 1u + padding : 0);
    struct h2_stream *stream;
    if (padded && padding >= frame->size) {
        h2_fail(c, H2_PROTOCOL_ERROR, out);
        return;
    }
    if (!judge(c, frame->id, &stream, out) || !within_windows(c, stream, frame->size, out))
        return;
    if (content == 0 && !last && !h2_allows(c, H2_FLOOD_NOTHING, out))
        return;
    c->data = (struct h2_data){ .id = frame->id, .left = content, .padding = padding, .begun = true, .last = last };
    stream = h2_streams_find(&c->streams, frame->id);
    c->consumed += frame->size - content;
    if (stream != NULL)
        stream->consumed += frame->size - content;
}

static void end_frame(struct h2_connection *c, struct outbox *out)
{
    struct h2_stream *stream;
    bool last = c->data.last;
    enum h2_stream_state state = h2_state_of(c, c->data.id, &stream);
    c->data.begun = false;
    if (last && state == H2_STATE_OPEN)
        h2_body_end(c, stream, out);
    h2_give_credit(c, h2_streams_find(&c->streams, c->data.id), out);
}

void h2_data_take(struct h2_connection *c, struct slice *bytes, struct outbox *out)
{
    struct h2_stream *stream;
    size_t size = bytes->size < c->data.left ? bytes->size : c->data.left;
    struct slice piece = slice_part(*bytes, 0, size);
    *bytes = slice_skip(*bytes, size);
    c->data.left -= (uint32_t)size;
    if (size > 0 && h2_state_of(c, c->data.id, &stream) == H2_STATE_OPEN)
        take_piece(c, stream, piece, out);
    else
        c->consumed += (uint32_t)size;
    size_t padding = bytes->size < c->data.padding ? bytes->size : c->data.padding;
    if (c->data.left > 0 || c->over)
        return;
    *bytes = slice_skip(*bytes, padding);
    c->data.padding -= (uint32_t)padding;
    if (c->data.padding == 0)
        end_frame(c, out);
}
