/* Objects of one size, kept for the next taker: a chain of free ones, and malloc behind it. One worker owns it. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool {
    void *kept;       /* chain: the next one's address lies in the first word */
    size_t size;      /* of an object */
    size_t kept_count, kept_max;
    size_t taken_count;
};

void pool_init(struct pool *pool, size_t size, size_t kept_max);
void pool_fini(struct pool *pool); /* everything must have been given back */

/* Uninitialised; NULL: no memory. */
void *pool_take(struct pool *pool);
void pool_give(struct pool *pool, void *object);

#endif
