/* Who answers where no route does: a rule, a page, the redirect to its proper address, a folder's listing, the fallback
 * of the host. */
#ifndef SERVER_PAGES_H
#define SERVER_PAGES_H

#include "server/server.h"

/* `allow`: the methods that routes with this path have. The exchange has an answer afterwards, or is deferred. */
void pages_answer(struct exchange *exchange, unsigned allow);

/* The same for one that has come home: it goes its way anew. */
void pages_answer_again(struct exchange *exchange);

/* The same for a request that is no GET or HEAD and whose body has still to come: an answer that does not depend on the
 * body; or none, and pages_answer will have it. It is never deferred. */
void pages_answer_early(struct exchange *exchange, unsigned allow);

#endif
