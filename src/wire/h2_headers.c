/* Header blocks: put together where they come in several frames, and what they begin: a request, or the trailers at the
 * end of one. A block is decoded whatever becomes of its stream, or the tables would not agree any more. */
#include "wire/h2_machine.h"

#include "wire/h1_framing.h"
#include "wire/h2_request.h"

/* A block as a whole, and its frames: beyond them the connection ends, since what is not decoded cannot be answered
 * either. Within them a head that is too large is a 431. */
enum { BLOCK_MAX = 64 * 1024, BLOCK_FRAMES_MAX = 32 };

/* ---- Requests ------------------------------------------------------------------------------------------------ */

static struct h2_priority priority_of(const struct h2_connection *c, const struct h2_reading *reading, uint32_t id)
{
    for (unsigned i = 0; i < H2_SOON_KEPT && c->soon[i].id != 0; i++)
        if (c->soon[i].id == id)
            return c->soon[i].priority; /* the later word on it (RFC 9218 7) */
    return reading->priority.data != NULL ? h2_priority_read(reading->priority) : h2_priority_default();
}

static struct h2_stream *begin_stream(struct h2_connection *c, uint32_t id, bool whole)
{
    struct h2_stream *stream = pool_take(&c->worker->streams);
    struct exchange *exchange = stream != NULL ? h2_host(c)->take(h2_host(c)) : NULL;
    if (exchange == NULL) {
        if (stream != NULL)
            pool_give(&c->worker->streams, stream);
        return NULL;
    }
    *stream = (struct h2_stream){
        .turn.id = id, .exchange = exchange, .whole = whole, .expected = UINT64_MAX,
        .send_window = c->peer.window, .receive_window = H2_STREAM_WINDOW, .moved_ms = h2_now(c),
        .rate_since_ms = h2_now(c),
    };
    exchange->session = c->session;
    exchange->request.peer = session_peer(c->session);
    exchange->request.secure = c->session->secure;
    exchange->request.cipher = c->session->cipher;
    exchange->begun_ms = h2_host(c)->clock->now_ms;
    h2_streams_add(&c->streams, stream);
    return stream;
}

/* Content-Length and Expect have a say. */
static RARE void admit(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    struct exchange *exchange = stream->exchange;
    struct h1_framing framing = h1_framing_decide(&exchange->request);
    bool refused = framing.body == H1_BODY_REFUSED;
    if ((refused && framing.status == 400) || (stream->whole && framing.length > 0)) {
        h2_blame_stream(c, stream->turn.id, H2_PROTOCOL_ERROR, out); /* RFC 9113 8.1.1 */
    } else if (refused) {
        h2_refuse(c, stream, framing.status, out);
    } else if (stream->whole) {
        h2_ask(c, stream, out);
    } else if (!exchange_settle(exchange, exchange->head_size)) { /* its bytes are gone before the body is here */
        h2_reset_stream(c, stream->turn.id, H2_REFUSED_STREAM, out);
    } else {
        stream->expects = framing.expects || fields_has(&exchange->request.fields, FIELD_EXPECT);
        if (fields_has(&exchange->request.fields, FIELD_CONTENT_LENGTH))
            stream->expected = framing.length;
        h2_body_expect(c, stream, out);
    }
}

static void begin_request(struct h2_connection *c, struct h2_stream *stream, struct h2_reading *reading,
                          struct outbox *out)
{
    struct exchange *exchange = stream->exchange;
    uint32_t id = stream->turn.id;
    enum h2_read read = h2_request_read(reading, exchange);
    stream->turn.priority = priority_of(c, reading, id);
    switch (read) {
    case H2_READ_WHOLE:
        if (stream->whole && h1_framing_plain(&exchange->request.fields))
            h2_ask(c, stream, out);
        else
            admit(c, stream, out);
        return;
    case H2_READ_REFUSED:
        h2_refuse(c, stream, reading->status, out);
        return;
    case H2_READ_MALFORMED:
        h2_blame_stream(c, id, H2_PROTOCOL_ERROR, out);
        return;
    case H2_READ_BROKEN:
        h2_fail(c, H2_COMPRESSION_ERROR, out);
        return;
    case H2_READ_NO_MEMORY:
        h2_fail(c, H2_INTERNAL_ERROR, out);
        return;
    }
}

/* ---- Blocks -------------------------------------------------------------------------------------------------- */

static struct h2_reading reading_of(struct h2_connection *c, struct slice block)
{
    return (struct h2_reading){ .decoder = &c->decoder, .block = block, .limits = h2_host(c)->limits,
                                .text = writer_on(c->worker->text, c->worker->text_size) };
}

/* Nobody wants it. False: the connection ends with it. */
static bool pass_over(struct h2_connection *c, struct slice block, struct outbox *out)
{
    struct writer nowhere = writer_on(NULL, 0);
    struct hpack_decode decode;
    hpack_decode_begin(&decode, &c->decoder, block, &nowhere);
    switch (hpack_decode_skip(&decode)) {
    case HPACK_MALFORMED: h2_fail(c, H2_COMPRESSION_ERROR, out); return false;
    case HPACK_NO_MEMORY: h2_fail(c, H2_INTERNAL_ERROR, out); return false;
    case HPACK_FIELD:
    case HPACK_END:
    case HPACK_TOO_LARGE: break;
    }
    return true;
}

