/* The table of addresses: what each path means, who wins where two files want the same one, what is in memory, and
 * missing memory at every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/random.h>
#include <xxhash.h>

#include "failing_memory.h"
#include "site_fixture.h"

/* ---- Faults ---------------------------------------------------------------------------------------------------- */

static bool no_random;
static uint64_t forced_seed; /* 0: as it comes */

ssize_t __real_getrandom(void *data, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags)
{
    if (no_random) {
        errno = ENOSYS;
        return -1;
    }
    if (forced_seed == 0)
        return __real_getrandom(data, size, flags);
    assert_int_equal(size, sizeof forced_seed);
    memcpy(data, &forced_seed, size);
    return (ssize_t)size;
}

/* ---- A generation ---------------------------------------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    allocations_left = -1;
    no_random = false;
    forced_seed = 0;
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

/* ---- Addresses ------------------------------------------------------------------------------------------------- */

static void addresses_of_a_site(void **state)
{
    static const char *const cases[][2] = {
        { "/", "index.html" },
        { "/index.html", "index.html" },
        { "/index", "-> /" },
        { "/about", "about.html" },
        { "/about.html", "about.html" },
        { "/about/", "" },
        { "/docs", "-> /docs/" },
        { "/docs/", "docs/index.html" },
        { "/docs/index.html", "docs/index.html" },
        { "/docs/index", "-> /docs/" },
        { "/bare/index", "" },
        { "/about/index", "" },
        { "/docsindex", "" },
        { "/xindex", "" },
        { "/index/", "" },
        { "/Index", "" },
        { "index", "" },
        { "/docs/index/index", "" },
        { "/docs/more", "docs/more.html" },
        { "/docs/more.html", "docs/more.html" },
        { "/docs//", "" },
        { "/style.css", "style.css" },
        { "/style", "" },
        { "/style.css/", "" },
        { "/bare", "" },
        { "/bare/", "" },
        { "/bare/x.txt", "bare/x.txt" },
        { "/404", "404.html" },
        { "/404.html", "404.html" },
        { "/50x.html", "50x.html" },
        { "/About", "" },
        { "", "" },
        { "index.html", "" },
        { "/nothing", "" },
        { "/.env", "" },
        { "/.well-known/security.txt", ".well-known/security.txt" },
    };
    (void)state;

    MAKE("index.html", "about.html", "docs/index.html", "docs/more.html", "style.css", "bare/x.txt",
                           "404.html", "50x.html", ".env", ".well-known/security.txt");
    build();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        means(cases[i][0], cases[i][1]);
}

static void rivals_for_an_address(void **state)
{
    (void)state;
    MAKE("both.html", "both/index.html",  /* /both is the page, /both/ the folder */
                           "exact", "exact.html",           /* the file itself before any other */
                           "x.html/index.html",             /* a folder that looks like a page */
                           "y.html/index.html", "y/index.html",
                           "sub/index.html/index.html",
                           "f/index", "f/index.html",       /* a file, or a folder, of that very name */
                           "g/index/index.html", "g/index.html");
    build();
    means("/both", "both.html");
    means("/both/", "both/index.html");
    means("/both/index.html", "both/index.html");
    means("/exact", "exact");
    means("/exact.html", "exact.html");
    means("/x.html", "-> /x.html/");
    means("/x.html/", "x.html/index.html");
    means("/x", "");
    means("/y", "-> /y/");
    means("/y.html", "-> /y.html/");
    means("/f/index", "f/index");
    means("/g/index", "-> /g/index/");
    means("/g/index/index", "-> /g/index/");
    means("/sub", "");
    means("/sub/", "");
    means("/sub/index.html", "-> /sub/index.html/");
    means("/sub/index.html/", "sub/index.html/index.html");
}

static void names_with_odd_bytes(void **state)
{
    (void)state;
    MAKE("a b/index.html", "gr\xc3\xbc\xc3\x9f" "e/index.html", "100%/index.html", "q?#/index.html",
         "a:b@c;d=e,f+g!/index.html", "caf\xc3\xa9.html", "\x01\n\t\"'<>&.html", "\xf0\x9f\x8c\x8d");
    build();
    means("/a b", "-> /a b/");
    means("/a b/", "a b/index.html");
    means("/gr\xc3\xbc\xc3\x9f" "e", "-> /gr\xc3\xbc\xc3\x9f" "e/");
    means("/100%", "-> /100%/");
    means("/q?#", "-> /q?#/");
    means("/a:b@c;d=e,f+g!", "-> /a:b@c;d=e,f+g!/");
    means("/caf\xc3\xa9", "caf\xc3\xa9.html");
    means("/\x01\n\t\"'<>&", "\x01\n\t\"'<>&.html");
    means("/\xf0\x9f\x8c\x8d", "\xf0\x9f\x8c\x8d");
    means("/a%20b", "");
    means("/\xf0\x9f\x8c", "");
}

