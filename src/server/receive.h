/* Bodies that are handed on piece by piece to whom the handler has named. */
#ifndef SERVER_RECEIVE_H
#define SERVER_RECEIVE_H

#include "http/exchange.h"

/* The next piece of the body, or its end. */
void receive_piece(struct exchange *exchange, struct slice piece, bool last);

/* A handler has returned, or what was deferred is back: the response is settled, unless the body goes on. */
void receive_settle(struct exchange *exchange);

#endif
