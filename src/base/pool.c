/* A free list in front of malloc. */
#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>

void pool_init(struct pool *pool, size_t size, size_t kept_max)
{
    *pool = (struct pool){ .size = size < sizeof(void *) ? sizeof(void *) : size, .kept_max = kept_max };
}

void pool_fini(struct pool *pool)
{
    assert(pool->taken_count == 0);
    while (pool->kept != NULL) {
        void *object = pool->kept;
        pool->kept = *(void **)object;
        free(object);
    }
    pool->kept_count = 0;
}

void *pool_take(struct pool *pool)
{
    void *object = pool->kept;
    if (object != NULL) {
        pool->kept = *(void **)object;
        pool->kept_count--;
    } else {
        object = malloc(pool->size);
    }
    pool->taken_count += object != NULL;
    return object;
}

void pool_give(struct pool *pool, void *object)
{
    pool->taken_count--;
    if (pool->kept_count >= pool->kept_max) {
        free(object);
        return;
    }
    *(void **)object = pool->kept;
    pool->kept = object;
    pool->kept_count++;
}
