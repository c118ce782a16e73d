/* Settings as pairs of a 16-bit number and a 32-bit value. Those that nobody knows are no fault (6.5.2). */
#include "wire/h2_settings.h"

#include <assert.h>

static enum h2_error apply(struct h2_settings *settings, unsigned setting, uint32_t value)
{
    switch (setting) {
    case H2_HEADER_TABLE_SIZE:
        settings->table_size = value;
        if (value < settings->table_size_least)
            settings->table_size_least = value;
        return H2_NO_ERROR;
    case H2_ENABLE_PUSH:
    case H2_ENABLE_CONNECT_PROTOCOL:
    case H2_NO_RFC7540_PRIORITIES:
        return value <= 1 ? H2_NO_ERROR : H2_PROTOCOL_ERROR;
    case H2_INITIAL_WINDOW_SIZE:
        if (value > H2_ID_MAX)
            return H2_FLOW_CONTROL_ERROR;
        settings->window = (int32_t)value;
        return H2_NO_ERROR;
    case H2_MAX_FRAME_SIZE: /* ours are never larger than what everybody takes */
        return value >= H2_FRAME_MAX && value <= 0xffffff ? H2_NO_ERROR : H2_PROTOCOL_ERROR;
    case H2_MAX_CONCURRENT_STREAMS: /* of ours, and we begin none */
    case H2_MAX_HEADER_LIST_SIZE:   /* advice; our heads are what they are */
    default:
        return H2_NO_ERROR;
    }
}

enum h2_error h2_settings_read(struct h2_settings *settings, struct slice payload)
{
    assert(payload.size % H2_SETTING_SIZE == 0);
    settings->table_size_least = settings->table_size;
    for (; payload.size > 0; payload = slice_skip(payload, H2_SETTING_SIZE)) {
        enum h2_error error = apply(settings, h2_get16(payload.data), h2_get32(payload.data + 2));
        if (error != H2_NO_ERROR)
            return error;
    }
    return H2_NO_ERROR;
}

static char *put(char *at, enum h2_setting setting, uint32_t value)
{
    at[0] = 0;
    at[1] = (char)setting;
    h2_put32(at + 2, value);
    return at + H2_SETTING_SIZE;
}

/* The size of a list of fields counts 32 octets for each beside its text (6.5.2). */
static uint32_t list_size_max(const struct session_limits *limits)
{
    return limits->head_max + 32 * limits->fields_max;
}

void h2_settings_greet(struct outbox *out, const struct session_limits *limits)
{
    const struct h2_frame frame = { .size = H2_GREETING_COUNT * H2_SETTING_SIZE, .type = H2_SETTINGS };
    char *at = outbox_reserve(out, H2_FRAME_HEAD + frame.size);
    assert(at);
    h2_frame_put(at, &frame);
    at = put(at + H2_FRAME_HEAD, H2_MAX_CONCURRENT_STREAMS, limits->streams_max);
    at = put(at, H2_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW);
    at = put(at, H2_MAX_HEADER_LIST_SIZE, list_size_max(limits));
    put(at, H2_NO_RFC7540_PRIORITIES, 1);
    outbox_commit(out, H2_FRAME_HEAD + frame.size);
    h2_write_window_update(out, 0, H2_CONNECTION_WINDOW - H2_WINDOW_DEFAULT);
}
