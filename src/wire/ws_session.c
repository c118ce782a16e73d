/* The machine: a step reads the head of a frame, a piece of its payload, or a whole control frame, which is short
 * enough to wait for. Each step has room for an answer of one control frame in the outbox before it begins, so that
 * pings, and mistakes, can always be answered: a peer that pings and reads nothing is not read from any more.
 *
 * It decides which frame may follow which (RFC 6455 5.4, 5.5, 7) and leaves to others what a frame looks like
 * (ws_frame) and how a message is packed (ws_deflate). */
#include "wire/ws_session.h"

#include <assert.h>

#include "base/list.h"
#include "base/utf8.h"

enum {
    CONTROL_ROOM = WS_HEAD_MAX + WS_CONTROL_MAX,
    PUMP_BYTES = 256 * 1024, /* held in an outbox at a time: what has left the queue must have a limit, too */
    CLOSING_MS = 10 * 1000   /* for the peer to answer our Close, however much it still sends */
};

struct ws_session {
    struct session base;
    struct ws_socket *socket;  /* NULL: closed, what still comes does not matter */
    struct ws_buffer message;  /* what has come of it; as it came, where it is compressed */
    uint64_t left;             /* bytes of this frame's payload still to come */
    union {
        uint32_t mask;          /* for the next of them */
        uint32_t closing_since; /* where they are not looked at any more: low bits of now_ms */
    };
    uint16_t leaving;          /* close with this code when the queue is empty; 0: no */
    struct utf8_run utf8;
    uint8_t kind;              /* enum ws_opcode of the message that has begun; WS_CONTINUATION: none */
    bool fin;                  /* this frame is its last one */
    bool compressed;
    bool closing;              /* our Close has been sent */
    bool pinged;               /* since when nothing has come */
};

_Static_assert(sizeof(struct ws_session) <= 128, "it has to fit into the memory of the session that it replaces");

static struct ws_session *of(struct session *session)
{
    return (struct ws_session *)session;
}

static struct pages *pages_of(const struct ws_session *s)
{
    return s->socket->worker->pages;
}

/* ---- The end ------------------------------------------------------------------------------------------------ */

static void drop_post(struct ws_socket *socket, struct ws_post *post)
{
    atomic_fetch_sub(&socket->queued, post->parcel->frame.size);
    ws_post_free(post);
}

static void empty_queue(struct ws_socket *socket)
{
    for (struct ws_post *post; (post = ws_queue_take(&socket->queue)) != NULL;)
        drop_post(socket, post);
}

/* Whatever comes now, or is still to be sent, does not matter any more. */
static enum session_phase part(struct ws_session *s, unsigned code, struct slice reason)
{
    struct ws_socket *socket = s->socket;
    ws_buffer_free(&s->message, pages_of(s));
    empty_queue(socket);
    socket->session = NULL;
    s->socket = NULL;
    socket->type->closed(socket, code, reason);
    return SESSION_LINGER;
}

/* There is room: see step. */
static void say_close(struct outbox *out, unsigned code, struct slice reason)
{
    struct writer w = writer_on(outbox_reserve(out, CONTROL_ROOM), CONTROL_ROOM);
    ws_close_write(&w, code, reason);
    outbox_commit(out, writer_used(&w));
}

static void begin_closing(struct ws_session *s)
{
    s->closing = true;
    s->closing_since = (uint32_t)s->base.host->clock->now_ms;
    ws_buffer_free(&s->message, pages_of(s));
    empty_queue(s->socket);
}

/* 7.1.7: says why, and does not wait for the answer. */
static enum session_phase fail(struct ws_session *s, struct outbox *out, unsigned code, struct slice why)
{
    if (!s->closing)
        say_close(out, code, why);
    return part(s, code, why);
}

/* ---- Sending ------------------------------------------------------------------------------------------------ */

static bool holds_enough(const struct outbox *out)
{
    uint64_t held = 0;
    for (unsigned i = 0; i < out->count; i++)
        held += out->spans[i].size;
    return held >= PUMP_BYTES;
}

static bool put(struct outbox *out, struct ws_parcel *parcel)
{
    if (parcel->frame.size <= OUTBOX_COPIED_MAX)
        return outbox_copy(out, parcel->frame);
    return !holds_enough(out) && outbox_memory(out, parcel->frame, &parcel->hold);
}

