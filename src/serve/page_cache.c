/* The budget's books, and the states of slots. Who leaves is eviction's to say.
 *
 * Two locks: `lock` is held while somebody is sought who can leave, which may mean a look at every object: with lru
 * and half a million of them, a tenth of a second. Workers never take it. They take `door`, for the few instructions in
 * which a load is begun or joined. */
#include "serve/page_cache.h"

#include <assert.h>

static_assert(sizeof(struct page_slot) == sizeof(void *), "what a page costs that has no content in memory");
static_assert(sizeof(struct cached) <= 40, "and what it costs beside, when it has");

static struct cached *owner(struct evictable *object)
{
    return (struct cached *)((char *)object - offsetof(struct cached, order));
}

static uint64_t leaving_in(struct page_cache *cache)
{
    return atomic_load_explicit(&cache->leaving, memory_order_acquire);
}

/* ---- Room ------------------------------------------------------------------------------------------------------ */

/* Would `size` more bytes be beyond `limit`? No sum can overflow. */
static bool exceeds(const struct page_cache *cache, uint64_t size, uint64_t limit)
{
    uint64_t used = cache->present + cache->reserved;
    return used > limit || size > limit - used;
}

/* Out of the cache, but still in memory. */
static void leave(struct page_cache *cache, struct cached *cached)
{
    cached->slot = NULL;
    cache->present -= cached->size;
    atomic_fetch_add_explicit(&cache->leaving, cached->size, memory_order_relaxed);
}

/* A slot that is PRESENT is changed under `lock` only, so the door is not needed. */
static void evict(struct page_cache *cache, struct cached *cached, struct link *leavers)
{
    atomic_store_explicit(&cached->slot->state, PAGE_SLOT_ABSENT, memory_order_relaxed);
    leave(cache, cached);
    list_append(leavers, &cached->order.link);
    cache->evictions++;
}

/* Up to where the cache may fill itself. Where more is on its way out than the margin allows, as when slow clients hold
 * on to it, the cache becomes smaller by that, and so goes on having room for what is new. But at most half of it: a
 * moment in which nothing can be freed must not empty it. */
static uint64_t goal(struct page_cache *cache)
{
    uint64_t leaving = leaving_in(cache), half = cache->bytes_max / 2, margin = cache->bytes_max / PAGE_CACHE_MARGIN;

    if (leaving < margin)
        leaving = margin;
    return cache->bytes_max - margin - (leaving < half ? leaving : half);
}

/* Those who leave make room only when they are gone. Until then the margin has to do; where it does not, there will be
 * room when the page is asked for next. */
static bool make_room(struct page_cache *cache, uint64_t size, struct cached *spare, struct link *leavers)
{
    uint64_t limit = goal(cache), staying = cache->reserved + (spare ? spare->size : 0);
    bool possible = size <= cache->bytes_max - staying;

    while (possible && exceeds(cache, size, limit)) {
        struct evictable *object = eviction_take(&cache->order, spare ? &spare->order : NULL);
        if (!object)
            break;
        evict(cache, owner(object), leavers);
    }
    if (!exceeds(cache, size, cache->bytes_max - leaving_in(cache)))
        return true;
    cache->refusals++;
    return false;
}

/* ---- Loads ----------------------------------------------------------------------------------------------------- */

static bool under_way(const struct page_load *load)
{
    return atomic_load_explicit(&load->slot->state, memory_order_relaxed) == ((uintptr_t)load | PAGE_SLOT_LOADING);
}

static void join(struct page_load *load, struct page_waiter *waiter)
{
    if (!waiter)
        return;
    waiter->next = NULL;
    *load->last = waiter;
    load->last = &waiter->next;
}

/* The request that a load is made for is no hit: with a policy whose marks only say whether there was one, the content
 * starts without. */
static void begin(struct page_cache *cache, struct page_load *load)
{
    load->mark &= cache->order.policy->time_bits;
    load->first = NULL;
    load->last = &load->first;
    load->reserved = 0;
    atomic_store_explicit(&load->slot->state, (uintptr_t)load | PAGE_SLOT_LOADING, memory_order_relaxed);
}

static enum page_cache_asked ask(struct page_cache *cache, struct page_load *load, struct page_waiter *waiter)
{
    uintptr_t state = atomic_load_explicit(&load->slot->state, memory_order_relaxed);

    if (state == PAGE_SLOT_CLOSED)
        return PAGE_CACHE_CLOSED;
    if (state == PAGE_SLOT_ABSENT) {
        begin(cache, load);
        join(load, waiter);
        return PAGE_CACHE_LOAD;
    }
    if (!(state & PAGE_SLOT_LOADING))
        return PAGE_CACHE_PRESENT;

    struct page_load *other = (struct page_load *)(state & ~(uintptr_t)PAGE_SLOT_FLAGS);
    join(other, waiter);
    if (other->mark < load->mark)
        other->mark = load->mark;
    return PAGE_CACHE_WAIT;
}

enum page_cache_asked page_cache_ask(struct page_cache *cache, struct page_load *load, struct page_waiter *waiter)
{
    pthread_mutex_lock(&cache->door);
    enum page_cache_asked asked = ask(cache, load, waiter);
    pthread_mutex_unlock(&cache->door);
    return asked;
}

static bool reserve(struct page_cache *cache, struct page_load *load, uint64_t size, struct link *leavers)
{
    if (size <= load->reserved)
        return true;
    if (!page_cache_admits(cache, size) || !make_room(cache, size - load->reserved, NULL, leavers))
        return false;
    cache->reserved += size - load->reserved;
    load->reserved = size;
    return true;
}

