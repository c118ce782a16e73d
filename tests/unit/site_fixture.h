/* What the tests of sites share: files with their own names as content, generations, and what an address means. */
#ifndef TESTS_SITE_FIXTURE_H
#define TESTS_SITE_FIXTURE_H

#include "store_fixture.h"
#include "serve/loader.h"

static struct site *site;

/* Files with their own names as content; folders as they are needed. */
static inline void make(const char *const *paths)
{
    for (; *paths; paths++) {
        char path[300];
        snprintf(path, sizeof path, "root/%s", *paths);
        for (char *slash = strchr(path + 5, '/'); slash; slash = strchr(slash + 1, '/')) {
            *slash = '\0';
            assert_true(mkdirat(scratch.fd, path, 0755) == 0 || errno == EEXIST);
            *slash = '/';
        }
        scratch_write(&scratch, path, *paths);
    }
}

#define MAKE(...) make((const char *[]){ __VA_ARGS__, NULL })

static inline void take_away(const char *path)
{
    char in_root[256];
    snprintf(in_root, sizeof in_root, "root/%s", path);
    assert_int_equal(unlinkat(scratch.fd, in_root, 0), 0);
}

static inline void build(void)
{
    site = site_build(&config, &store, NULL, NULL);
    assert_non_null(site);
}

/* The next generation, when these folders have changed (with a star: with all beneath). The one before goes, unless
 * `before` takes it. */
static inline struct site *next_site(const struct site *before, const char *const *changed)
{
    struct change at[8];
    struct changes changes = { .at = at };

    for (; *changed; changed++) {
        struct slice folder = slice_text(*changed);
        bool beneath = slice_ends(folder, SLICE("*"));
        at[changes.count++] = (struct change){ slice_part(folder, 0, folder.size - beneath), beneath };
    }
    changes_sort(&changes);
    return site_build(&config, &store, before, &changes);
}

static inline void renew(const char *const *changed, struct site **before)
{
    struct site *old = site;
    site = next_site(old, changed);
    assert_non_null(site);
    if (before)
        *before = old;
    else
        site_unref(old);
}

#define RENEW(before, ...) renew((const char *[]){ __VA_ARGS__ __VA_OPT__(,) NULL }, before)

static inline struct page *page_at(const struct site *in, const char *path)
{
    return site_page(in, slice_text(path));
}

/* What a path means: the file's path, "-> folder", or "". */
static inline const char *meaning(const char *path)
{
    static char text[512];
    struct site_match match;
    struct slice folder;

    memset(&match, 0xee, sizeof match);
    site_find(site, slice_text(path), &match);
    switch (match.found) {
    case SITE_NOTHING:
        assert_null(match.page);
        return "";
    case SITE_PAGE:
        return page_file(match.page);
    case SITE_REDIRECT:
        folder = site_folder(match.page);
        snprintf(text, sizeof text, "-> %.*s", (int)folder.size, folder.data);
        return text;
    }
    fail_msg("found %d", match.found);
    return "";
}

static inline void means(const char *path, const char *expected)
{
    if (strcmp(meaning(path), expected) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", path, meaning(path), expected);
}

static inline void load_into_memory(struct page *page)
{
    struct page_load load;
    struct content *content = NULL;

    page_load_init(&load, &page->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD);
    assert_int_equal(loader_load(site, page, &load, &content), LOADED);
    loader_end(&store, &load, content);
    assert_non_null(content_of_page(page));
}

#endif
