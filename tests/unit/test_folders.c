/* The folders that the watcher knows: names and paths, limits at their edges, marks, and what is made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve/folders.h"
#include "serve/tree.h"

static int allocations_left = -1; /* -1: no limit */

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

static struct folders folders;

static int start(void **state)
{
    (void)state;
    folders_init(&folders);
    assert_non_null(folders_add(&folders, NULL, SLICE("")));
    return 0;
}

static void drop(struct folder *folder)
{
    while (!list_empty(&folder->children))
        drop(LINK_OWNER(folder->children.next, struct folder, sibling));
    folders_remove(&folders, folder);
}

static int end(void **state)
{
    (void)state;
    allocations_left = -1;
    if (folders.root)
        drop(folders.root);
    assert_int_equal(folders.by_name.count, 0);
    assert_int_equal(folders.dirty_count, 0);
    assert_int_equal(folders.dirty_bytes, 0);
    folders_fini(&folders);
    return 0;
}

/* The folder at this path, made where it is missing. */
static struct folder *at(const char *path)
{
    struct folder *folder = folders.root;
    struct slice rest = slice_text(path);

    while (rest.size > 0) {
        struct slice name = slice_part(rest, 0, slice_find(rest, '/'));
        rest = slice_skip(rest, name.size + (name.size < rest.size));
        struct folder *child = folders_find(&folders, folder, name);
        if (!child)
            child = folders_add(&folders, folder, name);
        assert_non_null(child);
        folder = child;
    }
    return folder;
}

/* What has changed: "." the root, "a" a folder, "a/" with all beneath it. */
static void changed(const char *expected)
{
    char text[512] = "";
    size_t used = 0;
    struct changes *changes = folders_changes(&folders, 8);

    assert_non_null(changes);
    assert_false(changes->root_replaced);
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->at[i];
        bool root = change->folder.size == 0 && !change->beneath;
        assert_int_equal(change->folder.data[change->folder.size], '\0');
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s", i ? " " : "", change->folder.data,
                                 root ? "." : change->beneath ? "/" : "");
    }
    free(changes);
    assert_string_equal(text, expected);
}

static void names_and_paths(void **state)
{
    char path[PATH_MAX];
    (void)state;

    assert_int_equal(folder_path(folders.root, path), 0);
    assert_string_equal(path, "");
    struct folder *deep = at("a/bc/def");
    assert_int_equal(folder_path(deep, path), 8);
    assert_string_equal(path, "a/bc/def");
    assert_int_equal(deep->depth, 3);
    assert_ptr_equal(at("a/bc/def"), deep);
    assert_null(folders_find(&folders, folders.root, SLICE("bc"))); /* not here */
    assert_null(folders_find(&folders, folders.root, SLICE("")));
    assert_non_null(folders_find(&folders, folders.root, SLICE("a")));

    drop(deep->parent);
    assert_null(folders_find(&folders, at("a"), SLICE("bc")));
    assert_true(list_empty(&at("a")->children));
}

static void deepest(void **state)
{
    struct folder *folder = folders.root;
    (void)state;

    for (unsigned i = 0; i < TREE_DEPTH_MAX; i++) {
        folder = folders_add(&folders, folder, SLICE("d"));
        assert_non_null(folder);
    }
    assert_null(folders_add(&folders, folder, SLICE("d")));
    assert_int_equal(errno, ELOOP);
}

static void longest_path(void **state)
{
    char name[NAME_MAX + 1], path[PATH_MAX];
    struct folder *folder = folders.root;
    (void)state;

    memset(name, 'n', sizeof name);
    for (unsigned i = 0; i < 15; i++) { /* 15 names and 14 slashes: 3,839 bytes */
        folder = folders_add(&folders, folder, slice_make(name, NAME_MAX));
        assert_non_null(folder);
    }
    size_t left = PATH_MAX - 1 - 1 - folder->path_size; /* a slash, a NUL */
    assert_null(folders_add(&folders, folder, slice_make(name, left + 1)));
    assert_int_equal(errno, ENAMETOOLONG);
    folder = folders_add(&folders, folder, slice_make(name, left));
    assert_non_null(folder);
    assert_int_equal(folder_path(folder, path), PATH_MAX - 1);
    assert_int_equal(strlen(path), PATH_MAX - 1);
}

static void too_many(void **state)
{
    (void)state;
    size_t count = folders.by_name.count;
    folders.by_name.count = FOLDERS_MAX; /* as if */
    assert_null(folders_add(&folders, folders.root, SLICE("a")));
    assert_int_equal(errno, ENOSPC);
    folders.by_name.count = count;
}

static void marks(void **state)
{
    (void)state;
    changed("");
    folders_mark(&folders, at("b"), false);
    folders_mark(&folders, at("a/x"), false);
    folders_mark(&folders, at("b"), false);
    changed("a/x b");
    assert_int_equal(folders.marks, 3);
    folders_mark(&folders, at("b"), true);
    folders_mark(&folders, folders.root, false);
    changed(". a/x b/");
    drop(at("a"));
    changed(". b/");
    folders_unmark_all(&folders);
    changed("");
    folders_mark(&folders, at("b"), false);
    changed("b"); /* not beneath any more */
}

static void what_is_added_beneath_is_covered(void **state)
{
    (void)state;
    folders_mark(&folders, at("new"), true);
    folders_mark(&folders, at("new/a/b"), true);
    folders_mark(&folders, at("new/a"), false);
    assert_int_equal(folders.dirty_count, 1);
    changed("new/");
    folders_unmark_all(&folders);
    folders_mark(&folders, at("new/a"), false); /* that was the last report */
    folders_mark(&folders, at("new/a/c"), true);
    changed("new/a new/a/c/");
}

static void many_changes_are_everything(void **state)
{
    char name[16];
    (void)state;

    for (unsigned i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "%u", i);
        folders_mark(&folders, at(name), false);
        if (i == 7)
            changed("0 1 2 3 4 5 6 7");
    }
    changed("/");
}

static void without_memory(void **state)
{
    (void)state;
    folders_mark(&folders, at("a"), false);
    allocations_left = 0;
    assert_null(folders_add(&folders, folders.root, SLICE("b")));
    assert_int_equal(errno, ENOMEM);
    assert_null(folders_changes(&folders, 8));
    assert_null(folders_changes(&folders, 0));
    allocations_left = -1;
    changed("a");

    struct folders none; /* the folder, but not its table */
    folders_init(&none);
    allocations_left = 1;
    assert_null(folders_add(&none, NULL, SLICE("")));
    assert_int_equal(errno, ENOMEM);
    assert_null(none.root);
    folders_fini(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_and_paths, start, end),
        cmocka_unit_test_setup_teardown(deepest, start, end),
        cmocka_unit_test_setup_teardown(longest_path, start, end),
        cmocka_unit_test_setup_teardown(too_many, start, end),
        cmocka_unit_test_setup_teardown(marks, start, end),
        cmocka_unit_test_setup_teardown(what_is_added_beneath_is_covered, start, end),
        cmocka_unit_test_setup_teardown(many_changes_are_everything, start, end),
        cmocka_unit_test_setup_teardown(without_memory, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
