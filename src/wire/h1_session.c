/* The HTTP/1.x session: a machine whose states are the phases that the connection sees. Each step does one thing and
 * says which phase is next; where a step neither moves on nor consumes, it waits for the peer, the outbox or an answer.
 *
 * It decides what follows what, and leaves to others where a message ends (h1_framing), what the bytes of a response
 * are (h1_write) and what is answered (the host). At rest it holds no exchange. */
#include "wire/h1_session.h"

#include <assert.h>

#include "wire/h1_machine.h"
#include "wire/h1_memo.h"
#include "wire/h1_write.h"

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
RARE enum session_phase h1_starve(struct h1_session *s, struct outbox *out)
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

enum session_phase h1_rest(const struct h1_session *s)
{
    return follow_up(s, false, false);
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
    case H1_PULL_LATER:
        return SESSION_WAITING;
    case H1_PULL_END:
        return end_response(s);
    case H1_PULL_FAILED:
        break;
    }
    finish(s);
    return SESSION_CLOSE;
}

/* The 101 is written; what follows is another protocol's, and this session's memory the other one's. */
static RARE enum session_phase give_way(struct h1_session *s)
{
    struct session *session = &s->base;
    struct session_host *host = session->host;
    struct exchange *exchange = part(s);
    struct upgrade *upgrade = exchange->response.upgrade;
    assert(s->body == H1_BODY_NONE);
    upgrade->become(upgrade, session);
    host->finished(host, exchange, 0);
    assert(session->phase == SESSION_OPEN); /* any other one would be taken for this session's */
    return SESSION_OPEN;
}

enum session_phase h1_respond(struct h1_session *s, struct outbox *out)
{
    struct exchange *exchange = s->exchange;
    assert(exchange_answered(exchange));
    bool last = s->leaving || s->base.host->draining || !exchange->request.persistent;
    if (last && !exchange->response.upgrade)
        exchange->response.close = true;
    /* Once its head is out it is too late for a 503. */
    if (exchange->response.body.kind == BODY_PULL && !keep(s))
        return h1_starve(s, out);
    switch (h1_write_response(exchange, s->base.host, out, &s->sent)) {
    case H1_WRITE_DONE:
        return exchange->response.upgrade ? give_way(s) : end_response(s);
    case H1_WRITE_FULL:
        return keep(s) ? SESSION_SENDING : h1_starve(s, out);
    case H1_WRITE_PULL:
        s->pulling = true;
        return pull(s, out);
    case H1_WRITE_BROKEN:
        break;
    }
    return h1_starve(s, out);
}

static enum session_phase go_on(struct h1_session *s, struct outbox *out)
{
    if (s->owes_continue) {
        s->owes_continue = !h1_write_continue(out);
        return s->owes_continue ? SESSION_SENDING : SESSION_BODY;
    }
    return s->pulling ? pull(s, out) : h1_respond(s, out);
}

/* ---- The request -------------------------------------------------------------------------------------------- */

/* The peer's fault, after which nobody knows where the next request begins. */
RARE enum session_phase h1_refuse(struct h1_session *s, unsigned status)
{
    s->body = H1_BODY_REFUSED;
    s->leaving = true;
    s->exchange->streaming = false;
    s->base.host->refuse(s->base.host, s->exchange, status);
    return SESSION_SENDING;
}

enum session_phase h1_await(const struct h1_session *s)
{
    assert(s->exchange->settled); /* by whoever handed it on: its new owner already reads it */
    return SESSION_WAITING;
}

enum session_phase h1_ask(struct h1_session *s, struct outbox *out)
{
    s->base.host->request(s->base.host, s->exchange);
    return s->exchange->deferred ? h1_await(s) : h1_respond(s, out);
}

static RARE enum session_phase admit(struct h1_session *s, const struct slice *bytes, struct outbox *out)
{
    struct request *request = &s->exchange->request;
    struct h1_framing framing = h1_framing_decide(request);
    request->persistent = framing.persistent;
    if (framing.body == H1_BODY_REFUSED)
        return h1_refuse(s, framing.status);
    unsigned status = exchange_place_path(s->exchange);
    if (status != 0)
        return status == 503 ? h1_starve(s, out) : h1_refuse(s, status);
    return framing.body == H1_BODY_NONE ? h1_ask(s, out) : h1_body_expect(s, &framing, bytes->size > 0, out);
}

