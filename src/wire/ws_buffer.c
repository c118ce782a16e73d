/* It doubles, so that a message of n bytes is copied at most n bytes' worth while it grows. */
#include "wire/ws_buffer.h"

#include <assert.h>

char *ws_buffer_reserve(struct ws_buffer *buffer, struct pages *pages, size_t more)
{
    assert(more > 0);
    if (more <= buffer->room - buffer->size)
        return buffer->bytes + buffer->size;
    size_t wanted = buffer->size + more, room;
    if (wanted < 2 * buffer->room)
        wanted = 2 * buffer->room;
    char *block = pages_take(pages, wanted, &room);
    if (block == NULL)
        return NULL;
    if (buffer->size > 0)
        memcpy(block, buffer->bytes, buffer->size);
    pages_give(pages, buffer->bytes, buffer->room);
    *buffer = (struct ws_buffer){ block, buffer->size, room };
    return block + buffer->size;
}

void ws_buffer_free(struct ws_buffer *buffer, struct pages *pages)
{
    pages_give(pages, buffer->bytes, buffer->room);
    *buffer = (struct ws_buffer){ 0 };
}
