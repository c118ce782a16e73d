/* Generations: pages that are shared, changed, new and gone, what is in memory of them, who holds which, and a root in
 * whose place another folder has come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "site_fixture.h"

static struct site *before;

static int start(void **state)
{
    (void)state;
    site = before = NULL;
    fixture_open(1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_unref(site);
    site_unref(before);
    fixture_close();
    return 0;
}

static void shared(const char *path, bool is)
{
    assert_non_null(page_at(site, path));
    assert_int_equal(page_at(site, path) == page_at(before, path), is);
    assert_int_equal(page_at(site, path)->count, is ? 2 : 1);
}

static void drop(struct site **generation)
{
    site_unref(*generation);
    *generation = NULL;
}

static void nothing_has_changed(void **state)
{
    (void)state;
    MAKE("index.html", "a/index.html", "a/b/x.css", "about.html");
    build();
    RENEW(&before);
    shared("/index.html", true);
    shared("/a/index.html", true);
    shared("/a/b/x.css", true);
    assert_int_equal(site->tree.count, before->tree.count);
    assert_memory_equal(site->tree.pages, before->tree.pages, site->tree.count * sizeof *site->tree.pages);
    means("/a", "-> /a/");
    means("/about", "about.html");
    drop(&before);
    means("/a/b/x.css", "a/b/x.css");
    assert_int_equal(page_at(site, "/index.html")->count, 1);
}

static void one_has_changed(void **state)
{
    (void)state;
    MAKE("x", "y", "d/z");
    build();
    load_into_memory(page_at(site, "/x"));
    load_into_memory(page_at(site, "/y"));
    load_into_memory(page_at(site, "/d/z"));
    scratch_write(&scratch, "root/x", "changed");
    RENEW(&before, "");
    shared("/x", false);
    shared("/y", true);
    shared("/d/z", true);
    assert_null(content_of_page(page_at(site, "/x")));
    load_into_memory(page_at(site, "/x"));
    assert_memory_equal(content_of_page(page_at(site, "/x"))->identity.bytes, "changed", 7);
    assert_memory_equal(content_of_page(page_at(before, "/x"))->identity.bytes, "x", 1);
    assert_int_equal(page_cache_stats(&store.cache).objects, 4);
    drop(&before);
    assert_int_equal(page_cache_stats(&store.cache).objects, 3);
    fixture_settle();
    assert_non_null(content_of_page(page_at(site, "/y")));
    assert_int_equal(site_stats(site).pages_in_memory, 3);
}

/* Of the same size and time: the inode tells. */
static void one_has_been_replaced(void **state)
{
    (void)state;
    MAKE("x");
    scratch_date(&scratch, "root/x", 1600000000, 0);
    build();
    scratch_write(&scratch, "other", "y");
    scratch_date(&scratch, "other", 1600000000, 0);
    assert_int_equal(renameat(scratch.fd, "other", scratch.fd, "root/x"), 0);
    RENEW(&before, "");
    shared("/x", false);
}

static void one_is_new_and_one_gone(void **state)
{
    (void)state;
    MAKE("x", "y");
    build();
    load_into_memory(page_at(site, "/x"));
    take_away("x");
    MAKE("z", "d/index.html");
    RENEW(&before, "");
    means("/x", "");
    means("/z", "z");
    means("/d/", "d/index.html");
    shared("/y", true);
    assert_non_null(page_at(before, "/x"));
    assert_null(page_at(before, "/z"));
    drop(&before);
    assert_int_equal(page_cache_stats(&store.cache).objects, 0);
}

static void addresses_change_hands(void **state)
{
    (void)state;
    MAKE("about/index.html");
    build();
    means("/about", "-> /about/");
    MAKE("about.html");
    RENEW(NULL, "");
    means("/about", "about.html");
    means("/about/", "about/index.html");
    MAKE("about2");
    take_away("about.html");
    RENEW(NULL, "");
    means("/about", "-> /about/");
}

/* A deploy: a folder moved away, another one into its place. */
static void a_folder_is_swapped(void **state)
{
    (void)state;
    MAKE("live/index.html", "live/old.css", "next/index.html", "next/new.css", "other/x");
    build();
    load_into_memory(page_at(site, "/live/old.css"));
    assert_int_equal(renameat2(scratch.fd, "root/live", scratch.fd, "root/next", RENAME_EXCHANGE), 0);
    RENEW(&before, "", "live*", "next*");
    means("/live/old.css", "");
    means("/live/new.css", "live/new.css");
    means("/next/old.css", "next/old.css");
    shared("/live/index.html", false);
    shared("/other/x", true);
    assert_null(content_of_page(page_at(site, "/next/old.css")));
}

/* A generation that is held goes on as it was, in its own root, also when another folder has taken that one's name. */
static void the_root_is_replaced(void **state)
{
    char path[128];
    (void)state;

    MAKE("x", "old");
    snprintf(path, sizeof path, "%s/current", scratch.folder);
    scratch_link(&scratch, "current", "root");
    config.root = path;
    site = site_build(&config, &store, NULL, NULL);
    assert_non_null(site);
    before = site;
    scratch_mkdir(&scratch, "second");
    scratch_write(&scratch, "second/x", "second");
    assert_int_equal(unlinkat(scratch.fd, "current", 0), 0);
    scratch_link(&scratch, "current", "second");
    struct change all = { SLICE(""), true };
    site = site_build(&config, &store, before, &(struct changes){ &all, 1, true });
    assert_non_null(site);
    shared("/x", false);
    means("/old", "");
    load_into_memory(page_at(site, "/x"));
    assert_memory_equal(content_of_page(page_at(site, "/x"))->identity.bytes, "second", 6);
    struct site *second = site;
    site = before;
    load_into_memory(page_at(before, "/old"));
    assert_memory_equal(content_of_page(page_at(before, "/old"))->identity.bytes, "old", 3);
    site = second;
}