static enum session_phase read_head(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    struct exchange *exchange = s->exchange;
    struct request *request = &exchange->request;
    struct session_host *host = s->base.host;
    struct h1_head *head = &s->parser.head;
    request->fields.base = bytes->data;
    switch (h1_head_parse(s->scanner, head, request, *bytes, host)) {
    case H1_HEAD_MORE:
        return SESSION_HEAD;
    case H1_HEAD_BAD:
        exchange->begun_ms = host->clock->now_ms;
        exchange->head_size = bytes->size < FIELDS_HEAD_MAX ? (uint32_t)bytes->size : FIELDS_HEAD_MAX;
        return h1_refuse(s, head->bad_status);
    case H1_HEAD_DONE:
        break;
    }
    exchange->begun_ms = host->clock->now_ms;
    exchange->head_size = head->done;
    s->slot = head->slot;
    *bytes = slice_skip(*bytes, head->done);
    if (!request->target.plain || !h1_framing_plain(&request->fields))
        return admit(s, bytes, out);
    request->persistent = request->version > 10;
    return h1_ask(s, out);
}

static enum session_phase begin(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    if (bytes->size == 0)
        return s->base.phase;
    s->exchange = s->base.host->take(s->base.host);
    if (!s->exchange)
        return h1_starve(s, out);
    s->exchange->session = &s->base;
    s->exchange->request.peer = session_peer(&s->base);
    s->exchange->request.secure = s->base.secure;
    s->exchange->request.cipher = s->base.cipher;
    s->parser.head = (struct h1_head){ .slot = s->slot };
    s->body = H1_BODY_NONE;
    s->sent = 0;
    return read_head(s, bytes, out);
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
        return h1_body_read(s, bytes, out);
    case SESSION_OPEN: /* this memory is another session's by now, which is fed next */
    case SESSION_WAITING:
        break;
    case SESSION_SENDING:
        return go_on(s, out);
    case SESSION_LINGER:
    case SESSION_CLOSE:
        *bytes = slice_skip(*bytes, bytes->size);
        break;
    }
    return s->base.phase;
}

/* At rest after a response it goes on with what is there; in any other phase as long as that leads anywhere. */
static void run(struct h1_session *s, struct slice *bytes, struct outbox *out)
{
    uint32_t answered = 0;
    for (;;) {
        enum session_phase before = s->base.phase;
        size_t size = bytes->size;
        s->base.phase = before <= SESSION_IDLE ? begin(s, bytes, out) : step(s, bytes, out);
        bool over = s->base.phase == SESSION_IDLE
                        ? bytes->size == 0 || ++answered == s->base.host->limits->pipelined_max
                        : s->base.phase == before && bytes->size == size;
        if (over)
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
    s->slot = session->host->memo ? session->host->memo->latest : 0;
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
    session->phase = exchange->streaming ? h1_body_receive_on(of(session)) : SESSION_SENDING;
    run_dry(of(session), out);
}

static void woken(struct session *session, struct outbox *out)
{
    struct h1_session *s = of(session);
    if (session->phase != SESSION_WAITING || !s->pulling)
        return;
    session->phase = SESSION_SENDING;
    run_dry(s, out);
}

static void expired(struct session *session, struct outbox *out)
{
    struct h1_session *s = of(session);
    bool reading = session->phase == SESSION_HEAD || session->phase == SESSION_BODY;
    if (session->phase == SESSION_WAITING) /* the one who answers takes the time it takes */
        return;
    if (session->phase == SESSION_HEAD)
        forget_head(s);
    session->phase = reading && s->exchange ? h1_refuse(s, 408) : SESSION_CLOSE;
    run_dry(s, out);
}

static void goodbye(struct session *session, struct outbox *out)
{
    (void)out;
    of(session)->leaving = true;
    if (session->phase == SESSION_FRESH || session->phase == SESSION_IDLE)
        session->phase = SESSION_CLOSE;
}

/* Whoever writes content while it is sent is asked once more: there may be no point in writing any. */
static bool ended(struct session *session)
{
    struct h1_session *s = of(session);
    if (session->phase == SESSION_WAITING) {
        bool known = exchange_lost(s->exchange);
        exchange_lose(s->exchange);
        if (s->pulling && !known)
            session->phase = SESSION_SENDING;
    }
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
    .woken = woken,
    .expired = expired,
    .goodbye = goodbye,
    .ended = ended,
    .fini = fini,
};
