/* The table of encoders, and when it is worth while to use one. How each encodes is in compress_gzip.c,
 * compress_brotli.c and compress_zstd.c. */
#include "serve/compress.h"

#include <stdlib.h>

#include "serve/encoders.h"

static const struct row {
    encoder *encode;     /* NULL: not built */
    decoder *decode;
    bearer *bear;        /* NULL: what is well-formed can be decoded by everybody */
    int thorough, quick; /* the library's levels, up to COMPRESS_THOROUGH_MAX and beyond it */
    int now;             /* and for one response */
} rows[CODING_COUNT] = {
#if COMPRESS_GZIP
    [CODING_GZIP] = { compress_gzip, decompress_gzip, NULL, 12, 12, 3 }, /* 6 MB/s even so */
#endif
#if COMPRESS_BROTLI
    [CODING_BR] = { compress_brotli, decompress_brotli, NULL, 11, 9, 3 },
#endif
#if COMPRESS_ZSTD
    [CODING_ZSTD] = { compress_zstd, decompress_zstd, bearable_zstd, 19, 12, 3 },
#endif
};

unsigned compress_codings(void)
{
    unsigned codings = 0;
    for (unsigned coding = 0; coding < CODING_COUNT; coding++)
        if (rows[coding].encode)
            codings |= coding_bit(coding);
    return codings;
}

char *compress_content(enum coding coding, struct slice content, size_t *size)
{
    const struct row *row = &rows[coding];
    if (!row->encode || content.size < COMPRESS_SIZE_MIN || content.size > COMPRESS_SIZE_MAX)
        return NULL;
    size_t room = content.size * 19 / 20; /* at least 5% less, or the encoder finds that it does not fit */
    char *out = malloc(room);
    if (!out)
        return NULL;
    *size = row->encode(content, content.size <= COMPRESS_THOROUGH_MAX ? row->thorough : row->quick, out, room);
    if (*size == 0) {
        free(out);
        return NULL;
    }
    char *fitting = realloc(out, *size);
    if (!fitting)
        return out;
    return fitting;
}

size_t compress_now(enum coding coding, struct slice content, char *out, size_t room)
{
    const struct row *row = &rows[coding];
    return row->encode ? row->encode(content, row->now, out, room) : 0;
}

bool compress_holds(enum coding coding, struct slice encoded, struct slice content)
{
    const struct row *row = &rows[coding];
    if (!row->decode)
        return true;
    char *room = malloc(content.size + 1);
    bool holds = room && row->decode(encoded, content, room);
    free(room);
    return holds;
}

bool compress_bearable(enum coding coding, struct slice encoded)
{
    bearer *bear = rows[coding].bear;
    return !bear || bear(encoded);
}
