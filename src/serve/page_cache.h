/* Which pages have their content in memory, under one budget of bytes. It knows neither files nor requests: whoever
 * asks gets told what to do, whoever reads the content brings it here, and what has to leave is handed back.
 *
 * A page has a slot, one word, all that it costs while it has no content here:
 *
 *     ABSENT -> LOADING -> PRESENT -> ABSENT ...   and CLOSED, for good, when the page has left the site
 *
 * A hit (page_cache_find, page_cache_hit) takes no lock. The object it finds is safe until the end of the worker's
 * turn: whoever takes one out of a slot hands it on, and frees it only when all workers have been quiescent since.
 *
 * The budget is strict. It counts what is present, what is reserved for loads under way, and what has left but is
 * still somewhere on its way out or being sent, until page_cache_gone. A load never waits for that: a margin is kept
 * free for it, and where that is not enough the load is refused, and this request served from the file.
 *
 * The way of a miss, each step once, `load` in the loader's memory, `leavers` a list that was empty:
 *
 *     the worker:     page_cache_ask        LOAD: a job of its own goes to the background
 *     background:     page_cache_reserve    before memory is taken. Refused: what follows is page_cache_finish
 *                     page_cache_keep       with the content read
 *                     page_cache_finish     in any case; wakes all that have asked
 *                     retires the leavers
 *     each waiter:    page_cache_find       not _hit: it counted when it asked. Nothing there: from the file */
#ifndef SERVE_PAGE_CACHE_H
#define SERVE_PAGE_CACHE_H

#include <pthread.h>

#include "serve/eviction.h"

enum {
    PAGE_CACHE_SHARE = 8,   /* no page takes more than this part of the budget */
    PAGE_CACHE_MARGIN = 128 /* this part is kept free for what is on its way out, and as much for what comes in */
};

enum page_slot_state { PAGE_SLOT_ABSENT = 0, PAGE_SLOT_LOADING = 1, PAGE_SLOT_CLOSED = 2, PAGE_SLOT_FLAGS = 3 };

/* All zero: absent. Lies in the page, which must not be freed before it is closed and no load for it is under way. */
struct page_slot {
    _Atomic uintptr_t state; /* a struct cached, or a struct page_load | LOADING, or ABSENT, or CLOSED */
};

/* Lies in the content of a page, whatever that is. `size` is set before it is kept: all that is freed with it. */
struct cached {
    struct evictable order;
    struct page_slot *slot; /* NULL: not in the cache */
    uint64_t size;          /* from page_cache_keep to page_cache_gone the cache's */
};

/* Somebody who waits for a load. The cache's from page_cache_ask until page_cache_finish. */
struct page_waiter {
    struct page_waiter *next;
};

/* A load under way. The cache's from page_cache_ask, if that says LOAD, until page_cache_finish. */
struct page_load {
    struct page_slot *slot;
    struct page_waiter *first, **last;
    uint64_t mark;     /* what the content will start with */
    uint64_t reserved; /* bytes */
};

struct page_cache {
    struct eviction order;
    uint64_t bytes_max;
    pthread_mutex_t lock;       /* the order and the sums: may be held for long, and no worker takes it */
    uint64_t present, reserved; /* bytes; with `leaving` never more than bytes_max */
    uint64_t evictions, refusals;
    pthread_mutex_t door;       /* slots that are or become LOADING: some instructions; may be taken within `lock` */
    _Atomic uint64_t leaving;   /* bytes; grows under `lock`, shrinks under none */
};

/* NULL: there is none of that name. */
const struct eviction_policy *page_cache_policy_named(struct slice name);

void page_cache_init(struct page_cache *cache, const struct eviction_policy *policy, uint64_t bytes_max);
void page_cache_fini(struct page_cache *cache); /* every slot must have been closed; what left may still be leaving */

