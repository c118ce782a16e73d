/* A worker without a thread of its own: a loop of the program's runs its turns, whenever one descriptor (the worker's
 * epoll) is readable. Since that must be so when a deadline comes, too, a timer of the kernel lies in that epoll.
 *
 * It knows nothing of the program's loop. */
#ifndef NET_DRIVEN_H
#define NET_DRIVEN_H

#include "net/loop.h"

struct worker;

struct driven {
    struct watch watch;
    struct worker *worker; /* NULL: it has not begun, or has ended */
    int timer_fd;
    uint64_t armed_ms;  /* for when */
    bool turning;       /* in a turn; what is due is looked at after it */
};

/* Begins the worker on this thread, on which all of this is called. False: errno, and it has not begun. */
bool driven_begin(struct driven *driven, struct worker *worker);

/* One turn. False: the worker has ended, and nothing is left to be let go of. */
bool driven_turn(struct driven *driven, int wait_ms);

/* What is due may have changed between two turns. */
void driven_arm(struct driven *driven);

#endif
