/* What comes behind a head: a body that is collected, handed on piece by piece, or thrown away, up to where the message
 * ends. Where that is, framing has decided; what becomes of it is the host's to say. */
#include "wire/h1_machine.h"

/* Nobody wants what is still to come of the body. A client that waits for a 100 may or may not send it after any other
 * answer: a close makes it clear. True: it will not be read. */
static bool disclaim(struct h1_session *s, bool awaits_continue)
{
    const struct session_limits *limits = s->base.host->limits;
    s->wanted = false;
    s->owes_continue = false;
    s->exchange->streaming = false;
    if (s->body == H1_BODY_CHUNKED)
        s->left = limits->discard_max;
    bool unread = awaits_continue || s->left > limits->discard_max;
    s->leaving |= unread;
    return unread;
}

/* A streamed body's exchange was with those above: it is with somebody else now, or has its answer already, or they are
 * ready for more. */
enum session_phase h1_body_receive_on(struct h1_session *s)
{
    if (s->exchange->deferred)
        return h1_await(s);
    if (exchange_answered(s->exchange)) {
        disclaim(s, s->owes_continue);
        return SESSION_SENDING;
    }
    return s->owes_continue ? SESSION_SENDING : SESSION_BODY;
}

static enum session_phase put_early(struct h1_session *s)
{
    s->exchange->streaming = true;
    s->base.host->request(s->base.host, s->exchange);
    return h1_body_receive_on(s);
}

/* A head with a body behind it: the host says whether it wants that body, and may know the answer without. */
enum session_phase h1_body_expect(struct h1_session *s, const struct h1_framing *framing, bool begun,
                                      struct outbox *out)
{
    struct session_host *host = s->base.host;
    struct exchange *exchange = s->exchange;
    if (!exchange_settle(exchange, exchange->head_size)) /* the head's bytes are gone before the body is here */
        return h1_starve(s, out);
    s->body = framing->body;
    s->parser.chunked = (struct h1_chunked){ 0 };
    enum body_plan plan = host->head(host, exchange);
    uint64_t most = exchange->body_max != 0 ? exchange->body_max : host->limits->body_max;
    s->wanted = plan != BODY_PLAN_DISCARD && !exchange_answered(exchange);
    if (s->wanted && framing->length > most) {
        host->refuse(host, exchange, 413);
        s->wanted = false;
    }
    s->left = framing->body == H1_BODY_LENGTH ? framing->length : most;
    s->owes_continue = framing->expects && !begun; /* RFC 9110 10.1.1: no 100 where the client has gone on without it */
    if (s->wanted && plan == BODY_PLAN_STREAM)
        return put_early(s);
    if (s->wanted)
        return s->owes_continue ? SESSION_SENDING : SESSION_BODY;
    bool unread = disclaim(s, framing->expects);
    if (exchange_answered(exchange))
        return SESSION_SENDING;
    return unread ? h1_ask(s, out) : SESSION_BODY;
}

static enum session_phase end_stream(struct h1_session *s, struct outbox *out)
{
    s->exchange->streaming = false;
    s->base.host->received(s->base.host, s->exchange, SLICE(""), true);
    return s->exchange->deferred ? h1_await(s) : h1_respond(s, out);
}

static enum session_phase end_body(struct h1_session *s, struct outbox *out)
{
    s->body = H1_BODY_NONE;
    if (!s->exchange)
        return h1_rest(s);
    return s->exchange->streaming ? end_stream(s, out) : h1_ask(s, out);
}

/* What is not wanted has become too much: the answer, if it is still to be given, is the last one. */
static enum session_phase give_up_body(struct h1_session *s, struct outbox *out)
{
    s->leaving = true;
    return s->exchange ? h1_ask(s, out) : SESSION_LINGER;
}

/* The next piece of the body. BODY: go on reading. */
static enum session_phase collect(struct h1_session *s, struct slice piece, struct outbox *out)
{
    struct exchange *exchange = s->exchange;
    if (!exchange)
        return SESSION_BODY;
    exchange->request.body_bytes += piece.size;
    if (!s->wanted || piece.size == 0)
        return SESSION_BODY;
    if (!exchange->streaming)
        return exchange_body_append(exchange, piece) ? SESSION_BODY : h1_starve(s, out);
    s->base.host->received(s->base.host, exchange, piece, false);
    return h1_body_receive_on(s);
}

static enum session_phase read_length(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    size_t size = bytes->size < s->left ? bytes->size : (size_t)s->left;
    struct slice piece = slice_part(*bytes, 0, size);
    *bytes = slice_skip(*bytes, size);
    s->left -= size;
    enum session_phase next = collect(s, piece, out);
    return next == SESSION_BODY && s->left == 0 ? end_body(s, out) : next;
}

/* The limit of a body that is wanted is for its content. How much would come beyond it nobody knows. */
static enum session_phase take_chunk(struct h1_session *s, struct slice data, struct outbox *out)
{
    if (s->wanted) {
        if (data.size > s->left)
            return h1_refuse(s, 413);
        s->left -= data.size;
    }
    return collect(s, data, out);
}

static enum session_phase read_chunk(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    struct slice data = { 0 };
    size_t before = bytes->size;
    enum h1_chunked_result result = h1_chunked_next(&s->parser.chunked, bytes, &data);
    if (!s->wanted) {
        /* This limit is for all that has to be read, so that tiny chunks gain nothing. It comes before BAD, because in
         * another split of the same bytes it would have been reached before that was seen. */
        size_t consumed = before - bytes->size;
        if (consumed > s->left)
            return give_up_body(s, out);
        s->left -= consumed;
    }
    switch (result) {
    case H1_CHUNKED_DATA:
        return take_chunk(s, data, out);
    case H1_CHUNKED_MORE:
        return SESSION_BODY;
    case H1_CHUNKED_DONE:
        return end_body(s, out);
    case H1_CHUNKED_BAD:
        break;
    }
    return s->exchange ? h1_refuse(s, 400) : SESSION_LINGER;
}

enum session_phase h1_body_read(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    return s->body == H1_BODY_LENGTH ? read_length(s, bytes, out) : read_chunk(s, bytes, out);
}
