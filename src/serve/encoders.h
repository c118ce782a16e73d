/* What an encoder is to compress.c, and the three that there can be: each file compress_*.c has one, and knows one
 * library. */
#ifndef SERVE_ENCODERS_H
#define SERVE_ENCODERS_H

#include "base/slice.h"

/* Writes the content, encoded at one of the library's levels, to `out`. 0: more than `room` bytes, or no memory. */
typedef size_t encoder(struct slice content, int level, char *out, size_t room);

encoder compress_gzip, compress_brotli, compress_zstd;

#endif
