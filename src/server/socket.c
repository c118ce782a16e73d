/* A socket's life between two sides: any thread that sends, and the session of its worker.
 *
 * Who sends pushes onto `sent`, then looks whether the worker is busy with this very socket; if not, it posts the
 * letter unless that is on its way. The worker does it the other way round: not busy (or: letter opened), then it takes
 * all of `sent`. All of that is sequentially consistent, so whoever comes second sees what the other did. */
#include "server/socket.h"

#include "base/utf8.h"
#include "server/packer.h"

#include <stdlib.h>

enum { MESSAGE_MAX = 1 << 20, QUEUE_MAX = 1 << 20 };

static rh_socket *of(struct ws_socket *wire)
{
    return LINK_OWNER(wire, rh_socket, wire);
}

/* ---- Taking over what was sent ------------------------------------------------------------------------------ */

static struct ws_post *take_sent(rh_socket *socket)
{
    struct ws_post *newest = atomic_exchange(&socket->sent, NULL), *oldest = NULL;
    while (newest != NULL) {
        struct ws_post *before = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = before;
    }
    return oldest;
}

static void collect(struct ws_socket *wire)
{
    rh_socket *socket = of(wire);
    struct ws_post *next;
    for (struct ws_post *post = take_sent(socket); post != NULL; post = next) {
        next = post->next;
        ws_queue_append(&wire->queue, post);
    }
    unsigned code = atomic_load(&socket->bare_close);
    if (code != 0)
        ws_session_leave(wire->session, code);
}

static void drop_sent(rh_socket *socket)
{
    struct ws_post *next;
    for (struct ws_post *post = take_sent(socket); post != NULL; post = next) {
        next = post->next;
        ws_post_free(post);
    }
}

/* Whoever was sending while it closed has posted this, too: what has come so goes while its worker is there to be
 * discharged for it. */
static void open_letter(struct letter *letter)
{
    rh_socket *socket = LINK_OWNER(letter, rh_socket, letter);
    atomic_store(&socket->posted, false);
    if (socket->wire.session != NULL)
        conn_woken(conn_of(socket->wire.session));
    else
        drop_sent(socket);
    hold_unref(&socket->listener.hold);
}

static void wake(rh_socket *socket)
{
    if (atomic_load(&socket->busy) || atomic_exchange(&socket->posted, true))
        return;
    hold_ref(&socket->listener.hold);
    mailbox_post(&socket->listener.worker->net.mailbox, &socket->letter);
}

/* ---- What the session tells --------------------------------------------------------------------------------- */

static void enter(rh_socket *socket)
{
    atomic_store(&socket->busy, true);
}

static void leave(rh_socket *socket)
{
    atomic_store(&socket->busy, false);
    collect(&socket->wire);
}

/* What is sent here goes the long way, by letter: the session still has to take its place. */
static void opened(struct ws_socket *wire)
{
    rh_socket *socket = of(wire);
    socket->begun = true;
    hold_ref(&socket->listener.hold); /* the session's */
    if (socket->on.opened != NULL)
        socket->on.opened(socket, socket->user);
    if (socket->listener.worker->host.draining) /* it came too late to be told */
        rh_socket_close(socket, WS_GOING_AWAY, NULL);
}

static void message(struct ws_socket *wire, enum ws_opcode kind, struct slice bytes)
{
    rh_socket *socket = of(wire);
    if (socket->on.message == NULL || atomic_load(&socket->ending))
        return;
    enter(socket);
    socket->on.message(socket, socket->user, (enum rh_message_kind)kind, (rh_slice){ bytes.data, bytes.size });
    leave(socket);
}

static void drained(struct ws_socket *wire)
{
    rh_socket *socket = of(wire);
    if (!atomic_exchange(&socket->refused, false) || socket->on.writable == NULL || atomic_load(&socket->ending))
        return;
    enter(socket);
    socket->on.writable(socket, socket->user);
    leave(socket);
}

static void tell_closed(rh_socket *socket, unsigned code, struct slice reason)
{
    atomic_store(&socket->ending, true);
    listener_close(&socket->listener);
    if (socket->on.closed != NULL)
        socket->on.closed(socket, socket->user, code, (rh_slice){ reason.data, reason.size });
}

