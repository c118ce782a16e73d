/* Token buckets for very many owners in bounded memory, shared by all threads. An owner is a few bytes, of which nobody
 * can foretell where they fall (SipHash). It knows neither requests nor the clock. */
#ifndef SERVER_BUCKETS_H
#define SERVER_BUCKETS_H

#include "base/slice.h"

struct buckets;

struct bucket_rate {
    uint64_t interval_us; /* in which one token comes; at least 1 */
    uint64_t burst;       /* tokens in a full bucket; at least 1. Both multiplied fit into 63 bits */
};

enum { BUCKETS_MIN = 64, BUCKETS_MAX = 1 << 24 };

/* At least `count` buckets, within those limits, all full. NULL: no memory, or no random numbers. */
struct buckets *buckets_new(unsigned count, struct bucket_rate rate);
void buckets_free(struct buckets *buckets);

/* Takes a token; or says in how many microseconds there will be one. Any thread. */
uint64_t buckets_take(struct buckets *buckets, struct slice owner, uint64_t now_us);

#endif
