/* Finds the next interesting byte of a head by the scanner's masks, which are made a few blocks at a time.
 *
 * Never reads a byte behind `size`. The byte at `size`, which is not there, stops every search: so a search needs no
 * check of its own for the end, and a result of `size` says that nothing was found. Positions only grow. */
#ifndef WIRE_H1_CURSOR_H
#define WIRE_H1_CURSOR_H

#include <stdbool.h>

#include "wire/h1_scan.h"

enum { H1_CURSOR_BLOCKS = 4 };

struct h1_cursor {
    h1_scan *scan;
    const char *data;
    size_t size;
    size_t end;  /* the masks of the block before this byte are here, and maybe of some before that */
    bool several; /* scan as many blocks as there is room for: not at first, as most heads are short */
    uint64_t not_token[H1_CURSOR_BLOCKS]; /* by number of the block, from the start of the data, modulo the room */
    uint64_t control[H1_CURSOR_BLOCKS];
};

static inline void h1_cursor_init(struct h1_cursor *cursor, h1_scan *scan, const char *data, size_t size)
{
    cursor->scan = scan;
    cursor->data = data;
    cursor->size = size;
    cursor->end = 0;
    cursor->several = false;
}

/* Moves the end. The masks know the former one, so they are made anew. */
static inline void h1_cursor_resize(struct h1_cursor *cursor, size_t size)
{
    if (cursor->size == size)
        return;
    cursor->size = size;
    cursor->end = 0;
}

/* Makes the masks of the block that has byte `at`, which is not behind the size, and of some behind it. */
void h1_cursor_fill(struct h1_cursor *cursor, size_t at);

static inline size_t h1_cursor_find(struct h1_cursor *cursor, const uint64_t *masks, size_t at)
{
    for (;; at = (at | (H1_BLOCK - 1)) + 1) {
        if (__builtin_expect(at >= cursor->end, 0))
            h1_cursor_fill(cursor, at);
        uint64_t mask = masks[at / H1_BLOCK % H1_CURSOR_BLOCKS] >> (at % H1_BLOCK);
        if (__builtin_expect(mask != 0, 1))
            return at + (size_t)__builtin_ctzll(mask);
    }
}

/* The first byte at or after `at` that is no token character. */
static inline size_t h1_cursor_not_token(struct h1_cursor *cursor, size_t at)
{
    return h1_cursor_find(cursor, cursor->not_token, at);
}

/* The first control at or after `at`. */
static inline size_t h1_cursor_control(struct h1_cursor *cursor, size_t at)
{
    return h1_cursor_find(cursor, cursor->control, at);
}

#endif
