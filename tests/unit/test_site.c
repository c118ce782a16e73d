/* The table of addresses: what each path means, who wins where two files want the same one, what is in memory, and
 * missing memory at every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/random.h>
#include <xxhash.h>

#include "scratch.h"
#include "serve/site.h"

static struct scratch scratch;
static struct site *site;

/* ---- Faults ---------------------------------------------------------------------------------------------------- */

static int allocations_left; /* -1: no limit */
static bool no_random;
static uint64_t forced_seed; /* 0: as it comes */

static bool refused(void)
{
    if (allocations_left == 0) {
        errno = ENOMEM;
        return true;
    }
    if (allocations_left > 0)
        allocations_left--;
    return false;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return refused() ? NULL : __real_calloc(count, size);
}

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

/* ---- Asking ---------------------------------------------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    allocations_left = -1;
    no_random = false;
    forced_seed = 0;
    site = NULL;
    scratch_open(&scratch);
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_free(site);
    scratch_close(&scratch);
    return 0;
}

/* Files with their own names as content; folders as they are needed. */
static void make(const char *const *paths)
{
    for (; *paths; paths++) {
        char path[256];
        snprintf(path, sizeof path, "root/%s", *paths);
        for (char *slash = strchr(path + 5, '/'); slash; slash = strchr(slash + 1, '/')) {
            *slash = '\0';
            assert_true(mkdirat(scratch.fd, path, 0755) == 0 || errno == EEXIST);
            *slash = '/';
        }
        scratch_write(&scratch, path, *paths);
    }
}

static void load(uint64_t cache_bytes)
{
    site = site_load(&scratch.files, cache_bytes, 2, &scratch.log);
    assert_non_null(site);
}

/* What a path means: the file's path, "-> location", or "". */
static const char *meaning(const char *path)
{
    static char text[512];
    struct site_match match;

    memset(&match, 0xee, sizeof match);
    site_find(site, slice_text(path), &match);
    switch (match.found) {
    case SITE_NOTHING:
        return "";
    case SITE_PAGE:
        return match.page->path.data;
    case SITE_REDIRECT:
        snprintf(text, sizeof text, "-> %.*s", (int)match.location.size, match.location.data);
        return text;
    }
    fail_msg("found %d", match.found);
    return "";
}

