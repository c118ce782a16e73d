/* TLS in the life of a server. What the program has said about it is in server->certificates, NULL where that is
 * nothing. */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "server/certificates.h"
#include "server/server.h"

/* Reads the files and makes the context. False: it has been told. */
bool tls_begin(rh_server *server);

/* From now on changed files are taken. False: it has been told. */
bool tls_follow(rh_server *server);

#endif
