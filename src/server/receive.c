/* Bodies that are handed on piece by piece. See receive.h. */
#include "server/receive.h"

#include "server/respond.h"

/* Lies in the exchange's arena. */
struct receiver {
    rh_receiver *take;
    void *user;
    bool ended; /* it has been told of the end */
};

void rh_receive(rh_request *request, rh_receiver *take, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    const struct route *route = exchange->route;
    struct receiver *receiver = arena_take(&exchange->arena, sizeof *receiver);
    if (route == NULL || !route->stream || receiver == NULL) {
        exchange->response.refused = true;
        return;
    }
    *receiver = (struct receiver){ .take = take, .user = user };
    exchange->receiver = receiver;
}

void receive_piece(struct exchange *exchange, struct slice piece, bool last)
{
    struct receiver *receiver = exchange->receiver;
    receiver->ended = last;
    receiver->take((rh_request *)exchange, receiver->user, (rh_slice){ piece.data, piece.size }, last);
    if (!exchange->deferred)
        receive_settle(exchange);
}

void receive_settle(struct exchange *exchange)
{
    struct receiver *receiver = exchange->receiver;
    bool open = receiver != NULL && !receiver->ended && !exchange_answered(exchange) && !exchange->response.refused;
    if (!open)
        respond_settle(exchange);
    else if (!exchange->streaming) /* there never was a body */
        receive_piece(exchange, SLICE(""), true);
}
