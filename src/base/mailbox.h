/* How other threads hand work to a worker: letters are pushed without a lock, and an eventfd in the worker's
 * loop rings once for any number of them. The worker empties the box and opens each letter on its own thread. */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct letter {
    struct letter *next;
    void (*open)(struct letter *letter); /* on the owner's thread */
};

struct mailbox {
    _Atomic(struct letter *) newest;
    atomic_uint posting; /* threads within mailbox_post or mailbox_offer */
    atomic_bool closed;  /* to what is offered */
    int bell_fd;         /* eventfd: readable when there is post */
};

bool mailbox_init(struct mailbox *box); /* false: errno says why */

/* All letters must have been opened. Waits for senders that are still within mailbox_post, so that the box may go as
 * soon as the last letter has been opened. */
void mailbox_fini(struct mailbox *box);

/* Any thread. The letter stays the sender's memory until it is opened. */
void mailbox_post(struct mailbox *box, struct letter *letter);

/* The same for a letter that nobody need wait for. False: the box is closed, and the letter stays the sender's. */
bool mailbox_offer(struct mailbox *box, struct letter *letter);

/* Nothing is in it, at this moment. */
static inline bool mailbox_empty(struct mailbox *box)
{
    return atomic_load_explicit(&box->newest, memory_order_relaxed) == NULL;
}

/* The owner's thread: opens what is there, oldest first. */
void mailbox_open(struct mailbox *box);

/* The owner's thread, once: takes nothing more that is offered, and opens what is there. What is posted goes on being
 * taken. */
void mailbox_close(struct mailbox *box);

#endif
