/* One request through a worker that has no socket for it: a real connection, whose transport reads the request from
 * memory and notes what is sent instead of sending it. Nobody else in the server can tell the difference.
 *
 * It knows nothing of what is asked or answered. */
#ifndef SERVER_JOURNEY_H
#define SERVER_JOURNEY_H

#include <semaphore.h>

#include "base/writer.h"
#include "server/server.h"

struct journey {
    struct session_host host;   /* the worker's, with an ear at each call */
    struct session_host *inner; /* that one */
    struct server_worker *worker;
    struct letter letter;
    struct slice request;       /* its bytes, of which so many have been read */
    size_t read;

    /* On the worker, when all of the response is in its outbox, or there will be none (its status is 0). */
    void (*arrived)(struct journey *journey, struct exchange *exchange);
    void *user;

    unsigned refused;           /* the status with which the session refused it; 0: it did not */
    bool pulled;                /* the content was made while it was sent */
    bool headed;                /* the head has gone out whole */
    char *room;                 /* for the next */
    struct writer head;         /* what went out before the content, as it went out */
    uint64_t copied, memory, file; /* bytes of content: beside the head, from where they lie, by sendfile */
    sem_t over;
    bool begun;
};

/* Takes the way of the request from the accept to the close, on the worker's thread, and waits for its end. All is zero
 * before, but `arrived` and `user`, which are the caller's. False: errno, no memory or descriptor for it. */
bool journey_make(struct journey *journey, struct server_worker *worker, struct slice request)
    __attribute__((warn_unused_result));

/* Lets go of what it noted. */
void journey_fini(struct journey *journey);

#endif
