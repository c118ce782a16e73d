/* What is said about a site's pages: the site's own files, `_headers` and `_redirects`, and the configuration's rules
 * and types. Which pages that makes special, and what becomes of it from one generation to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "serve/hosted.h"
#include "site_fixture.h"

static struct site *before;
static struct rules *rules;

static int start(void **state)
{
    (void)state;
    allocations_left = -1;
    site = before = NULL;
    rules = NULL;
    fixture_open(1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_unref(site);
    site_unref(before);
    rules_free(rules);
    fixture_close();
    return 0;
}

static void write_root(const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "root/%s", name);
    scratch_write(&scratch, path, text);
}

static void rule(const struct rule_spec *spec)
{
    char buffer[WHY_SIZE];
    if (!rules)
        rules = rules_new();
    assert_non_null(rules);
    config.rules = rules;
    if (!rules_add(rules, spec, (struct why){ buffer, sizeof buffer }))
        fail_msg("%s", buffer);
}

static void ruled(const char *path, bool is)
{
    assert_non_null(page_at(site, path));
    if (page_at(site, path)->ruled != is)
        fail_msg("%s is %sruled", path, is ? "not " : "");
}

/* What the prepared answer says under this name; NULL: nothing. */
static void says(const char *path, const char *name, const char *expected)
{
    const struct answer *ok;
    struct slice value = { NULL, 0 };
    if (!content_of_page(page_at(site, path)))
        load_into_memory(page_at(site, path));
    ok = content_of_page(page_at(site, path))->identity.ok;
    for (size_t i = 0; i < ok->field_count; i++)
        if (slice_equal_nocase(ok->fields[i].name, slice_text(name)))
            value = ok->fields[i].value;
    if (!slice_equal(value, slice_text(expected)) || !value.data != !expected)
        fail_msg("%s: %s: %.*s", path, name, (int)value.size, value.data ? value.data : "");
}

/* ---- The site's own files --------------------------------------------------------------------------------------- */

static void they_have_no_address(void **state)
{
    (void)state;
    MAKE("index.html", "_headers.gz", "d/_headers", "d/_redirects", "_headers.html");
    write_root("_headers", "/*\n  X-A: 1\n");
    write_root("_redirects", "/old /new\n");
    build();
    means("/_headers", "_headers.html"); /* an address that is free */
    means("/_redirects", "");
    means("/_headers.gz", "_headers.gz"); /* nobody's sidecar */
    means("/d/_headers", "d/_headers");
    means("/d/_redirects", "d/_redirects");
    says("/index.html", "X-A", "1");
    assert_int_equal(rules_count(site->redirects), 1);
    assert_ptr_equal(site->wardrobe.headers, site->headers);
}

static void without_them(void **state)
{
    (void)state;
    MAKE("index.html");
    build();
    assert_null(site->headers);
    assert_null(site->redirects);
    ruled("/index.html", false);
    says("/index.html", "Cache-Control", "no-cache");
}

static void a_link_will_do(void **state)
{
    (void)state;
    MAKE("index.html");
    write_root("words", "/*\n  X-A: 1\n");
    scratch_link(&scratch, "root/_headers", "words");
    build();
    says("/index.html", "X-A", "1");
}

static void one_that_is_too_large_is_told(void **state)
{
    static char text[HOSTED_SIZE_MAX + 1];
    (void)state;
    memset(text, '\n', sizeof text);
    MAKE("index.html");
    scratch_write_bytes(&scratch, "root/_headers", text, sizeof text);
    scratch_write_bytes(&scratch, "root/_redirects", text, sizeof text - 1);
    build();
    assert_null(site->headers);
    assert_string_equal(scratch.lines, "not used, File too large: /_headers\n");
}

static void what_is_wrong_in_them_is_told(void **state)
{
    (void)state;
    MAKE("index.html");
    write_root("_headers", "/*\n  X-A: 1\n  nonsense\n");
    write_root("_redirects", "nonsense\n/a /b\n");
    build();
    assert_non_null(strstr(scratch.lines, "_headers:3:"));
    assert_non_null(strstr(scratch.lines, "_redirects:1:"));
    says("/index.html", "X-A", "1");
    assert_int_equal(rules_count(site->redirects), 1);
}

/* ---- From one generation to the next ---------------------------------------------------------------------------- */

