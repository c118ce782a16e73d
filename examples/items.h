/* A data set of things for sale, read from JSON once. */
#ifndef ITEMS_H
#define ITEMS_H

#include <stdbool.h>
#include <stddef.h>

struct item {
    int id, price, quantity, active, score, ratings;
    const char *name, *category, *tags[16];
    size_t tag_count;
};

struct items {
    size_t count;
    struct item *at;
};

/* False, with a line on stderr, where it cannot be read or is not as it should be. */
bool items_read(const char *path, struct items *items);

#endif
