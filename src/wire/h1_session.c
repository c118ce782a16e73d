/* The HTTP/1.x session: a machine whose states are the phases that the connection sees. Each step does one thing and
 * says which phase is next; where a step neither moves on nor consumes, it waits for the peer, the outbox or an answer.
 *
 * It decides what follows what, and leaves to others where a message ends (h1_framing), what the bytes of a response
 * are (h1_write) and what is answered (the host). At rest it holds no exchange. */
#include "wire/h1_session.h"

#include <assert.h>

#include "wire/h1_chunked.h"
#include "wire/h1_framing.h"
#include "wire/h1_head.h"
#include "wire/h1_write.h"

/* Out of line: what an ordinary request has no need of must not be in the way of its registers (40 instructions). */
#define RARE __attribute__((noinline))

struct h1_session {
    struct session base;
    struct exchange *exchange; /* NULL at rest, and where its response has gone before its body was read */
    uint64_t left;             /* LENGTH: bytes of the body still to come; CHUNKED: how many more are acceptable */
    uint64_t sent;             /* bytes of content of this response put into the outbox */
    const struct h1_scanner *scanner;
    union {
        struct h1_head head;
        struct h1_chunked chunked;
    } parser;
    uint8_t body;        /* enum h1_body: what is still to be read of this request; REFUSED: nobody can tell */
    bool wanted;         /* the body is collected for the host */
    bool owes_continue;  /* the client waits for a 100 before it sends the body */
    bool pulling;        /* the head of the response is out, its content is being pulled */
    bool holds_body;     /* references on all that the response's body lies in are ours */
    bool leaving;        /* the next response is the last one */
};

_Static_assert(sizeof(struct h1_session) <= 128, "with the connection around it, 256 bytes of ours while it is idle");

static struct h1_session *of(struct session *session)
{
    return (struct h1_session *)session;
}

/* ---- Letting go of an exchange ------------------------------------------------------------------------------- */

static RARE void let_body_go(struct h1_session *s)
{
    body_unref(&s->exchange->response.body);
    s->holds_body = false;
}

static struct exchange *part(struct h1_session *s)
{
    struct exchange *exchange = s->exchange;
    if (s->holds_body)
        let_body_go(s);
    s->exchange = NULL;
    s->pulling = false;
    exchange->session = NULL;
    return exchange;
}

static void finish(struct h1_session *s)
{
    struct session_host *host = s->base.host;
    host->finished(host, part(s), s->sent);
}

/* Between two feeds the bytes of an unfinished head are the connection's, and may have moved or gone. */
static void forget_head(struct h1_session *s)
{
    h1_head_forget(&s->parser.head, &s->exchange->request);
    s->exchange->head_size = 0;
    s->exchange->begun_ms = 0;
}

/* No memory for this request: it gets what needs none. */
static RARE enum session_phase starve(struct h1_session *s, struct outbox *out)
{
    h1_write_unavailable(out, s->base.host);
    if (s->exchange) {
        if (s->holds_body)
            let_body_go(s);
        exchange_clear_response(s->exchange);
        s->exchange->response.status = 503;
        finish(s);
    }
    return SESSION_LINGER;
}

/* ---- The response ------------------------------------------------------------------------------------------- */

/* Makes the exchange outlive this turn: the input and whatever nobody holds may be gone in the next one. */
static RARE bool keep(struct h1_session *s)
{
    struct exchange *exchange = s->exchange;
    struct response *response = &exchange->response;
    if (!exchange->settled && !exchange_settle(exchange, exchange->head_size))
        return false;
    if (response->answer && !exchange->held) {
        answer_ref(response->answer);
        exchange->held = response->answer;
    }
    if (!response->answer && !s->holds_body) {
        body_ref(&response->body);
        s->holds_body = true;
    }
    return true;
}

/* RFC 9112 9.6: a close while the client may still be sending can destroy the response on its way; so only a client
 * that has asked for the close, and has been read to the end, is not listened to any longer. */
static enum session_phase follow_up(const struct h1_session *s, bool closes, bool asked)
{
    if (closes)
        return asked && s->body == H1_BODY_NONE ? SESSION_CLOSE : SESSION_LINGER;
    if (s->body != H1_BODY_NONE)
        return SESSION_BODY;
    return s->leaving ? SESSION_LINGER : SESSION_IDLE;
}

