/* Where the content of pages lies, and how it leaves: the cache and its budget, the descriptors of what is too large for
 * it, and the quiescent states that say when a thing is out of every worker's sight. One for a server, whatever sites it
 * has. */
#ifndef SERVE_STORE_H
#define SERVE_STORE_H

#include "base/log.h"
#include "base/qsbr.h"
#include "serve/descriptors.h"
#include "serve/page_cache.h"

struct content;
struct encoder;

struct store {
    struct page_cache cache;
    struct descriptors descriptors;
    struct qsbr *qsbr;
    struct encoder *encoder; /* NULL: nothing is encoded */
    const struct log *log;

    /* Somebody waited for a load: it has come to this, which is held as long as this call lasts, or to nothing (NULL). On
     * the thread that has loaded. */
    void (*wake)(struct page_waiter *waiter, struct content *content);
};

/* Content that has left the cache goes when no worker can see it any more; what left earlier, and is in nobody's sight
 * by now, is freed. After every load, even where nobody left. Any thread that may take its time. */
void store_retire(struct store *store, struct link *leavers);

/* A page that leaves the site, with what is in memory of it. */
struct page;
void store_close(struct store *store, struct page *page);

#endif
