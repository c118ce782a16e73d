/* What the program wants called at a time, to the millisecond: a binary heap, ordered by time and, among equals, by who
 * was there first. (Deadlines of connections are many, are put off all the time and may be late: those are timers.h.)
 *
 * An alarm is known by a number that is never given twice, so that cancelling one which has long gone does no harm. It
 * reads no clock: "now" is the caller's. */
#ifndef NET_ALARMS_H
#define NET_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

enum { ALARMS_MAX = 1 << 20 };

typedef void alarm_call(void *user);

struct alarm {
    uint64_t due_ms;
    uint64_t order;      /* among those due at the same time */
    uint64_t round;      /* how often its place has been used */
    uint32_t every_ms;   /* 0: once */
    uint32_t at;         /* where in the heap; of a free one, the next free one */
    alarm_call *call;    /* NULL: free */
    void *user;
};

struct alarms {
    struct alarm *places; /* `room` of them, of which `used` have been in use at some time */
    uint32_t *heap;       /* `count` indices of places, soonest first */
    uint32_t count, used, room;
    uint32_t free;        /* the first free place, or ALARMS_MAX */
    uint64_t order;
    uint64_t next_ms;     /* when the soonest is due; UINT64_MAX: there is none */
};

void alarms_init(struct alarms *alarms);
void alarms_fini(struct alarms *alarms); /* calls nobody; empty afterwards */

/* Called at `due_ms`, and then every so often if that is not 0. The alarm's number, or 0: no memory, or ALARMS_MAX are
 * there. */
uint64_t alarms_add(struct alarms *alarms, uint64_t due_ms, uint32_t every_ms, alarm_call *call, void *user);

/* False: there is no such alarm (any more). Also from within its own call. */
bool alarms_cancel(struct alarms *alarms, uint64_t number);

/* Calls those that are due. One which is added meanwhile must be due later than `now_ms`, or would be called at once.
 * Of a regular one, times that were missed are left out. */
void alarms_run(struct alarms *alarms, uint64_t now_ms);

#endif
