/* Bodies that are handed on piece by piece to whom the handler has named. */
#ifndef SERVER_RECEIVE_H
#define SERVER_RECEIVE_H

#include "http/exchange.h"
#include "rawhttp.h"

/* Who takes a body. In the exchange's arena. */
struct receiver {
    rh_receiver *take;
    void *user;
    void (*resume)(rh_request *request, void *user); /* it is back, with no answer: before more is read; or NULL */
    bool ended;                                      /* it has been told of the end */
};

/* What rh_receive does. */
void receive_with(struct exchange *exchange, struct receiver receiver);

/* The next piece of the body, or its end. */
void receive_piece(struct exchange *exchange, struct slice piece, bool last);

/* A handler has returned, or what was deferred is back: the response is settled, unless the body goes on. */
void receive_settle(struct exchange *exchange);

#endif
