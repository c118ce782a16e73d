/* How a page answers: as it is prepared, or, where a rule says something else for this request, in another dress or
 * under another status. */
#ifndef SERVER_REPLY_H
#define SERVER_REPLY_H

#include "serve/site.h"
#include "serve/static.h"
#include "server/server.h"

struct page_reply {
    struct site *site;       /* valid for the turn, or held */
    struct page *page;
    const struct rule *rule; /* what holds for the path that was asked for; NULL: none */
    unsigned status;         /* instead of 200; 0: that */
    bool ruled;              /* the rule may be another than the one by which the page is prepared */
};

/* What nearly every request for a page is: it is in memory, no rule has anything to say, and nothing special is asked
 * for. False: it is not so. */
static inline bool reply_at_once(struct exchange *exchange, const struct page *page, const struct store *store)
{
    const struct clock *clock = exchange->session->host->clock;
    struct cached *cached = page_cache_hit(&page->slot, page_cache_stamp(&store->cache, clock->now_ms));
    return cached != NULL && static_answer_plain(content_of(cached), exchange);
}

/* From memory, or later, when it is there. */
void reply_with_page(struct exchange *exchange, const struct page_reply *reply);

/* What a miss does when it is home. `file` is closed, or taken over. */
void reply_with_content(struct exchange *exchange, const struct page_reply *reply, struct content *content);
void reply_with_file(struct exchange *exchange, const struct page_reply *reply, struct static_file *file);

#endif
