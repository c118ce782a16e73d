/* Building responses for handlers: what the public calls and the dispatcher share. */
#ifndef SERVER_RESPOND_H
#define SERVER_RESPOND_H

#include "serve/static.h"
#include "server/server.h"

/* An error response; `allow` for 405, `detail` may be empty. */
void respond_error(struct exchange *exchange, unsigned status, unsigned allow, struct slice detail);

/* A response with these bytes, which lie in the arena of the exchange; `type` is a constant, or empty for none. */
void respond_bytes(struct exchange *exchange, struct slice type, struct slice bytes);

/* What static_answer has come to, where that is no response yet. */
void respond_page(struct exchange *exchange, enum static_result result);

/* 503: no memory for this request. */
void respond_unavailable(struct exchange *exchange);

/* Called once the handler or whoever completes is done: a response that is missing or was refused becomes a 500. */
void respond_settle(struct exchange *exchange);

/* 204 with Allow, for OPTIONS. */
void respond_options(struct exchange *exchange, unsigned allow);

#endif
