/* Who is read into an empty cache at start: the smallest, because each of them saves as much work as a large one. It
 * knows sizes only; who reads the content is loader. */
#include "serve/page_cache.h"

#include <stdlib.h>

#include "serve/page.h"

static int compare(const void *left, const void *right)
{
    const struct page *a = *(struct page *const *)left, *b = *(struct page *const *)right;

    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return strcmp(a->path.data, b->path.data);
}

size_t page_cache_plan(struct page **pages, size_t count, uint64_t bytes_max)
{
    uint64_t left = bytes_max;
    size_t fits = 0;

    if (count > 0)
        qsort(pages, count, sizeof *pages, compare);
    while (fits < count && pages[fits]->size <= bytes_max / PAGE_CACHE_SHARE && pages[fits]->size <= left)
        left -= pages[fits++]->size;
    return fits;
}