static enum session_phase end_response(struct h1_session *s)
{
    bool closes = s->exchange->response.close, asked = !s->exchange->request.persistent;
    finish(s);
    return follow_up(s, closes, asked);
}

static RARE enum session_phase pull(struct h1_session *s, struct outbox *out)
{
    switch (h1_write_pull(s->exchange, out, &s->sent)) {
    case H1_PULL_MORE:
        return SESSION_SENDING;
    case H1_PULL_END:
        return end_response(s);
    case H1_PULL_FAILED:
        break;
    }
    finish(s);
    return SESSION_CLOSE;
}

static enum session_phase respond(struct h1_session *s, struct outbox *out)
{
    struct exchange *exchange = s->exchange;
    assert(exchange_answered(exchange));
    if (s->leaving || s->base.host->draining || !exchange->request.persistent)
        exchange->response.close = true;
    /* Once its head is out it is too late for a 503. */
    if (exchange->response.body.kind == BODY_PULL && !keep(s))
        return starve(s, out);
    switch (h1_write_response(exchange, s->base.host, out, &s->sent)) {
    case H1_WRITE_DONE:
        return end_response(s);
    case H1_WRITE_FULL:
        return keep(s) ? SESSION_SENDING : starve(s, out);
    case H1_WRITE_PULL:
        s->pulling = true;
        return pull(s, out);
    case H1_WRITE_BROKEN:
        break;
    }
    return starve(s, out);
}

static enum session_phase go_on(struct h1_session *s, struct outbox *out)
{
    if (s->owes_continue) {
        s->owes_continue = !h1_write_continue(out);
        return s->owes_continue ? SESSION_SENDING : SESSION_BODY;
    }
    return s->pulling ? pull(s, out) : respond(s, out);
}

/* ---- The request -------------------------------------------------------------------------------------------- */

/* The peer's fault, after which nobody knows where the next request begins. */
static RARE enum session_phase refuse(struct h1_session *s, unsigned status)
{
    s->body = H1_BODY_REFUSED;
    s->leaving = true;
    s->base.host->refuse(s->base.host, s->exchange, status);
    return SESSION_SENDING;
}

static enum session_phase ask(struct h1_session *s, struct outbox *out)
{
    s->base.host->request(s->base.host, s->exchange);
    if (!s->exchange->deferred)
        return respond(s, out);
    assert(s->exchange->settled); /* by whoever handed it on: its new owner already reads it */
    return SESSION_WAITING;
}

/* The one spelling of the path under which everyone above knows it. Returns 0, or the status that it comes to. */
static unsigned place_path(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    const struct target *target = &request->target;
    request->path = target->path;
    if (target->plain || target->path.size == 0)
        return 0;
    char *normal = arena_take(&exchange->arena, target->path.size);
    if (!normal)
        return 503;
    size_t size;
    if (!target_normalise(target->path, normal, &size))
        return 400;
    request->path = slice_make(normal, size);
    return 0;
}

/* A head with a body behind it: the host says whether it wants that body, and may know the answer without. */
static enum session_phase expect_body(struct h1_session *s, const struct h1_framing *framing, bool begun,
                                      struct outbox *out)
{
    struct session_host *host = s->base.host;
    struct exchange *exchange = s->exchange;
    const struct session_limits *limits = host->limits;
    if (!exchange_settle(exchange, exchange->head_size)) /* the head's bytes are gone before the body is here */
        return starve(s, out);
    s->body = framing->body;
    s->parser.chunked = (struct h1_chunked){ 0 };
    s->wanted = host->head(host, exchange) == BODY_PLAN_WHOLE && !exchange_answered(exchange);
    if (s->wanted && framing->length > limits->body_max) {
        host->refuse(host, exchange, 413);
        s->wanted = false;
    }
    s->left = framing->body == H1_BODY_LENGTH ? framing->length : s->wanted ? limits->body_max : limits->discard_max;
    if (s->wanted) {
        /* RFC 9110 10.1.1: no 100 where the client has gone on without it. */
        s->owes_continue = framing->expects && !begun;
        return s->owes_continue ? SESSION_SENDING : SESSION_BODY;
    }
    /* A client that waits for a 100 may or may not send the body after any other answer: a close makes it clear. */
    bool unread = framing->expects || s->left > limits->discard_max;
    s->leaving |= unread;
    if (exchange_answered(exchange))
        return SESSION_SENDING;
    return unread ? ask(s, out) : SESSION_BODY;
}

