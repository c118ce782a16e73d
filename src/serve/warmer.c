/* Several threads take one page after another from a shared counter. See warmer.h. */
#include "serve/warmer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/thread.h"
#include "serve/content.h"
#include "serve/loader.h"

enum { TOLD_MAX = 20 }; /* pages that cannot be read and get a log line each */

struct warmer {
    const struct site *site;
    struct page **pages; /* smallest first */
    size_t count, pages_max;
    bool only_new;
    const atomic_bool *stop;
    atomic_size_t next, told;
    atomic_bool full; /* no room for this one, so for no other that is larger */
};

static bool fits(const struct site *site, const struct page *page)
{
    return page_cache_admits(&site->store->cache, content_weight(page->size));
}

static int compare(const void *a, const void *b)
{
    const struct page *const *first = a, *const *second = b;
    if ((*first)->size != (*second)->size)
        return (*first)->size < (*second)->size ? -1 : 1;
    return 0;
}

static bool wanted(const struct warmer *warmer, const struct page *page)
{
    const struct site *site = warmer->site;

    if (warmer->only_new && atomic_load_explicit(&page->count, memory_order_relaxed) > 1)
        return false;
    return !page->hidden && !page_cache_find(&page->slot) && fits(site, page);
}

static bool collect(struct warmer *warmer)
{
    const struct tree *tree = &warmer->site->tree;
    size_t count = 0;

    for (size_t i = 0; i < tree->count; i++)
        count += wanted(warmer, tree->pages[i]);
    warmer->pages = malloc((count + 1) * sizeof *warmer->pages);
    if (!warmer->pages)
        return false;
    for (size_t i = 0; i < tree->count && warmer->count < count; i++)
        if (wanted(warmer, tree->pages[i]))
            warmer->pages[warmer->count++] = tree->pages[i];
    qsort(warmer->pages, warmer->count, sizeof *warmer->pages, compare);
    return true;
}

static void tell(struct warmer *warmer, const struct page *page, int error)
{
    if (atomic_fetch_add_explicit(&warmer->told, 1, memory_order_relaxed) < TOLD_MAX)
        log_write(warmer->site->store->log, LOG_LEVEL_WARN, "cannot be read, %s: %s", strerror(error), page->path);
}

static void read_page(struct warmer *warmer, struct page *page)
{
    struct store *store = warmer->site->store;
    struct page_load load;
    struct content *content = NULL;

    page_load_init(&load, &page->slot, 0);
    if (page_cache_ask(&store->cache, &load, NULL) != PAGE_CACHE_LOAD)
        return;
    if (loader_load(warmer->site, page, &load, &content) == LOADED_FAILED)
        tell(warmer, page, errno);
    loader_end(store, &load, content);
}

static void *read_pages(void *user)
{
    struct warmer *warmer = user;
    const struct site *site = warmer->site;

    while (!atomic_load_explicit(warmer->stop, memory_order_relaxed)) {
        size_t i = atomic_fetch_add_explicit(&warmer->next, 1, memory_order_relaxed);
        if (i >= warmer->count || i >= warmer->pages_max)
            break;
        if (page_cache_room(&site->store->cache) < content_weight(warmer->pages[i]->size)) {
            atomic_store_explicit(&warmer->full, true, memory_order_relaxed);
            break;
        }
        read_page(warmer, warmer->pages[i]);
    }
    return NULL;
}

bool warmer_load(const struct site *site, unsigned threads, size_t pages_max, const atomic_bool *stop)
{
    struct warmer warmer = { .site = site, .pages_max = pages_max, .stop = stop };
    pthread_t others[WARMER_THREADS_MAX];

    if (!collect(&warmer))
        return false;
    unsigned most = threads > WARMER_THREADS_MAX ? WARMER_THREADS_MAX : threads;
    unsigned more = most > 1 && warmer.count > most ? most - 1 : 0, started = 0;
    while (started < more && thread_start(&others[started], "rawhttp-read", read_pages, &warmer) == 0)
        started++;
    read_pages(&warmer);
    for (unsigned i = 0; i < started; i++)
        pthread_join(others[i], NULL);
    free(warmer.pages);
    return atomic_load(&warmer.full) || (atomic_load(&warmer.next) >= warmer.count && pages_max >= warmer.count);
}

void warmer_load_new(const struct site *site, size_t pages_max, const atomic_bool *stop)
{
    struct warmer warmer = { .site = site, .pages_max = pages_max, .only_new = true, .stop = stop };

    if (collect(&warmer))
        read_pages(&warmer);
    free(warmer.pages);
}

void warmer_hash(const struct site *site, const atomic_bool *stop)
{
    for (size_t i = 0; i < site->tree.count && !atomic_load_explicit(stop, memory_order_relaxed); i++) {
        struct page *page = site->tree.pages[i];
        bool known = atomic_load_explicit(&page->hash, memory_order_relaxed) != 0;
        if (!known && !page->hidden && !fits(site, page))
            loader_hash(&site->files, page);
    }
}
