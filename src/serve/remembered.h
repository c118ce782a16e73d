/* Secrets that were found right a moment ago, so that not each of the fifty requests of a page waits for a hash that is
 * slow on purpose. It keeps none of them: see docs/design/011-remembered-passwords.md.
 *
 * It knows neither names nor passwords nor the clock. Any thread; a lock is held for a few comparisons. */
#ifndef SERVE_REMEMBERED_H
#define SERVE_REMEMBERED_H

#include "base/slice.h"

enum {
    REMEMBERED_MS = 10000,
    REMEMBERED_WAYS = 4,
    REMEMBERED_SETS = 128 /* 512 secrets in all; of those that meet in a set the oldest one is forgotten first */
};

struct remembered;

struct remembered *remembered_new(void); /* NULL: errno */
void remembered_free(struct remembered *remembered);

void remembered_add(struct remembered *remembered, struct slice secret, uint64_t now_ms);

/* True for REMEMBERED_MS after it was added, however often it is asked for. */
bool remembered_has(struct remembered *remembered, struct slice secret, uint64_t now_ms);

#endif
