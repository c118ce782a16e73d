/* The walk after another one: what is taken over without a look at the disk, which pages are shared, what comes
 * and goes, and missing memory and descriptors at every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree_fixture.h"

static struct page *find_earlier_page(const void *user, struct slice path)
{
    char text[PATH_MAX];
    snprintf(text, sizeof text, "%.*s", (int)path.size, path.data);
    return page_in(user, text);
}

/* What was walked becomes what was there before; then these folders have changed. Those that end with a star, with all
 * beneath. */
static bool walk_again(const char *const *changed)
{
    struct change at[8];
    struct changes changes = { .at = at };
    struct tree_before before = { .tree = &earlier, .skips = &earlier.skips, .changes = &changes,
                                  .find = find_earlier_page, .user = &earlier };

    for (; *changed; changed++) {
        struct slice folder = slice_text(*changed);
        bool beneath = slice_ends(folder, SLICE("*"));
        at[changes.count++] = (struct change){ slice_part(folder, 0, folder.size - beneath), beneath };
    }
    changes_sort(&changes);
    folders_read = 0;
    return tree_walk(&tree, &scratch.files, &before, &scratch.log);
}

static void again(const char *const *changed)
{
    discard(&earlier);
    earlier = tree;
    tree = (struct tree){ .count = 0 };
    assert_true(walk_again(changed));
}

#define AGAIN(...) again((const char *[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static void shared(const char *path, bool is)
{
    struct page *page = page_in(&tree, path), *before = page_in(&earlier, path);
    assert_non_null(page);
    assert_int_equal(page == before, is);
    assert_int_equal(page->count, is ? 2 : 1);
}

static void nothing_has_changed(void **state)
{
    (void)state;
    make_folders();
    assert_int_equal(unlinkat(scratch.fd, "root/x", 0), 0); /* nobody says so, so nobody looks */
    AGAIN();
    assert_int_equal(folders_read, 0);
    assert_string_equal(paths_of(&tree), "a/b/x a/x c/x x");
    assert_int_equal(tree.count, earlier.count);
    assert_memory_equal(tree.pages, earlier.pages, tree.count * sizeof *tree.pages);
    assert_int_equal(tree.folder_count, earlier.folder_count);
    for (size_t i = 0; i < tree.folder_count; i++) {
        const struct tree_folder *one = &tree.folders[i], *other = &earlier.folders[i];
        assert_true(slice_equal(one->path, other->path) && one->path.data != other->path.data);
        assert_int_equal(one->parent, other->parent);
        assert_true(one->device == other->device && one->inode == other->inode);
        assert_true(one->first_page == other->first_page && one->page_count == other->page_count);
        assert_true(one->first_folder == other->first_folder && one->folder_count == other->folder_count);
    }
    AGAIN(); /* and of what was taken over it is known, too */
    assert_string_equal(paths_of(&tree), "a/b/x a/x c/x x");
    assert_int_equal(page_in(&tree, "x")->count, 2);
}

static void one_folder_has_changed(void **state)
{
    (void)state;
    make_folders();
    scratch_write(&scratch, "root/a/x", "changed");
    scratch_write(&scratch, "root/a/new", "x");
    scratch_write(&scratch, "root/a/b/x", "changed, but nobody says so");
    AGAIN("a");
    assert_int_equal(folders_read, 1);
    assert_string_equal(paths_of(&tree), "a/b/x a/new a/x c/x x");
    shared("a/x", false);
    shared("a/b/x", true);
    shared("c/x", true);
    shared("x", true);
    assert_int_equal(page_in(&tree, "a/x")->size, 7);
}

static void with_all_beneath(void **state)
{
    (void)state;
    make_folders();
    scratch_write(&scratch, "root/a/b/x", "changed");
    AGAIN("a*");
    assert_int_equal(folders_read, 2);
    shared("a/x", true); /* read, and found the same */
    shared("a/b/x", false);
    shared("c/x", true);
}

