/* zstd (RFC 8878) by libzstd. */
#include <zstd.h>

#include "serve/encoders.h"

/* RFC 9659 part 3: a decoder need not take more than 8 MiB. For less content the library makes it smaller by itself. */
enum { WINDOW_BITS_MAX = 23 };

static bool set(ZSTD_CCtx *context, ZSTD_cParameter parameter, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, value));
}

size_t compress_zstd(struct slice content, int level, char *out, size_t room)
{
    size_t size = 0;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context && set(context, ZSTD_c_compressionLevel, level) && set(context, ZSTD_c_windowLog, WINDOW_BITS_MAX))
        size = ZSTD_compress2(context, out, room, content.data, content.size);
    ZSTD_freeCCtx(context);
    return ZSTD_isError(size) ? 0 : size;
}

bool decompress_zstd(struct slice encoded, struct slice plain, char *room)
{
    size_t size = ZSTD_decompress(room, plain.size, encoded.data, encoded.size);
    return !ZSTD_isError(size) && slice_equal(slice_make(room, size), plain);
}
