/* What a host says with responses that are no pages, by its rules and by `_headers`: who may frame them, which origins
 * may read them. What speaks of a page, Cache-Control above all, stays with pages; and `_headers`, which lies among the
 * pages, has no say about what a program answers. */
#ifndef SERVER_SAID_H
#define SERVER_SAID_H

#include "server/server.h"

/* 204 for a preflight (http/cors.h), by a rule with cors; `methods`: those that the path has. */
void said_preflight(struct exchange *exchange, const struct rule *rule, unsigned methods);

/* Adds to the response, which is there, what it does not say itself; what it varies by joins. A second time changes
 * nothing. Where nobody has anything to say for this path, which is asked first, the response stays prepared. False: no
 * memory or too many fields, and the response is as it was. A worker. */
bool said_add(struct exchange *exchange);

/* A handler answers, or middleware, and no page. */
bool said_by_program(const struct exchange *exchange);

#endif
