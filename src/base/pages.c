/* Blocks in powers of two, kept by class in chains that run through the blocks themselves.
 *
 * It has no lock and no owner check: blocks are lent to their worker alone. Two sums are read together without a lock,
 * so what others charge at the same moment may go beyond the ceiling by as much. */
#include "base/pages.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE_GRAIN = 4096 };

void pages_init(struct pages *pages, size_t kept_bytes_max)
{
    *pages = (struct pages){ .kept_bytes_max = kept_bytes_max, .taken_bytes_max = SIZE_MAX };
}

static size_t taken(const struct pages *pages)
{
    return atomic_load_explicit(&pages->taken_bytes, memory_order_relaxed);
}

/* No locked instruction: nobody else writes it. */
static void set_taken(struct pages *pages, size_t bytes)
{
    atomic_store_explicit(&pages->taken_bytes, bytes, memory_order_relaxed);
}

void pages_limit(struct pages *pages, size_t taken_bytes_max)
{
    pages->taken_bytes_max = taken_bytes_max;
}

static void *pop(struct pages *pages, unsigned class)
{
    void *block = pages->kept[class];
    if (block) {
        memcpy(&pages->kept[class], block, sizeof(void *));
        pages->kept_bytes -= (size_t)1 << class;
    }
    return block;
}

static void push(struct pages *pages, void *block, unsigned class)
{
    memcpy(block, &pages->kept[class], sizeof(void *));
    pages->kept[class] = block;
    pages->kept_bytes += (size_t)1 << class;
}

void pages_fini(struct pages *pages)
{
    assert(taken(pages) == 0);
    assert(atomic_load(&pages->charged_bytes) == 0);
    for (unsigned class = PAGES_CLASS_MIN; class <= PAGES_CLASS_MAX; class++)
        for (void *block = pop(pages, class); block; block = pop(pages, class))
            free(block);
}

/* The smallest class whose blocks hold `size` bytes; size is at most PAGES_KEPT_MAX. */
static unsigned class_of(size_t size)
{
    if (size <= (size_t)1 << PAGES_CLASS_MIN)
        return PAGES_CLASS_MIN;
    return (unsigned)(8 * sizeof(unsigned long)) - (unsigned)__builtin_clzl(size - 1);
}

/* What a block for `size` bytes has; size is at most SIZE_MAX / 2. */
static size_t round_up(size_t size)
{
    if (size <= PAGES_KEPT_MAX)
        return (size_t)1 << class_of(size);
    return (size + LARGE_GRAIN - 1) & ~(size_t)(LARGE_GRAIN - 1);
}

void *pages_take(struct pages *pages, size_t size, size_t *got)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size_t rounded = round_up(size);
    size_t used = taken(pages) + atomic_load_explicit(&pages->charged_bytes, memory_order_relaxed);
    if (used + rounded > pages->taken_bytes_max)
        return NULL;
    void *block = rounded <= PAGES_KEPT_MAX ? pop(pages, class_of(rounded)) : NULL;
    if (!block)
        block = malloc(rounded);
    if (!block)
        return NULL;
    set_taken(pages, taken(pages) + rounded);
    *got = rounded;
    return block;
}

void pages_give(struct pages *pages, void *block, size_t got)
{
    if (!block)
        return;
    assert(got <= taken(pages));
    set_taken(pages, taken(pages) - got);
    if (got > PAGES_KEPT_MAX || got > pages->kept_bytes_max || pages->kept_bytes > pages->kept_bytes_max - got)
        free(block);
    else
        push(pages, block, class_of(got));
}

void pages_count(struct pages *pages, size_t bytes)
{
    set_taken(pages, taken(pages) + bytes);
}

void pages_discount(struct pages *pages, size_t bytes)
{
    assert(bytes <= taken(pages));
    set_taken(pages, taken(pages) - bytes);
}

bool pages_charge(struct pages *pages, size_t bytes)
{
    size_t charged = atomic_fetch_add_explicit(&pages->charged_bytes, bytes, memory_order_relaxed) + bytes;
    if (charged + taken(pages) <= pages->taken_bytes_max - pages->taken_bytes_max / 4)
        return true;
    pages_discharge(pages, bytes);
    return false;
}

void pages_discharge(struct pages *pages, size_t bytes)
{
    size_t before = atomic_fetch_sub_explicit(&pages->charged_bytes, bytes, memory_order_relaxed);
    assert(bytes <= before);
    (void)before;
}
