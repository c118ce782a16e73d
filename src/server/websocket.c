/* rh_websocket: the opening handshake, answered. Who may connect is decided here; a browser lets the pages of anybody
 * open a WebSocket to us, with the cookies it has for us, and tells us only whose page it is (RFC 6455 10.2). */
#include "http/cors.h"
#include "server/respond.h"
#include "server/socket.h"
#include "wire/ws_handshake.h"

enum { SWITCHING = 101, FORBIDDEN = 403, UPGRADE_REQUIRED = 426 };

/* ---- Origins ------------------------------------------------------------------------------------------------ */

/* The host and port of the page are those that the request is for. Nobody knows whether what is in front of us speaks
 * TLS, so the scheme does not count. */
static bool same_origin(const struct request *request, struct slice origin)
{
    const char *mark = memmem(origin.data, origin.size, "://", 3);
    struct slice host = fields_get(&request->fields, FIELD_HOST);
    if (request->target.authority.size > 0)
        host = request->target.authority; /* RFC 9112 3.2.2: it counts instead */
    return mark != NULL && slice_equal_nocase(slice_skip(origin, (size_t)(mark + 3 - origin.data)), host);
}

static bool may_connect(const struct request *request, const struct cors *origins)
{
    struct slice origin = fields_get(&request->fields, FIELD_ORIGIN);
    if (origin.data == NULL || same_origin(request, origin))
        return true;
    return cors_allows(origins, origin);
}

/* False: what the program has written is wrong. That is for its log, not for the client. */
static bool read_origins(const struct exchange *exchange, const char *text, struct cors *origins)
{
    char why[WHY_SIZE];
    *origins = (struct cors){ 0 };
    if (text == NULL || cors_parse(origins, slice_text(text), (struct why){ why, sizeof why }))
        return true;
    log_write(&exchange_worker(exchange)->server->log, LOG_LEVEL_ERROR, "rh_websocket: origins: %s", why);
    return false;
}

/* ---- Answers ------------------------------------------------------------------------------------------------ */

/* RFC 9110 7.8: who names a protocol says so in Connection, too. */
static bool add_upgrade(struct exchange *exchange)
{
    return exchange_add_constant(exchange, SLICE("Connection"), SLICE("Upgrade")) &&
           exchange_add_constant(exchange, SLICE("Upgrade"), SLICE("websocket"));
}

static void refuse(rh_request *request, const struct ws_handshake *handshake)
{
    struct exchange *exchange = (struct exchange *)request;
    if (handshake->status == UPGRADE_REQUIRED) { /* RFC 9110 15.5.22, RFC 6455 4.2.2 */
        bool added = add_upgrade(exchange) &&
                     exchange_add_constant(exchange, SLICE("Sec-WebSocket-Version"), SLICE("13"));
        if (!added)
            respond_refuse(exchange, "has no memory for a field");
    }
    rh_fail(request, handshake->status, handshake->refusal);
}

static bool add_fields(struct exchange *exchange, const struct ws_handshake *handshake)
{
    char extensions[WS_EXTENSIONS_ROOM];
    struct writer w = writer_on(extensions, sizeof extensions);
    struct slice accept = slice_make(handshake->accept, sizeof handshake->accept);
    bool added =
        add_upgrade(exchange) && exchange_add_field(exchange, SLICE("Sec-WebSocket-Accept"), accept);
    if (added && handshake->protocol.size > 0)
        added = exchange_add_field(exchange, SLICE("Sec-WebSocket-Protocol"), handshake->protocol);
    if (added && handshake->deflate) {
        ws_handshake_extensions(handshake, &w);
        added = exchange_add_field(exchange, SLICE("Sec-WebSocket-Extensions"), writer_slice(&w));
    }
    return added;
}

static bool accept_socket(struct exchange *exchange, const struct ws_handshake *handshake,
                          const rh_websocket_options *options, void *user)
{
    rh_socket *socket = NULL;
    if (add_fields(exchange, handshake))
        socket = socket_new(exchange_worker(exchange), options, user, handshake->protocol);
    if (socket == NULL) {
        respond_starved(exchange);
        return false;
    }
    socket->wire.deflate = socket->listener.packs = handshake->deflate;
    socket->window = handshake->window;
    exchange->response.status = SWITCHING;
    exchange->response.upgrade = &socket->wire.upgrade;
    exchange->done = socket_let_go;
    exchange->done_user = socket;
    return true;
}

bool rh_websocket_begin(rh_request *request, const rh_websocket_options *options, size_t options_size, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    rh_websocket_options known;
    struct ws_handshake handshake;
    struct cors origins;
    if (respond_is_second(exchange) || !respond_take(exchange, &known, sizeof known, options, options_size))
        return false;
    if (!read_origins(exchange, known.origins, &origins)) {
        respond_error(exchange, 500, 0, SLICE(""));
        return false;
    }
    ws_handshake_read(&exchange->request, slice_text(known.protocols), !known.no_compression, &handshake);
    if (handshake.refusal != NULL) {
        refuse(request, &handshake);
        return false;
    }
    if (!may_connect(&exchange->request, &origins)) {
        rh_fail(request, FORBIDDEN, "pages of this origin may not connect");
        return false;
    }
    return accept_socket(exchange, &handshake, &known, user);
}
