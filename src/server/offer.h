/* What a handler has said about its content before it gave it: which state it is in, and that it may be compressed. */
#ifndef SERVER_OFFER_H
#define SERVER_OFFER_H

#include "server/beside.h"

/* The content that is given, in the coding that the client prefers, where that was allowed and is worth it. */
struct slice offer_encode(struct exchange *exchange, struct slice content);

/* The same for content that is made while it is sent; the exchange's response and `done` are set. */
void offer_encode_stream(struct exchange *exchange);

/* The program has called rh_validate. */
bool offer_validated(const struct exchange *exchange);

/* The response is built: takes the part of it that is asked for. A worker. */
void offer_settle(struct exchange *exchange);

#endif