static void shared(const char *path, bool is)
{
    assert_int_equal(page_at(site, path) == page_at(before, path), is);
    assert_int_equal(page_at(site, path)->count, is ? 2 : 1);
}

static void renew_shared(bool is)
{
    RENEW(&before, "");
    shared("/index.html", is);
    shared("/d/x.css", is);
    site_unref(before);
    before = NULL;
}

static void another_word_renews_every_page(void **state)
{
    static const char *const names[] = { "_headers", "_redirects" };
    (void)state;
    MAKE("index.html", "d/x.css");
    build();
    for (unsigned i = 0; i < 2; i++) {
        renew_shared(true);
        write_root(names[i], "/a /b\n"); /* it appears */
        renew_shared(false);
        renew_shared(true);
        write_root(names[i], "/a /bc\n"); /* changes */
        renew_shared(false);
        renew_shared(true);
        take_away(names[i]); /* and vanishes */
        renew_shared(false);
        renew_shared(true);
    }
}

static void what_is_said_changes_with_it(void **state)
{
    (void)state;
    MAKE("index.html", "d/x.css");
    write_root("_headers", "/*\n  X-A: 1\n");
    build();
    says("/d/x.css", "X-A", "1");
    write_root("_headers", "/*\n  X-A: 22\n");
    RENEW(&before, "");
    assert_null(content_of_page(page_at(site, "/d/x.css")));
    says("/d/x.css", "X-A", "22");
    assert_int_equal(content_of_page(page_at(before, "/d/x.css"))->identity.size, 7); /* which goes on as it was */
    site_unref(before);
    before = NULL;
    take_away("_headers");
    RENEW(&before, "");
    says("/d/x.css", "X-A", NULL);
}

/* Of the same size and time: the inode tells. */
static void another_file_of_that_name(void **state)
{
    (void)state;
    MAKE("index.html", "d/x.css");
    write_root("_headers", "/*\n  X-A: 1\n");
    scratch_date(&scratch, "root/_headers", 1600000000, 0);
    build();
    scratch_write(&scratch, "next", "/*\n  X-A: 2\n");
    scratch_date(&scratch, "next", 1600000000, 0);
    assert_int_equal(renameat(scratch.fd, "next", scratch.fd, "root/_headers"), 0);
    RENEW(&before, "");
    shared("/d/x.css", false);
    says("/d/x.css", "X-A", "2");
}

/* ---- Rules ------------------------------------------------------------------------------------------------------ */

static void fields_alone_are_prepared(void **state)
{
    (void)state;
    MAKE("a.css", "b.css");
    rule(&(struct rule_spec){ .path = SLICE("/a.css"), .cache_control = SLICE("max-age=60") });
    build();
    ruled("/a.css", false);
    ruled("/b.css", false);
    says("/a.css", "Cache-Control", "max-age=60");
    says("/b.css", "Cache-Control", "no-cache");
}

static void whoever_is_treated_on_his_own(void **state)
{
    const struct rule_spec specs[] = {
        { .path = SLICE_INIT("/a"), .redirect = SLICE_INIT("/x") },
        { .path = SLICE_INIT("/b"), .rewrite = SLICE_INIT("/x") },
        { .path = SLICE_INIT("/c"), .status = 410 },
        { .path = SLICE_INIT("/d"), .basic_auth = SLICE_INIT("/passwords") },
        { .path = SLICE_INIT("/e"), .cors = SLICE_INIT("*") },
        { .path = SLICE_INIT("/f"), .redirect = SLICE_INIT("/x"), .unless_page = true },
    };
    (void)state;
    MAKE("a", "b", "c", "d", "e", "f", "g");
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        rule(&specs[i]);
    build();
    ruled("/a", true);
    ruled("/b", true);
    ruled("/c", true);
    ruled("/d", true);
    ruled("/e", true);
    ruled("/f", false); /* there is a page */
    ruled("/g", false);
}

