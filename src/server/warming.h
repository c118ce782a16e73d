/* Reading ahead: a thread that brings the pages of a generation into memory, hashes those that are too large for it,
 * and turns to the next generation when there is one. */
#ifndef SERVER_WARMING_H
#define SERVER_WARMING_H

#include "serve/site.h"

struct warming;

/* `threads` read at the start. NULL: no memory or no thread; then every page is read when it is asked for. All calls
 * take NULL. */
struct warming *warming_new(unsigned threads);

/* Ends what is under way. */
void warming_free(struct warming *warming);

/* Leaves the generation that is under way, if there is one, for this one, which is held meanwhile. Any thread. */
void warming_begin(struct warming *warming, struct site *site);

/* Until all that was begun is in memory, as far as there is room, or for so long. */
void warming_wait(struct warming *warming, unsigned wait_ms);

#endif
