/* What an encoder, and a decoder, is to compress.c, and the three that there can be: each file compress_*.c has both,
 * and knows one library. */
#ifndef SERVE_ENCODERS_H
#define SERVE_ENCODERS_H

#include "base/slice.h"

/* Writes the content, encoded at one of the library's levels, to `out`. 0: more than `room` bytes, or no memory. */
typedef size_t encoder(struct slice content, int level, char *out, size_t room);

encoder compress_gzip, compress_brotli, compress_zstd;

/* Whether `encoded`, decoded, is `plain`; `room` has that size and is free to be written to. */
typedef bool decoder(struct slice encoded, struct slice plain, char *room);

decoder decompress_gzip, decompress_brotli, decompress_zstd;

/* Whether a decoder of any client has the memory for what the one here has decoded. */
typedef bool bearer(struct slice encoded);

bearer bearable_zstd;

#endif
