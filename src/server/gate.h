/* What the rules of a host ask for before a program answers, be it middleware or a handler: a password, and whether a
 * browser's script may ask at all. Whoever guards "/private/" and all beneath it means those, too.
 *
 * What rules do with a path (redirect, rewrite, an error) is for where no route answers, and not known here; what they
 * say with the response is in said.h. */
#ifndef SERVER_GATE_H
#define SERVER_GATE_H

#include "server/server.h"

/* No host has rules: there is nothing to ask. */
static inline bool gate_open(const struct exchange *exchange)
{
    return !exchange_worker(exchange)->server->ruled;
}

/* True: it may answer. False: the exchange has been answered (401, 503; 204 to a preflight), or is deferred; `go_on`
 * is called when the password has been found right (see guard_admit, also for what must not be kept). */
bool gate_admit(struct exchange *exchange, void (*go_on)(struct exchange *exchange));

/* For a request whose body has still to come: true where it has no credentials, and has been answered. */
bool gate_refuse(struct exchange *exchange);

#endif
