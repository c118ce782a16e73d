/* The memory a worker lends out while data is pending: blocks in powers of two, kept for the next taker and
 * counted, up to a ceiling for all of them together. One worker owns it; other threads may only charge it for what they
 * take elsewhere on its behalf.
 *
 * Blocks over PAGES_KEPT_MAX go back to malloc at once, so that one huge upload is not kept for ever. */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { PAGES_CLASS_MIN = 10, PAGES_CLASS_MAX = 18, PAGES_KEPT_MAX = 1 << PAGES_CLASS_MAX };

struct pages {
    void *kept[PAGES_CLASS_MAX + 1]; /* by class: a chain of blocks, the next one's address in the first word */
    atomic_size_t taken_bytes;       /* lent out now, and what pages_count was told of; written by the owner alone */
    atomic_size_t charged_bytes;     /* what others have taken */
    size_t taken_bytes_max;          /* of both together: beyond it nothing is lent */
    size_t kept_bytes;               /* waiting for a taker */
    size_t kept_bytes_max;           /* beyond it blocks go back to malloc */
};

void pages_init(struct pages *pages, size_t kept_bytes_max);
void pages_fini(struct pages *pages); /* everything must have been given back */

/* The ceiling for what is lent at a time; without this call there is none. */
void pages_limit(struct pages *pages, size_t taken_bytes_max);

/* At least `size` bytes, uninitialised; `*got` is how many. NULL: no memory, or the ceiling is reached. */
void *pages_take(struct pages *pages, size_t size, size_t *got);

/* `got` as pages_take said. NULL is allowed. */
void pages_give(struct pages *pages, void *block, size_t got);

/* What pending data needs beside its blocks, from elsewhere, counts against the ceiling, but is not refused: without it
 * nobody could be answered at all. The caller says when it has gone. */
void pages_count(struct pages *pages, size_t bytes);
void pages_discount(struct pages *pages, size_t bytes);

/* The same from any thread, and refused where less than a quarter would be left, so that who sends what waits elsewhere
 * still finds room to do so: false, and nothing is counted. */
bool pages_charge(struct pages *pages, size_t bytes) __attribute__((warn_unused_result));
void pages_discharge(struct pages *pages, size_t bytes);

#endif
