/* Bytes of a message that is not whole yet: a block of the worker's pages that grows while they come in. */
#ifndef WIRE_WS_BUFFER_H
#define WIRE_WS_BUFFER_H

#include "base/pages.h"
#include "base/slice.h"

struct ws_buffer {
    char *bytes; /* NULL: no block */
    size_t size, room;
};

/* Where `more` bytes, one at least, can be put behind those that are there; the caller adds them to size. NULL: no
 * memory, and nothing has changed. */
char *ws_buffer_reserve(struct ws_buffer *buffer, struct pages *pages, size_t more);

void ws_buffer_free(struct ws_buffer *buffer, struct pages *pages);

static inline struct slice ws_buffer_slice(const struct ws_buffer *buffer)
{
    return slice_make(buffer->bytes ? buffer->bytes : "", buffer->size);
}

#endif
