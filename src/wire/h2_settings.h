/* SETTINGS (RFC 9113 6.5): what the peer says of itself, as far as a server has to know it, and what we say.
 *
 * It knows what values are valid; what follows from a change is for others to do. */
#ifndef WIRE_H2_SETTINGS_H
#define WIRE_H2_SETTINGS_H

#include "base/writer.h"
#include "http/session.h"
#include "wire/h2_frame.h"

enum h2_setting {
    H2_HEADER_TABLE_SIZE = 1,
    H2_ENABLE_PUSH,
    H2_MAX_CONCURRENT_STREAMS,
    H2_INITIAL_WINDOW_SIZE,
    H2_MAX_FRAME_SIZE,
    H2_MAX_HEADER_LIST_SIZE,
    H2_ENABLE_CONNECT_PROTOCOL = 8,  /* RFC 8441 3 */
    H2_NO_RFC7540_PRIORITIES         /* RFC 9218 2.1 */
};

/* Before anything is said both sides have this window, of each stream and of the connection (6.9.2). */
enum { H2_WINDOW_DEFAULT = 65535 };

/* What a client may send ahead. A stream's lets an upload run as fast as it would over HTTP/1.1, a connection's is all
 * that one client can make us keep of bodies that nobody takes. */
enum { H2_STREAM_WINDOW = 256 * 1024, H2_CONNECTION_WINDOW = 1024 * 1024 };

struct h2_settings {
    uint32_t table_size; /* of the table with which header blocks for the peer are made */
    uint32_t table_size_least; /* and the least that was said of it at once, which matters too (RFC 7541 4.2) */
    int32_t window;      /* of new streams, for what we send */
};

static inline struct h2_settings h2_settings_default(void)
{
    return (struct h2_settings){ .table_size = 4096, .table_size_least = 4096, .window = H2_WINDOW_DEFAULT };
}

/* What a frame's payload changes of them; its size is a multiple of H2_SETTING_SIZE. H2_NO_ERROR, or what the
 * connection ends with. */
enum h2_error h2_settings_read(struct h2_settings *settings, struct slice payload);

/* Our first words: SETTINGS, and the connection's window. Into an outbox with room for H2_GREETING_SIZE. */
enum { H2_GREETING_COUNT = 4,
       H2_GREETING_SIZE = H2_FRAME_HEAD + H2_GREETING_COUNT * H2_SETTING_SIZE + H2_FRAME_HEAD + 4 };
void h2_settings_greet(struct outbox *out, const struct session_limits *limits);

#endif
