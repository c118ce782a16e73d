/* Content that is made while it is sent: in pieces, each a chunk where the client knows chunks (RFC 9112 7.1), as many
 * as the outbox has room for. The head is out already; why it said what it said is not known here. */
#include <assert.h>

#include "wire/h1_field.h"
#include "wire/h1_write.h"

/* Content made on the way is asked for in pieces; less room than the first at the buffer's end is not worth one. */
enum { PIECE_MIN = 256, PIECE_MAX = 16 * 1024 };

/* The size of a piece, which has four hexadecimal digits at most, and line breaks before and behind the data. */
enum { CHUNK_LINE = 4 + 2, CHUNK_END = 2 };

_Static_assert(PIECE_MIN - CHUNK_LINE - CHUNK_END >= 240, "what rh_pull is promised");
_Static_assert(PIECE_MAX <= 0xffff, "a chunk's size has four digits at most");

/* Makes a chunk of `size` bytes of data, one at least, which lie at `at` + CHUNK_LINE. Returns how many bytes the chunk
 * has, which begins at `at`. */
static size_t frame_chunk(char *at, size_t size)
{
    struct writer line = writer_on(at, CHUNK_LINE);
    writer_hex(&line, size);
    writer_put(&line, SLICE("\r\n"));
    if (writer_used(&line) != CHUNK_LINE)
        memmove(line.at, at + CHUNK_LINE, size);
    memcpy(line.at + size, "\r\n", CHUNK_END);
    return writer_used(&line) + size + CHUNK_END;
}

/* The last chunk and what stands behind it (RFC 9112 7.1.2). */
static enum h1_pull_result write_last_chunk(const struct response *response, struct outbox *out)
{
    size_t bound = sizeof "0\r\n\r\n" - 1;
    for (unsigned i = 0; i < response->trailer_count; i++)
        bound += h1_field_bound(&response->trailers[i]);
    char *at = outbox_reserve(out, bound);
    if (!at)
        return out->count == 0 ? H1_PULL_FAILED : H1_PULL_MORE; /* an empty one that has no room will never have any */
    struct writer w = writer_on(at, bound);
    writer_put(&w, SLICE("0\r\n"));
    for (unsigned i = 0; i < response->trailer_count; i++)
        h1_field_write(&w, &response->trailers[i]);
    writer_put(&w, SLICE("\r\n"));
    assert(!w.overflowed);
    outbox_commit(out, writer_used(&w));
    return H1_PULL_END;
}

/* A run of the outbox for the next piece; NULL: drain it first. */
static char *reserve_piece(struct outbox *out, size_t *room)
{
    *room = out->size - out->used;
    if (*room > PIECE_MAX)
        *room = PIECE_MAX;
    return *room < PIECE_MIN ? NULL : outbox_reserve(out, *room);
}

enum h1_pull_result h1_write_pull(struct exchange *exchange, struct outbox *out, uint64_t *body_bytes)
{
    struct response *response = &exchange->response;
    const struct body *body = &response->body;
    bool chunked = exchange->request.version >= 11;
    size_t before = chunked ? CHUNK_LINE : 0;
    size_t around = chunked ? CHUNK_LINE + CHUNK_END : 0;
    size_t room;
    assert(body->kind == BODY_PULL && out->size >= PIECE_MIN);
    for (char *at; !response->pulled && (at = reserve_piece(out, &room));) {
        long got = body->pull(body->user, at + before, room - around);
        if (got == BODY_PULL_LATER)
            return H1_PULL_LATER;
        if (got < 0)
            return H1_PULL_FAILED;
        assert((size_t)got <= room - around);
        response->pulled = got == 0;
        if (got > 0)
            outbox_commit(out, chunked ? frame_chunk(at, (size_t)got) : (size_t)got);
        *body_bytes += (uint64_t)got;
    }
    if (!response->pulled)
        return H1_PULL_MORE;
    return chunked ? write_last_chunk(response, out) : H1_PULL_END;
}
