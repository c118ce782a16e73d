/* The way out of the store: what leaves the cache, with and without an encoder, and pages that leave the site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_fixture.h"

enum { BUDGET = 64 * 1024 };

static const struct dress plain = { .cache_control = SLICE_INIT("no-cache") };

static int start(void **state)
{
    (void)state;
    fixture_open(BUDGET);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_close();
    return 0;
}

static struct page *page_sized(const char *path, uint64_t size)
{
    struct stat st = { .st_size = (off_t)size };
    struct page *page = page_new(slice_text(path), &st);
    assert_non_null(page);
    return page;
}

/* Its content comes into the cache; who leaves for it is in `leavers`. */
static void keep(struct page *page, struct link *leavers)
{
    struct page_load load;
    struct content *content = content_new(page, calloc(1, page->size + 1), 1, &plain, 0);

    page_load_init(&load, &page->slot, 0);
    content->cache = &store.cache;
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD);
    if (!page_cache_keep(&store.cache, &load, &content->cached, leavers))
        hold_unref(&content->hold);
    assert_null(page_cache_finish(&store.cache, &load));
}

static void nobody_leaves(void **state)
{
    struct link leavers;
    (void)state;

    list_init(&leavers);
    store_retire(&store, &leavers);
    fixture_settle();
}

static void those_who_left_are_retired(void **state)
{
    struct page *pages[40];
    unsigned gone = 0;
    char path[8];
    (void)state;

    for (unsigned i = 0; i < 40; i++) {
        struct link leavers;
        list_init(&leavers);
        snprintf(path, sizeof path, "%u", i);
        pages[i] = page_sized(path, 4000);
        keep(pages[i], &leavers);
        store_retire(&store, &leavers);
        assert_true(list_empty(&leavers));
        fixture_settle();
    }
    for (unsigned i = 0; i < 40; i++)
        gone += !content_of_page(pages[i]);
    assert_int_equal(gone, page_cache_stats(&store.cache).evictions + page_cache_stats(&store.cache).refusals);
    assert_true(page_cache_stats(&store.cache).evictions > 20);
    assert_int_equal(page_cache_stats(&store.cache).leaving, 0);
    for (unsigned i = 0; i < 40; i++)
        leave(pages[i]);
}

static void closing_takes_the_content_with_it(void **state)
{
    struct page *absent = page_sized("absent", 1), *present = page_sized("present", 1);
    struct link leavers;
    (void)state;

    list_init(&leavers);
    keep(present, &leavers);
    assert_non_null(content_of_page(present));
    leave(absent);
    assert_int_equal(page_cache_stats(&store.cache).leaving, 0);
    leave(present);
    assert_int_equal(page_cache_stats(&store.cache).objects, 0);
    assert_int_equal(page_cache_stats(&store.cache).leaving, content_weight(1));
    fixture_settle();
}

static void closing_brings_a_load_to_nothing(void **state)
{
    struct page *page = page_sized("a", 1);
    struct page_load load, other;
    struct link leavers;
    (void)state;

    list_init(&leavers);
    page_load_init(&load, &page->slot, 0);
    page_load_init(&other, &page->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD);
    struct content *content = content_new(page, calloc(1, 2), 1, &plain, 0);
    content->cache = &store.cache;
    store_close(&store, page);
    assert_int_equal(page_cache_ask(&store.cache, &other, NULL), PAGE_CACHE_CLOSED);
    assert_false(page_cache_keep(&store.cache, &load, &content->cached, &leavers));
    hold_unref(&content->hold);
    assert_null(page_cache_finish(&store.cache, &load));
    assert_null(content_of_page(page));
    page_free(page);
}

/* Another page could come to lie at its address. */
static void closing_forgets_the_descriptor(void **state)
{
    struct page *page = page_sized("a", 1);
    (void)state;

    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct descriptor *descriptor = descriptors_add(&store.descriptors, page, fd, 1);
    hold_unref(&descriptor->hold);
    descriptor = descriptors_find(&store.descriptors, page, 1);
    assert_non_null(descriptor);
    hold_unref(&descriptor->hold);
    store_close(&store, page);
    assert_null(descriptors_find(&store.descriptors, page, 1));
    page_free(page);
}

static void the_encoder_is_told(void **state)
{
    struct page *page = page_sized("a", 1);
    struct link leavers;
    (void)state;

    store.encoder = encoder_new(&store);
    assert_non_null(store.encoder);
    list_init(&leavers);
    keep(page, &leavers);
    struct content *content = content_there(page);
    hold_ref(&content->hold);
    assert_false(content->retiring);
    leave(page);
    assert_true(content->retiring);
    fixture_settle();
    hold_unref(&content->hold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_leaves, start, end),
        cmocka_unit_test_setup_teardown(those_who_left_are_retired, start, end),
        cmocka_unit_test_setup_teardown(closing_takes_the_content_with_it, start, end),
        cmocka_unit_test_setup_teardown(closing_brings_a_load_to_nothing, start, end),
        cmocka_unit_test_setup_teardown(closing_forgets_the_descriptor, start, end),
        cmocka_unit_test_setup_teardown(the_encoder_is_told, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
