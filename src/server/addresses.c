/* Where a server listens, for its program and for the log. See addresses.h. */
#include "server/addresses.h"

#include "server/server.h"

/* An optional address that this machine does not have was skipped. */
static bool listens(const rh_server *server, unsigned index)
{
    return server->listen_fds != NULL && server->listen_fds[index * server->config.workers] >= 0;
}

void addresses_settle(rh_server *server)
{
    const struct config *config = &server->config;
    unsigned count = 0;
    for (unsigned i = 0; i < config->listen_count; i++)
        if (listens(server, i))
            address_text(&config->listen[i], server->addresses[count++], ADDRESS_TEXT_SIZE);
    server->address_count = count;
}

void addresses_log(const rh_server *server)
{
    for (unsigned i = 0; i < server->address_count && !server->addresses_told; i++)
        log_write(&server->log, LOG_LEVEL_INFO, "listening on %s", server->addresses[i]);
}

void addresses_leave_to_program(rh_server *server)
{
    server->addresses_told = true;
}

unsigned rh_port(const rh_server *server)
{
    return server != NULL ? address_port(&server->config.listen[0]) : 0;
}

const char *rh_address(const rh_server *server, unsigned index)
{
    return server != NULL && index < server->address_count ? server->addresses[index] : NULL;
}
