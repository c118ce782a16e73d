/* What a host says with responses that are no pages, by its rules and by `_headers`: who may frame them, which origins
 * may read them. What speaks of a page, Cache-Control above all, stays with pages. */
#ifndef SERVER_SAID_H
#define SERVER_SAID_H

#include "server/server.h"

/* Adds to the response, which is there, what it does not say itself; what it varies by joins. A second time changes
 * nothing. Where nobody has anything to say for this path, which is asked first, the response stays prepared. False: no
 * memory or too many fields, and the response is as it was. A worker. */
bool said_add(struct exchange *exchange);

#endif
