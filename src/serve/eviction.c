/* The two policies. Both cope with marks that change under their eyes, because hits take no lock: whatever is read
 * here may be older than the latest hit by a moment, and every loop ends all the same.
 *
 * sieve: Zhang et al., "SIEVE is Simpler than LRU" (NSDI 2024). lru: exact but for the grain of its clock, by a radix
 * heap (Ahuja et al., "Faster Algorithms for the Shortest Path Problem", 1990) whose keys are read when somebody has
 * to leave, not when they change. */
#include "serve/eviction.h"

static struct evictable *owner(struct link *link)
{
    return LINK_OWNER(link, struct evictable, link);
}

static uint64_t mark_of(const struct evictable *object)
{
    return atomic_load_explicit(&object->mark, memory_order_relaxed);
}

/* ---- sieve ----------------------------------------------------------------------------------------------------- */

static void sieve_init(struct eviction *order)
{
    list_init(&order->sieve.queue);
    order->sieve.hand = &order->sieve.queue;
}

static void sieve_add(struct eviction *order, struct evictable *object)
{
    list_append(&order->sieve.queue, &object->link);
}

static void sieve_remove(struct eviction *order, struct evictable *object)
{
    if (order->sieve.hand == &object->link)
        order->sieve.hand = object->link.next;
    list_remove(&object->link);
}

/* The hand passes over who was hit since it came by, and takes the mark away, but leaves everybody in place. So it
 * soon works among those that are new, most of which are never hit again. Hits that go on meanwhile could keep it
 * going for ever: each object has one chance in a call. */
static struct evictable *sieve_choose(struct eviction *order, struct evictable *spare)
{
    struct link *at = order->sieve.hand;

    for (size_t chances = order->count;; at = at->next) {
        if (at == &order->sieve.queue || owner(at) == spare)
            continue;
        if (chances == 0 || mark_of(owner(at)) == 0)
            break;
        chances--;
        atomic_store_explicit(&owner(at)->mark, 0, memory_order_relaxed);
    }
    order->sieve.hand = at;
    return owner(at);
}

/* ---- lru ------------------------------------------------------------------------------------------------------- */

/* Age 0 holds what was last used when the one that left last was, or before; age n, n > 0, what was used after that,
 * with a mark whose highest bit that differs from `past` is bit n - 1. So whoever is of a lower age is older. Within
 * the lowest age that is not empty, the oldest is found by looking at all; its mark becomes `past`, and the others
 * there fall to lower ages, each at most 64 times between two hits.
 *
 * A hit changes the mark and leaves the object where it lies: too low, therefore, where it is come upon before its
 * turn and moved on. (Two workers marking in the same instant, with clocks that differ, may also turn a mark back by
 * a turn. What lies too high by that is found a little late.) */
static unsigned age_of(const struct lru *lru, uint64_t mark)
{
    return mark <= lru->past ? 0 : 64 - (unsigned)__builtin_clzll(mark ^ lru->past);
}

static void lru_init(struct eviction *order)
{
    for (unsigned age = 0; age < LRU_AGES; age++)
        list_init(&order->lru.ages[age]);
    order->lru.past = 0;
}

static void file(struct lru *lru, struct evictable *object, uint64_t mark)
{
    list_append(&lru->ages[age_of(lru, mark)], &object->link);
}

static void lru_add(struct eviction *order, struct evictable *object)
{
    file(&order->lru, object, mark_of(object));
}

static void lru_remove(struct eviction *order, struct evictable *object)
{
    (void)order;
    list_remove(&object->link);
}

/* The oldest of an age; who has been hit meanwhile moves on to where it belongs. NULL: nobody belongs here. */
static struct evictable *find_oldest(struct lru *lru, unsigned age, uint64_t *oldest_mark)
{
    struct evictable *oldest = NULL;

    for (struct link *at = lru->ages[age].next, *next; at != &lru->ages[age]; at = next) {
        uint64_t mark = mark_of(owner(at));
        next = at->next;
        if (age_of(lru, mark) > age) {
            list_remove(at);
            file(lru, owner(at), mark);
        } else if (!oldest || mark < *oldest_mark) {
            oldest = owner(at);
            *oldest_mark = mark;
        }
        if (age == 0 && oldest)
            break; /* all there are as good as equal */
    }
    return oldest;
}

/* Files all of an age again, once: now that `past` is a mark of this age, they share the bit which made the age. */
static void spread(struct lru *lru, unsigned age)
{
    struct link *list = &lru->ages[age], *last = list->prev;

    for (bool more = !list_empty(list); more;) {
        struct link *at = list->next;
        more = at != last;
        list_remove(at);
        file(lru, owner(at), mark_of(owner(at)));
    }
}

/* At each age somebody is found, or all there move to higher ones; so it ends, whatever is hit meanwhile. */
static struct evictable *lru_choose_any(struct lru *lru)
{
    struct evictable *oldest;
    uint64_t mark = 0;
    unsigned age = 0;

    while (!(oldest = find_oldest(lru, age, &mark)))
        age++;
    if (mark > lru->past) {
        lru->past = mark;
        spread(lru, age);
    }
    return oldest;
}

/* Where an object belongs follows from its mark, so that the spared one can be put aside; and, should it be the oldest,
 * it must be the first when it is put back. */
static struct evictable *lru_choose(struct eviction *order, struct evictable *spare)
{
    if (!spare)
        return lru_choose_any(&order->lru);
    lru_remove(order, spare);
    struct evictable *oldest = lru_choose_any(&order->lru);
    list_append(order->lru.ages[age_of(&order->lru, mark_of(spare))].next, &spare->link);
    return oldest;
}

/* ---- The table ------------------------------------------------------------------------------------------------- */

const struct eviction_policy eviction_policies[EVICTION_POLICIES] = {
    { SLICE_INIT("sieve"), 0, sieve_init, sieve_add, sieve_remove, sieve_choose },
    { SLICE_INIT("lru"), UINT64_MAX, lru_init, lru_add, lru_remove, lru_choose },
};

const struct eviction_policy *eviction_policy_named(struct slice name)
{
    for (size_t i = 0; i < EVICTION_POLICIES; i++)
        if (slice_equal(eviction_policies[i].name, name))
            return &eviction_policies[i];
    return NULL;
}

void eviction_init(struct eviction *order, const struct eviction_policy *policy)
{
    order->policy = policy;
    order->count = 0;
    policy->init(order);
}

void eviction_add(struct eviction *order, struct evictable *object, uint64_t mark)
{
    atomic_store_explicit(&object->mark, mark, memory_order_relaxed);
    order->policy->add(order, object);
    order->count++;
}

void eviction_remove(struct eviction *order, struct evictable *object)
{
    order->policy->remove(order, object);
    order->count--;
}

struct evictable *eviction_take(struct eviction *order, struct evictable *spare)
{
    if (order->count == (spare ? 1 : 0))
        return NULL;
    struct evictable *object = order->policy->choose(order, spare);
    eviction_remove(order, object);
    return object;
}
