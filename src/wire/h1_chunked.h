/* The chunked transfer coding read (RFC 9112 7.1): sizes, extensions, data, trailers, strictly and with limits.
 *
 * A machine of a few bytes of state that takes any split of the input. Trailer fields are checked for syntax and thrown
 * away, framing fields among them are refused. */
#ifndef WIRE_H1_CHUNKED_H
#define WIRE_H1_CHUNKED_H

#include "base/slice.h"

enum h1_chunked_result { H1_CHUNKED_MORE, H1_CHUNKED_DATA, H1_CHUNKED_DONE, H1_CHUNKED_BAD };

enum {
    H1_CHUNK_LINE_MAX = 256,             /* bytes of a size line with its extensions, without CRLF */
    H1_CHUNK_EXTENSIONS_MAX = 16 * 1024, /* bytes of all extensions of a message: overhead that no body limit sees */
    H1_TRAILER_MAX = 8 * 1024            /* bytes of all trailer lines with their CRLFs, the last empty one left out */
};

/* All zero at the start. It lies in every idle connection, so it is small. */
struct h1_chunked {
    uint64_t left;       /* bytes of the chunk still to come; while its size is read, the size so far */
    uint16_t extensions; /* bytes of all extensions so far */
    uint16_t line;       /* bytes of the size line so far, or of all the trailer lines */
    uint8_t state;
    uint8_t name_size;   /* of the trailer's name so far; stops at 255 */
    uint8_t refused;     /* bit i: the name so far is the start of the i-th one that is refused */
};

/* Takes from the front of `*bytes` and moves it on. DATA: `*data` is the next run of content within the input (call
 * again); MORE: all consumed; DONE: the last byte of the message was consumed, what is left belongs to the next
 * request. DONE and BAD stay. */
enum h1_chunked_result h1_chunked_next(struct h1_chunked *chunked, struct slice *bytes, struct slice *data);

#endif
