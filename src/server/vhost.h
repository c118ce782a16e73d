/* A virtual host: a folder of pages, and its generations, one behind another as the folder changes. Workers read the
 * current one; whoever keeps something of it beyond a turn holds its site. */
#ifndef SERVER_VHOST_H
#define SERVER_VHOST_H

#include "base/arena.h"
#include "rawhttp.h"
#include "serve/errors.h"
#include "serve/site.h"
#include "serve/watcher.h"

/* Who reads a page just before a deploy asks just behind it for what that page names. So for so long after a generation
 * was replaced, a path that is nothing any more leads to the page that it was. */
enum {
    VHOST_GRACE_MS = 500,
    VHOST_GRACE_PAGES = 1 << 20 /* generations with as many together go earlier, but for the one before the current */
};

_Static_assert(WATCHER_LATEST_MS + VHOST_GRACE_MS <= 900, "what has been removed is gone within a second");

/* What a worker sees of a host in one turn. Only `before` changes, to NULL, when its grace is over. */
struct generation {
    struct site *site;     /* NULL: this host has no pages */
    struct errors *errors;
    struct retired retired;
    _Atomic(struct generation *) before; /* whose grace it still is, and behind it those before that one */
    _Atomic uint64_t before_until_ms;    /* UINT64_MAX: this one is not published yet */
};

/* Somebody who waits for the next generation. */
struct vhost_waiter {
    struct link link;
    uint64_t until_ms; /* but no longer than so */
    void (*wake)(struct vhost_waiter *waiter);
};

struct guards;

struct vhost {
    struct store *store;
    struct site_config config; /* its root is NULL where there are no pages */
    const char *names;         /* NULL: it is the default */
    const char *fallback;      /* the path of a page; NULL: none */
    struct rules *rules;       /* what the configuration says; NULL: nothing */
    struct guards *guards;     /* of the files that those rules name */
    struct arena memory;       /* of all these texts */
    _Atomic(struct generation *) generation;
    pthread_mutex_t lock;  /* whoever looks at a generation and is no worker; and for the next */
    struct link waiting;
    atomic_bool followed;  /* changes on disk become generations */
    struct warming *warming; /* reads ahead, on a thread of its own; NULL: nobody does */
    unsigned grace_ms;     /* VHOST_GRACE_MS */
    size_t grace_pages;    /* VHOST_GRACE_PAGES */
    atomic_bool ending;
    bool stale;              /* a change could not be taken in; the watcher's */
    struct watcher *watcher;
    _Alignas(16) char first[1024]; /* of memory */
};

enum vhost_watch { VHOST_WATCH_AUTO, VHOST_WATCH_RESCAN, VHOST_WATCH_OFF };

/* One that serves nothing yet. See host_options.h. NULL: no memory. */
struct vhost *vhost_new(struct store *store);

/* Walks the root and publishes the first generation. False: errno. */
bool vhost_load(struct vhost *vhost);

/* Reads pages into memory until all are there, or for so long; a thread goes on after that, and does the same for every
 * later generation. */
void vhost_warm(struct vhost *vhost, unsigned threads, unsigned wait_ms);

/* From now on changes on disk become generations. False: errno. Not being able to watch is no failure: it looks again
 * and again then. */
bool vhost_follow(struct vhost *vhost, enum vhost_watch watch);

/* Ends its threads. */
void vhost_stop(struct vhost *vhost);

/* Workers and background threads have ended. NULL is allowed. */
void vhost_free(struct vhost *vhost);

/* A worker, for this turn. */
static inline const struct generation *vhost_generation(const struct vhost *vhost)
{
    return atomic_load_explicit(&vhost->generation, memory_order_acquire);
}

/* A worker, for this turn, about a path that is nothing in the current generation: the page that it was a moment ago,
 * and whose, or NULL. */
struct page *vhost_find_before(const struct vhost *vhost, struct slice path, uint64_t now_ms, struct site **site);

/* Any thread. `wake` is called once, when there is another generation than `seen`, be it by this call; or, up to a
 * quarter of a second late, when its time is over. False: it is not called, because nobody follows the disk. */
bool vhost_await(struct vhost *vhost, struct vhost_waiter *waiter, const struct generation *seen);

/* Any thread. */
struct site_stats vhost_stats(struct vhost *vhost);

#endif
