/* A bucket is one number: when it will be full (the generic cell rate algorithm, ITU-T I.371). To take a token puts
 * that off by an interval, and there is none where it would lie further ahead than a whole bucket.
 *
 * An owner's bucket is one of the few of its set, which fill a cache line; where it has none, it gets the one that
 * has been full for longest, of which nothing is lost, or else the one that will be full first. Sets share locks,
 * each held for some ten instructions. */
#include "server/buckets.h"

#include "base/siphash.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

enum { CACHE_LINE = 64, WAYS = 4, SHARDS = 64 };

struct bucket {
    uint64_t owner;   /* hash */
    uint64_t full_us; /* when it is full again */
};

struct set {
    _Alignas(CACHE_LINE) struct bucket at[WAYS];
};

_Static_assert(sizeof(struct set) == CACHE_LINE, "a look-up misses the cache once");

struct shard {
    _Alignas(CACHE_LINE) pthread_mutex_t lock;
};

struct buckets {
    struct shard shards[SHARDS];
    struct siphash_key key;
    struct bucket_rate rate;
    size_t set_count; /* a power of two */
    struct set sets[];
};

struct buckets *buckets_new(unsigned count, struct bucket_rate rate)
{
    size_t set_count = BUCKETS_MIN / WAYS;
    while (set_count * WAYS < count)
        set_count *= 2;
    struct buckets *buckets = aligned_alloc(CACHE_LINE, sizeof *buckets + set_count * sizeof(struct set));
    if (buckets == NULL)
        return NULL;
    memset(buckets, 0, sizeof *buckets + set_count * sizeof(struct set));
    buckets->rate = rate;
    buckets->set_count = set_count;
    if (getrandom(&buckets->key, sizeof buckets->key, 0) != sizeof buckets->key) {
        free(buckets);
        return NULL;
    }
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_init(&buckets->shards[i].lock, NULL);
    return buckets;
}

void buckets_free(struct buckets *buckets)
{
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&buckets->shards[i].lock);
    free(buckets);
}

static struct bucket *find(struct set *set, uint64_t owner)
{
    struct bucket *first = &set->at[0];
    for (unsigned i = 0; i < WAYS; i++) {
        if (set->at[i].owner == owner)
            return &set->at[i];
        if (set->at[i].full_us < first->full_us)
            first = &set->at[i];
    }
    *first = (struct bucket){ .owner = owner };
    return first;
}

uint64_t buckets_take(struct buckets *buckets, struct slice owner, uint64_t now_us)
{
    const struct bucket_rate *rate = &buckets->rate;
    struct siphash_result hash = siphash(&buckets->key, owner);
    size_t index = hash.half[1] & (buckets->set_count - 1);
    pthread_mutex_t *lock = &buckets->shards[index % SHARDS].lock;
    uint64_t latest = now_us + (rate->burst - 1) * rate->interval_us, wait_us = 0;
    pthread_mutex_lock(lock);
    struct bucket *bucket = find(&buckets->sets[index], hash.half[0]);
    uint64_t full_us = bucket->full_us > now_us ? bucket->full_us : now_us;
    if (full_us <= latest)
        bucket->full_us = full_us + rate->interval_us;
    else
        wait_us = full_us - latest;
    pthread_mutex_unlock(lock);
    return wait_us;
}
