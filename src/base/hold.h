/* A counted reference: what a response body lies in (a prepared answer, an exchange, an open file) is held
 * while bytes of it wait to be sent, and is gone with its last holder.
 *
 * Small responses are copied and never touch the count; only bodies that are sent from where they lie do. */
#ifndef BASE_HOLD_H
#define BASE_HOLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct hold {
    atomic_uint count;
    void (*gone)(struct hold *hold); /* called by whoever lets go last */
};

static inline void hold_init(struct hold *hold, void (*gone)(struct hold *))
{
    atomic_init(&hold->count, 1);
    hold->gone = gone;
}

static inline void hold_ref(struct hold *hold)
{
    if (hold)
        atomic_fetch_add_explicit(&hold->count, 1, memory_order_relaxed);
}

/* Whoever asks holds it and nobody else does; so nobody can come to hold it meanwhile. */
static inline bool hold_sole(const struct hold *hold)
{
    return atomic_load_explicit(&hold->count, memory_order_acquire) == 1;
}

static inline void hold_unref(struct hold *hold)
{
    if (hold == NULL)
        return;
    /* The only holder needs no atomic read-modify-write: nobody else is there to take or drop a reference meanwhile. */
    bool last = hold_sole(hold) ||
                atomic_fetch_sub_explicit(&hold->count, 1, memory_order_acq_rel) == 1;
    if (last)
        hold->gone(hold);
}

#endif
