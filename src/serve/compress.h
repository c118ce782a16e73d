/* Content in a content coding, made once in the background so that no request waits for it: at levels that no server
 * could afford for each request. The encoders are rows of one table; the build says which of them are there.
 *
 * It knows neither pages nor clients. Pure but for memory; any thread. */
#ifndef SERVE_COMPRESS_H
#define SERVE_COMPRESS_H

#include "http/coding.h"

enum {
    /* A response's head takes about as much, and both go out in one packet either way. */
    COMPRESS_SIZE_MIN = 200,

    /* Up to here at the highest level, which is slow: for 8 MiB of machine code brotli at 11 takes 17 s, for as much
     * HTML 5 s (zstd at 19: 3 s and 1.4 s, libdeflate at 12: 1 s). What is larger takes a level some ten times as
     * fast, for 5 to 12% more bytes. */
    COMPRESS_THOROUGH_MAX = 8 << 20,

    /* More than this is not encoded: brotli at 9 takes some 10 s for it. */
    COMPRESS_SIZE_MAX = 64 << 20
};

/* The coding_bits of the encoders that there are. */
unsigned compress_codings(void);

/* The content in that coding, `*size` bytes, malloc'd and the caller's. NULL: it would not become at least 5% smaller,
 * is too small or too large to try, there is no such encoder, or no memory. The same content always becomes the same
 * bytes, so that replicas agree about them.
 *
 * Meanwhile it takes up to 95% of the content for the result, and the encoder's own memory: brotli 82 MiB at most, zstd
 * 81, libdeflate 7. So do not run many at a time. */
char *compress_content(enum coding coding, struct slice content, size_t *size);

/* For one response: at a level that makes some 100 MB/s. The size, 0: more than `room`, no encoder, or no memory. */
size_t compress_now(enum coding coding, struct slice content, char *out, size_t room);

/* Whether what somebody else has encoded is this content. Of a coding that was not built nobody can tell: true. */
bool compress_holds(enum coding coding, struct slice encoded, struct slice content);

/* Whether every client that knows the coding can decode what holds content: in zstd it may want more memory than a
 * client has to have (RFC 9659). Of a coding that was not built: true. */
bool compress_bearable(enum coding coding, struct slice encoded);

#endif
