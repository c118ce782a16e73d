/* The box is one pointer to the newest letter, each letter pointing to the one before it. Senders push with
 * compare-and-swap; the owner takes the whole chain at once, so that there is no pop and thus no ABA.
 *
 * Only who posts into an empty box rings: whoever finds letters there knows that their bell is on its way. */
#include "base/mailbox.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool mailbox_init(struct mailbox *box)
{
    atomic_init(&box->newest, NULL);
    atomic_init(&box->posting, 0);
    atomic_init(&box->closed, false);
    box->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return box->bell_fd >= 0;
}

/* A sender is in there for a few instructions. */
static void await_senders(struct mailbox *box)
{
    while (atomic_load(&box->posting) != 0)
        sched_yield();
}

/* The owner may have opened the last letter it expects while its sender is still about to ring. */
void mailbox_fini(struct mailbox *box)
{
    if (box->bell_fd < 0)
        return;
    await_senders(box);
    close(box->bell_fd);
    box->bell_fd = -1;
}

/* A full counter (EAGAIN) means that it has rung already; a signal may come in between. */
static void ring(int bell_fd)
{
    uint64_t one = 1;
    while (write(bell_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static void silence(int bell_fd)
{
    uint64_t rung;
    while (read(bell_fd, &rung, sizeof rung) < 0 && errno == EINTR)
        continue;
}

static void push(struct mailbox *box, struct letter *letter)
{
    struct letter *newest = atomic_load_explicit(&box->newest, memory_order_relaxed);
    do
        letter->next = newest;
    while (!atomic_compare_exchange_weak_explicit(&box->newest, &newest, letter, memory_order_release,
                                                  memory_order_relaxed));
    if (!newest) /* `letter` itself may be gone by now */
        ring(box->bell_fd);
}

void mailbox_post(struct mailbox *box, struct letter *letter)
{
    atomic_fetch_add_explicit(&box->posting, 1, memory_order_relaxed); /* before the push, which publishes it */
    push(box, letter);
    atomic_fetch_sub_explicit(&box->posting, 1, memory_order_release);
}

/* Sequentially consistent, as in mailbox_close: either the owner sees that somebody is here, and waits, or this sees
 * that the box is closed. */
bool mailbox_offer(struct mailbox *box, struct letter *letter)
{
    atomic_fetch_add(&box->posting, 1);
    bool open = !atomic_load(&box->closed);
    if (open)
        push(box, letter);
    atomic_fetch_sub_explicit(&box->posting, 1, memory_order_release);
    return open;
}

static struct letter *reverse(struct letter *newest)
{
    struct letter *oldest = NULL;
    while (newest) {
        struct letter *before = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = before;
    }
    return oldest;
}

/* Silence first: a letter that comes between the two is opened now and its bell wakes for nothing; the other way
 * round its bell would be lost, and with it the letter. */
void mailbox_open(struct mailbox *box)
{
    silence(box->bell_fd);
    struct letter *letter = reverse(atomic_exchange_explicit(&box->newest, NULL, memory_order_acquire));
    while (letter) {
        struct letter *next = letter->next; /* opening may free the letter */
        letter->open(letter);
        letter = next;
    }
}

void mailbox_close(struct mailbox *box)
{
    atomic_store(&box->closed, true);
    await_senders(box);
    mailbox_open(box);
}
