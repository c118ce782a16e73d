/* An arena beyond its first bytes: blocks chained together, each remembering where it came from, because the
 * arena may change its source while it lives (arena_detach) and a block goes back only to its own. */
#include "base/arena.h"

#include <stdlib.h>

enum { GRAIN = 16, BLOCK_MIN = 4096, BLOCK_MAX = 64 * 1024 };

struct arena_block {
    _Alignas(GRAIN) struct arena_block *next;
    size_t got;
    struct pages *pages; /* NULL: malloc */
};

SLICE_NULL_PLUS_ZERO void arena_init(struct arena *arena, void *first, size_t first_size, size_t ceiling)
{
    size_t skew = (size_t)(-(uintptr_t)first & (GRAIN - 1));
    if (skew > first_size)
        skew = first_size;
    char *start = (char *)first + skew, *end = (char *)first + first_size;
    *arena = (struct arena){ .at = start, .end = end, .first = start, .first_end = end, .ceiling = ceiling };
}

static void give_back(struct arena_block *block)
{
    if (block->pages)
        pages_give(block->pages, block, block->got);
    else
        free(block);
}

void arena_give_back(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        give_back(block);
    }
    arena->blocks = NULL;
    arena->used = 0;
}

void arena_detach(struct arena *arena)
{
    arena->pages = NULL;
}

static struct arena_block *take_block(struct pages *pages, size_t size)
{
    size_t got = size;
    struct arena_block *block = pages ? pages_take(pages, size, &got) : malloc(size);
    if (block)
        *block = (struct arena_block){ .got = got, .pages = pages };
    return block;
}

/* Blocks grow with what was used so far, so that a long request needs few of them. */
static size_t block_size(const struct arena *arena, size_t need, size_t left)
{
    size_t size = arena->used < BLOCK_MIN ? BLOCK_MIN : arena->used;
    if (size > BLOCK_MAX)
        size = BLOCK_MAX;
    if (size < need)
        size = need;
    return size < left ? size : left;
}

void *arena_grow(struct arena *arena, size_t size)
{
    size_t left = arena->ceiling - arena->used;
    if (size > left || left - size < sizeof(struct arena_block) + GRAIN - 1)
        return NULL;
    size_t need = sizeof(struct arena_block) + ((size + GRAIN - 1) & ~(size_t)(GRAIN - 1));
    struct arena_block *block = take_block(arena->pages, block_size(arena, need, left));
    if (!block)
        return NULL;

    size_t usable = block->got < left ? block->got : left; /* pages may round up beyond the ceiling */
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used += usable;

    char *at = (char *)block + need, *end = (char *)block + usable;
    if (end - at > arena->end - arena->at) { /* else what is left of the last block is worth more */
        arena->at = at;
        arena->end = end;
    }
    return block + 1;
}

struct slice arena_copy(struct arena *arena, struct slice s)
{
    if (s.size == 0)
        return SLICE("");
    char *copy = arena_take(arena, s.size);
    if (!copy)
        return slice_make(NULL, 0);
    memcpy(copy, s.data, s.size);
    return slice_make(copy, s.size);
}