/* Whoever follows a folder has to see the same one as whoever reads it, wherever the root's path leads meanwhile. */
static void the_root_is_the_one_that_is_followed(void **state)
{
    char path[128];
    (void)state;

    MAKE("x");
    scratch_mkdir(&scratch, "second");
    scratch_write(&scratch, "second/y", "second");
    scratch_link(&scratch, "current", "second");
    snprintf(path, sizeof path, "%s/current", scratch.folder);
    config.root = path;
    int followed = openat(scratch.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct change all = { SLICE(""), true };
    site = site_build(&config, &store, NULL, &(struct changes){ .at = &all, .count = 1, .root_fd = followed });
    assert_non_null(site);
    means("/x", "x");
    means("/y", "");
    close(followed);
}

/* Without a word about what has changed nothing is taken over. */
static void no_changes_no_sharing(void **state)
{
    (void)state;
    MAKE("x");
    build();
    before = site;
    site = site_build(&config, &store, before, NULL);
    assert_non_null(site);
    shared("/x", false);
}

static void everything_may_have_changed(void **state)
{
    (void)state;
    MAKE("x", "d/y");
    build();
    RENEW(&before, "*");
    shared("/x", true);
    shared("/d/y", true);
}

/* What is skipped is told when it changes, and not whenever all is looked at. */
static void skips_are_told_once(void **state)
{
    (void)state;
    MAKE("x");
    scratch_link(&scratch, "root/out", "/etc/passwd");
    build();
    expect_line("not served, a link that leads out of the root: /out\n");
    RENEW(NULL, "*");
    assert_int_equal(site_stats(site).skipped, 1);
    expect_silence();
    RENEW(NULL, "");
    RENEW(NULL, "d");
    assert_int_equal(site_stats(site).skipped, 1);
    expect_silence();
    scratch_write(&scratch, "root/_headers", "/x\nnonsense\n"); /* by which all pages change */
    RENEW(NULL, "");
    expect_line("_headers:2: ");
    assert_null(strstr(scratch.lines, "not served"));
    scratch.lines[0] = '\0';
    RENEW(NULL, "", "d");
    expect_silence(); /* nor what is wrong in them */
}

/* A path of many bytes is found again. */
static void long_paths_are_shared(void **state)
{
    char name[200], path[256];
    (void)state;

    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    snprintf(path, sizeof path, "d/%s", name);
    make((const char *[]){ path, NULL });
    build();
    RENEW(&before, "*");
    snprintf(path, sizeof path, "/d/%s", name);
    shared(path, true);
}

/* Generations live as long as they are held, in whatever order they go. */
static void many_generations(void **state)
{
    enum { GENERATIONS = 12 };
    struct site *generations[GENERATIONS];
    char text[16];
    (void)state;

    MAKE("always", "d/deep");
    scratch_write(&scratch, "root/changing", "0");
    build();
    for (unsigned i = 0; i < GENERATIONS; i++) {
        snprintf(text, sizeof text, "%*u", (int)i + 1, i);
        scratch_write(&scratch, "root/changing", text);
        RENEW(&generations[i], "");
        load_into_memory(page_at(site, "/changing"));
        if (i == 0)
            load_into_memory(page_at(site, "/always"));
    }
    assert_int_equal(page_at(site, "/always")->count, GENERATIONS + 1);
    assert_int_equal(page_at(site, "/changing")->count, 1);
    assert_int_equal(page_cache_stats(&store.cache).objects, GENERATIONS + 1);
    for (unsigned i = 0; i < GENERATIONS; i++)
        site_unref(generations[i * 5 % GENERATIONS]);
    assert_int_equal(page_at(site, "/always")->count, 1);
    assert_int_equal(page_cache_stats(&store.cache).objects, 2);
    assert_non_null(content_of_page(page_at(site, "/always")));
    fixture_settle();
}

/* A page that left is closed: a load that was under way comes to nothing. */
static void a_load_outlives_the_site(void **state)
{
    struct page_load load;
    (void)state;

    MAKE("x");
    build();
    struct page *page = page_at(site, "/x");
    page_load_init(&load, &page->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD);
    hold_ref(&site->hold); /* as whoever loads does */
    struct site *held = site;
    take_away("x");
    RENEW(NULL, "");
    loader_end(&store, &load, NULL);
    assert_int_equal(page->slot.state, PAGE_SLOT_ABSENT);
    site_unref(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_has_changed, start, end),
        cmocka_unit_test_setup_teardown(one_has_changed, start, end),
        cmocka_unit_test_setup_teardown(one_has_been_replaced, start, end),
        cmocka_unit_test_setup_teardown(one_is_new_and_one_gone, start, end),
        cmocka_unit_test_setup_teardown(addresses_change_hands, start, end),
        cmocka_unit_test_setup_teardown(a_folder_is_swapped, start, end),
        cmocka_unit_test_setup_teardown(the_root_is_replaced, start, end),
        cmocka_unit_test_setup_teardown(the_root_is_the_one_that_is_followed, start, end),
        cmocka_unit_test_setup_teardown(no_changes_no_sharing, start, end),
        cmocka_unit_test_setup_teardown(everything_may_have_changed, start, end),
        cmocka_unit_test_setup_teardown(skips_are_told_once, start, end),
        cmocka_unit_test_setup_teardown(long_paths_are_shared, start, end),
        cmocka_unit_test_setup_teardown(many_generations, start, end),
        cmocka_unit_test_setup_teardown(a_load_outlives_the_site, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
