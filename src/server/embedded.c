/* The public calls with which a program runs a server's one loop itself. See net/driven.h. */
#include "server/server.h"

static bool drivable(const rh_server *server)
{
    return server != NULL && server->config.embedded && server->state == SERVER_STARTED;
}

int rh_fd(const rh_server *server)
{
    return drivable(server) ? server->workers[0].net.loop.epoll_fd : -1;
}

int rh_poll(rh_server *server, int timeout_ms)
{
    if (!drivable(server))
        return -1;
    if (driven_turn(&server->driven, timeout_ms))
        return 1;
    rh_wait(server); /* for nothing any more: closes the listeners */
    return 0;
}
