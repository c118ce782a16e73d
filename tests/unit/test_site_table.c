/* Sidecars: which files are another one's content, encoded, and have no address then; in one generation, and when they
 * or those they belong to come, change and go in the next. And how two addresses are compared. What is said about pages
 * is in test_site_words.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/site_table.h" /* before a fixture that has a `site` of its own */

#include "failing_memory.h"
#include "site_fixture.h"

enum { GZIP = 1 << CODING_GZIP, BR = 1 << CODING_BR, ZSTD = 1 << CODING_ZSTD };

static int start(void **state)
{
    (void)state;
    allocations_left = -1;
    site = NULL;
    fixture_open(1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_unref(site);
    fixture_close();
    return 0;
}

static void has_sidecars(const char *path, unsigned sidecars)
{
    const struct page *page = page_at(site, path);
    if (!page || page->sidecars != sidecars)
        fail_msg("%s: sidecars %x instead of %x", path, page ? page->sidecars : 0x100, sidecars);
    assert_int_equal(page->sidecar_mark != 0, sidecars != 0);
    assert_false(page->hidden);
}

static size_t count_hidden(void)
{
    size_t hidden = 0;
    for (size_t i = 0; i < site->tree.count; i++)
        hidden += site->tree.pages[i]->hidden;
    return hidden;
}

/* ---- One generation ----------------------------------------------------------------------------------------- */

static void all_of_them(void **state)
{
    (void)state;
    MAKE("x.js", "x.js.gz", "x.js.br", "x.js.zst", "y.js", "y.js.br", "z.js", "d/x.js", "d/x.js.gz");
    build();
    has_sidecars("/x.js", GZIP | BR | ZSTD);
    has_sidecars("/y.js", BR);
    has_sidecars("/z.js", 0);
    has_sidecars("/d/x.js", GZIP);
    means("/x.js.gz", "");
    means("/x.js.br", "");
    means("/x.js.zst", "");
    means("/y.js.br", "");
    means("/d/x.js.gz", "");
    assert_int_equal(count_hidden(), 5);
    assert_int_equal(site->addresses, 4);
}

static void files_of_their_own(void **state)
{
    (void)state;
    MAKE("x.tar.gz", "y.gz", "z.br", "d/x.js.gz", "x.js", ".well-known/a.br", "x.JS.GZ", "x.js.GZ",
         "x.js.zstd", "x.jsgz");
    build();
    assert_int_equal(count_hidden(), 0);
    means("/x.tar.gz", "x.tar.gz");
    means("/y.gz", "y.gz");
    means("/z.br", "z.br");
    means("/d/x.js.gz", "d/x.js.gz"); /* its like lies in another folder */
    means("/x.js.GZ", "x.js.GZ");
    means("/x.js.zstd", "x.js.zstd");
    has_sidecars("/x.js", 0);
}

static void of_a_page_with_several_addresses(void **state)
{
    (void)state;
    MAKE("about.html", "about.html.br", "docs/index.html", "docs/index.html.gz", "about.gz", "docs.gz");
    build();
    has_sidecars("/about.html", BR);
    has_sidecars("/docs/index.html", GZIP);
    means("/about", "about.html");
    means("/docs/", "docs/index.html");
    means("/about.html.br", "");
    means("/about.br", "");
    means("/about.gz", "about.gz"); /* "/about" is no file */
    means("/docs.gz", "docs.gz");
}

/* What is called like a sidecar gets no sidecars, in whatever order they are found. */
static void of_a_sidecar(void **state)
{
    static const char *const names[][4] = {
        { "x.gz", "x.gz.br", NULL },
        { "x.gz.br", "x.gz", NULL },
        { "y.br.gz", "y.br", NULL },
        { "y.br", "y.br.gz", NULL },
        { "z.gz.gz", "z.gz", NULL },
        { "z.gz", "z.gz.gz", NULL },
    };
    char path[32];
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        make(names[i]);
        build();
        for (size_t k = 0; k < 2; k++) {
            snprintf(path, sizeof path, "/%s", names[i][k]);
            means(path, names[i][k]);
            has_sidecars(path, 0);
            take_away(names[i][k]);
        }
        site_unref(site);
        site = NULL;
    }
    MAKE("x", "x.gz", "x.gz.br");
    build();
    has_sidecars("/x", GZIP);
    means("/x.gz", "");
    means("/x.gz.br", "x.gz.br");
}