static RARE enum session_phase admit(struct h1_session *s, const struct slice *bytes, struct outbox *out)
{
    struct request *request = &s->exchange->request;
    struct h1_framing framing = h1_framing_decide(request);
    request->persistent = framing.persistent;
    if (framing.body == H1_BODY_REFUSED)
        return refuse(s, framing.status);
    unsigned status = place_path(s->exchange);
    if (status != 0)
        return status == 503 ? starve(s, out) : refuse(s, status);
    return framing.body == H1_BODY_NONE ? ask(s, out) : expect_body(s, &framing, bytes->size > 0, out);
}

static enum session_phase read_head(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    struct exchange *exchange = s->exchange;
    struct request *request = &exchange->request;
    struct session_host *host = s->base.host;
    struct h1_head *head = &s->parser.head;
    request->fields.base = bytes->data;
    switch (h1_head_parse(s->scanner, head, request, *bytes, host->limits)) {
    case H1_HEAD_MORE:
        return SESSION_HEAD;
    case H1_HEAD_BAD:
        exchange->begun_ms = host->clock->now_ms;
        exchange->head_size = bytes->size < FIELDS_HEAD_MAX ? (uint32_t)bytes->size : FIELDS_HEAD_MAX;
        return refuse(s, head->bad_status);
    case H1_HEAD_DONE:
        break;
    }
    exchange->begun_ms = host->clock->now_ms;
    exchange->head_size = head->done;
    *bytes = slice_skip(*bytes, head->done);
    if (!request->target.plain || !h1_framing_plain(&request->fields))
        return admit(s, bytes, out);
    request->persistent = request->version > 10;
    return ask(s, out);
}

static enum session_phase begin(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    if (bytes->size == 0)
        return s->base.phase;
    s->exchange = s->base.host->take(s->base.host);
    if (!s->exchange)
        return starve(s, out);
    s->exchange->session = &s->base;
    s->exchange->request.peer = session_peer(&s->base);
    s->parser.head = (struct h1_head){ 0 };
    s->body = H1_BODY_NONE;
    s->sent = 0;
    return read_head(s, bytes, out);
}

/* ---- The body ----------------------------------------------------------------------------------------------- */

static enum session_phase end_body(struct h1_session *s, struct outbox *out)
{
    s->body = H1_BODY_NONE;
    return s->exchange ? ask(s, out) : follow_up(s, false, false);
}

/* What is not wanted has become too much: the answer, if it is still to be given, is the last one. */
static enum session_phase give_up_body(struct h1_session *s, struct outbox *out)
{
    s->leaving = true;
    return s->exchange ? ask(s, out) : SESSION_LINGER;
}

static bool collect(struct h1_session *s, struct slice piece)
{
    if (s->exchange)
        s->exchange->request.body_bytes += piece.size;
    return !s->wanted || exchange_body_append(s->exchange, piece);
}

static enum session_phase read_length(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    size_t size = bytes->size < s->left ? bytes->size : (size_t)s->left;
    struct slice piece = slice_part(*bytes, 0, size);
    *bytes = slice_skip(*bytes, size);
    s->left -= size;
    if (!collect(s, piece))
        return starve(s, out);
    return s->left == 0 ? end_body(s, out) : SESSION_BODY;
}

/* The limit of a body that is wanted is for its content. How much would come beyond it nobody knows. */
static enum session_phase take_chunk(struct h1_session *s, struct slice data, struct outbox *out)
{
    if (s->wanted) {
        if (data.size > s->left)
            return refuse(s, 413);
        s->left -= data.size;
    }
    return collect(s, data) ? SESSION_BODY : starve(s, out);
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
    return s->exchange ? refuse(s, 400) : SESSION_LINGER;
}