/* What a hit at this time leaves in an object. A worker may ask for it once a turn. */
static inline uint64_t page_cache_stamp(const struct page_cache *cache, uint64_t now_ms)
{
    return eviction_stamp(&cache->order, now_ms);
}

/* Any worker. The content, or NULL: it is not in memory. */
static inline struct cached *page_cache_find(const struct page_slot *slot)
{
    uintptr_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
    return state & PAGE_SLOT_FLAGS ? NULL : (struct cached *)state;
}

/* The same for a request, which counts: who is asked for stays. */
static inline struct cached *page_cache_hit(const struct page_slot *slot, uint64_t stamp)
{
    struct cached *cached = page_cache_find(slot);
    if (cached)
        eviction_mark(&cached->order, stamp);
    return cached;
}

/* May anything of that size be in memory at all? */
static inline bool page_cache_admits(const struct page_cache *cache, uint64_t size)
{
    return size <= cache->bytes_max / PAGE_CACHE_SHARE;
}

enum page_cache_asked {
    PAGE_CACHE_PRESENT, /* it has come meanwhile: look again */
    PAGE_CACHE_LOAD,    /* `load` is under way, and somebody has to do it now */
    PAGE_CACHE_WAIT,    /* another one is; `load` is not needed */
    PAGE_CACHE_CLOSED   /* the page has left the site */
};

/* What `load` is for, and when it was asked for. */
static inline void page_load_init(struct page_load *load, struct page_slot *slot, uint64_t stamp)
{
    *load = (struct page_load){ .slot = slot, .mark = stamp };
}

/* Any thread. LOAD, WAIT: `waiter` (or nobody: NULL) will be in what page_cache_finish returns. */
enum page_cache_asked page_cache_ask(struct page_cache *cache, struct page_load *load, struct page_waiter *waiter)
    __attribute__((warn_unused_result));

/* At least so many bytes, in all, for this load. False: too large, or no room now, and what was reserved stays so. */
bool page_cache_reserve(struct page_cache *cache, struct page_load *load, uint64_t size, struct link *leavers)
    __attribute__((warn_unused_result));

/* Publishes the content. Where it is larger than what was reserved, more room is made. False: no room, or the page has
 * left the site; nobody will find it, `cached` is as one that has left, and is the caller's to free. */
bool page_cache_keep(struct page_cache *cache, struct page_load *load, struct cached *cached, struct link *leavers)
    __attribute__((warn_unused_result));

/* Ends a load, whatever came of it. Returns all that wait, in the order in which they asked: read `next` before waking
 * one. */
struct page_waiter *page_cache_finish(struct page_cache *cache, struct page_load *load)
    __attribute__((warn_unused_result));

/* The content is to become larger (call it before memory is taken), or has become smaller. The caller sees to it that
 * it is not freed meanwhile. False: it has left, or there is no room; it keeps its size. Others may leave for it, but
 * never itself. */
bool page_cache_resize(struct page_cache *cache, struct cached *cached, uint64_t size, struct link *leavers)
    __attribute__((warn_unused_result));

/* The same where it has become smaller for certain: nobody leaves for it, and what has left stays as it was. */
void page_cache_shrink(struct page_cache *cache, struct cached *cached, uint64_t size);

/* The page leaves the site. Returns its content, for the caller to retire, or NULL. A load under way comes to
 * nothing. */
struct cached *page_cache_close(struct page_cache *cache, struct page_slot *slot);

/* Any thread, with no lock: the memory of one that was given to page_cache_keep is free, and has left the cache. */
void page_cache_gone(struct page_cache *cache, const struct cached *cached);

/* How many bytes may be reserved without anybody having to leave. */
uint64_t page_cache_room(struct page_cache *cache);

struct page_cache_stats {
    size_t objects;
    uint64_t bytes_max, present, reserved, leaving;
    uint64_t evictions, refusals; /* since the start */
};

struct page_cache_stats page_cache_stats(struct page_cache *cache);

#endif
