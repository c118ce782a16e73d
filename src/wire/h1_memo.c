/* Which blocks stay: a hand goes round, one step for every block that is to be kept, and gives it the place of one that
 * has not been met since it last came by. So with more kinds of clients than there is room for, some are still known.
 * Keeping a browser's block costs some 400 instructions; where nobody ever says the same again that is not done for
 * long. */
#include "wire/h1_memo.h"

#include <stdlib.h>

struct h1_memo *h1_memo_new(void)
{
    struct h1_memo *memo = malloc(sizeof *memo);
    if (!memo)
        return NULL;
    memo->latest = memo->hand = 0;
    memo->strangers = 0;
    for (unsigned i = 0; i < H1_MEMO_BLOCKS; i++) {
        memo->blocks[i].size = UINT32_MAX;
        memo->blocks[i].met = false;
    }
    return memo;
}

static void fill(struct h1_block *block, struct slice bytes, const struct fields *fields)
{
    uint16_t begin = (uint16_t)(bytes.data - fields->base);
    block->size = (uint32_t)bytes.size;
    block->count = fields->count;
    block->present = fields->present;
    memcpy(block->first, fields->first, sizeof block->first);
    memcpy(block->id, fields->id, sizeof block->id);
    for (unsigned i = 0; i < fields->count; i++) {
        block->at[i] = fields->at[i];
        block->at[i].name = (uint16_t)(fields->at[i].name - begin);
        block->at[i].value = (uint16_t)(fields->at[i].value - begin);
    }
    memcpy(block->bytes, bytes.data, bytes.size);
}

uint8_t h1_memo_learn(struct h1_memo *memo, uint8_t slot, struct slice bytes, const struct fields *fields)
{
    if (bytes.size > H1_MEMO_BYTES_MAX || fields->count > H1_MEMO_FIELDS_MAX)
        return slot;
    uint8_t here = memo->hand;
    struct h1_block *block = &memo->blocks[here];
    memo->hand = (uint8_t)((here + 1) % H1_MEMO_BLOCKS);
    if (block->met) {
        block->met = false;
        return slot;
    }
    if (++memo->strangers > H1_MEMO_PATIENCE && memo->strangers % H1_MEMO_PATIENCE != 0)
        return slot;
    fill(block, bytes, fields);
    return memo->latest = here;
}
