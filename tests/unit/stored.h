/* A store for tests: a cache and descriptors without a server around them, and without workers, so that what is retired
 * goes as soon as somebody reclaims. */
#ifndef TESTS_UNIT_STORED_H
#define TESTS_UNIT_STORED_H

#include "serve/store.h"

static inline void stored_open(struct store *store, uint64_t cache_bytes, const struct log *log)
{
    const struct eviction_policy *policy = page_cache_policy_named(slice_text("sieve"));
    *store = (struct store){ .log = log, .qsbr = qsbr_new(0, NULL, NULL) };
    assert_non_null(store->qsbr);
    page_cache_init(&store->cache, policy, cache_bytes);
    assert_true(descriptors_init(&store->descriptors, policy, 8));
}

/* All sites have gone. Nothing may be left that weighs. */
static inline void stored_close(struct store *store)
{
    qsbr_free(store->qsbr);
    struct page_cache_stats stats = page_cache_stats(&store->cache);
    assert_int_equal(stats.objects, 0);
    assert_int_equal(stats.present + stats.reserved + stats.leaving, 0);
    descriptors_fini(&store->descriptors);
    page_cache_fini(&store->cache);
}

#endif
