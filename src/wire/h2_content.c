/* Content as DATA frames: a head of nine octets and, behind it, a copy of what is small, a span of memory or of a file,
 * or what its maker puts there. */
#include "wire/h2_write.h"

#include <assert.h>

/* Less than this is copied; and content that is made on the way is asked for in pieces, of which the smallest is what
 * rh_pull is promised. */
enum { COPIED_MAX = 2048, PIECE_MIN = 256 };

static void put_frame(char *at, const struct h2_stream *stream, size_t size, bool last)
{
    const struct h2_frame frame = { .size = (uint32_t)size, .type = H2_DATA, .id = stream->turn.id,
                                    .flags = last ? H2_END_STREAM : 0 };
    h2_frame_put(at, &frame);
}

static void account(struct h2_connection *c, struct h2_stream *stream, size_t size)
{
    c->send_window -= (int32_t)size;
    stream->send_window -= (int32_t)size;
    stream->sent += size;
    stream->moved_ms = c->sent_ms = h2_now(c);
}

/* How much may go in one frame. */
static size_t quota_of(const struct h2_connection *c, const struct h2_stream *stream)
{
    int32_t window = c->send_window < stream->send_window ? c->send_window : stream->send_window;
    if (window <= 0)
        return 0;
    return window < H2_FRAME_MAX ? (size_t)window : H2_FRAME_MAX;
}

/* ---- What is there ------------------------------------------------------------------------------------------- */

static bool put_copy(struct h2_stream *stream, struct slice bytes, bool last, struct outbox *out)
{
    size_t size = H2_FRAME_HEAD + bytes.size;
    if (!h2_has_room(out, size + H2_RESET_SIZE))
        return false;
    char *at = outbox_reserve(out, size);
    put_frame(at, stream, bytes.size, last);
    memcpy(at + H2_FRAME_HEAD, bytes.data, bytes.size);
    outbox_commit(out, size);
    return true;
}

/* Three runs: the head, the content, and whatever has to be said behind it. */
static bool put_span(struct h2_stream *stream, const struct body *piece, bool last, struct outbox *out)
{
    if (!outbox_fits(out, H2_FRAME_HEAD + H2_RESET_SIZE, 3))
        return false;
    put_frame(outbox_reserve(out, H2_FRAME_HEAD), stream, piece->size, last);
    outbox_commit(out, H2_FRAME_HEAD);
    bool placed = piece->kind == BODY_FILE
                      ? outbox_file(out, piece)
                      : outbox_memory(out, slice_make(piece->data, piece->size), piece->hold);
    assert(placed);
    (void)placed;
    return true;
}

/* Of a body that has parts, the one to go on with; each is asked for when it is its turn. */
static struct body next_piece(struct h2_stream *stream, const struct body *body, size_t quota)
{
    const struct body *part = body;
    if (body->kind == BODY_PARTS) {
        while (body->parts[stream->part].size == stream->part_sent) {
            stream->part++;
            stream->part_sent = 0;
        }
        part = &body->parts[stream->part];
    }
    struct body piece = *part;
    uint64_t left = part->size - stream->part_sent;
    piece.size = left < quota ? left : quota;
    piece.offset += stream->part_sent;
    if (piece.kind == BODY_SPAN)
        piece.data += stream->part_sent;
    return piece;
}

static enum h2_written write_stored(struct h2_connection *c, struct h2_stream *stream, const struct body *body,
                                    struct outbox *out)
{
    size_t quota = quota_of(c, stream);
    if (quota == 0)
        return H2_WRITTEN_BLOCKED;
    struct body piece = next_piece(stream, body, quota);
    bool last = stream->sent + piece.size == body->size, copies = piece.kind == BODY_SPAN && piece.size <= COPIED_MAX;
    bool put = copies ? put_copy(stream, slice_make(piece.data, piece.size), last, out)
                      : put_span(stream, &piece, last, out);
    if (!put)
        return H2_WRITTEN_FULL;
    stream->part_sent += piece.size;
    account(c, stream, piece.size);
    return last ? H2_WRITTEN_END : H2_WRITTEN_MORE;
}

