/* memcpy for what is short mostly, by pieces that may overlap: in place, because a call and what has to be saved around
 * it cost more than the copy. It knows nothing of what is copied. */
#ifndef BASE_COPY_H
#define BASE_COPY_H

#include "base/slice.h"

/* Returns where the copy ends. */
static inline __attribute__((always_inline)) char *copy_small(char *to, struct slice s)
{
    const char *from = s.data;
    size_t size = s.size;
    if (size > 32) {
        memcpy(to, from, size);
    } else if (size >= 16) {
        memcpy(to, from, 16);
        memcpy(to + size - 16, from + size - 16, 16);
    } else if (size >= 8) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else {
        for (size_t i = 0; i < size; i++)
            to[i] = from[i];
    }
    return to + size;
}

#endif