/* ---- The machine -------------------------------------------------------------------------------------------- */

static RARE enum session_phase step(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    switch (s->base.phase) {
    case SESSION_FRESH:
    case SESSION_IDLE:
        return begin(s, bytes, out);
    case SESSION_HEAD:
        return read_head(s, bytes, out);
    case SESSION_BODY:
        return s->body == H1_BODY_LENGTH ? read_length(s, bytes, out) : read_chunk(s, bytes, out);
    case SESSION_WAITING:
        return SESSION_WAITING;
    case SESSION_SENDING:
        return go_on(s, out);
    case SESSION_LINGER:
    case SESSION_CLOSE:
        *bytes = slice_skip(*bytes, bytes->size);
        break;
    }
    return s->base.phase;
}

static void run(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    uint32_t answered = 0;
    for (;;) {
        enum session_phase before = s->base.phase;
        size_t size = bytes->size;
        s->base.phase = before <= SESSION_IDLE ? begin(s, bytes, out) : step(s, bytes, out);
        bool stalled = s->base.phase == before && bytes->size == size;
        bool enough = s->base.phase == SESSION_IDLE &&
                      (bytes->size == 0 || ++answered == s->base.host->limits->pipelined_max);
        if (enough || stalled)
            return;
    }
}

static void run_dry(struct h1_session *s, struct outbox *out)
{
    struct slice nothing = SLICE("");
    run(s, &nothing, out);
}

static void init(struct session *session)
{
    struct h1_session *s = of(session);
    const struct session_limits *limits = session->host->limits;
    assert(limits->head_max <= FIELDS_HEAD_MAX && limits->fields_max <= FIELDS_MAX); /* what the parser has room for */
    *s = (struct h1_session){ .base = *session, .scanner = h1_scanner_best() };
    s->base.phase = SESSION_FRESH;
}

/* Flat: the way of a request is many small functions, each called in one place; inlined, they cost 130 instructions
 * less. */
__attribute__((flatten)) static size_t feed(struct session *session, struct slice bytes, struct outbox *out)
{
    struct slice rest = bytes;
    run(of(session), &rest, out);
    return bytes.size - rest.size;
}

static void drain(struct session *session, struct outbox *out)
{
    if (session->phase == SESSION_SENDING)
        run_dry(of(session), out);
}

static void answered(struct session *session, struct exchange *exchange, struct outbox *out)
{
    assert(session->phase == SESSION_WAITING && of(session)->exchange == exchange);
    exchange->deferred = false;
    session->phase = SESSION_SENDING;
    run_dry(of(session), out);
}

static void expired(struct session *session, struct outbox *out)
{
    struct h1_session *s = of(session);
    bool reading = session->phase == SESSION_HEAD || session->phase == SESSION_BODY;
    if (session->phase == SESSION_WAITING) /* the one who answers takes the time it takes */
        return;
    if (session->phase == SESSION_HEAD)
        forget_head(s);
    session->phase = reading && s->exchange ? refuse(s, 408) : SESSION_CLOSE;
    run_dry(s, out);
}

static void goodbye(struct session *session, struct outbox *out)
{
    (void)out;
    of(session)->leaving = true;
    if (session->phase == SESSION_FRESH || session->phase == SESSION_IDLE)
        session->phase = SESSION_CLOSE;
}

static bool ended(struct session *session)
{
    return session->phase == SESSION_WAITING || session->phase == SESSION_SENDING;
}

/* A deferred exchange is in the hands of its owner, perhaps in this very moment: it learns that the session has gone,
 * and reports the end of it. Any other one that is still here broke. */
static void fini(struct session *session)
{
    struct h1_session *s = of(session);
    if (!s->exchange)
        return;
    exchange_abandon(s->exchange);
    if (session->phase == SESSION_HEAD)
        forget_head(s);
    if (s->exchange->deferred)
        hold_unref(&part(s)->hold);
    else
        finish(s);
}

const struct session_type h1_session_type = {
    .size = sizeof(struct h1_session),
    .init = init,
    .feed = feed,
    .drain = drain,
    .answered = answered,
    .expired = expired,
    .goodbye = goodbye,
    .ended = ended,
    .fini = fini,
};
