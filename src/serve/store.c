/* The way out of the store. See store.h. */
#include "serve/store.h"

#include "serve/encoder.h"
#include "serve/page.h"

static void retire(struct store *store, struct cached *cached)
{
    if (store->encoder)
        encoder_forget(store->encoder, content_of(cached));
    content_retire(content_of(cached), store->qsbr);
}

void store_retire(struct store *store, struct link *leavers)
{
    while (!list_empty(leavers)) {
        struct link *link = leavers->next;
        struct evictable *order = LINK_OWNER(link, struct evictable, link);
        struct cached *cached = LINK_OWNER(order, struct cached, order);
        list_remove(link);
        retire(store, cached);
    }
    qsbr_reclaim(store->qsbr); /* what left earlier: a load was refused, perhaps, because that takes its room still */
}

void store_close(struct store *store, struct page *page)
{
    struct cached *cached = page_cache_close(&store->cache, &page->slot);
    if (cached)
        retire(store, cached);
    descriptors_forget(&store->descriptors, page);
}
