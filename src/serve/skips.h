/* What of a tree is not served, and why: a log line for each, told once and not again with every generation, but again
 * when it has gone and come back. Of more than a few only the number is told, and remembered. It does not know what is
 * skipped; one thread. */
#ifndef SERVE_SKIPS_H
#define SERVE_SKIPS_H

#include "base/log.h"
#include "base/slice.h"

enum { SKIPS_TOLD = 20 }; /* each with a line */

struct skip {
    uint64_t hash;   /* of the path and the reason */
    uint32_t folder; /* in which it was found */
};

struct skips {
    const struct log *log;
    const struct skips *known; /* of the generation before; only during the walk */
    size_t count;              /* of all */
    size_t rest;               /* of how many without a line it has been told that they are there */
    unsigned kept;
    struct skip at[SKIPS_TOLD];
};

/* `known` may be NULL. */
void skips_begin(struct skips *skips, const struct log *log, const struct skips *known);

void skips_add(struct skips *skips, uint32_t folder, const char *path, const char *why);

/* A folder that is taken over from the generation before, where it was `then`: what was skipped in it still is. */
void skips_take_over(struct skips *skips, uint32_t folder, uint32_t then);

/* When all is found. */
void skips_end(struct skips *skips);

#endif
