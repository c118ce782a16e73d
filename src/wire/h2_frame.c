/* Numbers in network order, frame heads, and frames of a fixed form. */
#include "wire/h2_frame.h"

#include <assert.h>

uint16_t h2_get16(const char *at)
{
    const uint8_t *b = (const uint8_t *)at;
    return (uint16_t)(b[0] << 8 | b[1]);
}

uint32_t h2_get32(const char *at)
{
    return (uint32_t)h2_get16(at) << 16 | h2_get16(at + 2);
}

void h2_put32(char *at, uint32_t value)
{
    uint32_t order = __builtin_bswap32(value);
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the other one needs no swap");
    memcpy(at, &order, sizeof order);
}

struct h2_frame h2_frame_read(const char *bytes)
{
    return (struct h2_frame){
        .size = h2_get32(bytes) >> 8,
        .type = (uint8_t)bytes[3],
        .flags = (uint8_t)bytes[4],
        .id = h2_get32(bytes + 5) & H2_ID_MAX,
    };
}

void h2_frame_put(char *at, const struct h2_frame *frame)
{
    assert(frame->size <= H2_FRAME_MAX);
    h2_put32(at, frame->size << 8 | frame->type);
    at[4] = (char)frame->flags;
    h2_put32(at + 5, frame->id);
}

enum h2_error h2_frame_strip(const struct h2_frame *frame, struct slice *payload)
{
    enum { PRIORITY_SIZE = 5 };
    size_t padding = 0;
    if (frame->flags & H2_PADDED) {
        if (payload->size == 0)
            return H2_FRAME_SIZE_ERROR;
        padding = (uint8_t)payload->data[0];
        *payload = slice_skip(*payload, 1);
    }
    if (frame->type == H2_HEADERS && frame->flags & H2_HAS_PRIORITY) {
        if (payload->size < PRIORITY_SIZE)
            return H2_FRAME_SIZE_ERROR;
        *payload = slice_skip(*payload, PRIORITY_SIZE);
    }
    if (padding > payload->size)
        return H2_PROTOCOL_ERROR;
    payload->size -= padding;
    return H2_NO_ERROR;
}

bool h2_frame_circular(const struct h2_frame *frame, struct slice payload)
{
    bool headers = frame->type == H2_HEADERS;
    if (headers && !(frame->flags & H2_HAS_PRIORITY))
        return false;
    if (headers && frame->flags & H2_PADDED && payload.size > 0)
        payload = slice_skip(payload, 1);
    return payload.size >= 4 && (h2_get32(payload.data) & H2_ID_MAX) == frame->id;
}

static char *begin(struct outbox *out, const struct h2_frame *frame)
{
    char *at = outbox_reserve(out, H2_FRAME_HEAD + frame->size);
    assert(at); /* the caller has seen to it */
    h2_frame_put(at, frame);
    return at + H2_FRAME_HEAD;
}

static void end(struct outbox *out, const struct h2_frame *frame)
{
    outbox_commit(out, H2_FRAME_HEAD + frame->size);
}

void h2_write_reset(struct outbox *out, uint32_t id, enum h2_error error)
{
    const struct h2_frame frame = { .size = 4, .type = H2_RST_STREAM, .id = id };
    h2_put32(begin(out, &frame), error);
    end(out, &frame);
}

void h2_write_window_update(struct outbox *out, uint32_t id, uint32_t increment)
{
    const struct h2_frame frame = { .size = 4, .type = H2_WINDOW_UPDATE, .id = id };
    h2_put32(begin(out, &frame), increment);
    end(out, &frame);
}

void h2_write_settings_ack(struct outbox *out)
{
    const struct h2_frame frame = { .type = H2_SETTINGS, .flags = H2_ACK };
    begin(out, &frame);
    end(out, &frame);
}

void h2_write_ping(struct outbox *out, uint8_t flags, const char payload[static 8])
{
    const struct h2_frame frame = { .size = 8, .type = H2_PING, .flags = flags };
    memcpy(begin(out, &frame), payload, 8);
    end(out, &frame);
}

void h2_write_goaway(struct outbox *out, uint32_t last_id, enum h2_error error)
{
    const struct h2_frame frame = { .size = 8, .type = H2_GOAWAY };
    char *at = begin(out, &frame);
    h2_put32(at, last_id);
    h2_put32(at + 4, error);
    end(out, &frame);
}
