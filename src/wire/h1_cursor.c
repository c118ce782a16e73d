/* Makes masks for the cursor of a head, at its end too, where no whole block is left.
 *
 * Not one byte behind the end is read, not even one that would do no harm: the buffer may end there. */
#include "wire/h1_cursor.h"

#include <string.h>

/* Less than a block, by copies of a fixed size that overlap: a call of memcpy would cost as much as the scan. */
static void copy_short(char *to, const char *from, size_t size)
{
    if (size >= 32) {
        memcpy(to, from, 32);
        memcpy(to + size - 32, from + size - 32, 32);
    } else if (size >= 8) {
        for (size_t at = 0; at + 8 < size; at += 8)
            memcpy(to + at, from + at, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else {
        for (size_t i = 0; i < size; i++)
            to[i] = from[i];
    }
}

/* All from the size on, `rest` bytes into the block, stops a search. */
static void close_block(uint64_t *not_token, uint64_t *control, size_t rest)
{
    *not_token |= UINT64_MAX << rest;
    *control |= UINT64_MAX << rest;
}

/* All there is, less than a block. Apart, as it needs a frame and the usual way through h1_cursor_fill does not. */
static __attribute__((noinline)) void scan_short(struct h1_cursor *cursor)
{
    char block[H1_BLOCK] = { 0 };

    copy_short(block, cursor->data, cursor->size);
    cursor->scan(block, 1, cursor->not_token, cursor->control);
    close_block(cursor->not_token, cursor->control, cursor->size);
}

/* The block in which the size is, by the last 64 bytes there are; those that it shares with the block before are
 * shifted out. It may be empty. */
static __attribute__((noinline)) void scan_last(const struct h1_cursor *cursor, size_t rest, uint64_t *not_token,
                                                uint64_t *control)
{
    *not_token = *control = 0;
    if (rest > 0) {
        cursor->scan(cursor->data + cursor->size - H1_BLOCK, 1, not_token, control);
        *not_token >>= H1_BLOCK - rest;
        *control >>= H1_BLOCK - rest;
    }
    close_block(not_token, control, rest);
}

void h1_cursor_fill(struct h1_cursor *cursor, size_t at)
{
    if (cursor->size < H1_BLOCK) {
        cursor->end = H1_BLOCK;
        scan_short(cursor);
        return;
    }

    size_t begin = at - at % H1_BLOCK, rest = cursor->size - begin, slot = begin / H1_BLOCK % H1_CURSOR_BLOCKS;
    size_t blocks = cursor->several ? H1_CURSOR_BLOCKS - slot : 1;

    cursor->several = true;
    if (rest < H1_BLOCK) {
        cursor->end = begin + H1_BLOCK;
        scan_last(cursor, rest, cursor->not_token + slot, cursor->control + slot);
        return;
    }
    if (blocks > rest / H1_BLOCK)
        blocks = rest / H1_BLOCK;
    cursor->end = begin + blocks * H1_BLOCK;
    cursor->scan(cursor->data + begin, blocks, cursor->not_token + slot, cursor->control + slot);
}
