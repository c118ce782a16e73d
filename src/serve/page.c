/* Makes pages: what a file is called and how large it is becomes validators, fields and prepared answers. It reads no
 * file; loader does. */
#include "serve/page.h"

#include <stdlib.h>

#include "base/writer.h"
#include "http/mime.h"
#include "serve/files.h"

static struct slice file_name(struct slice path)
{
    size_t from = path.size;
    while (from > 0 && path.data[from - 1] != '/')
        from--;
    return slice_skip(path, from);
}

struct page *page_new(struct slice path)
{
    struct page *page = malloc(sizeof *page + path.size + sizeof "/");
    if (!page)
        return NULL;

    struct writer w = writer_on(page + 1, path.size + sizeof "/");
    writer_byte(&w, '/');
    writer_put(&w, path);
    writer_byte(&w, '\0');
    *page = (struct page){ .path = slice_make((char *)(page + 1) + 1, path.size), .modified_s = -1 };
    page->type = mime_type(file_name(page->path));
    return page;
}

void page_free(struct page *page)
{
    if (!page)
        return;
    answer_unref(page->ok);
    answer_unref(page->not_modified);
    free(page);
}

void page_describe(struct page *page, const struct stat *st, int64_t now_s)
{
    page->size = (uint64_t)st->st_size;
    page->modified_ns = files_modified_ns(st);
    page->modified_s = page_last_modified(st, now_s);
}

int64_t page_last_modified(const struct stat *st, int64_t now_s)
{
    int64_t modified_s = st->st_mtim.tv_sec;

    if (modified_s < 0)
        return -1;
    return modified_s < now_s ? modified_s : now_s;
}

void page_set_hash(struct page *page, uint64_t hash)
{
    struct writer w = writer_on(page->etag, sizeof page->etag);
    writer_byte(&w, '"');
    writer_hex(&w, hash);
    writer_byte(&w, '"');
    page->etag_size = (uint8_t)writer_used(&w);
}

void page_unsettle(struct page *page)
{
    page->etag_size = 0;
    page->modified_s = -1;
}

static void add(struct page_fields *fields, struct slice name, struct slice value)
{
    fields->at[fields->count++] = (struct field_pair){ name, value };
}

static void add_date(struct page_fields *fields, int64_t modified_s)
{
    clock_format_date(modified_s, fields->date);
    add(fields, SLICE("Last-Modified"), slice_make(fields->date, sizeof fields->date));
}

void page_fields_ok(struct page_fields *fields, struct slice type, struct slice etag, int64_t modified_s)
{
    fields->count = 0;
    add(fields, SLICE("Content-Type"), type);
    if (etag.size > 0)
        add(fields, SLICE("ETag"), etag);
    if (modified_s >= 0)
        add_date(fields, modified_s);
}

/* RFC 9110 15.4.5: of what a 200 has, the ETag; Last-Modified only where it has to stand in for one. */
void page_fields_not_modified(struct page_fields *fields, struct slice etag, int64_t modified_s)
{
    fields->count = 0;
    if (etag.size > 0)
        add(fields, SLICE("ETag"), etag);
    else if (modified_s >= 0)
        add_date(fields, modified_s);
}

static struct answer *prepare_ok(const struct page *page, char *content)
{
    struct page_fields fields;
    page_fields_ok(&fields, page->type, page_etag(page), page->modified_s);
    return answer_new(&(struct answer_parts){ .status = 200, .fields = fields.at, .field_count = fields.count,
                                              .body = slice_make(content, page->size), .borrow = true,
                                              .release = free, .release_user = content });
}

static struct answer *prepare_not_modified(const struct page *page)
{
    struct page_fields fields;
    page_fields_not_modified(&fields, page_etag(page), page->modified_s);
    return answer_new(&(struct answer_parts){ .status = 304, .fields = fields.at, .field_count = fields.count });
}

bool page_keep(struct page *page, char *content)
{
    struct answer *not_modified = prepare_not_modified(page);
    struct answer *ok = not_modified ? prepare_ok(page, content) : NULL;
    if (!ok) {
        answer_unref(not_modified);
        return false;
    }
    page->ok = ok;
    page->not_modified = not_modified;
    return true;
}
