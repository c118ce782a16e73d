/* Raw DEFLATE by zlib. A message ends with an empty stored block whose last four bytes are left out on the wire (RFC
 * 7692 7.2.1); they are put back before it is read (7.2.2). */
#include "wire/ws_deflate.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    RAW = -15,            /* no header, and the largest window: it reads what was written with any */
    MEMORY_LEVEL = 8,
    LEVEL = 3,            /* somebody waits for it: 20 KB of markup take twice as long at 6, which saves 8% */
    ROOM_MIN = 4096,
    AT_BLOCK_END = 128,   /* in data_type, see inflate() in zlib.h: a block has just ended, */
    BITS_LEFT = 63        /* and so many bits of the last byte are still to be used */
};

static const struct slice tail = SLICE_INIT("\x00\x00\xff\xff");

/* ---- Reading ------------------------------------------------------------------------------------------------ */

struct ws_inflater {
    struct pages *pages;
    z_stream stream;
};

/* A block of pages that knows its size. */
struct lent {
    _Alignas(16) size_t room;
    _Alignas(16) char bytes[];
};

static voidpf lend(voidpf pages, uInt count, uInt size)
{
    size_t room;
    struct lent *lent = pages_take(pages, sizeof *lent + (size_t)count * size, &room);
    if (lent == NULL)
        return NULL;
    lent->room = room;
    return lent->bytes;
}

static void take_back(voidpf pages, voidpf bytes)
{
    struct lent *lent = (struct lent *)((char *)bytes - offsetof(struct lent, bytes));
    pages_give(pages, lent, lent->room);
}

struct ws_inflater *ws_inflater_new(struct pages *pages)
{
    struct ws_inflater *inflater = malloc(sizeof *inflater);
    if (inflater == NULL)
        return NULL;
    *inflater = (struct ws_inflater){ pages, { .zalloc = lend, .zfree = take_back, .opaque = pages } };
    if (inflateInit2(&inflater->stream, RAW) == Z_OK)
        return inflater;
    free(inflater);
    return NULL;
}

void ws_inflater_free(struct ws_inflater *inflater)
{
    if (inflater != NULL)
        inflateEnd(&inflater->stream);
    free(inflater);
}

/* One byte more than is allowed is enough to see that it is too much. */
static bool give_room(struct ws_inflater *inflater, size_t size_max, struct ws_buffer *plain)
{
    if (plain->size == plain->room && ws_buffer_reserve(plain, inflater->pages, ROOM_MIN) == NULL)
        return false;
    size_t room = plain->room - plain->size, left = size_max + 1 - plain->size;
    if (room > left)
        room = left;
    inflater->stream.next_out = (Bytef *)plain->bytes + plain->size;
    inflater->stream.avail_out = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
    return true;
}

/* 7.2.3.4: a block may say that it is the last one, and more of them follow, if only the one that we have put back. */
static bool go_on(z_stream *stream, int result)
{
    if (result == Z_STREAM_END)
        return inflateReset(stream) == Z_OK;
    return result == Z_OK || result == Z_BUF_ERROR;
}

/* Until all of `piece` has been read and nothing more comes of it. */
static enum ws_inflated inflate_piece(struct ws_inflater *inflater, struct slice piece, size_t size_max,
                                      struct ws_buffer *plain)
{
    z_stream *stream = &inflater->stream;
    stream->next_in = (z_const Bytef *)piece.data;
    stream->avail_in = (uInt)piece.size;
    do {
        if (!give_room(inflater, size_max, plain))
            return WS_INFLATE_NO_MEMORY;
        uInt room = stream->avail_out;
        int result = inflate(stream, Z_SYNC_FLUSH);
        plain->size += room - stream->avail_out;
        if (plain->size > size_max)
            return WS_INFLATE_TOO_BIG;
        if (result == Z_MEM_ERROR)
            return WS_INFLATE_NO_MEMORY;
        if (!go_on(stream, result))
            return WS_INFLATE_BAD;
    } while (stream->avail_in > 0 || stream->avail_out == 0);
    return WS_INFLATED;
}

enum ws_inflated ws_inflate(struct ws_inflater *inflater, struct slice compressed, size_t size_max,
                            struct ws_buffer *plain)
{
    if (inflateReset(&inflater->stream) != Z_OK || compressed.size > UINT32_MAX)
        return WS_INFLATE_BAD;
    enum ws_inflated outcome = inflate_piece(inflater, compressed, size_max, plain);
    if (outcome == WS_INFLATED)
        outcome = inflate_piece(inflater, tail, size_max, plain);
    int where = inflater->stream.data_type;
    bool whole = (where & AT_BLOCK_END) != 0 && (where & BITS_LEFT) == 0;
    return outcome == WS_INFLATED && !whole ? WS_INFLATE_BAD : outcome;
}

/* ---- Writing ------------------------------------------------------------------------------------------------ */

struct ws_deflater {
    z_stream stream;
};

struct ws_deflater *ws_deflater_new(void)
{
    struct ws_deflater *deflater = calloc(1, sizeof *deflater);
    if (deflater == NULL)
        return NULL;
    if (deflateInit2(&deflater->stream, LEVEL, Z_DEFLATED, RAW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK)
        return deflater;
    free(deflater);
    return NULL;
}

void ws_deflater_free(struct ws_deflater *deflater)
{
    if (deflater != NULL)
        deflateEnd(&deflater->stream);
    free(deflater);
}

size_t ws_deflate(struct ws_deflater *deflater, struct slice plain, char *out, size_t room)
{
    z_stream *stream = &deflater->stream;
    if (plain.size > UINT32_MAX || room > UINT32_MAX || deflateReset(stream) != Z_OK)
        return 0;
    stream->next_in = (z_const Bytef *)plain.data;
    stream->avail_in = (uInt)plain.size;
    stream->next_out = (Bytef *)out;
    stream->avail_out = (uInt)room;
    bool done = deflate(stream, Z_SYNC_FLUSH) == Z_OK && stream->avail_in == 0 && stream->avail_out > 0;
    return done ? room - stream->avail_out - tail.size : 0;
}
