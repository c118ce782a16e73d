/* The opening handshake of WebSocket as a server reads it (RFC 6455 4.2, RFC 7692 part 7): whether a request asks for
 * it, and what is agreed on.
 *
 * It knows nothing of who may connect, nor how the answer is written. */
#ifndef WIRE_WS_HANDSHAKE_H
#define WIRE_WS_HANDSHAKE_H

#include "base/writer.h"
#include "http/exchange.h"

enum {
    WS_ACCEPT_SIZE = 28,
    WS_WINDOW_MAX = 15,     /* bits: 32 KiB */
    WS_EXTENSIONS_ROOM = 128
};

struct ws_handshake {
    const char *refusal;         /* why it comes to nothing, for the client; NULL: it was agreed */
    unsigned status;             /* 101; else 400, or 426: speak WebSocket, or version 13 of it */
    char accept[WS_ACCEPT_SIZE]; /* Sec-WebSocket-Accept */
    struct slice protocol;       /* one of the client's, in its request; data NULL: none */
    bool deflate;                /* permessage-deflate was agreed on, without context takeover in either direction */
    bool window_wanted;          /* the client named a window for what we send */
    uint8_t window;              /* its bits, 8 to 15 */
};

/* `protocols`: those that we speak, separated by spaces. The first of the client's that is among them is taken. */
void ws_handshake_read(const struct request *request, struct slice protocols, bool compression,
                       struct ws_handshake *handshake);

/* The value of Sec-WebSocket-Extensions, where `deflate` is set. */
void ws_handshake_extensions(const struct ws_handshake *handshake, struct writer *w);

#endif