/* A page is prepared for its path: where another address has another rule, it is not for all. */
static void addresses_with_other_rules(void **state)
{
    (void)state;
    MAKE("a.html", "b.html", "docs/index.html", "more/index.html", "x.html", "y/index.html", "z.html");
    rule(&(struct rule_spec){ .path = SLICE("/a"), .cache_control = SLICE("max-age=1") });
    rule(&(struct rule_spec){ .path = SLICE("/b.html"), .cache_control = SLICE("max-age=2") });
    rule(&(struct rule_spec){ .path = SLICE("/docs/"), .cache_control = SLICE("max-age=3") });
    rule(&(struct rule_spec){ .path = SLICE("/more"), .redirect = SLICE("/else") });
    rule(&(struct rule_spec){ .path = SLICE("/x*"), .cache_control = SLICE("max-age=4") });
    rule(&(struct rule_spec){ .path = SLICE("/y*"), .cache_control = SLICE("max-age=5") });
    build();
    ruled("/a.html", true);
    ruled("/b.html", true);
    ruled("/docs/index.html", true);
    ruled("/more/index.html", true);
    ruled("/x.html", false); /* one for all its addresses */
    ruled("/y/index.html", false);
    ruled("/z.html", false);
    says("/a.html", "Cache-Control", "no-cache");
    says("/b.html", "Cache-Control", "max-age=2");
    says("/docs/index.html", "Cache-Control", "no-cache");
    says("/x.html", "Cache-Control", "max-age=4");
}

static void redirects_where_there_is_a_page(void **state)
{
    (void)state;
    MAKE("a", "b", "c.html", "d/index.html", "e/index.html", "f.html");
    write_root("_redirects", "/a /x\n/b /x 302!\n/c /x 200!\n/d /x 301!\n/e/ /x 404!\n/f /x\n");
    build();
    assert_int_equal(rules_count(site->redirects), 6);
    ruled("/a", false);
    ruled("/b", true);
    ruled("/c.html", true);
    ruled("/d/index.html", true);
    ruled("/e/index.html", true);
    ruled("/f.html", false);
}

static void addresses_with_other_headers(void **state)
{
    (void)state;
    MAKE("a.html", "b.html", "index.html", "d/index.html", "e.css");
    write_root("_headers", "/a\n  X-A: 1\n/b*\n  X-A: 2\n/\n  X-A: 3\n/d/index.html\n  X-A: 4\n/e.css\n  X-A: 5\n");
    build();
    ruled("/a.html", true);
    ruled("/b.html", false);
    ruled("/index.html", true);
    ruled("/d/index.html", true);
    ruled("/e.css", false);
    says("/a.html", "X-A", NULL);
    says("/b.html", "X-A", "2");
    says("/d/index.html", "X-A", "4");
    says("/e.css", "X-A", "5");
}

/* A page that is taken over stays what it is. */
static void taken_over(void **state)
{
    (void)state;
    MAKE("a.html", "b.html", "d/a.html");
    config.types = &(struct site_type){ SLICE("html"), SLICE("text/x-a") };
    config.type_count = 1;
    rule(&(struct rule_spec){ .path = SLICE("/a"), .cache_control = SLICE("x") });
    rule(&(struct rule_spec){ .path = SLICE("/d/a"), .cache_control = SLICE("x") });
    build();
    MAKE("b.html.gz"); /* which makes b.html another page */
    RENEW(&before, "");
    assert_ptr_equal(page_at(site, "/a.html"), page_at(before, "/a.html"));
    assert_ptr_not_equal(page_at(site, "/b.html"), page_at(before, "/b.html"));
    ruled("/a.html", true);
    ruled("/b.html", false);
    ruled("/d/a.html", true);
    assert_true(slice_equal(page_at(site, "/a.html")->type, SLICE("text/x-a")));
    assert_true(slice_equal(page_at(site, "/b.html")->type, SLICE("text/x-a")));
    MAKE("a.html.gz", "d/a.html.gz");
    site_unref(before);
    RENEW(&before, "*");
    assert_ptr_not_equal(page_at(site, "/a.html"), page_at(before, "/a.html"));
    ruled("/a.html", true);
    ruled("/d/a.html", true);
}

/* ---- Types ------------------------------------------------------------------------------------------------------ */