static void hidden_ones_have_no_other_address(void **state)
{
    (void)state;
    MAKE("a.gz.html", "index.html.br/index.html", "index.html");
    build();
    means("/a.gz", "a.gz.html");
    means("/index.html.br/", "index.html.br/index.html"); /* a folder is nobody's sidecar */
    has_sidecars("/index.html", 0);
}

static void names_that_are_all_suffix(void **state)
{
    (void)state;
    MAKE("d/gz", "gz", "br", "zst");
    build();
    assert_int_equal(count_hidden(), 0);
    means("/d/gz", "d/gz");
    means("/gz", "gz");
}

static void links_are_sidecars_too(void **state)
{
    (void)state;
    MAKE("x.js", "packed");
    scratch_link(&scratch, "root/x.js.gz", "packed");
    build();
    has_sidecars("/x.js", GZIP);
    means("/packed", "packed");
}

/* ---- The next one ------------------------------------------------------------------------------------------- */

static void one_appears(void **state)
{
    struct site *before;
    (void)state;

    MAKE("x.js", "y.js");
    build();
    load_into_memory(page_at(site, "/x.js"));
    load_into_memory(page_at(site, "/y.js"));
    MAKE("x.js.br");
    RENEW(&before, "");
    has_sidecars("/x.js", BR);
    assert_ptr_not_equal(page_at(site, "/x.js"), page_at(before, "/x.js")); /* what is in memory no longer holds */
    assert_null(content_of_page(page_at(site, "/x.js")));
    assert_non_null(content_of_page(page_at(before, "/x.js")));
    assert_int_equal(page_at(before, "/x.js")->sidecars, 0);
    assert_int_equal(page_at(before, "/x.js")->count, 1);
    assert_ptr_equal(page_at(site, "/y.js"), page_at(before, "/y.js"));
    assert_non_null(content_of_page(page_at(site, "/y.js")));
    means("/x.js", "x.js");
    site_unref(before);
    assert_null(content_of_page(page_at(site, "/x.js")));
}

static void one_vanishes(void **state)
{
    struct site *before;
    (void)state;

    MAKE("x.js", "x.js.br", "x.js.gz");
    build();
    take_away("x.js.br");
    RENEW(&before, "");
    has_sidecars("/x.js", GZIP);
    assert_ptr_not_equal(page_at(site, "/x.js"), page_at(before, "/x.js"));
    assert_int_equal(page_at(before, "/x.js")->sidecars, GZIP | BR);
    site_unref(before);
    take_away("x.js.gz");
    RENEW(NULL, "");
    has_sidecars("/x.js", 0);
}

static void one_is_written_anew(void **state)
{
    struct site *before;
    (void)state;

    MAKE("x.js", "x.js.br");
    scratch_date(&scratch, "root/x.js.br", 1600000000, 0);
    build();
    RENEW(&before, "");
    assert_ptr_equal(page_at(site, "/x.js"), page_at(before, "/x.js")); /* nothing has changed */
    site_unref(before);
    scratch_date(&scratch, "root/x.js.br", 1600000001, 0);
    RENEW(&before, "");
    assert_ptr_not_equal(page_at(site, "/x.js"), page_at(before, "/x.js"));
    has_sidecars("/x.js", BR);
    site_unref(before);
}

static void its_owner_appears(void **state)
{
    struct site *before;
    (void)state;

    MAKE("x.js.br");
    build();
    means("/x.js.br", "x.js.br");
    load_into_memory(page_at(site, "/x.js.br"));
    MAKE("x.js");
    RENEW(&before, "");
    has_sidecars("/x.js", BR);
    means("/x.js.br", "");
    assert_int_equal(count_hidden(), 1);
    assert_non_null(page_at(before, "/x.js.br")); /* the one before goes on as it was */
    assert_false(page_at(before, "/x.js.br")->hidden);
    site_unref(before);
}

