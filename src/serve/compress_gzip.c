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
