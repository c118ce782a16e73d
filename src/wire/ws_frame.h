/* WebSocket frames as bytes (RFC 6455 part 5): the head of one is read, checked and written, payloads are unmasked.
 *
 * What can be said of a frame by itself is decided here. Which frame may follow which, and what is in them, is the
 * session's business. */
#ifndef WIRE_WS_FRAME_H
#define WIRE_WS_FRAME_H

#include "base/writer.h"

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10
};

enum {
    WS_HEAD_MAX = 10,     /* of ours, which have no mask; a client's has 4 bytes more */
    WS_CONTROL_MAX = 125, /* bytes of payload (5.5) */
    WS_REASON_MAX = WS_CONTROL_MAX - 2
};

struct ws_frame {
    enum ws_opcode opcode;
    bool fin;        /* the last one of its message */
    bool compressed; /* RSV1, where permessage-deflate was negotiated (RFC 7692 part 6) */
    uint32_t mask;   /* its four bytes, in the order in which they came */
    uint64_t size;   /* of the payload */
};

static inline bool ws_is_control(enum ws_opcode opcode)
{
    return opcode >= WS_CLOSE;
}

enum ws_frame_result { WS_FRAME_MORE, WS_FRAME_DONE, WS_FRAME_BAD };

/* Reads the head of a client's frame from the front of `*bytes`, and takes it off where it is whole. BAD as soon as
 * nothing that follows could make it right. `deflate`: RSV1 has a meaning. */
enum ws_frame_result ws_frame_read(struct slice *bytes, bool deflate, struct ws_frame *frame);

/* The head of a frame of ours, which is always the last one of its message. */
void ws_frame_write(struct writer *w, enum ws_opcode opcode, bool compressed, uint64_t size);

/* From `in` to `out`, which may be the same. Returns the mask for the byte behind them. */
uint32_t ws_unmask(char *out, struct slice in, uint32_t mask);

/* ---- What a Close frame says (5.5.1, 7.4) ---- */

enum ws_close {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_NO_STATUS = 1005, /* never on the wire: the peer gave none */
    WS_ABNORMAL = 1006,  /* never on the wire: the connection broke */
    WS_BAD_DATA = 1007,
    WS_TOO_BIG = 1009,
    WS_TRY_LATER = 1013
};

/* Codes that may stand in a Close frame: those that are defined for it, and those for libraries and applications. */
bool ws_close_valid(unsigned code);

/* `*code` is WS_NO_STATUS for an empty payload. 0, or the code to fail with: half a code, one that must not be sent, or
 * a reason that is not UTF-8. */
unsigned ws_close_read(struct slice payload, unsigned *code, struct slice *reason);

/* A whole Close frame, with as many whole characters of the reason as there is room for; without any payload for
 * WS_NO_STATUS. */
void ws_close_write(struct writer *w, unsigned code, struct slice reason);

#endif
