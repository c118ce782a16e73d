/* Open files of pages that are sent from disk, kept open for whoever asks next: so many at most. It neither opens nor
 * looks at a file: whether what is open still is the page, the caller finds out (fstat), and forgets it if not.
 *
 * A descriptor is closed by its last holder, which may be a response that is being sent long after it has left here.
 * So what is kept is bounded by `count_max`, and what is in use beside it by the number of connections. */
#ifndef SERVE_DESCRIPTORS_H
#define SERVE_DESCRIPTORS_H

#include <pthread.h>

#include "base/hold.h"
#include "serve/eviction.h"

enum {
    DESCRIPTORS_PART = 16, /* of the files which a process may have open; the rest is for connections */
    DESCRIPTORS_COUNT_MAX = 512
};

struct descriptor {
    struct hold hold;
    int fd;
    struct evictable order;
    const void *page;
    struct descriptor *next; /* of its bucket */
};

struct descriptors {
    pthread_mutex_t lock;    /* for as long as it takes to look at all of them, at most; no system call within */
    struct eviction order;
    size_t count_max;
    struct descriptor **buckets;
    unsigned bits;           /* of the number of buckets */
};

/* How many to keep, where a process may have `files_max` open (RLIMIT_NOFILE). */
size_t descriptors_default(uint64_t files_max);

/* With 0 nothing is kept, which is no error. False: no memory. */
bool descriptors_init(struct descriptors *descriptors, const struct eviction_policy *policy, size_t count_max);
void descriptors_fini(struct descriptors *descriptors); /* what is in use stays open until its users let go */

/* What a hit at this time leaves. */
static inline uint64_t descriptors_stamp(const struct descriptors *descriptors, uint64_t now_ms)
{
    return eviction_stamp(&descriptors->order, now_ms);
}

/* Any thread. With a reference for the caller (hold_unref), or NULL. */
struct descriptor *descriptors_find(struct descriptors *descriptors, const void *page, uint64_t stamp);

/* Takes `fd`, in place of what is there for this page. With a reference for the caller. NULL: no memory, and `fd` is
 * still the caller's. */
struct descriptor *descriptors_add(struct descriptors *descriptors, const void *page, int fd, uint64_t stamp);

/* Before the page is freed, when nobody can add for it any more; otherwise another page could come to lie at its
 * address and be sent this one's file. Also where the file has been found to be another one. */
void descriptors_forget(struct descriptors *descriptors, const void *page);

#endif