static void types_by_their_ending(void **state)
{
    static const struct site_type types[] = {
        { SLICE_INIT("mjs"), SLICE_INIT("text/x-mjs") },
        { SLICE_INIT("tar.gz"), SLICE_INIT("application/x-tgz") },
        { SLICE_INIT("HTML"), SLICE_INIT("text/x-html") },
        { SLICE_INIT("mjs"), SLICE_INIT("text/x-last") },
    };
    static const struct {
        const char *path, *type;
    } rows[] = {
        { "/a.mjs", "text/x-last" }, { "/a.MJS", "text/x-last" }, { "/mjs", NULL }, { "/amjs", NULL },
        { "/a.xmjs", NULL },
        { "/a.mjs.css", "text/css; charset=utf-8" }, { "/a.tar.gz", "application/x-tgz" }, { "/gz", NULL },
        { "/index.html", "text/x-html" }, { "/d/a.b/a.mjs", "text/x-last" },
    };
    (void)state;
    config.types = types;
    config.type_count = sizeof types / sizeof *types;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        make((const char *[]){ rows[i].path + 1, NULL });
    build();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct page *page = page_at(site, rows[i].path);
        struct slice type = slice_text(rows[i].type ? rows[i].type : "application/octet-stream");
        if (!page || !slice_equal(page->type, type))
            fail_msg("%s: %.*s", rows[i].path, page ? (int)page->type.size : 0, page ? page->type.data : "");
    }
    says("/a.mjs", "Content-Type", "text/x-last");
}

/* ---- Addresses -------------------------------------------------------------------------------------------------- */

static void all_that_lead_to_a_page(void **state)
{
    static const struct {
        const char *path;
        const char *addresses[SITE_ADDRESSES_MAX];
    } rows[] = {
        { "/x.css", { "/x.css" } },
        { "/about.html", { "/about.html", "/about" } },
        { "/index.html", { "/index.html", "/" } },
        { "/docs/index.html", { "/docs/index.html", "/docs/", "/docs" } },
        { "/docs/xindex.html", { "/docs/xindex.html", "/docs/xindex" } },
    };
    struct slice addresses[SITE_ADDRESSES_MAX];
    struct site_match match;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        make((const char *[]){ rows[i].path + 1, NULL });
    build();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct page *page = page_at(site, rows[i].path);
        unsigned count = site_addresses(page, addresses);
        for (unsigned k = 0; k < SITE_ADDRESSES_MAX; k++)
            assert_int_equal(rows[i].addresses[k] != NULL, k < count);
        for (unsigned k = 0; k < count; k++) {
            assert_true(slice_equal(addresses[k], slice_text(rows[i].addresses[k])));
            site_find(site, addresses[k], &match);
            assert_ptr_equal(match.page, page);
        }
    }
}

/* ---- Faults ----------------------------------------------------------------------------------------------------- */

static void every_allocation_may_fail(void **state)
{
    unsigned failures = 0;
    (void)state;
    MAKE("index.html", "a.html");
    write_root("_headers", "/*\n  X-A: 1\n");
    build();
    before = site;
    site = NULL;
    write_root("_headers", "/*\n  X-A: 22\n");
    config.lists = true;
    for (int i = 0; !site; i++) {
        assert_true(i < 200);
        allocations_left = i;
        errno = 0;
        site = next_site(before, (const char *[]){ "", NULL });
        allocations_left = -1;
        if (!site) {
            failures++;
            assert_int_equal(errno, ENOMEM);
            assert_int_equal(page_at(before, "/a.html")->count, 1);
            continue;
        }
        if (!site->headers) { /* it was told, and the site goes without: not a reason to serve nothing */
            assert_true(scratch.lines[0] != '\0');
            site_unref(site);
            site = NULL;
        }
        scratch.lines[0] = '\0';
    }
    assert_true(failures >= 10);
    assert_non_null(site->folders);
    says("/index.html", "X-A", "22");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(they_have_no_address),
        TEST(without_them),
        TEST(a_link_will_do),
        TEST(one_that_is_too_large_is_told),
        TEST(what_is_wrong_in_them_is_told),
        TEST(another_word_renews_every_page),
        TEST(what_is_said_changes_with_it),
        TEST(another_file_of_that_name),
        TEST(fields_alone_are_prepared),
        TEST(whoever_is_treated_on_his_own),
        TEST(addresses_with_other_rules),
        TEST(redirects_where_there_is_a_page),
        TEST(addresses_with_other_headers),
        TEST(taken_over),
        TEST(types_by_their_ending),
        TEST(all_that_lead_to_a_page),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
