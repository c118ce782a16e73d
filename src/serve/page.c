/* Makes pages: what a file is called and how large it is. It reads no file; loader does. */
#include "serve/page.h"

#include <stdlib.h>

#include "base/writer.h"
#include "http/mime.h"
#include "serve/compress.h"
#include "serve/files.h"

enum { SECOND_NS = 1000 * 1000 * 1000 };

struct page *page_new(struct slice path, const struct stat *st)
{
    if (path.size > UINT16_MAX - sizeof "/")
        return NULL;
    struct page *page = malloc(sizeof *page + path.size + sizeof "/");
    if (!page)
        return NULL;
    *page = (struct page){ .size = (uint64_t)st->st_size, .modified_ns = files_modified_ns(st), .inode = st->st_ino,
                           .count = 1, .path_size = (uint16_t)(path.size + 1) };
    struct writer w = writer_on(page->path, path.size + sizeof "/");
    writer_byte(&w, '/');
    writer_put(&w, path);
    writer_byte(&w, '\0');
    page->type = mime_type(page_address(page));
    return page;
}

void page_free(struct page *page)
{
    free(page);
}

bool page_matches(const struct page *page, const struct stat *st)
{
    return (uint64_t)st->st_size == page->size && st->st_ino == page->inode &&
           files_modified_ns(st) == page->modified_ns;
}

bool page_negotiable(const struct page *page)
{
    return page->sidecars != 0 || (page->size >= COMPRESS_SIZE_MIN && mime_compressible(page->type));
}

int64_t page_modified_s(int64_t modified_ns, int64_t now_s)
{
    int64_t modified_s = modified_ns / SECOND_NS;

    if (modified_ns < 0)
        return -1;
    return modified_s < now_s ? modified_s : now_s;
}

uint8_t page_write_etag(char etag[static PAGE_ETAG_SIZE], uint64_t hash)
{
    struct writer w = writer_on(etag, PAGE_ETAG_SIZE);

    if (hash == 0)
        return 0;
    writer_byte(&w, '"');
    writer_hex(&w, hash);
    writer_byte(&w, '"');
    return (uint8_t)writer_used(&w);
}
