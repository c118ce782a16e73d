/* What is sent goes straight into the session's queue: there is one thread here. */
#include "socket.h"

#include <stdlib.h>

#include "base/list.h"
#include "wire/ws_handshake.h"

struct stage_socket {
    struct ws_socket wire; /* first */
    struct stage *stage;
    bool begun;
    char extensions[WS_EXTENSIONS_ROOM];
};

static struct stage_socket *of(struct ws_socket *wire)
{
    return (struct stage_socket *)wire;
}

/* Without memory nothing is sent. */
static void send_parcel(struct ws_socket *wire, struct ws_parcel *parcel)
{
    struct ws_post *post = parcel ? ws_post_new(parcel) : NULL;
    if (post != NULL) {
        atomic_fetch_add(&wire->queued, parcel->frame.size);
        ws_queue_append(&wire->queue, post);
    } else if (parcel != NULL) {
        hold_unref(&parcel->hold);
    }
}

static void opened(struct ws_socket *wire)
{
    of(wire)->begun = true;
}

static void message(struct ws_socket *wire, enum ws_opcode kind, struct slice bytes)
{
    struct writer *asked = &of(wire)->stage->asked;
    writer_text(asked, kind == WS_TEXT ? "text " : "binary ");
    writer_put(asked, bytes);
    writer_byte(asked, '\n');
    send_parcel(wire, ws_parcel_new(kind, bytes));
    if (slice_equal(bytes, SLICE("bye")))
        send_parcel(wire, ws_parcel_close(4000, SLICE("as you wish")));
}

static void nothing(struct ws_socket *wire)
{
    (void)wire;
}

static void closed(struct ws_socket *wire, unsigned code, struct slice reason)
{
    struct writer *asked = &of(wire)->stage->asked;
    writer_text(asked, "closed ");
    writer_uint(asked, code);
    writer_text(asked, reason.size > 0 ? " " : "");
    writer_put(asked, reason);
    writer_byte(asked, '\n');
    free(wire);
}

static const struct ws_socket_type type = {
    .opened = opened, .message = message, .collect = nothing, .drained = nothing, .closed = closed,
};

/* The exchange is over. */
static void let_go(void *user)
{
    struct stage_socket *socket = user;
    if (!socket->begun)
        free(socket);
}

static bool add_fields(struct exchange *exchange, const struct ws_handshake *handshake, struct stage_socket *socket)
{
    struct writer w = writer_on(socket->extensions, sizeof socket->extensions);
    bool added = exchange_add_constant(exchange, SLICE("Connection"), SLICE("Upgrade")) &&
                 exchange_add_constant(exchange, SLICE("Upgrade"), SLICE("websocket")) &&
                 exchange_add_field(exchange, SLICE("Sec-WebSocket-Accept"),
                                    slice_make(handshake->accept, WS_ACCEPT_SIZE));
    if (added && handshake->protocol.size > 0)
        added = exchange_add_field(exchange, SLICE("Sec-WebSocket-Protocol"), handshake->protocol);
    if (!added || !handshake->deflate)
        return added;
    ws_handshake_extensions(handshake, &w);
    return exchange_add_field(exchange, SLICE("Sec-WebSocket-Extensions"), writer_slice(&w));
}

bool socket_answer(struct stage *stage, struct exchange *exchange)
{
    struct ws_handshake handshake;
    ws_handshake_read(&exchange->request, SLICE("chat v2"), true, &handshake);
    exchange->response.status = handshake.status;
    if (handshake.refusal != NULL)
        return true;
    struct stage_socket *socket = malloc(sizeof *socket);
    if (socket == NULL)
        return false;
    *socket = (struct stage_socket){ .stage = stage };
    ws_socket_init(&socket->wire);
    socket->wire.type = &type;
    socket->wire.worker = &stage->sockets;
    socket->wire.message_max = STAGE_MESSAGE_MAX;
    socket->wire.deflate = handshake.deflate;
    exchange->response.upgrade = &socket->wire.upgrade;
    exchange->done = let_go;
    exchange->done_user = socket;
    return add_fields(exchange, &handshake, socket);
}
