/* Input that a session has not consumed, kept between two turns in a block of the worker's pages. It knows nothing of
 * what is in it. */
#ifndef NET_KEPT_H
#define NET_KEPT_H

#include "base/pages.h"
#include "base/slice.h"

struct kept;

/* To the front of `buffer`, where what is read next joins it. Returns how many bytes, 0 where nothing is kept. */
size_t kept_take(struct kept **kept, struct pages *pages, char *buffer);

/* A copy; nothing was kept before. False: no memory. */
bool kept_put(struct kept **kept, struct pages *pages, struct slice bytes) __attribute__((warn_unused_result));

void kept_free(struct kept **kept, struct pages *pages);

#endif
