/* For servers that have no writer for JSON, or are better off without it: the list of items as a C programmer would
 * write it with snprintf, strings escaped. */
#ifndef TEXT_H
#define TEXT_H

#include "items.h"

/* Of the first `count` items, with prices multiplied by `m`. Memory from malloc; its size is put in `size`. NULL: no
 * memory. */
char *text_make(const struct items *items, size_t count, long long m, size_t *size);

#endif
