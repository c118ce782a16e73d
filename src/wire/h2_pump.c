/* The way out: what streams owe, in the order in which they came to owe it, and then their content, whose turn it is by
 * priority, as far as the windows and the outbox let it. */
#include "wire/h2_write.h"

#include <assert.h>

void h2_owe(struct h2_connection *c, struct h2_stream *stream, enum h2_owed what)
{
    if (stream->owes == 0)
        list_append(&c->owed, &stream->owed);
    stream->owes |= (uint8_t)what;
}

static void pay(struct h2_stream *stream, enum h2_owed what)
{
    stream->owes &= (uint8_t)~what;
    if (stream->owes == 0)
        list_remove(&stream->owed);
}

/* Makes the exchange outlive this turn: the text of its fields, and whatever nobody holds, may be gone in the next. */
RARE static bool keep(struct h2_stream *stream)
{
    struct exchange *exchange = stream->exchange;
    struct response *response = &exchange->response;
    if (!exchange_settle(exchange, exchange->head_size))
        return false;
    if (response->answer && !exchange->held) {
        answer_ref(response->answer);
        exchange->held = response->answer;
    }
    if (!response->answer && !stream->holds_body) {
        body_ref(&response->body);
        stream->holds_body = true;
    }
    return true;
}

static void break_off(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    h2_reset_stream(c, stream->turn.id, H2_INTERNAL_ERROR, out);
}

/* ---- The head ------------------------------------------------------------------------------------------------ */

/* False: the outbox is full, and the head is still owed. The stream may be gone. */
static bool begin(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    bool alone = h2_queue_empty(&c->queue); /* else content has to wait for its turn */
    switch (h2_write_head(c, stream, alone, out)) {
    case H2_WRITTEN_END:
        h2_finish(c, stream, out);
        return true;
    case H2_WRITTEN_MORE:
        if (keep(stream))
            h2_send_on(c, stream);
        else
            break_off(c, stream, out);
        return true;
    case H2_WRITTEN_FULL:
        return false;
    case H2_WRITTEN_BLOCKED:
    case H2_WRITTEN_LATER:
    case H2_WRITTEN_BROKEN:
        break;
    }
    break_off(c, stream, out);
    return true;
}

void h2_respond(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    assert(exchange_answered(stream->exchange));
    if (stream->kept.bytes != NULL) { /* of a body that nobody wants any more */
        c->consumed += (uint32_t)(stream->kept.size - stream->kept_at);
        ws_buffer_free(&stream->kept, c->worker->pages);
    }
    stream->asked = stream->responding = true;
    stream->moved_ms = h2_now(c);
    if (list_empty(&c->owed) && begin(c, stream, out))
        return;
    if (keep(stream))
        h2_owe(c, stream, H2_OWES_HEAD);
    else
        break_off(c, stream, out);
}

/* ---- What is owed -------------------------------------------------------------------------------------------- */

/* The first thing that this one owes. False: there is no room for it. */
static bool pay_one(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    uint32_t id = stream->turn.id;
    if (stream->owes & H2_OWES_RESET) {
        if (!h2_has_room(out, H2_RESET_SIZE))
            return false;
        h2_reset_stream(c, id, (enum h2_error)stream->reset, out);
        return true;
    }
    if (stream->owes & H2_OWES_CONTINUE) {
        if (!stream->responding && !stream->whole && !h2_write_continue(c, id, out))
            return false;
        pay(stream, H2_OWES_CONTINUE);
        return true;
    }
    if (stream->owes & H2_OWES_CREDIT) {
        if (!h2_has_room(out, 2 * H2_CONTROL_SIZE))
            return false;
        pay(stream, H2_OWES_CREDIT);
        h2_give_credit(c, stream, out);
        return true;
    }
    pay(stream, H2_OWES_HEAD);
    if (begin(c, stream, out))
        return true;
    h2_owe(c, stream, H2_OWES_HEAD);
    return false;
}

static bool pay_all(struct h2_connection *c, struct outbox *out)
{
    while (!list_empty(&c->owed))
        if (!pay_one(c, LINK_OWNER(c->owed.next, struct h2_stream, owed), out))
            return false;
    return true;
}

/* ---- Content ------------------------------------------------------------------------------------------------- */

void h2_send_on(struct h2_connection *c, struct h2_stream *stream)
{
    if (stream->head_sent && !stream->later && stream->send_window > 0)
        h2_queue_add(&c->queue, &stream->turn);
}

void h2_wake(struct h2_connection *c, struct h2_stream *stream)
{
    stream->later = false;
    stream->moved_ms = h2_now(c); /* it was not the client that it waited for */
    if (stream->exchange != NULL && stream->head_sent)
        h2_queue_add(&c->queue, &stream->turn);
}

/* False: the outbox is full. */
static bool send_piece(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    switch (h2_write_content(c, stream, out)) {
    case H2_WRITTEN_END:
        h2_finish(c, stream, out);
        return true;
    case H2_WRITTEN_MORE:
        h2_queue_rotate(&c->queue, &stream->turn);
        return true;
    case H2_WRITTEN_FULL:
        return false;
    case H2_WRITTEN_LATER:
        stream->later = true;
        h2_queue_remove(&c->queue, &stream->turn);
        return true;
    case H2_WRITTEN_BLOCKED:
        h2_queue_remove(&c->queue, &stream->turn);
        return true;
    case H2_WRITTEN_BROKEN:
        break;
    }
    break_off(c, stream, out);
    return true;
}

void h2_pump(struct h2_connection *c, struct outbox *out)
{
    h2_give_credit(c, NULL, out);
    bool room = pay_all(c, out);
    while (room && c->send_window > 0 && !h2_queue_empty(&c->queue))
        room = send_piece(c, LINK_OWNER(h2_queue_first(&c->queue), struct h2_stream, turn), out);
    c->session->more = !room;
}
