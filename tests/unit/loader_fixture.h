/* What the tests of the loader share: reads and looks that fail, or before which something happens to the file,
 * and a load from begin to end. */
#ifndef TESTS_LOADER_FIXTURE_H
#define TESTS_LOADER_FIXTURE_H

#include "failing_memory.h"
#include "store_fixture.h"
#include "serve/compress.h"
#include "serve/digest.h"
#include "serve/loader.h"

enum { BUDGET = 1 << 20, OLD = 1600000000 };

static struct page *page;

/* ---- Faults and events -------------------------------------------------------------------------------------- */

static int read_errors; /* reads that fail yet, with this */
static int read_error;
static int stats_left;  /* looks at open files that succeed; -1: all */
static int quiet_reads; /* reads before the first event */
static int events_left; /* reads before which this happens */
static void (*event)(void);

/* pread and fstat, under the names that they have with 64-bit offsets. */
ssize_t __real_pread64(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t offset)
{
    if (read_errors > 0) {
        read_errors--;
        errno = read_error;
        return -1;
    }
    if (quiet_reads > 0) {
        quiet_reads--;
    } else if (events_left > 0) {
        events_left--;
        event();
    }
    return __real_pread64(fd, out, size, offset);
}

int __real_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st)
{
    if (stats_left == 0) {
        errno = EIO;
        return -1;
    }
    if (stats_left > 0)
        stats_left--;
    return __real_fstat64(fd, st);
}

/* ---- Loading ------------------------------------------------------------------------------------------------ */

static inline int start(void **state)
{
    (void)state;
    allocations_left = stats_left = -1;
    read_errors = events_left = quiet_reads = 0;
    page = NULL;
    fixture_open(BUDGET);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    if (page)
        leave(page);
    fixture_close();
    return 0;
}

static inline void old_file(const char *path, const char *text)
{
    scratch_write(&scratch, path, text);
    scratch_date(&scratch, path, OLD, 0);
}

/* All that the loader has to know of a site: where its files are, and that it has nothing to say about them. */
static inline const struct site *bare_site(void)
{
    static struct site site;
    site = (struct site){ .store = &store, .files = scratch.files };
    return &site;
}

/* A load from begin to end, for one who waits. What it has come to, held, in `content`. */
static inline enum loaded load(struct content **content)
{
    static struct page_waiter waiter;
    struct page_load load;
    uint64_t reserved = page_cache_stats(&store.cache).reserved;

    *content = NULL;
    woken_count = 0;
    page_load_init(&load, &page->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, &waiter), PAGE_CACHE_LOAD);
    errno = 0;
    enum loaded loaded = loader_load(bare_site(), page, &load, content);
    int error = errno;
    assert_int_equal(loaded == LOADED, *content != NULL);
    hold_ref(*content ? &(*content)->hold : NULL);
    loader_end(&store, &load, *content);
    assert_int_equal(woken_count, 1);
    assert_ptr_equal(woken[0].waiter, &waiter);
    assert_ptr_equal(woken[0].content, *content);
    assert_int_equal(page_cache_stats(&store.cache).reserved, reserved);
    errno = error;
    return loaded;
}

static inline void loads(const char *text)
{
    struct content *content;
    char etag[PAGE_ETAG_SIZE];

    assert_int_equal(load(&content), LOADED);
    assert_ptr_equal(content_of_page(page), content);
    assert_int_equal(content->identity.size, strlen(text));
    assert_memory_equal(content->identity.bytes, text, strlen(text));
    uint8_t size = page_write_etag(etag, digest_bytes(slice_text(text)));
    assert_true(slice_equal(representation_etag(&content->identity), slice_make(etag, size)));
    assert_int_equal(content->cached.size, content_weight_all(content));
    hold_unref(&content->hold);
}

static inline void loads_nothing(enum loaded expected, int error)
{
    struct content *content;
    assert_int_equal(load(&content), expected);
    assert_true(expected != LOADED_FAILED || errno == error);
    assert_null(content_of_page(page));
}

#endif
