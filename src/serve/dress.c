/* Without a word from anybody: browsers do not guess types, and ask again before they use what they have kept. */
#include "serve/dress.h"

#include "serve/page.h"

void dress_page(struct dress *dress, const struct page *page)
{
    (void)page;
    dress->cache_control = SLICE("no-cache");
    dress->count = 1;
    dress->fields[0] = (struct field_pair){ SLICE("X-Content-Type-Options"), SLICE("nosniff") };
}
