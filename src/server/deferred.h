/* Answers that come later: an exchange leaves its worker, is answered elsewhere, and comes home through the mailbox. */
#ifndef SERVER_DEFERRED_H
#define SERVER_DEFERRED_H

#include "server/server.h"

/* The exchange now belongs to whoever the caller gives it to. On its worker's thread; while it is deferred it does
 * nothing. */
void deferred_begin(struct exchange *exchange);

/* Sends it home; on its worker, `finish` (may be NULL) has the last word on the response, then it is sent; or `finish`
 * defers it once more. Any thread. */
void deferred_complete(struct exchange *exchange, void (*finish)(struct exchange *exchange));

/* After the worker's thread has ended: waits for the exchanges that are still away. */
void deferred_await(struct server_worker *worker);

#endif
