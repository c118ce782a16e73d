/* zstd (RFC 8878) by libzstd. */
#include <zstd.h>

#include "serve/encoders.h"

/* RFC 9659 part 3: a decoder need not take more than 8 MiB. For less content the library makes it smaller by itself. */
enum { WINDOW_BITS_MAX = 23, WINDOW_MAX = 1 << WINDOW_BITS_MAX };

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

/* What a whole frame says of its window (RFC 8878 3.1.1.1). The library's own call for it is not a stable one. */
static uint64_t window_of(struct slice frame)
{
    enum { DESCRIPTOR_AT = 4, WINDOW_AT = 5, SINGLE_SEGMENT = 0x20 };
    static const char skippable[] = { 0x2a, 0x4d, 0x18 }; /* behind a byte of 0x50 to 0x5f (3.1.2) */
    const uint8_t *bytes = (const uint8_t *)frame.data;
    if (memcmp(bytes + 1, skippable, sizeof skippable) == 0)
        return 0;
    if (bytes[DESCRIPTOR_AT] & SINGLE_SEGMENT)
        return ZSTD_getFrameContentSize(frame.data, frame.size);
    uint64_t base = UINT64_C(1) << (10 + (bytes[WINDOW_AT] >> 3));
    return base + base / 8 * (bytes[WINDOW_AT] & 7);
}

bool bearable_zstd(struct slice encoded)
{
    while (encoded.size > 0) {
        size_t size = ZSTD_findFrameCompressedSize(encoded.data, encoded.size);
        if (ZSTD_isError(size) || window_of(slice_part(encoded, 0, size)) > WINDOW_MAX)
            return false;
        encoded = slice_skip(encoded, size);
    }
    return true;
}
