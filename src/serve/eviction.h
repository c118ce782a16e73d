/* Who leaves when room is needed: the order of what may leave, by one of two policies, rows of one table. It knows
 * neither what the objects are nor how large they are, and reads no clock.
 *
 * The one thing that happens at a hit is eviction_mark: one relaxed load, and now and then one relaxed store, by any
 * thread. All else belongs to whoever owns the order, under a lock of its own. The alternatives, and how well each
 * policy does, are in docs/design/009-eviction.md. */
#ifndef SERVE_EVICTION_H
#define SERVE_EVICTION_H

#include <stdatomic.h>

#include "base/list.h"
#include "base/slice.h"

/* Lies in the object. */
struct evictable {
    struct link link;
    _Atomic uint64_t mark; /* of the last hit; 0: none yet */
};

struct eviction;

struct eviction_policy {
    struct slice name;
    uint64_t time_bits; /* which bits of the time a mark keeps: none, where it only says whether there was a hit */
    void (*init)(struct eviction *order);
    void (*add)(struct eviction *order, struct evictable *object);
    void (*remove)(struct eviction *order, struct evictable *object);

    /* The one that should leave next, still in the order. There is one beside `spare`, which is in the order too, or
     * NULL. */
    struct evictable *(*choose)(struct eviction *order, struct evictable *spare);
};

/* "sieve", the default, and "lru". */
enum { EVICTION_POLICIES = 2 };
extern const struct eviction_policy eviction_policies[EVICTION_POLICIES];

/* NULL: there is none of that name. */
const struct eviction_policy *eviction_policy_named(struct slice name);

/* A queue in the order of arrival, and a hand that goes round in it. */
struct sieve {
    struct link queue; /* the oldest first */
    struct link *hand; /* where it goes on; the queue itself: at the oldest */
};

/* By the highest bit in which a mark differs from `past`: see eviction.c. */
enum { LRU_AGES = 65 };

struct lru {
    struct link ages[LRU_AGES];
    uint64_t past; /* the mark of the last one that left */
};

struct eviction {
    const struct eviction_policy *policy;
    size_t count;
    union {
        struct sieve sieve;
        struct lru lru;
    };
};

void eviction_init(struct eviction *order, const struct eviction_policy *policy);

/* As one that came just now; `mark` is 0, or what a hit leaves. */
void eviction_add(struct eviction *order, struct evictable *object, uint64_t mark);
void eviction_remove(struct eviction *order, struct evictable *object);

/* Takes out of the order who should leave next, but not `spare`, which may be NULL. NULL: nobody is left. */
struct evictable *eviction_take(struct eviction *order, struct evictable *spare);

/* What a hit at this time leaves. Never 0; a worker may ask for it once a turn. */
static inline uint64_t eviction_stamp(const struct eviction *order, uint64_t now_ms)
{
    return (now_ms & order->policy->time_bits) | 1;
}

/* Looks before it writes: a line of memory that all workers read is then written at most once in a tick of the clock
 * (lru), or once until the hand has come by (sieve). Clocks of workers may differ by a turn: a mark that is later than
 * ours stays. */
static inline void eviction_mark(struct evictable *object, uint64_t stamp)
{
    if (atomic_load_explicit(&object->mark, memory_order_relaxed) < stamp)
        atomic_store_explicit(&object->mark, stamp, memory_order_relaxed);
}

#endif
