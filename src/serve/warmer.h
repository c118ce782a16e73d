/* Reads pages before anybody asks for them, as far as there is room: small ones first, so that as many as possible are
 * in memory. It blocks. */
#ifndef SERVE_WARMER_H
#define SERVE_WARMER_H

#include "serve/site.h"

enum { WARMER_THREADS_MAX = 8 };

/* Until there is no room, or `pages_max` have been read, or somebody sets `*stop`. The calling thread reads too, so
 * that fewer threads than were asked for are no error. What cannot be read is logged. Returns false if it was stopped,
 * or has not come to an end. */
bool warmer_load(const struct site *site, unsigned threads, size_t pages_max, const atomic_bool *stop);

/* The same of those pages only that no earlier generation has, on this thread: before a generation is published, so
 * that nobody waits for them. */
void warmer_load_new(const struct site *site, size_t pages_max, const atomic_bool *stop);

/* Hashes the pages that are too large to be kept in memory. */
void warmer_hash(const struct site *site, const atomic_bool *stop);

#endif
