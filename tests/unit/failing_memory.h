/* Memory that runs out: wraps malloc, calloc and reallocarray (-Wl,--wrap), and gives so many times as it is told. */
#ifndef TESTS_FAILING_MEMORY_H
#define TESTS_FAILING_MEMORY_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static long allocations_left = -1; /* -1: without end */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *at, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *at, size_t count, size_t size);

static bool allocation_allowed(void)
{
    if (allocations_left < 0)
        return true;
    if (allocations_left-- > 0)
        return true;
    allocations_left = 0;
    errno = ENOMEM;
    return false;
}

void *__wrap_malloc(size_t size)
{
    return allocation_allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_allowed() ? __real_calloc(count, size) : NULL;
}

void *__wrap_reallocarray(void *at, size_t count, size_t size)
{
    return allocation_allowed() ? __real_reallocarray(at, count, size) : NULL;
}

#endif