static void page_by_its_file_only(void **state)
{
    (void)state;
    MAKE("404.html", "docs/index.html");
    build();
    assert_string_equal(page_at(site, "/404.html")->path, "/404.html");
    assert_string_equal(page_at(site, "/docs/index.html")->path, "/docs/index.html");
    assert_null(site_page(site, SLICE("/404")));
    assert_null(site_page(site, SLICE("/docs")));
    assert_null(site_page(site, SLICE("/docs/")));
    assert_null(site_page(site, SLICE("/50x.html")));
    assert_null(site_page(site, SLICE("")));
}

static void empty_site(void **state)
{
    (void)state;
    build();
    means("/", "");
    means("/x", "");
    assert_int_equal(site_stats(site).pages, 0);
}

/* Enough for slots to be shared, and every size of key for which the hash has a way of its own. */
static void many_addresses(void **state)
{
    char path[600], expected[600];
    (void)state;

    for (unsigned i = 0; i < 600; i++) {
        snprintf(path, sizeof path, "root/%0*u.html", (int)(i % 200) + 1, i);
        scratch_write(&scratch, path, "x");
    }
    build();
    for (unsigned i = 0; i < 600; i++) {
        snprintf(path, sizeof path, "/%0*u.html", (int)(i % 200) + 1, i);
        strcpy(expected, path + 1);
        means(path, expected);
        path[strlen(path) - 5] = '\0';
        means(path, expected);
        path[strlen(path) - 1] = '!';
        means(path, "");
        strcat(path, "!");
        means(path, "");
    }
}

/* Names of one size which all but the last look takes for each other: with this seed their hashes agree in the slot
 * and in the tag. They differ at each place where the comparison could look too briefly. */
static void hashes_alike(void **state)
{
    static const struct {
        uint64_t seed;
        const char *file, *other;
    } cases[] = {
        { 39461, "/Jj", "/zN" },
        { 1, "/ydc", "/XJk" },
        { 3290, "/5txyz", "/E6xyz" },
        { 1, "/abcy-5", "/abcdiH" },
        { 1, "/h3gaefgh.txt", "/QhBeefgh.txt" },
        { 1, "/abcdefg.F2va", "/abcdefg._HZf" },
        { 1, "/abcdefg.xy.nhpa", "/abcdefg.xy.mWZf" },
        { 1, "/abcdefg-DwFawxyz-abc", "/abcdefg-0Z7ewxyz-abc" },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t hash = XXH3_64bits_withSeed(cases[i].file, strlen(cases[i].file), cases[i].seed);
        uint64_t other = XXH3_64bits_withSeed(cases[i].other, strlen(cases[i].other), cases[i].seed);
        assert_int_equal(hash >> 32, other >> 32);
        assert_int_equal(hash & 3, other & 3); /* one page has a table of four slots */
        forced_seed = cases[i].seed;
        MAKE(cases[i].file + 1);
        build();
        means(cases[i].file, cases[i].file + 1);
        means(cases[i].other, "");
        end(NULL);
        start(NULL);
    }
}

/* ---- Memory ---------------------------------------------------------------------------------------------------- */

static void what_is_in_memory_is_counted(void **state)
{
    struct site_stats stats;
    (void)state;

    MAKE("a", "bcd", "efg.html", "efg.html.gz");
    build();
    stats = site_stats(site);
    assert_int_equal(stats.pages, 3);
    assert_int_equal(stats.bytes, 12);
    assert_int_equal(stats.pages_in_memory, 0);
    load_into_memory(page_at(site, "/bcd"));
    load_into_memory(page_at(site, "/efg.html"));
    stats = site_stats(site);
    assert_int_equal(stats.pages_in_memory, 2);
    assert_int_equal(stats.bytes_in_memory, 11);
}