/* False: the outbox is full. */
static bool put_queue(struct ws_session *s, struct outbox *out)
{
    struct ws_queue *queue = &s->socket->queue;
    while (queue->first != NULL && !s->closing) {
        struct ws_parcel *parcel = queue->first->parcel;
        bool last = ws_parcel_opcode(parcel) == WS_CLOSE;
        if (!put(out, parcel))
            return false;
        drop_post(s->socket, ws_queue_take(queue));
        if (last)
            begin_closing(s);
    }
    return true;
}

void ws_session_leave(struct session *session, unsigned code)
{
    struct ws_session *s = of(session);
    if (s->leaving == 0)
        s->leaving = (uint16_t)code;
}

/* As long as whoever is told that the queue is empty sends more. */
static enum session_phase pump(struct ws_session *s, struct outbox *out)
{
    while (s->socket->queue.first != NULL && !s->closing) {
        if (!put_queue(s, out))
            return SESSION_SENDING;
        s->socket->type->drained(s->socket);
    }
    empty_queue(s->socket); /* nothing follows a Close */
    if (s->base.host->draining) /* goodbye is for those that are not in the middle of sending */
        ws_session_leave(&s->base, WS_GOING_AWAY);
    if (s->leaving == 0 || s->closing)
        return SESSION_OPEN;
    if (!outbox_reserve(out, CONTROL_ROOM))
        return SESSION_SENDING;
    say_close(out, s->leaving, SLICE(""));
    begin_closing(s);
    return SESSION_OPEN;
}

/* ---- Control frames (5.5) ----------------------------------------------------------------------------------- */

static enum session_phase hear_close(struct ws_session *s, struct slice payload, struct outbox *out)
{
    unsigned code;
    struct slice reason;
    unsigned fault = ws_close_read(payload, &code, &reason);
    if (fault != 0)
        return fail(s, out, fault, SLICE("a Close frame that is not valid"));
    if (!s->closing)
        say_close(out, code, SLICE(""));
    return part(s, code, reason);
}

static void answer_ping(struct slice payload, struct outbox *out)
{
    struct writer w = writer_on(outbox_reserve(out, CONTROL_ROOM), CONTROL_ROOM);
    ws_frame_write(&w, WS_PONG, false, payload.size);
    writer_put(&w, payload);
    outbox_commit(out, writer_used(&w));
}

/* The whole payload is there. */
static enum session_phase hear_control(struct ws_session *s, const struct ws_frame *frame, struct slice masked,
                                       struct outbox *out)
{
    char bytes[WS_CONTROL_MAX] = { 0 };
    struct slice payload = slice_make(bytes, masked.size);
    ws_unmask(bytes, masked, frame->mask);
    if (frame->opcode == WS_CLOSE)
        return hear_close(s, payload, out);
    if (frame->opcode == WS_PING && !s->closing)
        answer_ping(payload, out);
    return SESSION_OPEN; /* a Pong has done what it is for by coming (5.5.3) */
}

/* ---- Messages ----------------------------------------------------------------------------------------------- */

static void forget_message(struct ws_session *s)
{
    ws_buffer_free(&s->message, pages_of(s));
    s->kind = WS_CONTINUATION;
    s->utf8 = (struct utf8_run){ 0 };
}

static enum ws_inflated unpack(struct ws_session *s, struct ws_buffer *plain)
{
    struct ws_worker *worker = s->socket->worker;
    if (worker->inflater == NULL)
        worker->inflater = ws_inflater_new(worker->pages);
    if (worker->inflater == NULL)
        return WS_INFLATE_NO_MEMORY;
    return ws_inflate(worker->inflater, ws_buffer_slice(&s->message), s->socket->message_max, plain);
}

static enum session_phase deliver(struct ws_session *s, enum ws_opcode kind, struct slice bytes)
{
    s->socket->type->message(s->socket, kind, bytes);
    return SESSION_OPEN;
}

