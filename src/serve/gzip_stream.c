/* gzip over a stream, by zlib at a low level: as it is made for each client anew. See gzip_stream.h. */
#include "serve/gzip_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

enum { LEVEL = 3, GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, INPUT_SIZE = 16 * 1024 };

struct gzip_stream {
    body_pull *pull;
    void *user;
    z_stream zlib;
    int flush;    /* Z_NO_FLUSH, Z_SYNC_FLUSH before a wait, or Z_FINISH */
    bool pending; /* zlib has something to do */
    bool waits;   /* the source has nothing: to be said when all that came before is out */
    bool ended;   /* zlib has given all */
    char input[INPUT_SIZE];
};

struct gzip_stream *gzip_stream_new(body_pull *pull, void *user)
{
    struct gzip_stream *stream = malloc(sizeof *stream);
    if (!stream)
        return NULL;
    *stream = (struct gzip_stream){ .pull = pull, .user = user };
    if (deflateInit2(&stream->zlib, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK)
        return stream;
    free(stream);
    return NULL;
}

void gzip_stream_free(struct gzip_stream *stream)
{
    if (!stream)
        return;
    deflateEnd(&stream->zlib);
    free(stream);
}

/* More input for zlib, or what to do without. False: the source failed. */
static bool draw(struct gzip_stream *stream)
{
    long got = stream->pull(stream->user, stream->input, sizeof stream->input);
    if (got < 0 && got != BODY_PULL_LATER)
        return false;
    stream->zlib.next_in = (Bytef *)stream->input;
    stream->zlib.avail_in = got > 0 ? (uInt)got : 0;
    stream->flush = got > 0 ? Z_NO_FLUSH : got == 0 ? Z_FINISH : Z_SYNC_FLUSH;
    stream->waits = got == BODY_PULL_LATER;
    stream->pending = true;
    return true;
}

/* A second Z_SYNC_FLUSH with nothing new before it gives nothing. */
static void press(struct gzip_stream *stream)
{
    if (!stream->pending)
        return;
    stream->ended = deflate(&stream->zlib, stream->flush) == Z_STREAM_END;
    stream->pending = stream->zlib.avail_out == 0 && !stream->ended;
}

long gzip_stream_pull(void *user, char *out, size_t size)
{
    struct gzip_stream *stream = user;
    z_stream *zlib = &stream->zlib;
    assert(size >= GZIP_STREAM_ROOM_MIN);
    zlib->next_out = (Bytef *)out;
    zlib->avail_out = (uInt)size;
    for (;;) {
        press(stream);
        size_t made = size - zlib->avail_out;
        bool complete = zlib->avail_out == 0 || stream->waits || stream->ended;
        if (made > 0 && complete)
            return (long)made;
        if (stream->ended)
            return 0;
        if (stream->waits) {
            stream->waits = false;
            return BODY_PULL_LATER;
        }
        if (!draw(stream))
            return BODY_PULL_FAILED;
    }
}
