/* What stands before the routes and pages: a list of handlers, each for the paths beneath a prefix. A request goes
 * along it and then to whoever answers; what was said on the way goes out with the answer. */
#ifndef SERVER_MIDDLEWARE_H
#define SERVER_MIDDLEWARE_H

#include "server/beside.h"

enum { MIDDLEWARE_MAX = 64 };

struct middleware {
    struct middleware *next;   /* in the order of registration */
    rh_handler *handler;
    void *user;
    void (*free)(void *user);  /* what it owns goes with the server; may be NULL */
    struct slice prefix;       /* without a slash at its end: "" is everything */
    char text[];               /* the prefix as it was registered */
};

/* rh_use, for a handler that may own its `user`: it is freed here where it is not taken. */
int middleware_add(rh_server *server, const char *prefix, const struct middleware *middleware);
void middleware_free(struct middleware *first);

/* The request goes on its way, which ends in dispatch_answer. It has a response afterwards, to be dressed, or is
 * deferred, or its body goes on. */
void middleware_begin(struct exchange *exchange);

/* The same for one that has come home: somebody deferred it and called rh_next. */
void middleware_resume(struct exchange *exchange);

/* Whose turn it is has called rh_next: an answer of its own would be a second one. */
static inline bool middleware_handed_on(const struct exchange *exchange)
{
    const struct beside *beside = exchange->beside;
    return beside != NULL && beside->turn != NULL && beside->handed_on;
}

#endif
