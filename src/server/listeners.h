/* The sockets on which a server listens. They are its own, not its workers': each worker has one for each address, and
 * a unix socket is shared by all. */
#ifndef SERVER_LISTENERS_H
#define SERVER_LISTENERS_H

#include "server/server.h"

/* False: it has been told why. */
bool listeners_open(rh_server *server);

/* A worker that has been made gets its share. False: it has been told why. */
bool listeners_give(rh_server *server, struct server_worker *worker, unsigned index);

/* Takes away the files of unix sockets, once: from then on nobody new can connect, while those in the queue are still
 * accepted, and a successor may already listen there. Signal handlers, too. */
void listeners_leave_paths(rh_server *server);

void listeners_close(rh_server *server);

#endif
