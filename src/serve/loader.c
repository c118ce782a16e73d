/* From a file to content. See loader.h. */
#include "serve/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/writer.h"
#include "http/mime.h"
#include "serve/compress.h"
#include "serve/content.h"
#include "serve/digest.h"
#include "serve/encoder.h"
#include "serve/site.h"

/* A whole file in memory. */
struct file {
    char *bytes; /* malloc, with one byte more than `size` */
    struct stat st;
};

/* Reads `size` bytes, fewer only at the end of the file; -1: errno. */
static ssize_t read_full(int fd, char *out, size_t size)
{
    size_t got = 0;

    while (got < size) {
        ssize_t n = pread(fd, out + got, size - got, (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && files_modified_ns(a) == files_modified_ns(b);
}

/* One byte more than there should be is asked for: to get it is to notice that the file grows. */
static enum loaded read_steady(int fd, struct file *file)
{
    size_t size = (size_t)file->st.st_size;
    struct stat after;

    file->bytes = malloc(size + 1);
    if (!file->bytes)
        return LOADED_NOT;
    ssize_t got = read_full(fd, file->bytes, size + 1);
    if (got < 0 || fstat(fd, &after) < 0)
        return LOADED_FAILED;
    return (size_t)got == size && same(&file->st, &after) ? LOADED : LOADED_OTHER;
}

static enum loaded read_page(const struct page *page, int fd, struct file *file)
{
    if (fstat(fd, &file->st) < 0)
        return LOADED_FAILED;
    if (!S_ISREG(file->st.st_mode) || !page_matches(page, &file->st))
        return LOADED_OTHER;
    return read_steady(fd, file);
}

static int64_t now_s(void)
{
    struct clock clock = { .now_ms = 0 };
    clock_update(&clock);
    return clock.unix_s;
}

/* A page on its way into the store. */
struct loading {
    const struct site *site;
    const struct page *page;
    struct page_load *load;
    struct link leavers;
};

static bool reserve(struct loading *loading, uint64_t weight)
{
    return page_cache_reserve(&loading->site->store->cache, loading->load, weight, &loading->leavers);
}

/* ---- Sidecars ----------------------------------------------------------------------------------------------- */

/* There may be room for the page, and not for this. */
static bool read_sidecar(struct loading *loading, const struct content *content, int fd, struct file *file)
{
    const struct page *page = loading->page;
    const struct stat *st = &file->st;

    if (fstat(fd, &file->st) < 0 || !S_ISREG(st->st_mode) || files_modified_ns(st) < page->modified_ns)
        return false;
    return (uint64_t)st->st_size < page->size &&
           reserve(loading, content_weight_all(content) + content_weight_added((uint64_t)st->st_size)) &&
           read_steady(fd, file) == LOADED;
}

/* What is wrong with it; NULL: nothing. */
static const char *find_fault(enum coding coding, struct slice encoded, struct slice plain)
{
    if (!compress_holds(coding, encoded, plain))
        return "it does not hold what the file beside it does";
    return compress_bearable(coding, encoded) ? NULL : "browsers have no window of more than 8 MiB (zstd without "
                                                       "--ultra or --long makes a smaller one)";
}

/* What stands beside the page in this coding, if it is that. A bad one is told, and the page goes without. */
static void add_sidecar(struct loading *loading, enum coding coding, struct content *content)
{
    char path[UINT16_MAX + sizeof ".zst"];
    struct writer w = writer_on(path, sizeof path);
    struct file file = { .bytes = NULL };

    writer_text(&w, page_file(loading->page));
    writer_put(&w, coding_suffix(coding));
    writer_byte(&w, '\0');
    int fd = files_open(&loading->site->files, path);
    bool read = fd >= 0 && read_sidecar(loading, content, fd, &file);
    if (fd >= 0)
        close(fd);
    struct slice encoded = slice_make(file.bytes, (size_t)file.st.st_size);
    struct slice plain = slice_make(content->identity.bytes, content->identity.size);
    const char *fault = read ? find_fault(coding, encoded, plain) : NULL;
    if (fault)
        log_write(loading->site->store->log, LOG_LEVEL_WARN, "not used, %s: /%s", fault, path);
    if (!read || fault || !content_add(content, coding, file.bytes, encoded.size))
        free(file.bytes);
}

static void add_sidecars(struct loading *loading, struct content *content)
{
    for (unsigned coding = 1; coding < CODING_COUNT; coding++)
        if (loading->page->sidecars & coding_bit(coding))
            add_sidecar(loading, coding, content);
}

/* ---- Into the store ----------------------------------------------------------------------------------------- */

/* The content is whole; somebody else may take it out again as soon as it is kept, but it is held for our caller. */
static void keep(struct loading *loading, struct content *content)
{
    struct store *store = loading->site->store;
    const struct page *page = loading->page;

    content->cached.size = content_weight_all(content);
    content->cache = &store->cache;
    unsigned wanted = page_negotiable(page) && mime_compressible(page->type) ? compress_codings() : 0;
    for (unsigned coding = 0; coding < CODING_COUNT; coding++)
        if (content_in(content, coding))
            wanted &= ~coding_bit(coding);
    atomic_init(&content->wanted, (uint8_t)wanted);
    hold_ref(&content->hold);
    bool kept = page_cache_keep(&store->cache, loading->load, &content->cached, &loading->leavers);
    if (!kept)
        hold_unref(&content->hold); /* the cache's reference, which nobody else knows of */
    else if (store->encoder && wanted)
        encoder_submit(store->encoder, content);
}

static enum loaded make_content(struct loading *loading, struct file *file, struct content **content)
{
    const struct page *page = loading->page;
    struct dress dress;
    uint64_t hash = digest_bytes(slice_make(file->bytes, page->size));

    const struct wardrobe *wardrobe = &loading->site->wardrobe;
    struct slice address = page_address(page);

    dress_page(&dress, wardrobe, &(struct occasion){ dress_rule(wardrobe, address), address, address, { NULL, 0 } });
    *content = content_new(page, file->bytes, hash, &dress, now_s());
    if (!*content)
        return LOADED_NOT;
    file->bytes = NULL;
    add_sidecars(loading, *content);
    return LOADED;
}

static enum loaded load_open(struct loading *loading, int fd, struct content **content)
{
    struct file file = { .bytes = NULL };

    /* What left for the one before may be gone by now, and that is room for this. */
    qsbr_reclaim(loading->site->store->qsbr);
    enum loaded loaded = reserve(loading, content_weight(loading->page->size)) ? LOADED : LOADED_NOT;
    if (loaded == LOADED)
        loaded = read_page(loading->page, fd, &file);
    if (loaded == LOADED)
        loaded = make_content(loading, &file, content);
    if (loaded == LOADED)
        keep(loading, *content); /* if the page has left meanwhile it is for those who wait, and nobody else */
    int error = errno;
    store_retire(loading->site->store, &loading->leavers);
    free(file.bytes);
    errno = error;
    return loaded;
}

enum loaded loader_load(const struct site *site, const struct page *page, struct page_load *load,
                        struct content **content)
{
    struct loading loading = { .site = site, .page = page, .load = load };

    if (!page_cache_admits(&site->store->cache, content_weight(page->size)))
        return LOADED_NOT;
    int fd = files_open(&site->files, page_file(page));
    if (fd < 0)
        return LOADED_FAILED;
    list_init(&loading.leavers);
    enum loaded loaded = load_open(&loading, fd, content);
    int error = errno;
    close(fd);
    errno = error;
    return loaded;
}

void loader_end(struct store *store, struct page_load *load, struct content *content)
{
    struct page_waiter *waiter = page_cache_finish(&store->cache, load), *next;

    for (; waiter; waiter = next) {
        next = waiter->next; /* once woken it may be gone */
        store->wake(waiter, content);
    }
    if (content)
        hold_unref(&content->hold);
}

void loader_hash(const struct files *files, struct page *page)
{
    struct stat before, after;
    uint64_t hash;
    int fd = files_open(files, page_file(page));

    if (fd < 0)
        return;
    if (fstat(fd, &before) == 0 && page_matches(page, &before) && digest_file(fd, page->size, &hash) &&
        fstat(fd, &after) == 0 && same(&before, &after))
        atomic_store_explicit(&page->hash, hash, memory_order_release);
    close(fd);
}

char *loader_read(const struct files *files, const struct page *page, size_t most)
{
    struct file file = { .bytes = NULL };
    int error = EFBIG, fd = page->size <= most ? files_open(files, page_file(page)) : -1;

    if (fd < 0) {
        errno = page->size <= most ? errno : error;
        return NULL;
    }
    enum loaded loaded = read_page(page, fd, &file);
    error = loaded == LOADED_OTHER ? ESTALE : loaded == LOADED_NOT ? ENOMEM : errno;
    close(fd);
    if (loaded == LOADED)
        return file.bytes;
    free(file.bytes);
    errno = error;
    return NULL;
}