static enum session_phase deliver_packed(struct ws_session *s, enum ws_opcode kind, struct outbox *out)
{
    struct ws_buffer plain = { 0 };
    struct pages *pages = pages_of(s);
    enum session_phase next = SESSION_OPEN;
    switch (unpack(s, &plain)) {
    case WS_INFLATED:
        next = kind == WS_TEXT && !utf8_valid(ws_buffer_slice(&plain))
                   ? fail(s, out, WS_BAD_DATA, SLICE("a text that is not UTF-8"))
                   : deliver(s, kind, ws_buffer_slice(&plain));
        break;
    case WS_INFLATE_BAD: next = fail(s, out, WS_BAD_DATA, SLICE("a message that is not DEFLATE")); break;
    case WS_INFLATE_TOO_BIG: next = fail(s, out, WS_TOO_BIG, SLICE("")); break;
    case WS_INFLATE_NO_MEMORY: next = fail(s, out, WS_TRY_LATER, SLICE("")); break;
    }
    ws_buffer_free(&plain, pages);
    return next;
}

static enum session_phase end_frame(struct ws_session *s, struct outbox *out)
{
    enum ws_opcode kind = (enum ws_opcode)s->kind;
    if (!s->fin)
        return SESSION_OPEN;
    if (s->closing) {
        forget_message(s);
        return SESSION_OPEN;
    }
    if (!s->compressed && s->utf8.left > 0)
        return fail(s, out, WS_BAD_DATA, SLICE("a text that ends within a character"));
    enum session_phase next =
        s->compressed ? deliver_packed(s, kind, out) : deliver(s, kind, ws_buffer_slice(&s->message));
    if (s->socket != NULL)
        forget_message(s);
    return next;
}

static enum session_phase read_payload(struct ws_session *s, struct slice *bytes, struct outbox *out)
{
    size_t size = bytes->size < s->left ? bytes->size : (size_t)s->left;
    struct slice masked = slice_part(*bytes, 0, size);
    *bytes = slice_skip(*bytes, size);
    s->left -= size;
    if (!s->closing) {
        char *at = ws_buffer_reserve(&s->message, pages_of(s), size);
        if (at == NULL)
            return fail(s, out, WS_TRY_LATER, SLICE(""));
        s->mask = ws_unmask(at, masked, s->mask);
        s->message.size += size;
        if (s->kind == WS_TEXT && !s->compressed && !utf8_continue(&s->utf8, slice_make(at, size)))
            return fail(s, out, WS_BAD_DATA, SLICE("a text that is not UTF-8"));
    }
    return s->left == 0 ? end_frame(s, out) : SESSION_OPEN;
}

/* Of what is compressed, as much as some compressor could make of a message that just fits: an eighth more where all
 * bytes become codes of 9 bits (RFC 1951 3.2.6). */
static uint64_t frames_max(const struct ws_session *s)
{
    uint64_t most = s->socket->message_max;
    return s->compressed ? most + most / 8 + 64 : most;
}

/* 5.4: a message is one frame, or one that is not the last and then continuations. */
static enum session_phase begin_frame(struct ws_session *s, const struct ws_frame *frame, struct outbox *out)
{
    bool continues = frame->opcode == WS_CONTINUATION;
    if (continues != (s->kind != WS_CONTINUATION))
        return fail(s, out, WS_PROTOCOL_ERROR, continues ? SLICE("a continuation of nothing")
                                                         : SLICE("a message within another one"));
    if (!continues) {
        s->kind = (uint8_t)frame->opcode;
        s->compressed = frame->compressed;
    }
    if (!s->closing && frame->size > frames_max(s) - s->message.size)
        return fail(s, out, WS_TOO_BIG, SLICE(""));
    s->fin = frame->fin;
    s->left = frame->size;
    if (!s->closing)
        s->mask = frame->mask;
    return s->left == 0 ? end_frame(s, out) : SESSION_OPEN;
}

/* ---- The machine -------------------------------------------------------------------------------------------- */

