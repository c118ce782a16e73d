/* Makes a trace. The same seed makes the same trace on any machine with the same libm. */
#include "cache_trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void *take(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory)
        return memory;
    fprintf(stderr, "cache: no memory\n");
    exit(1);
}

/* splitmix64 (Steele, Lea, Flood 2014), as a number in (0, 1). */
static double draw(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    return ((double)(z >> 11) + 0.5) / (double)((uint64_t)1 << 53);
}

/* Box and Muller. */
static double draw_normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(draw(state)));
    return radius * cos(2 * acos(-1) * draw(state));
}

static void make_sizes(struct trace *trace, const struct trace_shape *shape, uint64_t *random)
{
    for (uint32_t file = 0; file < trace->files; file++) {
        trace->sizes[file] = 1 + (uint64_t)(shape->median * exp(shape->sigma * draw_normal(random)));
        trace->bytes += trace->sizes[file];
    }
}

/* The first file of those up to which more than `point` of all the weight lies. */
static uint32_t find(const double *up_to, uint32_t files, double point)
{
    uint32_t low = 0, high = files - 1;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (up_to[middle] > point)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void make_requests(struct trace *trace, const struct trace_shape *shape, uint64_t *random)
{
    double *up_to = take(trace->files, sizeof *up_to), sum = 0;

    for (uint32_t file = 0; file < trace->files; file++)
        up_to[file] = sum += pow(file + 1, -shape->exponent);
    for (uint32_t i = 0; i < trace->requests; i++)
        trace->wanted[i] = find(up_to, trace->files, sum * draw(random));
    free(up_to);
}

static void look_ahead(struct trace *trace)
{
    uint32_t *soonest = take(trace->files, sizeof *soonest);

    for (uint32_t file = 0; file < trace->files; file++)
        soonest[file] = TRACE_NEVER;
    for (uint32_t i = trace->requests; i-- > 0;) {
        trace->next_use[i] = soonest[trace->wanted[i]];
        soonest[trace->wanted[i]] = i;
    }
    free(soonest);
}

void trace_make(struct trace *trace, const struct trace_shape *shape)
{
    uint64_t random = shape->seed;

    *trace = (struct trace){ .files = shape->files, .requests = shape->requests };
    trace->sizes = take(trace->files, sizeof *trace->sizes);
    trace->wanted = take(trace->requests, sizeof *trace->wanted);
    trace->next_use = take(trace->requests, sizeof *trace->next_use);
    make_sizes(trace, shape, &random);
    make_requests(trace, shape, &random);
    look_ahead(trace);
}

void trace_free(struct trace *trace)
{
    free(trace->sizes);
    free(trace->wanted);
    free(trace->next_use);
}
