/* Finds the next interesting byte of the field lines by the scanner's masks, which are made a block at a time.
 *
 * Never reads a byte behind `size`, not even one that would do no harm: the buffer may end there. The byte at `size`,
 * which is not there, stops every search: so a search needs no check of its own for the end, and a result of `size`
 * says that nothing was found. Positions only grow. */
#ifndef WIRE_H1_CURSOR_H
#define WIRE_H1_CURSOR_H

#include "base/slice.h"
#include "wire/h1_scan.h"

struct h1_cursor {
    const struct h1_scanner *scanner;
    const char *data;
    size_t size;
    size_t end;         /* the masks are those of the block before this byte */
    uint64_t not_token; /* from the size on, all is set in both */
    uint64_t control;
};

/* Makes the masks of the block that has byte `at`, which is not behind the size. Inlined, as the searches are: for a
 * call the cursor would have to be in memory, and a browser's head would take an eighth more. */
static inline __attribute__((always_inline)) void h1_cursor_fill(struct h1_cursor *cursor, size_t at)
{
    size_t begin = at - at % H1_BLOCK;
    struct h1_masks masks = cursor->scanner->scan(cursor->data, cursor->size, begin);
    cursor->end = begin + H1_BLOCK;
    cursor->not_token = ~masks.token;
    cursor->control = ~masks.text;
}

/* Searches begin at `at`. Its block is scanned already here, where the caller has little yet to put aside. */
static inline void h1_cursor_init(struct h1_cursor *cursor, const struct h1_scanner *scanner, struct slice bytes,
                                  size_t at)
{
    cursor->scanner = scanner;
    cursor->data = bytes.data;
    cursor->size = bytes.size;
    h1_cursor_fill(cursor, at);
}

/* The first byte at or after `at` that is no token character. */
static inline __attribute__((always_inline)) size_t h1_cursor_not_token(struct h1_cursor *cursor, size_t at)
{
    for (;; at = cursor->end) {
        if (__builtin_expect(at >= cursor->end, 0))
            h1_cursor_fill(cursor, at);
        uint64_t left = cursor->not_token >> (at % H1_BLOCK);
        if (__builtin_expect(left != 0, 1))
            return at + (unsigned)__builtin_ctzll(left);
    }
}

/* The first control at or after `at`, where h1_cursor_not_token has just stopped, so that its block is here. */
static inline __attribute__((always_inline)) size_t h1_cursor_control(struct h1_cursor *cursor, size_t at)
{
    for (;; at = cursor->end, h1_cursor_fill(cursor, at)) {
        uint64_t left = cursor->control >> (at % H1_BLOCK);
        if (__builtin_expect(left != 0, 1))
            return at + (unsigned)__builtin_ctzll(left);
    }
}

#endif
