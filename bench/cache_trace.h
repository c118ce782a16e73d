/* What cache.c replays: files of log-normal sizes, and a long row of requests for them by Zipf's law. And what a rival
 * of our policies looks like. It knows no cache. */
#ifndef BENCH_CACHE_TRACE_H
#define BENCH_CACHE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace {
    uint32_t files, requests;
    uint64_t *sizes;    /* of each file; which is popular does not depend on it */
    uint64_t bytes;     /* of all */
    uint32_t *wanted;   /* the file of each request */
    uint32_t *next_use; /* for each request, when the same file is asked for again; TRACE_NEVER */
};

#define TRACE_NEVER UINT32_MAX

struct trace_shape {
    uint32_t files, requests;
    double exponent; /* of Zipf's law */
    double median, sigma;
    uint64_t seed;
};

/* Ends the program where there is no memory. */
void trace_make(struct trace *trace, const struct trace_shape *shape);
void trace_free(struct trace *trace);

/* The memory, all zero, or the end. */
void *take(size_t count, size_t size);

/* Replays the trace with so many bytes. `hit` gets one call for each request. */
typedef void rival(const struct trace *trace, uint64_t budget, void (*hit)(void *user, uint32_t request, bool hit),
                   void *user);

rival true_lru; /* every hit moves the file to the front at once */
rival belady;   /* who is wanted again last leaves; and who is wanted again later than those does not come in */

#endif
