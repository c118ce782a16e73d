/* Room for one more in an array that grows: by half as much again, so that adding stays cheap and little is left
 * over. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdlib.h>

enum { ARRAY_ROOM_MIN = 8 };

/* `at`, which has `room` elements of `size` bytes, `count` of them in use, or what takes its place. NULL: no memory,
 * and nothing has changed. Freed with free(). */
static inline void *array_grow(void *at, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return at;
    size_t bigger = *room + *room / 2 < ARRAY_ROOM_MIN ? ARRAY_ROOM_MIN : *room + *room / 2;
    void *moved = reallocarray(at, bigger, size);
    if (moved)
        *room = bigger;
    return moved;
}

#endif
