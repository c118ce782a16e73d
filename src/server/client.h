/* Whose request it is: the peer, or, where that is a trusted proxy, the client that the proxies tell of. */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

#include "http/forwarded.h"
#include "http/exchange.h"

/* What the proxies tell; nothing where the peer is not trusted. */
struct forwarded client_told(const struct exchange *exchange);

/* The client's address. False: it has none, it came over a unix socket. */
bool client_ip(const struct exchange *exchange, struct ip *ip);

/* For the log: the client's address as text in `room`, where it is not the peer's; else empty. */
struct slice client_text(const struct exchange *exchange, char room[IP_TEXT_MAX]);

#endif