static enum session_phase read_frame(struct ws_session *s, struct slice *bytes, struct outbox *out)
{
    struct slice rest = *bytes;
    struct ws_frame frame;
    switch (ws_frame_read(&rest, s->socket->deflate, &frame)) {
    case WS_FRAME_MORE:
        return SESSION_OPEN;
    case WS_FRAME_BAD:
        return fail(s, out, WS_PROTOCOL_ERROR, SLICE("a frame that is not valid"));
    case WS_FRAME_DONE:
        break;
    }
    if (!ws_is_control(frame.opcode)) {
        *bytes = rest;
        return begin_frame(s, &frame, out);
    }
    if (rest.size < frame.size)
        return SESSION_OPEN;
    *bytes = slice_skip(rest, (size_t)frame.size);
    return hear_control(s, &frame, slice_part(rest, 0, (size_t)frame.size), out);
}

static bool closing_too_long(const struct ws_session *s)
{
    return s->closing && (uint32_t)s->base.host->clock->now_ms - s->closing_since >= CLOSING_MS;
}

static enum session_phase step(struct ws_session *s, struct slice *bytes, struct outbox *out)
{
    if (!outbox_reserve(out, CONTROL_ROOM))
        return SESSION_SENDING;
    enum session_phase next = s->left > 0 ? read_payload(s, bytes, out) : read_frame(s, bytes, out);
    return next == SESSION_OPEN ? pump(s, out) : next;
}

static size_t feed(struct session *session, struct slice bytes, struct outbox *out)
{
    struct ws_session *s = of(session);
    struct slice rest = bytes;
    size_t before = SIZE_MAX;
    s->pinged = false;
    while (s->socket != NULL && session->phase == SESSION_OPEN && rest.size > 0 && rest.size != before) {
        before = rest.size;
        session->phase = closing_too_long(s) ? part(s, WS_ABNORMAL, SLICE("")) : step(s, &rest, out);
    }
    return s->socket != NULL ? bytes.size - rest.size : bytes.size; /* what still comes is thrown away */
}

static void drain(struct session *session, struct outbox *out)
{
    if (session->phase == SESSION_SENDING)
        session->phase = pump(of(session), out);
}

static void woken(struct session *session, struct outbox *out)
{
    struct ws_session *s = of(session);
    if (s->socket == NULL)
        return;
    s->socket->type->collect(s->socket);
    session->phase = pump(s, out);
}

/* A peer that says nothing is asked whether it is there; one that does not answer is not. */
static void expired(struct session *session, struct outbox *out)
{
    struct ws_session *s = of(session);
    char *at = outbox_reserve(out, WS_HEAD_MAX);
    if (session->phase != SESSION_OPEN)
        return;
    if (s->pinged || s->closing || at == NULL) {
        part(s, WS_ABNORMAL, SLICE(""));
        session->phase = SESSION_CLOSE;
        return;
    }
    struct writer w = writer_on(at, WS_HEAD_MAX);
    ws_frame_write(&w, WS_PING, false, 0);
    outbox_commit(out, writer_used(&w));
    s->pinged = true;
}

static void goodbye(struct session *session, struct outbox *out)
{
    struct ws_session *s = of(session);
    if (s->socket == NULL)
        return;
    ws_session_leave(session, WS_GOING_AWAY);
    if (session->phase == SESSION_OPEN)
        session->phase = pump(s, out);
}

/* A peer that has ended its side without a Close is not there to hear ours. */
static bool ended(struct session *session)
{
    (void)session;
    return false;
}

static void fini(struct session *session)
{
    struct ws_session *s = of(session);
    if (s->socket != NULL)
        part(s, WS_ABNORMAL, SLICE(""));
}

static void become(struct upgrade *upgrade, struct session *session)
{
    struct ws_socket *socket = LINK_OWNER(upgrade, struct ws_socket, upgrade);
    struct session base = *session;
    assert(base.type->size >= sizeof(struct ws_session));
    base.type = &ws_session_type;
    base.phase = SESSION_OPEN;
    *of(session) = (struct ws_session){ .base = base, .socket = socket };
    socket->session = session;
    socket->type->opened(socket);
}

void ws_socket_init(struct ws_socket *socket)
{
    *socket = (struct ws_socket){ .upgrade.become = become };
}

const struct session_type ws_session_type = {
    .size = sizeof(struct ws_session),
    .feed = feed,
    .drain = drain,
    .woken = woken,
    .expired = expired,
    .goodbye = goodbye,
    .ended = ended,
    .fini = fini,
};
