/* What the HTTP/2 sessions of one worker share: memory for connections and streams, and a place where the fields of one
 * request are put together. */
#ifndef WIRE_H2_WORKER_H
#define WIRE_H2_WORKER_H

#include "base/pages.h"
#include "base/pool.h"
#include "http/session.h"

struct h2_worker {
    struct pages *pages;
    struct pool connections, streams;
    char *text;         /* of the fields of the request that is being read */
    size_t text_size;
};

/* False: no memory. `pages` are the worker's. */
bool h2_worker_init(struct h2_worker *worker, struct pages *pages, const struct session_limits *limits);
void h2_worker_fini(struct h2_worker *worker); /* all sessions must have gone */

#endif