static void means(const char *path, const char *expected)
{
    if (strcmp(meaning(path), expected) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", path, meaning(path), expected);
}

/* ---- Addresses ------------------------------------------------------------------------------------------------- */

static void addresses_of_a_site(void **state)
{
    static const char *const cases[][2] = {
        { "/", "index.html" },
        { "/index.html", "index.html" },
        { "/index", "" },
        { "/about", "about.html" },
        { "/about.html", "about.html" },
        { "/about/", "" },
        { "/docs", "-> /docs/" },
        { "/docs/", "docs/index.html" },
        { "/docs/index.html", "docs/index.html" },
        { "/docs/index", "" },
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

    make((const char *[]){ "index.html", "about.html", "docs/index.html", "docs/more.html", "style.css", "bare/x.txt",
                           "404.html", "50x.html", ".env", ".well-known/security.txt", NULL });
    load(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        means(cases[i][0], cases[i][1]);
}

static void rivals_for_an_address(void **state)
{
    (void)state;
    make((const char *[]){ "both.html", "both/index.html",  /* /both is the page, /both/ the folder */
                           "exact", "exact.html",           /* the file itself before any other */
                           "x.html/index.html",             /* a folder that looks like a page */
                           "y.html/index.html", "y/index.html",
                           "sub/index.html/index.html", NULL });
    load(1 << 20);
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
    means("/sub", "");
    means("/sub/", "");
    means("/sub/index.html", "-> /sub/index.html/");
    means("/sub/index.html/", "sub/index.html/index.html");
}

static void locations_are_encoded(void **state)
{
    (void)state;
    make((const char *[]){ "a b/index.html", "gr\xc3\xbc\xc3\x9f" "e/index.html", "100%/index.html", "q?#/index.html",
                           "deep/er er/index.html", "a:b@c;d=e,f+g!/index.html", "caf\xc3\xa9.html", NULL });
    load(1 << 20);
    means("/a b", "-> /a%20b/");
    means("/a b/", "a b/index.html");
    means("/gr\xc3\xbc\xc3\x9f" "e", "-> /gr%C3%BC%C3%9Fe/");
    means("/100%", "-> /100%25/");
    means("/q?#", "-> /q%3F%23/");
    means("/deep/er er", "-> /deep/er%20er/");
    means("/a:b@c;d=e,f+g!", "-> /a:b@c;d=e,f+g!/");
    means("/caf\xc3\xa9", "caf\xc3\xa9.html");
    means("/a%20b", "");
}

static void page_by_its_file_only(void **state)
{
    (void)state;
    make((const char *[]){ "404.html", "docs/index.html", NULL });
    load(1 << 20);
    assert_string_equal(site_page(site, SLICE("/404.html"))->path.data, "404.html");
    assert_string_equal(site_page(site, SLICE("/docs/index.html"))->path.data, "docs/index.html");
    assert_null(site_page(site, SLICE("/404")));
    assert_null(site_page(site, SLICE("/docs")));
    assert_null(site_page(site, SLICE("/docs/")));
    assert_null(site_page(site, SLICE("/50x.html")));
    assert_null(site_page(site, SLICE("")));
}

static void empty_site(void **state)
{
    (void)state;
    load(0);
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
    load(1 << 20);
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
        make((const char *[]){ cases[i].file + 1, NULL });
        load(1 << 20);
        means(cases[i].file, cases[i].file + 1);
        means(cases[i].other, "");
        site_free(site);
        site = NULL;
        end(NULL);
        start(NULL);
    }
}

/* ---- Memory ---------------------------------------------------------------------------------------------------- */

static void sized(const char *path, size_t size)
{
    static char content[4096];
    scratch_write_bytes(&scratch, path, content, size);
}

static void stats_are(size_t pages, size_t pages_in_memory, uint64_t bytes, uint64_t bytes_in_memory)
{
    struct site_stats stats = site_stats(site);
    assert_int_equal(stats.pages, pages);
    assert_int_equal(stats.pages_in_memory, pages_in_memory);
    assert_int_equal(stats.bytes, bytes);
    assert_int_equal(stats.bytes_in_memory, bytes_in_memory);
}

static void what_fits_is_in_memory(void **state)
{
    (void)state;
    sized("root/small", 10);
    sized("root/eighth", 128);
    sized("root/more", 129);
    load(1024);
    stats_are(3, 2, 267, 138);
    assert_non_null(site_page(site, SLICE("/small"))->ok);
    assert_non_null(site_page(site, SLICE("/eighth"))->ok);
    assert_null(site_page(site, SLICE("/more"))->ok);
    assert_true(site_page(site, SLICE("/more"))->etag_size > 0);
}

static void the_budget_is_never_exceeded(void **state)
{
    char path[32];
    (void)state;

    for (unsigned i = 1; i <= 40; i++) {
        snprintf(path, sizeof path, "root/%u", i);
        sized(path, i);
    }
    for (uint64_t bytes = 0; bytes < 1000; bytes += 37) {
        site_free(site);
        load(bytes);
        struct site_stats stats = site_stats(site);
        assert_true(stats.bytes_in_memory <= bytes);
        assert_int_equal(stats.pages, 40);
        assert_int_equal(stats.bytes, 820);
    }
    site_free(site);
    load(820 * 8);
    stats_are(40, 40, 820, 820);
}

static void skipped_ones_are_counted(void **state)
{
    (void)state;
    make((const char *[]){ "a", NULL });
    scratch_link(&scratch, "root/out", "/etc/passwd");
    scratch_write(&scratch, "root/\xff", "x");
    load(1 << 20);
    assert_int_equal(site_stats(site).skipped, 2);
    assert_int_equal(site_stats(site).pages, 1);
    means("/out", "");
}

/* ---- Faults ---------------------------------------------------------------------------------------------------- */

static void unreadable_root(void **state)
{
    (void)state;
    assert_int_equal(fchmodat(scratch.fd, "root", 0, 0), 0);
    scratch_drop_root();
    assert_null(site_load(&scratch.files, 1 << 20, 2, &scratch.log));
    assert_int_equal(errno, EACCES);
    scratch_regain_root();
    assert_int_equal(fchmodat(scratch.fd, "root", 0755, 0), 0);
}

static void every_allocation_may_fail(void **state)
{
    unsigned failures = 0;
    (void)state;

    make((const char *[]){ "index.html", "a.html", "docs/index.html", "x y/index.html", NULL });
    for (int i = 0; i < 100; i++) {
        allocations_left = i;
        site = site_load(&scratch.files, 1 << 20, 1, &scratch.log);
        int error = errno;
        bool enough = allocations_left > 0;
        allocations_left = -1;
        if (!site) {
            assert_int_equal(error, ENOMEM);
            failures++;
            continue;
        }
        means("/docs", "-> /docs/"); /* what is there is whole; at worst a page is not in memory */
        means("/", "index.html");
        assert_true(!enough || site_stats(site).pages_in_memory == 4);
        site_free(site);
        site = NULL;
    }
    assert_true(failures >= 8);
}

static void no_random_numbers(void **state)
{
    (void)state;
    make((const char *[]){ "index.html", NULL });
    no_random = true;
    assert_null(site_load(&scratch.files, 1 << 20, 1, &scratch.log));
    assert_int_equal(errno, ENOSYS);
    site_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addresses_of_a_site, start, end),
        cmocka_unit_test_setup_teardown(rivals_for_an_address, start, end),
        cmocka_unit_test_setup_teardown(locations_are_encoded, start, end),
        cmocka_unit_test_setup_teardown(page_by_its_file_only, start, end),
        cmocka_unit_test_setup_teardown(empty_site, start, end),
        cmocka_unit_test_setup_teardown(many_addresses, start, end),
        cmocka_unit_test_setup_teardown(hashes_alike, start, end),
        cmocka_unit_test_setup_teardown(what_fits_is_in_memory, start, end),
        cmocka_unit_test_setup_teardown(the_budget_is_never_exceeded, start, end),
        cmocka_unit_test_setup_teardown(skipped_ones_are_counted, start, end),
        cmocka_unit_test_setup_teardown(unreadable_root, start, end),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, start, end),
        cmocka_unit_test_setup_teardown(no_random_numbers, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
