/* Who comes in the clear where https is spoken is sent there, before anybody else is asked: no route, no page and no
 * middleware hears of it. */
#ifndef SERVER_HTTPS_H
#define SERVER_HTTPS_H

#include "server/server.h"

/* The port to which they are sent, once the listeners are open; 0: they are answered like everybody else. */
unsigned https_redirect_port(const struct config *config);

/* True: the exchange has been answered with a 308, or refused because it does not say which host it is for. On a
 * worker of a server that has such a port. */
bool https_send_on(struct exchange *exchange);

#endif
