/* Things that were retired wait in the order of their epochs, so those that are due are the first ones. Retiring is
 * rare, a few times a second at most, and may take a lock and look at every worker; only the announcement must cost
 * nothing. */
#include "base/qsbr.h"

#include <assert.h>
#include <stdlib.h>

_Static_assert(sizeof(struct qsbr_worker) == QSBR_LINE, "two workers must not write to one cache line");

struct qsbr *qsbr_new(unsigned workers, void (*wake)(void *user, unsigned worker), void *user)
{
    struct qsbr *qsbr = aligned_alloc(QSBR_LINE, sizeof *qsbr + workers * sizeof qsbr->workers[0]);
    if (!qsbr)
        return NULL;
    atomic_init(&qsbr->epoch, 0);
    qsbr->wake = wake;
    qsbr->user = user;
    qsbr->count = workers;
    pthread_mutex_init(&qsbr->lock, NULL);
    qsbr->oldest = NULL;
    qsbr->newest = &qsbr->oldest;
    qsbr->waiting = 0;
    for (unsigned i = 0; i < workers; i++)
        atomic_init(&qsbr->workers[i].announced, 0);
    return qsbr;
}

/* What was retired in this epoch or before it is out of use. Acquire: see qsbr_announce. */
static uint64_t quiet_epoch(const struct qsbr *qsbr)
{
    uint64_t quiet = UINT64_MAX;
    for (unsigned i = 0; i < qsbr->count; i++) {
        uint64_t announced = atomic_load_explicit(&qsbr->workers[i].announced, memory_order_acquire);
        if (announced < quiet)
            quiet = announced;
    }
    return quiet;
}

void qsbr_free(struct qsbr *qsbr)
{
    if (!qsbr)
        return;
    assert(quiet_epoch(qsbr) == UINT64_MAX); /* else a worker has not ended */
    while (qsbr_reclaim(qsbr) > 0) /* what is freed may retire others */
        ;
    pthread_mutex_destroy(&qsbr->lock);
    free(qsbr);
}

void qsbr_retire(struct qsbr *qsbr, struct retired *retired, void (*free)(struct retired *retired))
{
    pthread_mutex_lock(&qsbr->lock);
    retired->next = NULL;
    retired->free = free;
    /* Only written under the lock. Release: see qsbr_announce. */
    retired->epoch = atomic_load_explicit(&qsbr->epoch, memory_order_relaxed) + 1;
    atomic_store_explicit(&qsbr->epoch, retired->epoch, memory_order_release);
    *qsbr->newest = retired;
    qsbr->newest = &retired->next;
    qsbr->waiting++;
    pthread_mutex_unlock(&qsbr->lock);

    /* A worker may be asleep, or about to be, with an older epoch announced. It cannot be told which, so each is woken;
     * one that has ended meanwhile is woken for nothing. */
    for (unsigned i = 0; i < qsbr->count; i++)
        if (atomic_load_explicit(&qsbr->workers[i].announced, memory_order_relaxed) != UINT64_MAX)
            qsbr->wake(qsbr->user, i);
}

/* Takes the things that are due out of the queue. */
static struct retired *take_due(struct qsbr *qsbr)
{
    pthread_mutex_lock(&qsbr->lock);
    uint64_t quiet = quiet_epoch(qsbr);
    struct retired *due = qsbr->oldest, **rest = &due;
    while (*rest && (*rest)->epoch <= quiet) {
        rest = &(*rest)->next;
        qsbr->waiting--;
    }
    qsbr->oldest = *rest;
    *rest = NULL;
    if (!qsbr->oldest)
        qsbr->newest = &qsbr->oldest;
    pthread_mutex_unlock(&qsbr->lock);
    return due;
}

/* Counted when all is done: what is freed may have retired others. */
static size_t count_waiting(struct qsbr *qsbr)
{
    pthread_mutex_lock(&qsbr->lock);
    size_t waiting = qsbr->waiting;
    pthread_mutex_unlock(&qsbr->lock);
    return waiting;
}

size_t qsbr_reclaim(struct qsbr *qsbr)
{
    struct retired *due = take_due(qsbr);
    while (due) {
        struct retired *next = due->next; /* which goes with the thing */
        due->free(due);
        due = next;
    }
    return count_waiting(qsbr);
}
