/* Blocks of field lines that were read a moment ago, and what they came to. A client that keeps its connection, a
 * browser loading images, a program polling, a proxy, says the same with most of its requests, byte for byte; what is
 * known so is compared instead of being read again.
 *
 * It knows bytes and fields. What makes a block valid is the parser's business: only such blocks are brought here. */
#ifndef WIRE_H1_MEMO_H
#define WIRE_H1_MEMO_H

#include "http/fields.h"

/* A browser's block has 600 to 900 bytes and 14 to 20 fields. */
enum { H1_MEMO_BLOCKS = 32, H1_MEMO_BYTES_MAX = 1024, H1_MEMO_FIELDS_MAX = 32 };

/* So many blocks in a row for which there was a place are each kept; after that only one of so many, until one is met.
 * A prime, or it could keep step with a client that says each thing eight times, and always keep the last. */
enum { H1_MEMO_PATIENCE = 17 };

struct h1_block {
    uint32_t size;  /* with the empty line; UINT32_MAX: there is none here */
    uint32_t count;
    uint32_t present;
    bool met;       /* since the hand came by */
    uint8_t first[FIELDS_IDS_MAX];
    uint8_t id[H1_MEMO_FIELDS_MAX];
    struct field at[H1_MEMO_FIELDS_MAX]; /* from the block's beginning */
    char bytes[H1_MEMO_BYTES_MAX];
};

/* One for all sessions of a worker: clients of one kind share a block. */
struct h1_memo {
    uint8_t latest; /* where a new client may look first */
    uint8_t hand;
    uint32_t strangers; /* blocks that there was a place for since one was met */
    struct h1_block blocks[H1_MEMO_BLOCKS];
};

/* NULL: no memory, which sessions can do without. free() frees it. */
struct h1_memo *h1_memo_new(void);

_Static_assert(sizeof(struct field) == sizeof(uint64_t), "it can be taken as one number");

/* What has to be added to a field, taken as one number, for it to stand so many bytes further on: one sum moves both
 * offsets, and neither overflows into its neighbour, since no head is that long. */
static inline uint64_t h1_memo_step(uint16_t bytes)
{
    static const struct field one = { .name = 1, .value = 1 };
    uint64_t step;
    memcpy(&step, &one, sizeof step);
    return bytes * step;
}

/* Whether `bytes`, which lie at or behind fields->base, begin with the block in this slot. Where they do, the fields
 * become what reading them would have come to, and the block's size is returned; else 0. */
static inline size_t h1_memo_recall(struct h1_memo *memo, unsigned slot, struct slice bytes, struct fields *fields)
{
    struct h1_block *block = &memo->blocks[slot];
    size_t size = block->size;
    if (size > bytes.size || memcmp(block->bytes, bytes.data, size) != 0)
        return 0;
    uint64_t step = h1_memo_step((uint16_t)(bytes.data - fields->base));
    unsigned count = block->count;
    block->met = true;
    memo->strangers = 0;
    fields->count = count;
    fields->present = block->present;
    memcpy(fields->first, block->first, sizeof block->first);
    memcpy(fields->id, block->id, sizeof block->id);
    for (unsigned i = 0; i < count; i++) {
        uint64_t field;
        memcpy(&field, &block->at[i], sizeof field);
        field += step;
        memcpy(&fields->at[i], &field, sizeof field);
    }
    return size;
}

/* `bytes` is a block that was read into `fields`. Returns the slot where it is now, or `slot`: it was not worth it. */
uint8_t h1_memo_learn(struct h1_memo *memo, uint8_t slot, struct slice bytes, const struct fields *fields);

#endif
