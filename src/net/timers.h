/* Deadlines of connections on a wheel of slots, 64 ms each.
 *
 * Putting a deadline off, which every request does, is one store: the timer stays where it is filed, and only when that
 * slot comes round is it filed again under its real time. Bringing one forward moves it at once. */
#ifndef NET_TIMERS_H
#define NET_TIMERS_H

#include "base/list.h"

#include <stdint.h>

enum { TIMERS_TICK_BITS = 6, TIMERS_SLOTS = 1024 };

struct timer {
    struct link link;
    uint32_t due;   /* tick at which it fires */
    uint32_t filed; /* tick of the slot in which it lies, not later than due */
};

struct timers {
    uint32_t now;  /* all ticks up to this one have been looked at */
    uint32_t next; /* no slot before this tick holds a timer */
    void (*fire)(struct timer *timer); /* the timer is unset when this is called */
    struct link slots[TIMERS_SLOTS];
};

void timers_init(struct timers *timers, uint64_t now_ms, void (*fire)(struct timer *timer));

static inline void timer_init(struct timer *timer)
{
    list_init(&timer->link);
    timer->due = timer->filed = 0;
}

void timers_file(struct timers *timers, struct timer *timer, uint32_t due);

/* Fires at `due_ms` (monotonic) or up to a tick later, never before. */
static inline void timers_set(struct timers *timers, struct timer *timer, uint64_t due_ms)
{
    uint32_t due = (uint32_t)((due_ms + (1u << TIMERS_TICK_BITS) - 1) >> TIMERS_TICK_BITS);
    if (!list_empty(&timer->link) && due >= timer->filed)
        timer->due = due;
    else
        timers_file(timers, timer, due);
}

static inline void timers_unset(struct timer *timer)
{
    list_remove(&timer->link);
}

void timers_advance(struct timers *timers, uint32_t now);

/* Fires what is due. */
static inline void timers_run(struct timers *timers, uint64_t now_ms)
{
    uint32_t now = (uint32_t)(now_ms >> TIMERS_TICK_BITS);
    if (now >= timers->next)
        timers_advance(timers, now);
    else
        timers->now = now;
}

/* When a slot has to be looked at; in some years where there is no timer. */
static inline uint64_t timers_next_ms(const struct timers *timers)
{
    return (uint64_t)timers->next << TIMERS_TICK_BITS;
}

#endif