static void its_owner_vanishes(void **state)
{
    struct site *before;
    (void)state;

    MAKE("x.js", "x.js.br");
    build();
    take_away("x.js");
    RENEW(&before, "");
    means("/x.js", "");
    means("/x.js.br", "x.js.br");
    has_sidecars("/x.js.br", 0);
    assert_int_equal(count_hidden(), 0);
    site_unref(before);
    MAKE("x.js");
    RENEW(NULL, "");
    means("/x.js.br", "");
    has_sidecars("/x.js", BR);
}

static void its_owner_is_written_anew(void **state)
{
    struct site *before;
    (void)state;

    MAKE("x.js", "x.js.br");
    build();
    scratch_write(&scratch, "root/x.js", "other");
    RENEW(&before, "");
    has_sidecars("/x.js", BR);
    assert_ptr_not_equal(page_at(site, "/x.js"), page_at(before, "/x.js"));
    means("/x.js.br", "");
    site_unref(before);
}

/* Whole folders are taken over with what is hidden in them. */
static void in_a_folder_that_has_not_changed(void **state)
{
    struct site *before;
    (void)state;

    MAKE("d/x.js", "d/x.js.br", "y.js");
    build();
    MAKE("z.js");
    RENEW(&before, "");
    assert_ptr_equal(page_at(site, "/d/x.js"), page_at(before, "/d/x.js"));
    has_sidecars("/d/x.js", BR);
    means("/d/x.js.br", "");
    assert_int_equal(count_hidden(), 1);
    for (size_t i = 0; i < site->tree.count; i++)
        assert_int_equal(site->tree.pages[i]->count, site->tree.pages[i] == page_at(site, "/z.js") ? 1 : 2);
    site_unref(before);
}

/* Nor do those that have no address make a generation of their own when their folder is read again. */
static void in_a_folder_that_is_read_again(void **state)
{
    struct site *before;
    (void)state;

    MAKE("x.js", "x.js.br", "x.js.gz", "_headers", "_redirects", "a.gz.html", "a", "a.gz");
    build();
    means("/a.gz", "a.gz.html"); /* spelt like one of them */
    assert_int_equal(count_hidden(), 5);
    for (unsigned i = 0; i < 2; i++) {
        RENEW(&before, "*");
        assert_int_equal(site->tree.count, before->tree.count);
        assert_memory_equal(site->tree.pages, before->tree.pages, site->tree.count * sizeof *site->tree.pages);
        site_unref(before);
    }
    assert_int_equal(count_hidden(), 5);
    means("/x.js.br", "");
    means("/_headers", "");
    has_sidecars("/x.js", GZIP | BR);
    has_sidecars("/a", GZIP);
}

static void hard_link(const char *from, const char *stem, const char *suffix)
{
    char to[64];
    snprintf(to, sizeof to, "root/%s.js%s", stem, suffix);
    assert_int_equal(linkat(scratch.fd, from, scratch.fd, to, 0), 0);
}

/* Which of them a folder names first depends on their names, or on when they came. Which is which does not. */
static void in_whatever_order_they_are_found(void **state)
{
    enum { PAGES = 16 };
    char stem[16], path[32];
    (void)state;

    MAKE("one", "two", "other.js");
    for (unsigned i = 0; i < PAGES; i++) {
        snprintf(stem, sizeof stem, "%u", i);
        hard_link("root/one", stem, "");
        hard_link(i % 2 ? "root/one" : "root/two", stem, i % 2 ? ".br" : ".gz");
        hard_link(i % 2 ? "root/two" : "root/one", stem, i % 2 ? ".gz" : ".br");
    }
    hard_link("root/two", "other", ".br");
    hard_link("root/one", "other", ".gz");
    build();
    uint64_t mark = page_at(site, "/0.js")->sidecar_mark;
    for (unsigned i = 1; i < PAGES; i++) {
        snprintf(path, sizeof path, "/%u.js", i);
        assert_int_equal(page_at(site, path)->sidecar_mark, mark);
    }
    assert_int_not_equal(page_at(site, "/other.js")->sidecar_mark, mark);
}

