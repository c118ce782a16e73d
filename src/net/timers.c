/* The wheel: filing, and looking at the slots whose time has come. A tick is a 32-bit number of 64 ms (8 years). */
#include "net/timers.h"

void timers_init(struct timers *timers, uint64_t now_ms, void (*fire)(struct timer *timer))
{
    timers->now = (uint32_t)(now_ms >> TIMERS_TICK_BITS);
    timers->next = UINT32_MAX;
    timers->fire = fire;
    for (unsigned i = 0; i < TIMERS_SLOTS; i++)
        list_init(&timers->slots[i]);
}

/* What lies beyond the wheel's turn is filed in its last slot and comes round again. */
void timers_file(struct timers *timers, struct timer *timer, uint32_t due)
{
    uint32_t first = timers->now + 1, last = timers->now + TIMERS_SLOTS - 1;
    timer->due = due;
    timer->filed = due < first ? first : due > last ? last : due;
    list_remove(&timer->link);
    list_append(&timers->slots[timer->filed % TIMERS_SLOTS], &timer->link);
    if (timer->filed < timers->next)
        timers->next = timer->filed;
}

static void look(struct timers *timers, struct link *slot)
{
    struct link ready;
    list_init(&ready);
    while (!list_empty(slot)) {
        struct link *link = slot->next;
        list_remove(link);
        list_append(&ready, link);
    }
    while (!list_empty(&ready)) {
        struct timer *timer = LINK_OWNER(ready.next, struct timer, link);
        list_remove(&timer->link);
        if (timer->due <= timers->now)
            timers->fire(timer);
        else
            timers_file(timers, timer, timer->due);
    }
}

void timers_advance(struct timers *timers, uint32_t now)
{
    /* After a long sleep one turn of the wheel sees every slot. */
    uint32_t from = now - timers->now > TIMERS_SLOTS ? now - TIMERS_SLOTS : timers->now;
    timers->next = UINT32_MAX;
    timers->now = now;
    for (uint32_t tick = from + 1; tick <= now; tick++)
        look(timers, &timers->slots[tick % TIMERS_SLOTS]);
    for (uint32_t tick = now + 1; tick < now + TIMERS_SLOTS && tick < timers->next; tick++)
        if (!list_empty(&timers->slots[tick % TIMERS_SLOTS]))
            timers->next = tick;
}
