/* gzip (RFC 1952) by libdeflate. Its header has no time and no name, so it depends on nothing but the content. */
#include <libdeflate.h>

#include "serve/encoders.h"

size_t compress_gzip(struct slice content, int level, char *out, size_t room)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    if (!compressor)
        return 0;
    size_t size = libdeflate_gzip_compress(compressor, content.data, content.size, out, room);
    libdeflate_free_compressor(compressor);
    return size;
}

bool decompress_gzip(struct slice encoded, struct slice plain, char *room)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    size_t used = 0, size = 0;
    if (!decompressor)
        return false;
    enum libdeflate_result result =
        libdeflate_gzip_decompress_ex(decompressor, encoded.data, encoded.size, room, plain.size, &used, &size);
    libdeflate_free_decompressor(decompressor);
    return result == LIBDEFLATE_SUCCESS && used == encoded.size && slice_equal(slice_make(room, size), plain);
}