static void closed(struct ws_socket *wire, unsigned code, struct slice reason)
{
    rh_socket *socket = of(wire);
    tell_closed(socket, code, reason);
    hold_unref(&socket->listener.hold);
}

static const struct ws_socket_type socket_type = {
    .opened = opened, .message = message, .collect = collect, .drained = drained, .closed = closed,
};

_Static_assert((int)RH_TEXT == (int)WS_TEXT && (int)RH_BINARY == (int)WS_BINARY, "kinds are opcodes");

/* ---- Sending ------------------------------------------------------------------------------------------------ */

static struct pages *pages_of(const rh_socket *socket)
{
    return &socket->listener.worker->net.pages;
}

/* False: too much waits already. The first message goes whatever its size, or it would never go. */
static bool admit(rh_socket *socket, size_t size)
{
    size_t before = atomic_fetch_add(&socket->wire.queued, size);
    if (before == 0 || (before <= socket->on.queue_max && size <= socket->on.queue_max - before))
        return true;
    atomic_fetch_sub(&socket->wire.queued, size);
    return false;
}

/* What was queued may have gone between the refusal and the note about it: then nobody would call `writable`. */
static bool admit_or_note(rh_socket *socket, size_t size)
{
    if (admit(socket, size))
        return true;
    atomic_store(&socket->refused, true);
    return atomic_load(&socket->wire.queued) == 0 && admit(socket, size);
}

static bool charge_or_note(rh_socket *socket, struct ws_parcel *parcel)
{
    if (ws_parcel_charge(parcel, pages_of(socket)))
        return true;
    atomic_store(&socket->refused, true);
    return false;
}

static void push(rh_socket *socket, struct ws_post *post)
{
    struct ws_post *newest = atomic_load(&socket->sent);
    do
        post->next = newest;
    while (!atomic_compare_exchange_weak(&socket->sent, &newest, post));
    wake(socket);
}

/* Takes over the parcel, which nobody else has. */
static bool send_parcel(rh_socket *socket, struct ws_parcel *parcel)
{
    struct ws_post *post = parcel ? ws_post_new(parcel) : NULL;
    if (post == NULL) {
        if (parcel != NULL)
            hold_unref(&parcel->hold);
        return false;
    }
    if (!charge_or_note(socket, parcel) || !admit_or_note(socket, parcel->frame.size)) {
        ws_post_free(post);
        return false;
    }
    push(socket, post);
    return true;
}

/* Without context takeover no distance in DEFLATE is larger than the message: so what fits into the window that the
 * client wants (RFC 7692 7.1.2.1) can be packed with any other. */
static bool packs(const rh_socket *socket, size_t size)
{
    return socket->wire.deflate && size <= (size_t)1 << socket->window;
}

static struct ws_parcel *make_parcel(rh_socket *socket, enum ws_opcode kind, struct slice bytes)
{
    const struct server_worker *worker = socket->listener.worker;
    struct ws_parcel *packed =
        packs(socket, bytes.size) ? packer_pack(worker->server, worker->net.index, kind, bytes) : NULL;
    return packed != NULL ? packed : ws_parcel_new(kind, bytes);
}

bool rh_socket_send(rh_socket *socket, enum rh_message_kind kind, const void *data, size_t size)
{
    struct slice bytes = slice_make(data, size);
    if (atomic_load(&socket->ending) || (kind == RH_TEXT && !utf8_valid(bytes)))
        return false;
    return send_parcel(socket, make_parcel(socket, (enum ws_opcode)kind, bytes));
}

bool rh_socket_ping(rh_socket *socket, const void *data, size_t size)
{
    return !atomic_load(&socket->ending) && send_parcel(socket, ws_parcel_new(WS_PING, slice_make(data, size)));
}

