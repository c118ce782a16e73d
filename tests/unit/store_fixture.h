/* A store beside a scratch folder, as the server has one: with one worker, who rests when the test says so, and
 * a note of who has been woken with what. What is in memory is counted at the end: nothing may be left. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "scratch.h"
#include "serve/content.h"
#include "serve/encoder.h"
#include "serve/site.h"
#include "serve/store.h"

enum { WOKEN_MAX = 16 };

static struct scratch scratch;
static struct store store;
static struct site_config config; /* of the scratch folder's root; what a test adds goes with it */

static struct woken {
    struct page_waiter *waiter;
    struct content *content;
} woken[WOKEN_MAX];
static unsigned woken_count;

static inline void wake_nobody(void *user, unsigned worker)
{
    (void)user, (void)worker;
}

static inline void note_woken(struct page_waiter *waiter, struct content *content)
{
    assert_true(woken_count < WOKEN_MAX);
    woken[woken_count++] = (struct woken){ waiter, content };
}

static inline void fixture_open(uint64_t bytes_max)
{
    scratch_open(&scratch);
    config = (struct site_config){ .root = scratch.root };
    woken_count = 0;
    store = (struct store){ .log = &scratch.log, .wake = note_woken };
    store.qsbr = qsbr_new(1, wake_nobody, NULL);
    assert_non_null(store.qsbr);
    page_cache_init(&store.cache, &eviction_policies[0], bytes_max);
    assert_true(descriptors_init(&store.descriptors, &eviction_policies[0], 8));
}

/* The worker comes to the end of its turn: what has been retired is freed. */
static inline void fixture_settle(void)
{
    qsbr_announce(store.qsbr, 0);
    assert_int_equal(qsbr_reclaim(store.qsbr), 0);
}

/* All pages have been closed. */
static inline void fixture_close(void)
{
    encoder_free(store.encoder);
    fixture_settle();
    struct page_cache_stats stats = page_cache_stats(&store.cache);
    assert_int_equal(stats.objects, 0);
    assert_int_equal(stats.present, 0);
    assert_int_equal(stats.reserved, 0);
    assert_int_equal(stats.leaving, 0);
    qsbr_end(store.qsbr, 0);
    qsbr_free(store.qsbr);
    descriptors_fini(&store.descriptors);
    page_cache_fini(&store.cache);
    scratch_close(&scratch);
}

static inline void expect_line(const char *line)
{
    if (!strstr(scratch.lines, line))
        fail_msg("no line \"%s\" in:\n%s", line, scratch.lines);
    scratch.lines[0] = '\0';
}

static inline void expect_silence(void)
{
    assert_string_equal(scratch.lines, "");
}

/* The page of a file beneath the root, as it is now. */
static inline struct page *page_of_file(const char *path)
{
    char in_scratch[300];
    struct stat st;

    snprintf(in_scratch, sizeof in_scratch, "root/%s", path);
    assert_int_equal(fstatat(scratch.fd, in_scratch, &st, 0), 0);
    struct page *page = page_new(slice_text(path), &st);
    assert_non_null(page);
    return page;
}

static inline void leave(struct page *page)
{
    store_close(&store, page);
    page_free(page);
}

static inline struct content *content_of_page(const struct page *page)
{
    struct cached *cached = page_cache_find(&page->slot);
    return cached ? content_of(cached) : NULL;
}

/* Of a page that is in memory. */
static inline struct content *content_there(const struct page *page)
{
    struct cached *cached = page_cache_find(&page->slot);
    assert_non_null(cached);
    return content_of(cached);
}

/* Pages never compress alike by chance: text that becomes smaller in every coding. */
static inline char *compressible(size_t size)
{
    char *text = malloc(size + 1);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = "to be or not to be, that is the question; "[i % 42];
    text[size] = '\0';
    return text;
}

#endif
