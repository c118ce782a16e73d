/* Bodies that are handed on piece by piece. See receive.h. */
#include "server/receive.h"

#include "server/respond.h"

void receive_with(struct exchange *exchange, struct receiver receiver)
{
    const struct route *route = exchange->route;
    bool streams = route != NULL && route->stream;
    struct receiver *copy = streams ? arena_take(&exchange->arena, sizeof *copy) : NULL;
    if (!streams)
        respond_refuse(exchange, "takes the body in pieces, and its route does not stream");
    else if (copy == NULL)
        respond_starved(exchange);
    if (copy == NULL)
        return;
    *copy = receiver;
    exchange->receiver = copy;
}

void rh_receive(rh_request *request, rh_receiver *take, void *user)
{
    receive_with((struct exchange *)request, (struct receiver){ .take = take, .user = user });
}

static bool open(const struct exchange *exchange)
{
    const struct receiver *receiver = exchange->receiver;
    return receiver != NULL && !receiver->ended && !exchange_answered(exchange) && !exchange->response.refused;
}

void receive_piece(struct exchange *exchange, struct slice piece, bool last)
{
    struct receiver *receiver = exchange->receiver;
    receiver->ended = last;
    receiver->take((rh_request *)exchange, receiver->user, (rh_slice){ piece.data, piece.size }, last);
    if (!exchange->deferred && !open(exchange))
        respond_settle(exchange);
}

void receive_settle(struct exchange *exchange)
{
    const struct receiver *receiver = exchange->receiver;
    if (open(exchange) && receiver->resume != NULL)
        receiver->resume((rh_request *)exchange, receiver->user);
    if (exchange->deferred)
        return;
    if (!open(exchange))
        respond_settle(exchange);
    else if (!exchange->streaming) /* there never was a body */
        receive_piece(exchange, SLICE(""), true);
}
