/* The memory of one request: taken piece by piece, given back all at once, with a ceiling.
 *
 * The first bytes lie beside the exchange itself, so an ordinary request allocates nothing. What goes beyond
 * comes from the worker's pages, or from malloc once another thread answers (arena_detach). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/pages.h"
#include "base/slice.h"

struct arena {
    char *at, *end;
    struct arena_block *blocks;
    struct pages *pages; /* NULL: malloc */
    char *first, *first_end;
    size_t used, ceiling; /* bytes in blocks beyond the first, and how many they may be */
};

void arena_init(struct arena *arena, void *first, size_t first_size, size_t ceiling);
void arena_give_back(struct arena *arena);                  /* the blocks beyond the first bytes */
void arena_detach(struct arena *arena);                     /* from now on any one thread may take */

void *arena_grow(struct arena *arena, size_t size);

/* Gives all back; the next request starts here, with these pages. */
static inline void arena_reset(struct arena *arena, struct pages *pages)
{
    if (arena->blocks)
        arena_give_back(arena);
    arena->pages = pages;
    arena->at = arena->first;
    arena->end = arena->first_end;
}

static inline bool arena_untouched(const struct arena *arena)
{
    return arena->at == arena->first && !arena->blocks;
}

/* `size` bytes aligned for any type; NULL: no memory, or the ceiling is reached. */
static inline void *arena_take(struct arena *arena, size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    if (rounded >= size && rounded <= (size_t)(arena->end - arena->at)) {
        void *taken = arena->at;
        arena->at += rounded;
        return taken;
    }
    return arena_grow(arena, size);
}

/* A copy of `s`, with data NULL where there was no memory, and only then: that of an empty or absent slice is "". */
struct slice arena_copy(struct arena *arena, struct slice s);

#endif
