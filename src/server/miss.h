/* A page that is not in memory: its request waits for it to be read, together with all others that ask for it
 * meanwhile, or for its file to be opened. */
#ifndef SERVER_MISS_H
#define SERVER_MISS_H

#include "server/reply.h"

/* Defers the exchange; it will be answered. */
void miss_begin(struct exchange *exchange, const struct page_reply *reply);

/* For struct store. */
void miss_wake(struct page_waiter *waiter, struct content *content);

#endif
