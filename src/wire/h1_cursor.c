/* Makes masks for the cursor of a head, at its end too, where no whole block is left.
 *
 * Not one byte behind the end is read, not even one that would do no harm: the buffer may end there. */
#include "wire/h1_cursor.h"

#include <string.h>

/* The last block, by the last 64 bytes there are; those that it shares with the block before are shifted out. */
static void fill_end(struct h1_cursor *cursor, size_t begin)
{
    size_t rest = cursor->size - begin;

    cursor->scan(cursor->data + cursor->size - H1_BLOCK, 1, cursor->masks);
    cursor->masks[0].not_token >>= H1_BLOCK - rest;
    cursor->masks[0].control >>= H1_BLOCK - rest;
}

/* All there is, less than a block. */
static void fill_short(struct h1_cursor *cursor)
{
    char block[H1_BLOCK] = { 0 };
    uint64_t there = ((uint64_t)1 << cursor->size) - 1;

    memcpy(block, cursor->data, cursor->size);
    cursor->scan(block, 1, cursor->masks);
    cursor->masks[0].not_token &= there;
    cursor->masks[0].control &= there;
}

void h1_cursor_fill(struct h1_cursor *cursor, size_t at)
{
    size_t begin = at & ~(size_t)(H1_BLOCK - 1);
    size_t blocks = (cursor->size - begin) / H1_BLOCK;

    if (blocks > cursor->ahead)
        blocks = cursor->ahead;
    if (blocks > 0)
        cursor->scan(cursor->data + begin, blocks, cursor->masks);
    else if (cursor->size >= H1_BLOCK)
        fill_end(cursor, begin);
    else
        fill_short(cursor);

    cursor->begin = begin;
    cursor->end = begin + (blocks > 0 ? blocks : 1) * H1_BLOCK;
    if (cursor->ahead < H1_CURSOR_BLOCKS)
        cursor->ahead *= 2;
}