static void refuse_stream(struct h2_connection *c, uint32_t id, enum h2_error error, struct slice block,
                          struct outbox *out)
{
    if (pass_over(c, block, out))
        h2_blame_stream(c, id, error, out);
}

static void take_request(struct h2_connection *c, const struct h2_block *head, struct slice block, struct outbox *out)
{
    struct h2_stream *stream = NULL;
    if (head->id % 2 == 0) {
        h2_fail(c, H2_PROTOCOL_ERROR, out);
        return;
    }
    c->last_id = head->id;
    if (head->circular) {
        refuse_stream(c, head->id, H2_PROTOCOL_ERROR, block, out);
        return;
    }
    if (c->leaving != H2_LEAVES && c->streams.count < h2_host(c)->limits->streams_max)
        stream = begin_stream(c, head->id, head->last);
    if (stream == NULL) { /* which has done nothing: its request may be sent again (8.7) */
        refuse_stream(c, head->id, H2_REFUSED_STREAM, block, out);
        return;
    }
    struct h2_reading reading = reading_of(c, block);
    begin_request(c, stream, &reading, out);
}

/* 8.1: they end the request. */
static void take_trailers(struct h2_connection *c, struct h2_stream *stream, bool last, struct slice block,
                          struct outbox *out)
{
    struct h2_reading reading = reading_of(c, block);
    enum h2_read read = h2_trailers_read(&reading);
    if (read == H2_READ_BROKEN || read == H2_READ_NO_MEMORY) {
        h2_fail(c, read == H2_READ_BROKEN ? H2_COMPRESSION_ERROR : H2_INTERNAL_ERROR, out);
    } else if (read == H2_READ_MALFORMED || !last) {
        h2_blame_stream(c, stream->turn.id, H2_PROTOCOL_ERROR, out);
    } else {
        h2_body_end(c, stream, out);
    }
}

static void take_block(struct h2_connection *c, const struct h2_block *head, struct slice block, struct outbox *out)
{
    struct h2_stream *stream;
    enum h2_stream_state state = h2_state_of(c, head->id, &stream);
    switch (h2_stream_verdict(state, H2_HEADERS)) {
    case H2_TAKE:
        if (state == H2_STATE_IDLE)
            take_request(c, head, block, out);
        else
            take_trailers(c, stream, head->last, block, out);
        return;
    case H2_IGNORE:
        if (pass_over(c, block, out))
            h2_allows(c, H2_FLOOD_NOTHING, out);
        return;
    case H2_STREAM_FAULT:
        refuse_stream(c, head->id, H2_STREAM_CLOSED, block, out);
        return;
    case H2_PROTOCOL_FAULT:
        h2_fail(c, H2_PROTOCOL_ERROR, out);
        return;
    case H2_CLOSED_FAULT:
        h2_fail(c, H2_STREAM_CLOSED, out);
        return;
    }
}

/* ---- Frames -------------------------------------------------------------------------------------------------- */

static void end_block(struct h2_connection *c)
{
    ws_buffer_free(&c->block.bytes, c->worker->pages);
    c->block = (struct h2_block){ .id = 0 };
}

/* What has come of a block so far. Frames are counted, too: they may be empty (CVE-2024-27316 and its kin). */
static void collect(struct h2_connection *c, struct slice fragment, struct outbox *out)
{
    struct ws_buffer *bytes = &c->block.bytes;
    if (++c->block.frames > BLOCK_FRAMES_MAX || fragment.size > BLOCK_MAX - bytes->size) {
        h2_fail(c, H2_ENHANCE_YOUR_CALM, out);
        return;
    }
    if (fragment.size == 0)
        return;
    char *at = ws_buffer_reserve(bytes, c->worker->pages, fragment.size);
    if (at == NULL) {
        h2_fail(c, H2_INTERNAL_ERROR, out);
        return;
    }
    memcpy(at, fragment.data, fragment.size);
    bytes->size += fragment.size;
}

void h2_take_headers(struct h2_connection *c, const struct h2_frame *frame, struct slice payload, struct outbox *out)
{
    bool circular = h2_frame_circular(frame, payload);
    enum h2_error fault = frame->id == 0 ? H2_PROTOCOL_ERROR : h2_frame_strip(frame, &payload);
    const struct h2_block head = { .id = frame->id, .last = frame->flags & H2_END_STREAM, .circular = circular };
    if (fault != H2_NO_ERROR) {
        h2_fail(c, fault, out);
    } else if (frame->flags & H2_END_HEADERS) {
        take_block(c, &head, payload, out);
    } else {
        c->block = head;
        collect(c, payload, out);
    }
}

void h2_take_continuation(struct h2_connection *c, const struct h2_frame *frame, struct slice payload,
                          struct outbox *out)
{
    if (c->block.id == 0 || frame->id != c->block.id) {
        h2_fail(c, H2_PROTOCOL_ERROR, out);
        return;
    }
    collect(c, payload, out);
    if (c->over || !(frame->flags & H2_END_HEADERS))
        return;
    take_block(c, &c->block, ws_buffer_slice(&c->block.bytes), out);
    if (!c->over)
        end_block(c);
}
