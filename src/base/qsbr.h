/* When may the old one be freed? What all workers share (the site, the routes) is replaced by swapping one atomic
 * pointer; the old one goes as soon as no worker can still be using it. Each worker announces the end of its turn,
 * and between two turns it holds no such pointer: what was retired before every worker's last announcement is freed.
 * (Quiescent-state-based reclamation.) It knows neither what is retired nor how workers wait.
 *
 *     a worker's turn                                 whoever publishes
 *     site = atomic_load(&shared, acquire)            old = atomic_exchange(&shared, new, acq_rel)
 *     ... uses it, and forgets it ...                 qsbr_retire(q, &old->retired, free_site)
 *     qsbr_announce(q, worker)                        while (qsbr_reclaim(q) > 0) ... now and then
 *
 * Using what is shared costs nothing at all, and a turn costs a load and a store. A thing that is needed beyond the
 * turn takes a counted reference of its own. */
#ifndef BASE_QSBR_H
#define BASE_QSBR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Lies within the thing that is retired. */
struct retired {
    struct retired *next;
    uint64_t epoch;
    void (*free)(struct retired *retired);
};

enum { QSBR_LINE = 64 };

/* On a cache line of its own, which only its worker writes to. */
struct qsbr_worker {
    _Alignas(QSBR_LINE) _Atomic uint64_t announced; /* the epoch it last saw between two turns; UINT64_MAX: ended */
};

struct qsbr {
    /* Read by every worker in every turn, written only when something is retired. */
    _Alignas(QSBR_LINE) _Atomic uint64_t epoch; /* how many things were ever retired */
    void (*wake)(void *user, unsigned worker);
    void *user;
    unsigned count;

    _Alignas(QSBR_LINE) pthread_mutex_t lock;
    struct retired *oldest, **newest;
    size_t waiting;

    struct qsbr_worker workers[];
};

/* `wake` makes a worker end a turn soon; called on the thread that retires, for every worker that has not ended. So it
 * must be possible to wake a worker until qsbr_free, even while it ends. Workers need not be running yet: until its
 * first announcement a worker counts as in its first turn. NULL: no memory. */
struct qsbr *qsbr_new(unsigned workers, void (*wake)(void *user, unsigned worker), void *user);

/* All workers have ended; frees what still waits. */
void qsbr_free(struct qsbr *qsbr);

/* A worker, at the end of its turn: one load and one store, into a line that nobody else writes to.
 *
 * Acquire, because it pairs with the release in qsbr_retire: whoever sees the new epoch sees the new pointer too, so no
 * later turn can pick up the old one. Release, because it pairs with the acquire in qsbr_reclaim: all that the turn did
 * with the old thing has been done before its announcement is seen, and so before it is freed. No fence between the
 * two is needed: an epoch that is read too early is only an older one, and delays the freeing. */
static inline void qsbr_announce(struct qsbr *qsbr, unsigned worker)
{
    uint64_t epoch = atomic_load_explicit(&qsbr->epoch, memory_order_acquire);
    atomic_store_explicit(&qsbr->workers[worker].announced, epoch, memory_order_release);
}

/* A worker, when it ends (or whoever finds that it never began): it is quiet for ever. */
static inline void qsbr_end(struct qsbr *qsbr, unsigned worker)
{
    atomic_store_explicit(&qsbr->workers[worker].announced, UINT64_MAX, memory_order_release);
}

/* Any thread, after the thing has been replaced, so that no turn which begins now can find it. `free` is called later,
 * on a thread that calls qsbr_reclaim. Asks all workers for an announcement, those too that sleep. */
void qsbr_retire(struct qsbr *qsbr, struct retired *retired, void (*free)(struct retired *retired));

/* Any thread that may take the time it needs to free a whole site: frees what is due, oldest first, and returns how
 * many things still wait for a worker. */
size_t qsbr_reclaim(struct qsbr *qsbr);

#endif