/* A hash that took a while stays: the file is the same. */
static void a_hash_is_kept(void **state)
{
    struct site *before;
    (void)state;

    MAKE("x.js");
    build();
    page_at(site, "/x.js")->hash = 77;
    MAKE("x.js.br");
    RENEW(&before, "");
    assert_ptr_not_equal(page_at(site, "/x.js"), page_at(before, "/x.js"));
    assert_int_equal(page_at(site, "/x.js")->hash, 77);
    site_unref(before);
}

static void every_allocation_may_fail(void **state)
{
    struct site *before = NULL;
    unsigned failures = 0;
    (void)state;

    MAKE("x.js", "y.js.br", "d/z.js", "d/z.js.gz", "index.html");
    build();
    before = site;
    MAKE("x.js.br", "y.js");
    site = NULL;
    for (int i = 0; !site; i++) {
        assert_true(i < 100);
        errno = 0;
        allocations_left = i;
        site = next_site(before, (const char *[]){ "", NULL });
        allocations_left = -1;
        if (site)
            break;
        failures++;
        assert_int_equal(errno, ENOMEM);
        for (size_t k = 0; k < before->tree.count; k++) /* all as it was */
            assert_int_equal(before->tree.pages[k]->count, 1);
        assert_int_equal(page_at(before, "/x.js")->sidecars, 0);
        assert_false(page_at(before, "/y.js.br")->hidden);
    }
    assert_true(failures >= 8);
    has_sidecars("/x.js", BR);
    has_sidecars("/y.js", BR);
    has_sidecars("/d/z.js", GZIP);
    site_unref(before);
    means("/", "index.html");
}

/* ---- Comparing ---------------------------------------------------------------------------------------------- */

static void the_same_and_not_the_same(void **state)
{
    char a[64], b[64];
    (void)state;

    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = (char)(i * 37);
    for (size_t size = 1; size <= sizeof a; size++) {
        assert_true(site_same(a, b, size));
        for (size_t i = 0; i < size; i++) {
            b[i] ^= (char)0x80;
            assert_false(site_same(a, b, size));
            b[i] ^= (char)0x80;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_of_them, start, end),
        cmocka_unit_test_setup_teardown(files_of_their_own, start, end),
        cmocka_unit_test_setup_teardown(of_a_page_with_several_addresses, start, end),
        cmocka_unit_test_setup_teardown(of_a_sidecar, start, end),
        cmocka_unit_test_setup_teardown(hidden_ones_have_no_other_address, start, end),
        cmocka_unit_test_setup_teardown(names_that_are_all_suffix, start, end),
        cmocka_unit_test_setup_teardown(links_are_sidecars_too, start, end),
        cmocka_unit_test_setup_teardown(one_appears, start, end),
        cmocka_unit_test_setup_teardown(one_vanishes, start, end),
        cmocka_unit_test_setup_teardown(one_is_written_anew, start, end),
        cmocka_unit_test_setup_teardown(its_owner_appears, start, end),
        cmocka_unit_test_setup_teardown(its_owner_vanishes, start, end),
        cmocka_unit_test_setup_teardown(its_owner_is_written_anew, start, end),
        cmocka_unit_test_setup_teardown(in_a_folder_that_has_not_changed, start, end),
        cmocka_unit_test_setup_teardown(in_a_folder_that_is_read_again, start, end),
        cmocka_unit_test_setup_teardown(in_whatever_order_they_are_found, start, end),
        cmocka_unit_test_setup_teardown(a_hash_is_kept, start, end),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, start, end),
        cmocka_unit_test_setup_teardown(the_same_and_not_the_same, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