static void skipped_ones_are_counted(void **state)
{
    (void)state;
    MAKE("a");
    scratch_link(&scratch, "root/out", "/etc/passwd");
    scratch_write(&scratch, "root/\xff", "x");
    build();
    assert_int_equal(site_stats(site).skipped, 2);
    assert_int_equal(site_stats(site).pages, 1);
    means("/out", "");
}

static void many_skips_are_summed_up(void **state)
{
    char path[32];
    (void)state;

    for (unsigned i = 0; i < SKIPS_TOLD + 3; i++) {
        snprintf(path, sizeof path, "root/%u\xff", i);
        scratch_write(&scratch, path, "x");
    }
    build();
    expect_line("not served: 3 more\n");
}

/* ---- Faults ---------------------------------------------------------------------------------------------------- */

static void no_root(void **state)
{
    (void)state;
    assert_null(site_build(&(struct site_config){ .root = "/nonexistent" }, &store, NULL, NULL));
    assert_int_equal(errno, ENOENT);
    scratch_write(&scratch, "file", "x");
    char path[128];
    snprintf(path, sizeof path, "%s/file", scratch.folder);
    assert_null(site_build(&(struct site_config){ .root = path }, &store, NULL, NULL));
    assert_int_equal(errno, ENOTDIR);
    site_unref(NULL);
}

static void unreadable_root(void **state)
{
    (void)state;
    assert_int_equal(fchmodat(scratch.fd, "root", 0, 0), 0);
    scratch_drop_root();
    assert_null(site_build(&config, &store, NULL, NULL));
    assert_int_equal(errno, EACCES);
    scratch_regain_root();
    assert_int_equal(fchmodat(scratch.fd, "root", 0755, 0), 0);
}

/* It may be opened, but not where we are: the walk's own complaint. */
static void a_root_without_names(void **state)
{
    (void)state;
    MAKE("a");
    build();
    struct site *first = site;
    site = NULL;
    assert_int_equal(unlinkat(scratch.fd, "root/a", 0), 0);
    assert_int_equal(unlinkat(scratch.fd, "root", AT_REMOVEDIR), 0);
    assert_null(next_site(first, (const char *[]){ "*", NULL }));
    assert_int_equal(errno, ENOENT);
    assert_non_null(page_at(first, "/a")); /* what was served goes on being served */
    site_unref(first);
    scratch_mkdir(&scratch, "root");
}

static void every_allocation_may_fail(void **state)
{
    unsigned failures = 0;
    (void)state;

    MAKE("index.html", "a.html", "docs/index.html", "x y/index.html", "a.html.gz");
    for (int i = 0; !site; i++) {
        assert_true(i < 100);
        errno = 0;
        allocations_left = i;
        site = site_build(&config, &store, NULL, NULL);
        allocations_left = -1;
        if (!site) {
            assert_int_equal(errno, ENOMEM);
            failures++;
        }
    }
    means("/docs", "-> /docs/");
    means("/", "index.html");
    means("/a.html.gz", "");
    assert_true(failures >= 12); /* the site, five pages, two arrays, the table, and two more to find sidecars, ... */
}

static void no_random_numbers(void **state)
{
    (void)state;
    MAKE("index.html");
    no_random = true;
    assert_null(site_build(&config, &store, NULL, NULL));
    assert_int_equal(errno, ENOSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addresses_of_a_site, start, end),
        cmocka_unit_test_setup_teardown(rivals_for_an_address, start, end),
        cmocka_unit_test_setup_teardown(names_with_odd_bytes, start, end),
        cmocka_unit_test_setup_teardown(page_by_its_file_only, start, end),
        cmocka_unit_test_setup_teardown(empty_site, start, end),
        cmocka_unit_test_setup_teardown(many_addresses, start, end),
        cmocka_unit_test_setup_teardown(hashes_alike, start, end),
        cmocka_unit_test_setup_teardown(what_is_in_memory_is_counted, start, end),
        cmocka_unit_test_setup_teardown(skipped_ones_are_counted, start, end),
        cmocka_unit_test_setup_teardown(many_skips_are_summed_up, start, end),
        cmocka_unit_test_setup_teardown(no_root, start, end),
        cmocka_unit_test_setup_teardown(unreadable_root, start, end),
        cmocka_unit_test_setup_teardown(a_root_without_names, start, end),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, start, end),
        cmocka_unit_test_setup_teardown(no_random_numbers, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
