/* A block of its size, with the bytes behind it. See kept.h. */
#include "net/kept.h"

struct kept {
    uint32_t size, room;
    char bytes[];
};

size_t kept_take(struct kept **kept, struct pages *pages, char *buffer)
{
    if (*kept == NULL)
        return 0;
    size_t size = (*kept)->size;
    memcpy(buffer, (*kept)->bytes, size);
    kept_free(kept, pages);
    return size;
}

bool kept_put(struct kept **kept, struct pages *pages, struct slice bytes)
{
    size_t room;
    if (bytes.size == 0)
        return true;
    struct kept *block = pages_take(pages, sizeof *block + bytes.size, &room);
    if (block == NULL)
        return false;
    block->size = (uint32_t)bytes.size;
    block->room = (uint32_t)room;
    memcpy(block->bytes, bytes.data, bytes.size);
    *kept = block;
    return true;
}

void kept_free(struct kept **kept, struct pages *pages)
{
    if (*kept != NULL)
        pages_give(pages, *kept, (*kept)->room);
    *kept = NULL;
}
