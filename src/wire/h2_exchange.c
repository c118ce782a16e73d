/* A stream and its exchange: asked for, answered, over, or broken. */
#include "wire/h2_machine.h"

#include <assert.h>

enum h2_stream_state h2_state_of(const struct h2_connection *c, uint32_t id, struct h2_stream **stream)
{
    *stream = h2_streams_find(&c->streams, id);
    if (*stream != NULL && (*stream)->exchange == NULL)
        return H2_STATE_ENDED; /* it only owes a reset */
    if (*stream != NULL)
        return (*stream)->whole ? H2_STATE_ASKED : H2_STATE_OPEN;
    return id > c->last_id ? H2_STATE_IDLE : h2_closed_state(&c->closed, id);
}

/* What the peer has sent for nobody: it may send as much again. */
static void forget_kept(struct h2_connection *c, struct h2_stream *stream)
{
    if (!stream->responding)
        c->consumed += (uint32_t)(stream->kept.size - stream->kept_at);
    ws_buffer_free(&stream->kept, c->worker->pages);
    stream->kept_at = 0;
}

/* The exchange goes its own way. */
static struct exchange *part(struct h2_connection *c, struct h2_stream *stream)
{
    struct exchange *exchange = stream->exchange;
    if (stream->holds_body)
        body_unref(&exchange->response.body);
    stream->holds_body = false;
    if (stream->kept.bytes != NULL)
        forget_kept(c, stream);
    stream->exchange = NULL;
    exchange->session = NULL;
    return exchange;
}

static void remove_stream(struct h2_connection *c, struct h2_stream *stream, bool by_us)
{
    h2_queue_remove(&c->queue, &stream->turn);
    if (stream->owes != 0)
        list_remove(&stream->owed);
    h2_closed_add(&c->closed, stream->turn.id, by_us);
    h2_streams_remove(&c->streams, stream);
    pool_give(&c->worker->streams, stream);
}

/* A deferred one is in the hands of its owner, perhaps in this very moment: it learns that nobody waits, and reports
 * the end of it. Any other one broke. */
static void let_go(struct h2_connection *c, struct h2_stream *stream)
{
    struct exchange *exchange = stream->exchange;
    if (exchange == NULL)
        return;
    bool deferred = exchange->deferred;
    exchange_abandon(exchange);
    part(c, stream);
    if (deferred)
        hold_unref(&exchange->hold);
    else
        h2_host(c)->finished(h2_host(c), exchange, stream->sent);
}

void h2_drop(struct h2_connection *c, struct h2_stream *stream)
{
    let_go(c, stream);
    remove_stream(c, stream, false);
}

void h2_break_stream(struct h2_connection *c, struct h2_stream *stream, enum h2_error error)
{
    let_go(c, stream);
    h2_queue_remove(&c->queue, &stream->turn);
    stream->reset = (uint8_t)error;
    h2_owe(c, stream, H2_OWES_RESET);
}

void h2_reset_stream(struct h2_connection *c, uint32_t id, enum h2_error error, struct outbox *out)
{
    struct h2_stream *stream = h2_streams_find(&c->streams, id);
    if (stream != NULL && !h2_has_room(out, H2_RESET_SIZE)) {
        h2_break_stream(c, stream, error);
        return;
    }
    h2_write_reset(out, id, error);
    if (stream == NULL) {
        h2_closed_add(&c->closed, id, true);
        return;
    }
    let_go(c, stream);
    remove_stream(c, stream, true);
}

void h2_blame_stream(struct h2_connection *c, uint32_t id, enum h2_error error, struct outbox *out)
{
    h2_reset_stream(c, id, error, out);
    h2_allows(c, H2_FLOOD_RESETS, out);
}

/* RFC 9113 8.1: a client that has the whole response may stop sending its request. */
void h2_finish(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    struct session_host *host = h2_host(c);
    uint64_t sent = stream->sent;
    bool whole = stream->whole;
    struct exchange *exchange = part(c, stream);
    if (!whole)
        h2_write_reset(out, stream->turn.id, H2_NO_ERROR);
    remove_stream(c, stream, !whole);
    host->finished(host, exchange, sent);
}

void h2_ask(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    struct exchange *exchange = stream->exchange;
    stream->asked = true;
    h2_host(c)->request(h2_host(c), exchange);
    assert(!exchange->deferred || exchange->settled); /* by whoever handed it on: its new owner already reads it */
    if (!exchange->deferred)
        h2_respond(c, stream, out);
}

void h2_refuse(struct h2_connection *c, struct h2_stream *stream, unsigned status, struct outbox *out)
{
    stream->asked = true;
    stream->wanted = stream->exchange->streaming = false;
    stream->room = h2_host(c)->limits->discard_max;
    h2_host(c)->refuse(h2_host(c), stream->exchange, status);
    h2_respond(c, stream, out);
}
