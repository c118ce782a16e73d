/* The payload of a message, compressed and back (RFC 7692 7.2), one message at a time and none with the help of
 * another: so two streams of zlib do for any number of connections, which keep nothing of them.
 *
 * It knows no frames. */
#ifndef WIRE_WS_DEFLATE_H
#define WIRE_WS_DEFLATE_H

#include "wire/ws_buffer.h"

/* ---- Reading: one for each worker, 40 KiB of its pages ------------------------------------------------------ */

struct ws_inflater;

struct ws_inflater *ws_inflater_new(struct pages *pages); /* NULL: no memory */
void ws_inflater_free(struct ws_inflater *inflater);      /* NULL is allowed */

enum ws_inflated {
    WS_INFLATED,
    WS_INFLATE_BAD, /* that is not DEFLATE, or not all of it */
    WS_INFLATE_TOO_BIG,
    WS_INFLATE_NO_MEMORY
};

/* A whole message, from its frames put together. `*plain`, which is empty before, is up to `size_max` bytes, in pages
 * of the same worker; the caller frees it, whatever the outcome. */
enum ws_inflated ws_inflate(struct ws_inflater *inflater, struct slice compressed, size_t size_max,
                            struct ws_buffer *plain);

/* ---- Writing: any thread, one at a time ---- */

enum { WS_DEFLATER_SIZE = 256 * 1024 }; /* bytes, about */

struct ws_deflater;

struct ws_deflater *ws_deflater_new(void); /* NULL: no memory */
void ws_deflater_free(struct ws_deflater *deflater);

/* Into `out`; how many bytes it became, 0: not less than `room`, which is so where it is not worth it. */
size_t ws_deflate(struct ws_deflater *deflater, struct slice plain, char *out, size_t room);

#endif