bool page_cache_reserve(struct page_cache *cache, struct page_load *load, uint64_t size, struct link *leavers)
{
    pthread_mutex_lock(&cache->lock);
    bool reserved = reserve(cache, load, size, leavers);
    pthread_mutex_unlock(&cache->lock);
    return reserved;
}

static void publish(struct page_cache *cache, struct page_load *load, struct cached *cached)
{
    cached->slot = load->slot;
    cache->present += cached->size;
    pthread_mutex_lock(&cache->door);
    eviction_add(&cache->order, &cached->order, load->mark);
    atomic_store_explicit(&load->slot->state, (uintptr_t)cached, memory_order_release);
    pthread_mutex_unlock(&cache->door);
}

/* It is in memory all the same, so it counts; but no more than there was room for. */
static void turn_away(struct page_cache *cache, struct page_load *load, struct cached *cached)
{
    cached->slot = NULL;
    if (cached->size > load->reserved)
        cached->size = load->reserved;
    atomic_fetch_add_explicit(&cache->leaving, cached->size, memory_order_relaxed);
}

/* Closing takes `lock` too, so that a load which is under way here stays so. */
bool page_cache_keep(struct page_cache *cache, struct page_load *load, struct cached *cached, struct link *leavers)
{
    pthread_mutex_lock(&cache->lock);
    bool kept = under_way(load) && reserve(cache, load, cached->size, leavers);
    cache->reserved -= load->reserved;
    if (kept)
        publish(cache, load, cached);
    else
        turn_away(cache, load, cached);
    load->reserved = 0;
    pthread_mutex_unlock(&cache->lock);
    return kept;
}

struct page_waiter *page_cache_finish(struct page_cache *cache, struct page_load *load)
{
    pthread_mutex_lock(&cache->lock);
    cache->reserved -= load->reserved;
    load->reserved = 0;
    pthread_mutex_lock(&cache->door);
    if (under_way(load))
        atomic_store_explicit(&load->slot->state, PAGE_SLOT_ABSENT, memory_order_relaxed);
    struct page_waiter *first = load->first;
    pthread_mutex_unlock(&cache->door);
    pthread_mutex_unlock(&cache->lock);
    return first;
}

/* ---- What becomes of content ----------------------------------------------------------------------------------- */

static void set_size(struct page_cache *cache, struct cached *cached, uint64_t size)
{
    cache->present = cache->present - cached->size + size;
    cached->size = size;
}

static bool resize(struct page_cache *cache, struct cached *cached, uint64_t size, struct link *leavers)
{
    if (!cached->slot)
        return false;
    if (size > cached->size &&
        (!page_cache_admits(cache, size) || !make_room(cache, size - cached->size, cached, leavers)))
        return false;
    set_size(cache, cached, size);
    return true;
}

bool page_cache_resize(struct page_cache *cache, struct cached *cached, uint64_t size, struct link *leavers)
{
    pthread_mutex_lock(&cache->lock);
    bool resized = resize(cache, cached, size, leavers);
    pthread_mutex_unlock(&cache->lock);
    return resized;
}

void page_cache_shrink(struct page_cache *cache, struct cached *cached, uint64_t size)
{
    pthread_mutex_lock(&cache->lock);
    if (cached->slot) {
        assert(size <= cached->size);
        set_size(cache, cached, size);
    }
    pthread_mutex_unlock(&cache->lock);
}

struct cached *page_cache_close(struct page_cache *cache, struct page_slot *slot)
{
    pthread_mutex_lock(&cache->lock);
    pthread_mutex_lock(&cache->door);
    struct cached *cached = page_cache_find(slot);
    atomic_store_explicit(&slot->state, PAGE_SLOT_CLOSED, memory_order_relaxed);
    pthread_mutex_unlock(&cache->door);
    if (cached) {
        eviction_remove(&cache->order, &cached->order);
        leave(cache, cached);
    }
    pthread_mutex_unlock(&cache->lock);
    return cached;
}

void page_cache_gone(struct page_cache *cache, const struct cached *cached)
{
    uint64_t before = atomic_fetch_sub_explicit(&cache->leaving, cached->size, memory_order_release);
    assert(before >= cached->size);
    (void)before;
}

/* ---- The whole ------------------------------------------------------------------------------------------------- */

const struct eviction_policy *page_cache_policy_named(struct slice name)
{
    return eviction_policy_named(name);
}

void page_cache_init(struct page_cache *cache, const struct eviction_policy *policy, uint64_t bytes_max)
{
    *cache = (struct page_cache){ .bytes_max = bytes_max };
    eviction_init(&cache->order, policy);
    pthread_mutex_init(&cache->lock, NULL);
    pthread_mutex_init(&cache->door, NULL);
}

void page_cache_fini(struct page_cache *cache)
{
    assert(cache->order.count == 0 && cache->present == 0 && cache->reserved == 0);
    pthread_mutex_destroy(&cache->door);
    pthread_mutex_destroy(&cache->lock);
}

uint64_t page_cache_room(struct page_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    uint64_t used = cache->present + cache->reserved, limit = goal(cache);
    pthread_mutex_unlock(&cache->lock);
    return used < limit ? limit - used : 0;
}

struct page_cache_stats page_cache_stats(struct page_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    struct page_cache_stats stats = {
        .objects = cache->order.count,
        .bytes_max = cache->bytes_max,
        .present = cache->present,
        .reserved = cache->reserved,
        .leaving = leaving_in(cache),
        .evictions = cache->evictions,
        .refusals = cache->refusals,
    };
    pthread_mutex_unlock(&cache->lock);
    return stats;
}
