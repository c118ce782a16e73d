/* Watching, and letting go at the right time. */
#include "net/foreign.h"

#include "net/worker.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t wanted(unsigned events)
{
    return (events & FOREIGN_READABLE ? EPOLLIN : 0) | (events & FOREIGN_WRITABLE ? EPOLLOUT : 0);
}

static unsigned told(uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return FOREIGN_READABLE | FOREIGN_WRITABLE;
    return (events & EPOLLIN ? FOREIGN_READABLE : 0) | (events & EPOLLOUT ? FOREIGN_WRITABLE : 0);
}

/* It may have been stopped or changed by who was called before it in this turn. */
static void ready(struct watch *watch, uint32_t events)
{
    struct foreign *foreign = (struct foreign *)watch;
    unsigned news = told(events) & foreign->events;
    if (news != 0)
        foreign->ready(foreign->user, news);
}

static bool valid(unsigned events)
{
    if ((events & ~(unsigned)(FOREIGN_READABLE | FOREIGN_WRITABLE)) == 0)
        return true;
    errno = EINVAL;
    return false;
}

/* Nothing wanted means that it is not in the loop, which tells of errors whether they are wanted or not. */
static bool place(struct foreign *foreign, unsigned events)
{
    struct loop *loop = &foreign->worker->loop;
    bool placed = true;
    if (events == foreign->events)
        return true;
    if (events == 0)
        loop_remove(loop, foreign->fd);
    else if (foreign->events == 0)
        placed = loop_add(loop, foreign->fd, wanted(events), &foreign->watch);
    else
        placed = loop_change(loop, foreign->fd, wanted(events), &foreign->watch);
    if (placed)
        foreign->events = events;
    return placed;
}

struct foreign *foreign_watch(struct worker *worker, int fd, unsigned events, foreign_ready *call, void *user)
{
    if (!valid(events))
        return NULL;
    struct foreign *foreign = malloc(sizeof *foreign);
    if (foreign == NULL)
        return NULL;
    *foreign = (struct foreign){ .watch.ready = ready, .worker = worker, .fd = fd, .ready = call, .user = user };
    if (!place(foreign, events)) {
        free(foreign);
        return NULL;
    }
    list_append(&worker->foreigns, &foreign->link);
    return foreign;
}

bool foreign_change(struct foreign *foreign, unsigned events)
{
    return valid(events) && place(foreign, events);
}

void foreign_stop(struct foreign *foreign)
{
    struct worker *worker = foreign->worker;
    place(foreign, 0);
    list_remove(&foreign->link);
    list_append(&worker->foreigns_stopped, &foreign->link);
    worker->chores = true;
}

void foreign_free_stopped(struct worker *worker)
{
    struct link *stopped = &worker->foreigns_stopped;
    for (struct link *link = stopped->next, *next; link != stopped; link = next) {
        next = link->next;
        free(LINK_OWNER(link, struct foreign, link));
    }
    list_init(stopped);
}

void foreign_free_all(struct worker *worker)
{
    while (!list_empty(&worker->foreigns))
        foreign_stop(LINK_OWNER(worker->foreigns.next, struct foreign, link));
    foreign_free_stopped(worker);
}
