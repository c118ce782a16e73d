/* How good are the policies of serve/page_cache? Replays one trace with each, through the very calls that the server
 * makes, and with their rivals; prints a line of figures for each. cache.py makes a table of them.
 *
 * Content is as large as it says and takes no memory. A load takes no time, but what leaves is gone a turn later. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cache_trace.h"
#include "serve/page_cache.h"

enum {
    REQUESTS_MS = 20, /* in a millisecond of the clock that lru marks by */
    REQUESTS_TURN = 32
};

struct figures {
    const struct trace *trace;
    uint64_t requests, hits, bytes, hit_bytes; /* of the second half: until then the cache warms up */
};

static void count(void *user, uint32_t request, bool hit)
{
    struct figures *figures = user;
    uint64_t size = figures->trace->sizes[figures->trace->wanted[request]];

    if (request < figures->trace->requests / 2)
        return;
    figures->requests++;
    figures->bytes += size;
    figures->hits += hit;
    figures->hit_bytes += hit ? size : 0;
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

struct site {
    struct page_cache cache;
    struct page_slot *slots;
    struct cached *contents;
    struct link leavers, old_leavers; /* of this turn, and of the last */
    double longest_ms;                /* that the lock was held */
};

static struct cached *first_of(struct link *leavers)
{
    return (struct cached *)((char *)leavers->next - offsetof(struct cached, order.link));
}

/* Those of the last turn are gone, those of this one are next. */
static void end_turn(struct site *site)
{
    while (!list_empty(&site->old_leavers)) {
        struct cached *cached = first_of(&site->old_leavers);
        list_remove(&cached->order.link);
        page_cache_gone(&site->cache, cached);
        cached->size = 0;
    }
    while (!list_empty(&site->leavers)) {
        struct link *link = site->leavers.next;
        list_remove(link);
        list_append(&site->old_leavers, link);
    }
}

static bool on_its_way_out(const struct cached *cached)
{
    return cached->size > 0 && !cached->slot;
}

static bool read_in(struct site *site, struct page_load *load, struct cached *cached, uint64_t size)
{
    double before = now_ms();
    bool reserved = page_cache_reserve(&site->cache, load, size, &site->leavers);
    double took = now_ms() - before;

    if (took > site->longest_ms)
        site->longest_ms = took;
    if (!reserved)
        return false;
    cached->size = size;
    return page_cache_keep(&site->cache, load, cached, &site->leavers);
}

/* Content lies at one place for each file here, so the next one cannot be read before the last one is gone: that ends
 * the turn early. */
static void miss(struct site *site, uint32_t file, uint64_t size, uint64_t stamp)
{
    struct page_load load;

    while (on_its_way_out(&site->contents[file]))
        end_turn(site);
    page_load_init(&load, &site->slots[file], stamp);
    if (page_cache_ask(&site->cache, &load, NULL) != PAGE_CACHE_LOAD)
        abort();
    read_in(site, &load, &site->contents[file], size);
    if (page_cache_finish(&site->cache, &load))
        abort();
}

static void replay(struct site *site, const struct trace *trace, struct figures *figures)
{
    for (uint32_t i = 0; i < trace->requests; i++) {
        uint32_t file = trace->wanted[i];
        uint64_t stamp = page_cache_stamp(&site->cache, i / REQUESTS_MS);
        bool there = page_cache_hit(&site->slots[file], stamp) != NULL;
        count(figures, i, there);
        if (!there)
            miss(site, file, trace->sizes[file], stamp);
        if (i % REQUESTS_TURN == 0)
            end_turn(site);
    }
}

static void clear(struct site *site, uint32_t files)
{
    for (uint32_t file = 0; file < files; file++)
        page_cache_close(&site->cache, &site->slots[file]);
    page_cache_fini(&site->cache);
    free(site->slots);
    free(site->contents);
}

/* A line: the name, hits of requests and of bytes in per cent, the longest search for somebody to leave in ms, loads
 * that were refused in per cent of all requests. */
static void print(const char *name, const struct figures *figures, double longest_ms, uint64_t refusals)
{
    printf("%s\t%.2f\t%.2f\t%.3f\t%.3f\n", name, 100.0 * (double)figures->hits / (double)figures->requests,
           100.0 * (double)figures->hit_bytes / (double)figures->bytes, longest_ms,
           100.0 * (double)refusals / (double)figures->trace->requests);
    fflush(stdout);
}

static void try_policy(const struct trace *trace, const struct eviction_policy *policy, uint64_t budget)
{
    struct figures figures = { .trace = trace };
    struct site site = { .longest_ms = 0 };

    page_cache_init(&site.cache, policy, budget);
    site.slots = take(trace->files, sizeof *site.slots);
    site.contents = take(trace->files, sizeof *site.contents);
    list_init(&site.leavers);
    list_init(&site.old_leavers);
    replay(&site, trace, &figures);
    print(policy->name.data, &figures, site.longest_ms, page_cache_stats(&site.cache).refusals);
    clear(&site, trace->files);
}

static void try_rival(const struct trace *trace, const char *name, rival *replay_it, uint64_t budget)
{
    struct figures figures = { .trace = trace };

    replay_it(trace, budget, count, &figures);
    print(name, &figures, 0, 0);
}

/* files requests exponent median sigma share: numbers all, as cache.py has checked them. */
int main(int argc, char **argv)
{
    struct trace trace;

    if (argc != 7) {
        fprintf(stderr, "usage: cache FILES REQUESTS EXPONENT MEDIAN SIGMA SHARE (see cache.py)\n");
        return 2;
    }
    struct trace_shape shape = { .files = (uint32_t)strtoul(argv[1], NULL, 10), .seed = 1,
                                 .requests = (uint32_t)strtoul(argv[2], NULL, 10), .exponent = strtod(argv[3], NULL),
                                 .median = strtod(argv[4], NULL), .sigma = strtod(argv[5], NULL) };
    trace_make(&trace, &shape);
    uint64_t budget = (uint64_t)(strtod(argv[6], NULL) * (double)trace.bytes);
    printf("%llu\t%llu\n", (unsigned long long)trace.bytes, (unsigned long long)budget);
    for (size_t i = 0; i < EVICTION_POLICIES; i++)
        try_policy(&trace, &eviction_policies[i], budget);
    try_rival(&trace, "true LRU", true_lru, budget);
    try_rival(&trace, "Belady", belady, budget);
    trace_free(&trace);
    return 0;
}