/* ---- What is made on the way --------------------------------------------------------------------------------- */

static enum h2_written write_end(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    if (stream->exchange->response.trailer_count > 0)
        return h2_write_trailers(c, stream, out);
    return put_copy(stream, SLICE(""), true, out) ? H2_WRITTEN_END : H2_WRITTEN_FULL;
}

/* Its maker has nothing, nothing any more, or has failed: the last of what it says. MORE: it has made something. */
static enum h2_written hear_maker(struct h2_stream *stream, long got, size_t room)
{
    if (got == BODY_PULL_LATER)
        return H2_WRITTEN_LATER;
    if (got < 0)
        return H2_WRITTEN_BROKEN;
    assert((size_t)got <= room);
    (void)room;
    stream->exchange->response.pulled = got == 0;
    return H2_WRITTEN_MORE;
}

/* The window is smaller than the smallest piece: what is made is kept, and sent as far as it goes. */
static enum h2_written pull_aside(struct h2_connection *c, struct h2_stream *stream)
{
    const struct body *body = &stream->exchange->response.body;
    char *at = ws_buffer_reserve(&stream->kept, c->worker->pages, PIECE_MIN);
    if (at == NULL)
        return H2_WRITTEN_BROKEN;
    long got = body->pull(body->user, at, PIECE_MIN);
    enum h2_written heard = hear_maker(stream, got, PIECE_MIN);
    if (heard == H2_WRITTEN_MORE)
        stream->kept.size = (size_t)got;
    return heard;
}

static enum h2_written write_kept(struct h2_connection *c, struct h2_stream *stream, size_t quota, struct outbox *out)
{
    size_t left = stream->kept.size - stream->kept_at, size = left < quota ? left : quota;
    if (size == 0)
        return H2_WRITTEN_BLOCKED;
    if (!put_copy(stream, slice_make(stream->kept.bytes + stream->kept_at, size), false, out))
        return H2_WRITTEN_FULL;
    stream->kept_at += size;
    account(c, stream, size);
    if (stream->kept_at == stream->kept.size)
        stream->kept_at = stream->kept.size = 0;
    return H2_WRITTEN_MORE;
}

static enum h2_written pull_straight(struct h2_connection *c, struct h2_stream *stream, size_t quota,
                                     struct outbox *out)
{
    const struct body *body = &stream->exchange->response.body;
    if (!h2_has_room(out, H2_FRAME_HEAD + PIECE_MIN + H2_RESET_SIZE))
        return H2_WRITTEN_FULL;
    size_t room = out->size - out->used - H2_FRAME_HEAD - H2_RESET_SIZE;
    if (room > quota)
        room = quota;
    char *at = outbox_reserve(out, H2_FRAME_HEAD + room);
    long got = body->pull(body->user, at + H2_FRAME_HEAD, room);
    enum h2_written heard = hear_maker(stream, got, room);
    if (heard != H2_WRITTEN_MORE || got == 0)
        return heard;
    put_frame(at, stream, (size_t)got, false);
    outbox_commit(out, H2_FRAME_HEAD + (size_t)got);
    account(c, stream, (size_t)got);
    return H2_WRITTEN_MORE;
}

static enum h2_written write_pulled(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    size_t quota = quota_of(c, stream);
    if (stream->kept.size > 0)
        return write_kept(c, stream, quota, out);
    if (stream->exchange->response.pulled)
        return write_end(c, stream, out);
    return quota < PIECE_MIN ? pull_aside(c, stream) : pull_straight(c, stream, quota, out);
}

enum h2_written h2_write_content(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    const struct body *body = h2_content_of(stream->exchange);
    return body->kind == BODY_PULL ? write_pulled(c, stream, out) : write_stored(c, stream, body, out);
}
