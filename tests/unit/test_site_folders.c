/* Folders by their addresses: which are found, which are not, and which have no address at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "failing_memory.h"
#include "serve/site_folders.h"

enum { ROOT, DOCS, DOCS_A, DOCS_DASH, CLOSED, LOOP, BEHIND_LOOP, UMLAUT, FOLDER_COUNT };

/* In no order, as a walk finds them. */
static struct tree_folder folders[FOLDER_COUNT] = {
    [ROOT] = { .path = SLICE_INIT(""), .device = 1, .inode = 10 },
    [DOCS] = { .path = SLICE_INIT("docs"), .device = 1, .inode = 11 },
    [DOCS_DASH] = { .path = SLICE_INIT("docs-old"), .device = 1, .inode = 12 },
    [DOCS_A] = { .path = SLICE_INIT("docs/a"), .parent = DOCS, .device = 1, .inode = 13 },
    [CLOSED] = { .path = SLICE_INIT("closed") }, /* could not be opened */
    [LOOP] = { .path = SLICE_INIT("docs/a/loop"), .parent = DOCS_A, .device = 1, .inode = 11 },
    [BEHIND_LOOP] = { .path = SLICE_INIT("docs/a/x"), .parent = DOCS_A, .device = 2, .inode = 11 },
    [UMLAUT] = { .path = SLICE_INIT("\xc3\xa4 b"), .device = 1, .inode = 15 },
};

static const struct site site = { .tree = { .folders = folders, .folder_count = FOLDER_COUNT } };

static void finds_folders(void **state)
{
    static const struct {
        const char *path;
        int folder; /* -1: none */
    } rows[] = {
        { "/", ROOT }, { "/docs/", DOCS }, { "/docs", DOCS }, { "/docs/a/", DOCS_A }, { "/docs/a", DOCS_A },
        { "/docs-old/", DOCS_DASH }, { "/docs/a/x/", BEHIND_LOOP }, { "/\xc3\xa4 b/", UMLAUT },
        { "", -1 }, { "//", -1 }, { "/doc", -1 }, { "/doc/", -1 }, { "/docs//", -1 }, { "/docs/b/", -1 }, { "/z/", -1 },
        { "/Docs/", -1 }, { "/!/", -1 }, { "/closed/", -1 }, { "/closed", -1 }, { "/docs/a/loop/", -1 },
    };
    (void)state;
    struct site_folders *found = site_folders_new(&site);
    assert_non_null(found);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t folder = FOLDER_COUNT;
        bool is = site_folders_find(found, slice_text(rows[i].path), &folder);
        if (is != (rows[i].folder >= 0) || (is && folder != (size_t)rows[i].folder))
            fail_msg("\"%s\": %d %zu", rows[i].path, is, folder);
    }
    site_folders_free(found);
}

static void finds_nothing_in_nothing(void **state)
{
    size_t folder;
    (void)state;
    assert_false(site_folders_find(NULL, SLICE("/"), &folder));
    site_folders_free(NULL);
}

static void knows_what_is_served(void **state)
{
    (void)state;
    for (size_t i = 0; i < FOLDER_COUNT; i++)
        assert_int_equal(site_folders_served(&site.tree, i), i != CLOSED && i != LOOP);
}

static void does_without_memory(void **state)
{
    (void)state;
    allocations_left = 0;
    assert_null(site_folders_new(&site));
    allocations_left = -1;
}

enum { MANY = 10000 };

static void finds_each_of_many(void **state)
{
    static struct tree_folder many[MANY];
    static char names[MANY][16];
    struct site large = { .tree = { .folders = many, .folder_count = MANY } };
    char path[24];
    size_t folder;
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%zu", i * 7919 % MANY);
        many[i] = (struct tree_folder){ .path = i ? slice_text(names[i]) : SLICE(""), .inode = i + 1 };
    }
    struct site_folders *found = site_folders_new(&large);
    assert_non_null(found);
    for (size_t i = 1; i < MANY; i++) {
        snprintf(path, sizeof path, "/%s/", names[i]);
        assert_true(site_folders_find(found, slice_text(path), &folder));
        assert_int_equal(folder, i);
    }
    assert_false(site_folders_find(found, SLICE("/10000/"), &folder));
    site_folders_free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_folders),
        cmocka_unit_test(finds_nothing_in_nothing),
        cmocka_unit_test(knows_what_is_served),
        cmocka_unit_test(does_without_memory),
        cmocka_unit_test(finds_each_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
