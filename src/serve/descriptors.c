/* A small table of chains, by the address of the page, and the order in which they leave. It knows no file. */
#include "serve/descriptors.h"

#include <stdlib.h>
#include <unistd.h>

size_t descriptors_default(uint64_t files_max)
{
    uint64_t part = files_max / DESCRIPTORS_PART;
    return part < DESCRIPTORS_COUNT_MAX ? (size_t)part : DESCRIPTORS_COUNT_MAX;
}

static struct descriptor *owner(struct evictable *object)
{
    return (struct descriptor *)((char *)object - offsetof(struct descriptor, order));
}

/* By whoever lets go last, on any thread. */
static void close_file(struct hold *hold)
{
    struct descriptor *descriptor = (struct descriptor *)((char *)hold - offsetof(struct descriptor, hold));

    close(descriptor->fd);
    free(descriptor);
}

static void let_go(struct descriptor *descriptor)
{
    if (descriptor)
        hold_unref(&descriptor->hold);
}

/* Addresses differ in the middle; the multiplication (by 2^64 over the golden ratio) brings that to the top. */
static struct descriptor **bucket_of(const struct descriptors *descriptors, const void *page)
{
    uint64_t hash = (uint64_t)(uintptr_t)page * 0x9E3779B97F4A7C15;
    return &descriptors->buckets[hash >> (64 - descriptors->bits)];
}

/* Where the pointer to it is: NULL lies there, if there is none. */
static struct descriptor **place_of(const struct descriptors *descriptors, const void *page)
{
    struct descriptor **at = bucket_of(descriptors, page);

    while (*at && (*at)->page != page)
        at = &(*at)->next;
    return at;
}

static struct descriptor *unlist(struct descriptors *descriptors, const void *page)
{
    struct descriptor **at = place_of(descriptors, page), *descriptor = *at;

    if (descriptor)
        *at = descriptor->next;
    return descriptor;
}

/* The reference that was the table's is now the caller's. */
static struct descriptor *take_out(struct descriptors *descriptors, const void *page)
{
    struct descriptor *descriptor = unlist(descriptors, page);

    if (descriptor)
        eviction_remove(&descriptors->order, &descriptor->order);
    return descriptor;
}

static struct descriptor *make_room(struct descriptors *descriptors)
{
    if (descriptors->order.count < descriptors->count_max)
        return NULL;
    return unlist(descriptors, owner(eviction_take(&descriptors->order, NULL))->page);
}

bool descriptors_init(struct descriptors *descriptors, const struct eviction_policy *policy, size_t count_max)
{
    unsigned bits = 1;

    while (((size_t)1 << bits) < count_max)
        bits++;
    *descriptors = (struct descriptors){ .count_max = count_max, .bits = bits };
    descriptors->buckets = calloc((size_t)1 << bits, sizeof(struct descriptor *));
    if (!descriptors->buckets)
        return false;
    eviction_init(&descriptors->order, policy);
    pthread_mutex_init(&descriptors->lock, NULL);
    return true;
}

void descriptors_fini(struct descriptors *descriptors)
{
    struct evictable *object;

    while ((object = eviction_take(&descriptors->order, NULL)))
        let_go(owner(object));
    pthread_mutex_destroy(&descriptors->lock);
    free(descriptors->buckets);
}

struct descriptor *descriptors_find(struct descriptors *descriptors, const void *page, uint64_t stamp)
{
    pthread_mutex_lock(&descriptors->lock);
    struct descriptor *descriptor = *place_of(descriptors, page);
    if (descriptor) {
        eviction_mark(&descriptor->order, stamp);
        hold_ref(&descriptor->hold);
    }
    pthread_mutex_unlock(&descriptors->lock);
    return descriptor;
}

static void add(struct descriptors *descriptors, struct descriptor *descriptor, uint64_t stamp)
{
    struct descriptor **bucket = bucket_of(descriptors, descriptor->page);

    descriptor->next = *bucket;
    *bucket = descriptor;
    hold_ref(&descriptor->hold);
    eviction_add(&descriptors->order, &descriptor->order, stamp & descriptors->order.policy->time_bits);
}

/* Nothing is closed under the lock: close may take long, where a file is deleted by it. */
struct descriptor *descriptors_add(struct descriptors *descriptors, const void *page, int fd, uint64_t stamp)
{
    struct descriptor *descriptor = malloc(sizeof *descriptor), *leaver = NULL;

    if (!descriptor)
        return NULL;
    *descriptor = (struct descriptor){ .fd = fd, .page = page };
    hold_init(&descriptor->hold, close_file);
    if (descriptors->count_max == 0)
        return descriptor;

    pthread_mutex_lock(&descriptors->lock);
    leaver = take_out(descriptors, page);
    if (!leaver)
        leaver = make_room(descriptors);
    add(descriptors, descriptor, stamp);
    pthread_mutex_unlock(&descriptors->lock);
    let_go(leaver);
    return descriptor;
}

void descriptors_forget(struct descriptors *descriptors, const void *page)
{
    pthread_mutex_lock(&descriptors->lock);
    struct descriptor *descriptor = take_out(descriptors, page);
    pthread_mutex_unlock(&descriptors->lock);
    let_go(descriptor);
}
