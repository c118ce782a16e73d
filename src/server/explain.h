/* The way of one request, told step by step: what every part of the server makes of it, and what goes out. The request
 * is answered for it by the very server that would serve it, on a worker of its own that no socket leads to. */
#ifndef SERVER_EXPLAIN_H
#define SERVER_EXPLAIN_H

#include <stdio.h>

#include "rawhttp.h"
#include "base/slice.h"

/* `server` has not been started; afterwards it has been, so as to be freed. `request` are the bytes of one request,
 * without a body; a handler that answers it is called as for any other, twice. False: the server cannot be started, or
 * there is no memory; the log has said why. */
bool server_explain(rh_server *server, struct slice request, FILE *out, bool colour)
    __attribute__((warn_unused_result));

#endif
