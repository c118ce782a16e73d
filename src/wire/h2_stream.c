/* The states as a table, and streams in chains by their numbers. */
#include "wire/h2_stream.h"

#include <assert.h>

/* RFC 9113 5.1 and 6. A HEADERS that is taken in OPEN has to be trailers. Whoever has not heard yet that we have ended
 * a stream is not to blame for what he sends to it. */
static const uint8_t verdicts[H2_STATE_STATES][H2_FRAME_TYPES] = {
    [H2_STATE_IDLE] = { [H2_DATA] = H2_PROTOCOL_FAULT, [H2_HEADERS] = H2_TAKE, [H2_RST_STREAM] = H2_PROTOCOL_FAULT,
                         [H2_WINDOW_UPDATE] = H2_PROTOCOL_FAULT },
    [H2_STATE_OPEN] = { [H2_DATA] = H2_TAKE, [H2_HEADERS] = H2_TAKE, [H2_RST_STREAM] = H2_TAKE,
                         [H2_WINDOW_UPDATE] = H2_TAKE },
    [H2_STATE_ASKED] = { [H2_DATA] = H2_STREAM_FAULT, [H2_HEADERS] = H2_STREAM_FAULT, [H2_RST_STREAM] = H2_TAKE,
                          [H2_WINDOW_UPDATE] = H2_TAKE },
    [H2_STATE_CLOSED] = { [H2_DATA] = H2_STREAM_FAULT, [H2_HEADERS] = H2_CLOSED_FAULT, [H2_RST_STREAM] = H2_IGNORE,
                           [H2_WINDOW_UPDATE] = H2_IGNORE },
    [H2_STATE_ENDED] = { [H2_DATA] = H2_IGNORE, [H2_HEADERS] = H2_IGNORE, [H2_RST_STREAM] = H2_IGNORE,
                          [H2_WINDOW_UPDATE] = H2_IGNORE },
    [H2_STATE_PASSED] = { [H2_DATA] = H2_STREAM_FAULT, [H2_HEADERS] = H2_PROTOCOL_FAULT,
                           [H2_RST_STREAM] = H2_IGNORE, [H2_WINDOW_UPDATE] = H2_IGNORE },
};

enum h2_verdict h2_stream_verdict(enum h2_stream_state state, enum h2_frame_type type)
{
    return (enum h2_verdict)verdicts[state][type];
}

/* A client's streams have odd numbers. */
static unsigned bucket_of(uint32_t id)
{
    return id / 2 % H2_STREAM_BUCKETS;
}

struct h2_stream *h2_streams_find(const struct h2_streams *streams, uint32_t id)
{
    struct h2_stream *stream = streams->buckets[bucket_of(id)];
    while (stream != NULL && stream->turn.id != id)
        stream = stream->next;
    return stream;
}

struct h2_stream *h2_streams_of(const struct h2_streams *streams, const struct exchange *exchange)
{
    for (unsigned i = 0; i < H2_STREAM_BUCKETS; i++)
        for (struct h2_stream *stream = streams->buckets[i]; stream != NULL; stream = stream->next)
            if (stream->exchange == exchange)
                return stream;
    return NULL;
}

void h2_streams_add(struct h2_streams *streams, struct h2_stream *stream)
{
    struct h2_stream **bucket = &streams->buckets[bucket_of(stream->turn.id)];
    stream->next = *bucket;
    *bucket = stream;
    streams->count++;
}

void h2_streams_remove(struct h2_streams *streams, struct h2_stream *stream)
{
    struct h2_stream **at = &streams->buckets[bucket_of(stream->turn.id)];
    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    streams->count--;
}

void h2_streams_each(struct h2_streams *streams, void (*visit)(void *user, struct h2_stream *stream), void *user)
{
    for (unsigned i = 0; i < H2_STREAM_BUCKETS; i++) {
        for (struct h2_stream *stream = streams->buckets[i], *next; stream != NULL; stream = next) {
            next = stream->next;
            visit(user, stream);
        }
    }
}

#define BY_US (H2_ID_MAX + 1)

void h2_closed_add(struct h2_closed *closed, uint32_t id, bool by_us)
{
    closed->ids[closed->next] = by_us ? id | BY_US : id;
    closed->next = (uint8_t)((closed->next + 1) % H2_CLOSED_KEPT);
}

enum h2_stream_state h2_closed_state(const struct h2_closed *closed, uint32_t id)
{
    for (unsigned i = 1; i <= H2_CLOSED_KEPT; i++) { /* the latest first: it may be there twice */
        uint32_t kept = closed->ids[(closed->next + H2_CLOSED_KEPT - i) % H2_CLOSED_KEPT];
        if ((kept & H2_ID_MAX) == id)
            return kept & BY_US ? H2_STATE_ENDED : H2_STATE_CLOSED;
    }
    return H2_STATE_PASSED;
}
