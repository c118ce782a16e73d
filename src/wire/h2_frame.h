/* The frames of HTTP/2 (RFC 9113 parts 4 and 6): nine octets in front of each, and the few that a server writes whole.
 *
 * Pure reading and writing: which frame may come when, and on which stream, is for others to know. */
#ifndef WIRE_H2_FRAME_H
#define WIRE_H2_FRAME_H

#include "base/slice.h"
#include "http/outbox.h"

enum h2_frame_type {
    H2_DATA,
    H2_HEADERS,
    H2_PRIORITY,
    H2_RST_STREAM,
    H2_SETTINGS,
    H2_PUSH_PROMISE,
    H2_PING,
    H2_GOAWAY,
    H2_WINDOW_UPDATE,
    H2_CONTINUATION,
    H2_FRAME_TYPES,
    H2_PRIORITY_UPDATE = 0x10 /* RFC 9218 7.1 */
};

enum h2_flag { H2_ACK = 0x1, H2_END_STREAM = 0x1, H2_END_HEADERS = 0x4, H2_PADDED = 0x8, H2_HAS_PRIORITY = 0x20 };

/* RFC 9113 part 7. */
enum h2_error {
    H2_NO_ERROR,
    H2_PROTOCOL_ERROR,
    H2_INTERNAL_ERROR,
    H2_FLOW_CONTROL_ERROR,
    H2_SETTINGS_TIMEOUT,
    H2_STREAM_CLOSED,
    H2_FRAME_SIZE_ERROR,
    H2_REFUSED_STREAM,
    H2_CANCEL,
    H2_COMPRESSION_ERROR,
    H2_CONNECT_ERROR,
    H2_ENHANCE_YOUR_CALM,
    H2_INADEQUATE_SECURITY,
    H2_HTTP_1_1_REQUIRED
};

/* The payload of any frame, of ours and of theirs: nobody is told of another SETTINGS_MAX_FRAME_SIZE, and to send
 * larger ones would only let one stream stand in the way of the others for longer. */
enum { H2_FRAME_HEAD = 9, H2_FRAME_MAX = 16384 };

#define H2_ID_MAX 0x7fffffffu

struct h2_frame {
    uint32_t size; /* of the payload */
    uint32_t id;   /* of the stream; 0: about the connection */
    uint8_t type;  /* enum h2_frame_type, or one that nobody knows */
    uint8_t flags;
};

uint16_t h2_get16(const char *at);
uint32_t h2_get32(const char *at); /* all 32 bits */
void h2_put32(char *at, uint32_t value);

/* The first H2_FRAME_HEAD bytes, which are there. The reserved bit is not looked at (4.1). */
struct h2_frame h2_frame_read(const char *bytes);
void h2_frame_put(char *at, const struct h2_frame *frame);

/* Takes padding (6.1) and the five octets of RFC 7540's priority, where the flags say so, off a payload that is all
 * there. H2_NO_ERROR, H2_PROTOCOL_ERROR: more padding than payload, or H2_FRAME_SIZE_ERROR: too short for what it
 * announces. */
enum h2_error h2_frame_strip(const struct h2_frame *frame, struct slice *payload);

/* Whether what this says of RFC 7540's priorities, a HEADERS with H2_HAS_PRIORITY or a PRIORITY, makes its stream
 * depend on itself, which RFC 7540 5.3.1 calls an error. RFC 9113 says nothing of it any more, but nobody means it.
 * `payload` is the frame's, as it came. */
bool h2_frame_circular(const struct h2_frame *frame, struct slice payload);

/* Whole frames into an outbox that has room for them: H2_CONTROL_SIZE is enough for any one of these but a GOAWAY's
 * text. */
enum { H2_RESET_SIZE = H2_FRAME_HEAD + 4, H2_CONTROL_SIZE = H2_FRAME_HEAD + 8, H2_SETTING_SIZE = 6 };

void h2_write_reset(struct outbox *out, uint32_t id, enum h2_error error);
void h2_write_window_update(struct outbox *out, uint32_t id, uint32_t increment);
void h2_write_settings_ack(struct outbox *out);
void h2_write_ping(struct outbox *out, uint8_t flags, const char payload[static 8]);
void h2_write_goaway(struct outbox *out, uint32_t last_id, enum h2_error error);

#endif