static void everything_may_have_changed(void **state)
{
    (void)state;
    make_folders();
    AGAIN("*");
    assert_int_equal(folders_read, 4);
    for (size_t i = 0; i < tree.count; i++)
        assert_int_equal(tree.pages[i]->count, 2);
}

static void folders_come_and_go(void **state)
{
    (void)state;
    make_folders();
    scratch_mkdir(&scratch, "root/d");
    scratch_mkdir(&scratch, "root/d/e");
    scratch_write(&scratch, "root/d/e/x", "x");
    AGAIN(""); /* of new folders all is read, whether somebody says so or not */
    assert_int_equal(folders_read, 3);
    assert_string_equal(paths_of(&tree), "a/b/x a/x c/x d/e/x x");
    shared("a/b/x", true);

    assert_int_equal(unlinkat(scratch.fd, "root/d/e/x", 0), 0);
    assert_int_equal(unlinkat(scratch.fd, "root/d/e", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(scratch.fd, "root/d", AT_REMOVEDIR), 0);
    AGAIN("", "d*");
    assert_int_equal(folders_read, 1);
    assert_string_equal(paths_of(&tree), "a/b/x a/x c/x x");
    shared("a/b/x", true);
}

static void a_folder_that_has_been_replaced(void **state)
{
    (void)state;
    make_folders();
    assert_int_equal(renameat(scratch.fd, "root/c", scratch.fd, "root/old"), 0);
    assert_int_equal(renameat(scratch.fd, "root/a", scratch.fd, "root/c"), 0);
    AGAIN("", "a*", "c*", "old*");
    assert_string_equal(paths_of(&tree), "c/b/x c/x old/x x");
    assert_int_equal(page_in(&tree, "c/x")->count, 1); /* another file of that name */
}

static void a_file_that_became_a_folder(void **state)
{
    (void)state;
    make_folders();
    assert_int_equal(unlinkat(scratch.fd, "root/x", 0), 0);
    scratch_mkdir(&scratch, "root/x");
    scratch_write(&scratch, "root/x/y", "x");
    AGAIN("", "x*");
    assert_string_equal(paths_of(&tree), "a/b/x a/x c/x x/y");
}

/* What could not be read is not tried again until it changes, nor told again. */
static void what_was_skipped_stays_so(void **state)
{
    (void)state;
    make_folders();
    discard(&tree);
    scratch_link(&scratch, "root/c/up", "..");
    assert_int_equal(fchmodat(scratch.fd, "root/a/b", 0, 0), 0);
    scratch_drop_root();
    assert_string_equal(walked(), "a/x c/x x");
    scratch.lines[0] = '\0';
    AGAIN("");
    assert_string_equal(paths_of(&tree), "a/x c/x x");
    assert_string_equal(scratch.lines, "");
    assert_int_equal(tree.skips.count, 2);
    AGAIN("*"); /* all is read again, and nothing is new */
    AGAIN("a", "c", "a/b");
    assert_string_equal(scratch.lines, "");
    assert_int_equal(tree.skips.count, 2);
    scratch_regain_root();
    scratch_link(&scratch, "root/c/out", "/etc/passwd");
    scratch_drop_root();
    AGAIN("c");
    assert_string_equal(scratch.lines, "not served, a link that leads out of the root: /c/out\n");
    scratch.lines[0] = '\0';
    scratch_regain_root();
    assert_int_equal(unlinkat(scratch.fd, "root/c/out", 0), 0);
    scratch_drop_root();
    AGAIN("c");
    assert_string_equal(scratch.lines, "");
    scratch_regain_root();
    scratch_link(&scratch, "root/c/out", "/etc/passwd"); /* it has gone and come back */
    AGAIN("c");
    assert_string_equal(scratch.lines, "not served, a link that leads out of the root: /c/out\n");
    assert_int_equal(fchmodat(scratch.fd, "root/a/b", 0755, 0), 0);
    AGAIN("a/b");
    assert_string_equal(paths_of(&tree), "a/b/x a/x c/x x");
}

/* Of those that were taken over the inode is known, so that a link to one of them is still seen to be a circle. */
static void circles_through_what_was_taken_over(void **state)
{
    (void)state;
    make_folders();
    AGAIN();
    scratch_link(&scratch, "root/a/b/top", "../..");
    scratch_link(&scratch, "root/a/b/up", "..");
    AGAIN("a/b");
    assert_string_equal(paths_of(&tree), "a/b/x a/x c/x x");
    logged("not served, a link to a folder that it lies in: /a/b/top\n");
    logged("not served, a link to a folder that it lies in: /a/b/up\n");
}

static void many_folders_again(void **state)
{
    char path[64];
    (void)state;

    for (unsigned i = 0; i < 200; i++) {
        snprintf(path, sizeof path, "root/%u", i);
        scratch_mkdir(&scratch, path);
        snprintf(path, sizeof path, "root/%u/f", i);
        scratch_write(&scratch, path, "x");
    }
    walked();
    for (unsigned i = 0; i < 200; i += 2) {
        snprintf(path, sizeof path, "root/%u", i);
        assert_int_equal(renameat(scratch.fd, path, scratch.fd, "moved"), 0);
        snprintf(path, sizeof path, "root/x%u", i);
        assert_int_equal(renameat(scratch.fd, "moved", scratch.fd, path), 0);
    }
    AGAIN("");
    assert_int_equal(tree.count, 200);
    assert_int_equal(folders_read, 101);
    for (unsigned i = 1; i < 200; i += 2) {
        snprintf(path, sizeof path, "%u/f", i);
        shared(path, true);
    }
}

/* ---- Wants of ours --------------------------------------------------------------------------------------------- */

static void every_allocation_may_fail_again(void **state)
{
    bool walked_all = false;
    (void)state;

    make_many();
    walked();
    earlier = tree;
    for (int i = 0; !walked_all; i++) {
        assert_true(i < 1000);
        tree = (struct tree){ .count = 0 };
        allocations_left = i;
        walked_all = walk_again((const char *[]){ "d7", NULL });
        if (walked_all)
            break;
        assert_int_equal(errno, ENOMEM);
        discard(&tree);
        for (size_t k = 0; k < earlier.count; k++)
            assert_int_equal(earlier.pages[k]->count, 1);
    }
    allocations_left = -1;
    assert_int_equal(tree.count, 70);
    assert_int_equal(tree.pages[0]->count, 2);
}

/* Also in the midst of it. */
static void no_descriptor_for_a_folder(void **state)
{
    (void)state;
    make_folders();
    earlier = tree;
    tree = (struct tree){ .count = 0 };

    struct rlimit before;
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ (rlim_t)next, before.rlim_max }), 0);
    bool whole = walk_again((const char *[]){ "a/b", NULL }); /* the others need none */
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(whole);
    assert_int_equal(error, EMFILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_has_changed, start, end),
        cmocka_unit_test_setup_teardown(one_folder_has_changed, start, end),
        cmocka_unit_test_setup_teardown(with_all_beneath, start, end),
        cmocka_unit_test_setup_teardown(everything_may_have_changed, start, end),
        cmocka_unit_test_setup_teardown(folders_come_and_go, start, end),
        cmocka_unit_test_setup_teardown(a_folder_that_has_been_replaced, start, end),
        cmocka_unit_test_setup_teardown(a_file_that_became_a_folder, start, end),
        cmocka_unit_test_setup_teardown(what_was_skipped_stays_so, start, end),
        cmocka_unit_test_setup_teardown(circles_through_what_was_taken_over, start, end),
        cmocka_unit_test_setup_teardown(many_folders_again, start, end),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail_again, start, end),
        cmocka_unit_test_setup_teardown(no_descriptor_for_a_folder, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
