/* Descriptors of other libraries in a worker's loop (a database's socket, a pipe, a timer of the kernel): who watches
 * one is told as long as it is ready. The descriptor stays its owner's.
 *
 * It knows nothing of what is read or written there. */
#ifndef NET_FOREIGN_H
#define NET_FOREIGN_H

#include "base/list.h"
#include "net/loop.h"

struct worker;

enum { FOREIGN_READABLE = 1, FOREIGN_WRITABLE = 2 };

typedef void foreign_ready(void *user, unsigned events);

struct foreign {
    struct watch watch;
    struct worker *worker;
    struct link link;     /* the worker's that are watched, or those to be freed */
    int fd;
    unsigned events;      /* 0: not in the loop */
    foreign_ready *ready;
    void *user;
};

/* All on the worker's thread. NULL or false: errno (EINVAL for other events, EEXIST for a descriptor that is watched
 * already, EPERM for one that cannot be waited for, as a file), and nothing has changed. An error or an end at the
 * other side counts as each of the events that are watched. */
struct foreign *foreign_watch(struct worker *worker, int fd, unsigned events, foreign_ready *ready, void *user);
bool foreign_change(struct foreign *foreign, unsigned events);

/* Also from within its own call, and of others. Not called any more; freed at the end of a turn, when no event can be
 * under way to it. */
void foreign_stop(struct foreign *foreign);

void foreign_free_stopped(struct worker *worker); /* at the end of a turn */
void foreign_free_all(struct worker *worker);     /* at the end of the loop */

#endif
