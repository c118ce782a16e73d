/* Finds the next interesting byte of a head by the scanner's masks, which are made a few blocks at a time.
 *
 * Never reads a byte behind `size`; bytes there count as nothing. Positions only grow. */
#ifndef WIRE_H1_CURSOR_H
#define WIRE_H1_CURSOR_H

#include "wire/h1_scan.h"

enum { H1_CURSOR_BLOCKS = 4 };

struct h1_cursor {
    h1_scan *scan;
    const char *data;
    size_t size;
    size_t begin, end; /* the bytes whose masks are here, from a multiple of 64 on */
    size_t ahead;      /* blocks to scan next time: 1 at first, as most heads are short */
    struct h1_masks masks[H1_CURSOR_BLOCKS];
};

static inline void h1_cursor_init(struct h1_cursor *cursor, h1_scan *scan, const char *data, size_t size)
{
    cursor->scan = scan;
    cursor->data = data;
    cursor->size = size;
    cursor->begin = cursor->end = 0;
    cursor->ahead = 1;
}

/* Moves the end. Masks that were made up to a former end are dropped. */
static inline void h1_cursor_resize(struct h1_cursor *cursor, size_t size)
{
    if (cursor->end > cursor->size)
        cursor->end = 0;
    cursor->size = size;
}

/* Makes the masks of the block that has byte `at`, which lies before the size, and of some behind it. */
void h1_cursor_fill(struct h1_cursor *cursor, size_t at);

static inline const struct h1_masks *h1_cursor_masks(struct h1_cursor *cursor, size_t at)
{
    if (at >= cursor->end)
        h1_cursor_fill(cursor, at);
    return &cursor->masks[(at - cursor->begin) / H1_BLOCK];
}

/* The first byte at or after `at` that is no token character; the size where there is none. */
static inline size_t h1_cursor_not_token(struct h1_cursor *cursor, size_t at)
{
    while (at < cursor->size) {
        uint64_t mask = h1_cursor_masks(cursor, at)->not_token >> (at % H1_BLOCK);
        if (mask != 0)
            return at + (size_t)__builtin_ctzll(mask);
        at = (at | (H1_BLOCK - 1)) + 1;
    }
    return cursor->size;
}

/* The same for controls. */
static inline size_t h1_cursor_control(struct h1_cursor *cursor, size_t at)
{
    while (at < cursor->size) {
        uint64_t mask = h1_cursor_masks(cursor, at)->control >> (at % H1_BLOCK);
        if (mask != 0)
            return at + (size_t)__builtin_ctzll(mask);
        at = (at | (H1_BLOCK - 1)) + 1;
    }
    return cursor->size;
}

#endif