void rh_socket_close(rh_socket *socket, unsigned code, const char *reason)
{
    if (atomic_exchange(&socket->ending, true))
        return;
    if (!ws_close_valid(code))
        code = WS_NORMAL;
    struct ws_parcel *parcel = ws_parcel_close(code, slice_text(reason));
    struct ws_post *post = parcel ? ws_post_new(parcel) : NULL;
    if (post != NULL) {
        atomic_fetch_add(&socket->wire.queued, parcel->frame.size);
        push(socket, post);
        return;
    }
    if (parcel != NULL)
        hold_unref(&parcel->hold);
    atomic_store(&socket->bare_close, (unsigned short)code);
    wake(socket);
}

size_t rh_socket_queued(const rh_socket *socket)
{
    return atomic_load(&socket->wire.queued);
}

/* ---- As a member of topics ---------------------------------------------------------------------------------- */

static rh_socket *of_listener(struct listener *listener)
{
    return LINK_OWNER(listener, rh_socket, listener);
}

/* On the worker: straight into the session's queue. */
static enum heard hear(struct listener *listener, const struct broadcast *broadcast)
{
    rh_socket *socket = of_listener(listener);
    bool packed = broadcast->packed != NULL && packs(socket, broadcast->payload.size);
    struct ws_parcel *parcel = packed ? broadcast->packed : broadcast->plain;
    if (socket->wire.session == NULL || atomic_load(&socket->ending))
        return HEARD;
    struct ws_post *post = ws_post_new(parcel);
    if (post == NULL)
        return HEARD_NOT;
    hold_ref(&parcel->hold);
    if (!ws_post_charge(post, pages_of(socket)) || !admit(socket, parcel->frame.size)) {
        ws_post_free(post);
        return HEARD_NOT;
    }
    ws_queue_append(&socket->wire.queue, post);
    conn_woken(conn_of(socket->wire.session));
    return HEARD;
}

static void cut(struct listener *listener)
{
    struct session *session = of_listener(listener)->wire.session;
    if (session != NULL)
        conn_close(conn_of(session));
}

static const struct listener_type socket_listener = { .hear = hear, .cut = cut };

bool rh_topic_join(rh_topic *topic, rh_socket *socket)
{
    return !atomic_load(&socket->ending) && listener_join(&socket->listener, topic);
}

bool rh_topic_leave(rh_topic *topic, rh_socket *socket)
{
    return listener_leave(&socket->listener, topic);
}

/* ---- Its own life ------------------------------------------------------------------------------------------- */

static void gone(struct hold *hold)
{
    rh_socket *socket = of_listener(LINK_OWNER(hold, struct listener, hold));
    drop_sent(socket);
    free(socket);
}

rh_socket *socket_new(struct server_worker *worker, const rh_websocket_options *options, void *user,
                      struct slice protocol)
{
    rh_socket *socket = calloc(1, sizeof *socket + protocol.size);
    if (socket == NULL)
        return NULL;
    ws_socket_init(&socket->wire);
    listener_init(&socket->listener, &socket_listener, worker, gone);
    socket->wire.type = &socket_type;
    socket->wire.worker = &worker->sockets;
    socket->wire.message_max = options->message_max > 0 ? options->message_max : MESSAGE_MAX;
    socket->letter.open = open_letter;
    socket->on = *options;
    socket->on.queue_max = options->queue_max > 0 ? options->queue_max : QUEUE_MAX;
    socket->user = user;
    socket->protocol_size = (uint16_t)protocol.size; /* of a head, which is at most 64 KiB */
    if (protocol.size > 0)
        memcpy(socket->protocol, protocol.data, protocol.size);
    return socket;
}

void socket_let_go(void *user)
{
    rh_socket *socket = user;
    if (!socket->begun)
        tell_closed(socket, WS_ABNORMAL, SLICE(""));
    hold_unref(&socket->listener.hold);
}

rh_slice rh_socket_protocol(const rh_socket *socket)
{
    return (rh_slice){ socket->protocol_size > 0 ? socket->protocol : NULL, socket->protocol_size };
}

rh_socket *rh_socket_ref(rh_socket *socket)
{
    hold_ref(&socket->listener.hold);
    return socket;
}

void rh_socket_unref(rh_socket *socket)
{
    if (socket != NULL)
        hold_unref(&socket->listener.hold);
}

void rh_socket_set_user(rh_socket *socket, void *user)
{
    socket->user = user;
}
