/* What our policies are measured against: LRU without a grain, and Belady's, who knows the future. Both use all of the
 * budget, and what leaves is gone at once. No code of the server is in here. */
#include <stdlib.h>

#include "base/list.h"
#include "cache_trace.h"

/* ---- True LRU -------------------------------------------------------------------------------------------------- */

struct file {
    struct link link; /* next NULL: not in the cache */
    uint64_t size;
};

static void drop(struct file *file)
{
    list_remove(&file->link);
    file->link.next = NULL;
}

static void use(struct link *by_use, struct file *file)
{
    if (file->link.next)
        list_remove(&file->link);
    list_append(by_use, &file->link);
}

void true_lru(const struct trace *trace, uint64_t budget, void (*hit)(void *, uint32_t, bool), void *user)
{
    struct file *files = take(trace->files, sizeof *files);
    struct link by_use; /* the one that was not used for longest is the first */
    uint64_t used = 0;

    list_init(&by_use);
    for (uint32_t i = 0; i < trace->requests; i++) {
        struct file *file = &files[trace->wanted[i]];
        uint64_t size = trace->sizes[trace->wanted[i]];
        bool there = file->link.next != NULL;
        hit(user, i, there);
        if (size > budget / 8)
            continue;
        use(&by_use, file);
        file->size = size;
        used += there ? 0 : size;
        while (used > budget) {
            struct file *oldest = LINK_OWNER(by_use.next, struct file, link);
            used -= oldest->size;
            drop(oldest);
        }
    }
    free(files);
}

/* ---- Belady ---------------------------------------------------------------------------------------------------- */

/* A heap of the files in the cache, the one that is wanted again last on top. */
struct heap {
    uint32_t *files, *place; /* place of each file, 1 the top; 0: not in it */
    uint32_t *wanted_at;     /* of each file: when it is wanted again */
    uint32_t count;
};

static bool later(const struct heap *heap, uint32_t a, uint32_t b)
{
    return heap->wanted_at[heap->files[a]] > heap->wanted_at[heap->files[b]];
}

static void swap(struct heap *heap, uint32_t a, uint32_t b)
{
    uint32_t file = heap->files[a];

    heap->files[a] = heap->files[b];
    heap->files[b] = file;
    heap->place[heap->files[a]] = a;
    heap->place[heap->files[b]] = b;
}

static void rise(struct heap *heap, uint32_t at)
{
    for (; at > 1 && later(heap, at, at / 2); at /= 2)
        swap(heap, at, at / 2);
}

static void sink(struct heap *heap, uint32_t at)
{
    for (uint32_t child; (child = 2 * at) <= heap->count; at = child) {
        if (child < heap->count && later(heap, child + 1, child))
            child++;
        if (!later(heap, child, at))
            return;
        swap(heap, at, child);
    }
}

static void push(struct heap *heap, uint32_t file)
{
    heap->files[++heap->count] = file;
    heap->place[file] = heap->count;
    rise(heap, heap->count);
}

static uint32_t pop(struct heap *heap)
{
    uint32_t file = heap->files[1];

    swap(heap, 1, heap->count--);
    heap->place[file] = 0;
    if (heap->count > 0)
        sink(heap, 1);
    return file;
}

struct oracle {
    const struct trace *trace;
    struct heap heap;
    uint32_t *out;           /* who would have to leave */
    uint64_t budget, used;
};

/* Only if that takes none who is wanted again sooner. */
static void let_in(struct oracle *oracle, uint32_t file)
{
    struct heap *heap = &oracle->heap;
    uint64_t size = oracle->trace->sizes[file], used = oracle->used;
    uint32_t leaving = 0;

    while (used + size > oracle->budget && heap->wanted_at[heap->files[1]] > heap->wanted_at[file]) {
        oracle->out[leaving++] = pop(heap);
        used -= oracle->trace->sizes[oracle->out[leaving - 1]];
    }
    if (used + size > oracle->budget) {
        while (leaving > 0)
            push(heap, oracle->out[--leaving]);
        return;
    }
    push(heap, file);
    oracle->used = used + size;
}

void belady(const struct trace *trace, uint64_t budget, void (*hit)(void *, uint32_t, bool), void *user)
{
    struct oracle oracle = { .trace = trace, .budget = budget };
    struct heap *heap = &oracle.heap;

    heap->files = take((size_t)trace->files + 1, sizeof *heap->files);
    heap->place = take(trace->files, sizeof *heap->place);
    heap->wanted_at = take(trace->files, sizeof *heap->wanted_at);
    oracle.out = take(trace->files, sizeof *oracle.out);
    for (uint32_t i = 0; i < trace->requests; i++) {
        uint32_t file = trace->wanted[i];
        bool there = heap->place[file] != 0;
        hit(user, i, there);
        heap->wanted_at[file] = trace->next_use[i];
        if (there)
            rise(heap, heap->place[file]);
        else if (trace->next_use[i] != TRACE_NEVER && trace->sizes[file] <= budget / 8)
            let_in(&oracle, file);
    }
    free(heap->files);
    free(heap->place);
    free(heap->wanted_at);
    free(oracle.out);
}
