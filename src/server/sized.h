/* Structs that a program hands over with their size, because it may have been built for another version, which knew
 * fewer or more of their members. Members are only ever added behind the end (tools/check_abi). */
#ifndef SERVER_SIZED_H
#define SERVER_SIZED_H

#include "server/server.h"

#define SIZED_UNKNOWN "an option that rawhttp " RH_VERSION " does not know, of a newer one"

/* What of `given` is known; what an older program does not give is zero, that is, the default. False: it sets something
 * that is not known here, which only a newer version would heed, and *known is what is known of it. `given` may be
 * NULL: all zero. */
bool sized_read(void *known, size_t known_size, const void *given, size_t given_size)
    __attribute__((warn_unused_result));

/* The same for the options of a server, which fails then and tells it. */
bool sized_take(rh_server *server, void *known, size_t known_size, const void *given, size_t given_size)
    __attribute__((warn_unused_result));

#endif
