/* The walk: what of a folder has an address, what is skipped and why, loops, depth, and missing memory and
 * descriptors at every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree_fixture.h"

/* ---- Tests ----------------------------------------------------------------------------------------------------- */

static void empty_folder(void **state)
{
    (void)state;
    assert_string_equal(walked(), "");
    assert_int_equal(tree.skips.count, 0);
}

static void files_and_folders(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/a.txt", "1234");
    scratch_mkdir(&scratch, "root/docs");
    scratch_mkdir(&scratch, "root/docs/more");
    scratch_mkdir(&scratch, "root/empty");
    scratch_write(&scratch, "root/docs/index.html", "");
    scratch_write(&scratch, "root/docs/more/x", "x");
    assert_string_equal(walked(), "a.txt docs/index.html docs/more/x");
    assert_int_equal(page_in(&tree, "a.txt")->size, 4);
    assert_int_equal(tree.skips.count, 0);
    assert_string_equal(scratch.lines, "");
}

static void many_of_both(void **state)
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
    assert_int_equal(tree.count, 200);
}

static void dotfiles_are_passed_over(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/.env", "secret");
    scratch_mkdir(&scratch, "root/.git");
    scratch_write(&scratch, "root/.git/config", "secret");
    scratch_mkdir(&scratch, "root/.well-known");
    scratch_write(&scratch, "root/.well-known/security.txt", "x");
    scratch_write(&scratch, "root/.well-known/.x", "secret");
    scratch_mkdir(&scratch, "root/.well-known/acme");
    scratch_write(&scratch, "root/.well-known/acme/token", "x");
    scratch_mkdir(&scratch, "root/sub");
    scratch_mkdir(&scratch, "root/sub/.well-known");
    scratch_write(&scratch, "root/sub/.well-known/x", "secret");
    scratch_write(&scratch, "root/sub/..x", "secret");
    assert_string_equal(walked(), ".well-known/acme/token .well-known/security.txt");
    assert_int_equal(tree.skips.count, 0); /* as they should be: no word about them */
}

static void links(void **state)
{
    (void)state;
    scratch_write(&scratch, "outside.txt", "secret");
    scratch_mkdir(&scratch, "outside");
    scratch_write(&scratch, "outside/x", "secret");
    scratch_mkdir(&scratch, "root/real");
    scratch_write(&scratch, "root/real/x", "123");
    scratch_mkdir(&scratch, "root/.data");
    scratch_write(&scratch, "root/.data/y", "y");
    scratch_link(&scratch, "root/file", "real/x");
    scratch_link(&scratch, "root/folder", "real");
    scratch_link(&scratch, "root/mounted", ".data/y");
    scratch_link(&scratch, "root/out", "../outside.txt");
    scratch_link(&scratch, "root/out-folder", "../outside");
    scratch_link(&scratch, "root/absolute", "/etc/passwd");
    scratch_link(&scratch, "root/dangling", "nothing");
    scratch_link(&scratch, "root/circle", "circle");
    assert_string_equal(walked(), "file folder/x mounted real/x");
    assert_int_equal(page_in(&tree, "file")->size, 3); /* of the file, not of the link */
    assert_int_equal(tree.skips.count, 5);
    logged("not served, a link that leads out of the root: /out\n");
    logged("not served, a link that leads out of the root: /out-folder\n");
    logged("not served, a link that leads out of the root: /absolute\n");
    logged("not served, No such file or directory: /dangling\n");
    logged("not served, Too many levels of symbolic links: /circle\n");
}

static void folders_within_themselves(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    scratch_mkdir(&scratch, "root/a/b");
    scratch_mkdir(&scratch, "root/c");
    scratch_write(&scratch, "root/a/b/x", "x");
    scratch_link(&scratch, "root/a/b/self", ".");
    scratch_link(&scratch, "root/a/b/up", "..");
    scratch_link(&scratch, "root/a/b/top", "../..");
    scratch_link(&scratch, "root/here", ".");
    scratch_link(&scratch, "root/c/across", "../a");
    assert_string_equal(walked(), "a/b/x c/across/b/x");
    logged("not served, a link to a folder that it lies in: /here\n");
    logged("not served, a link to a folder that it lies in: /a/b/self\n");
    logged("not served, a link to a folder that it lies in: /a/b/up\n");
    logged("not served, a link to a folder that it lies in: /a/b/top\n");
    logged("not served, a link to a folder that it lies in: /c/across/b/top\n");
    assert_int_equal(tree.skips.count, 7);
}

static void a_pair_of_links_to_each_other(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    scratch_mkdir(&scratch, "root/b");
    scratch_write(&scratch, "root/a/x", "x");
    scratch_link(&scratch, "root/a/to-b", "../b");
    scratch_link(&scratch, "root/b/to-a", "../a");
    assert_string_equal(walked(), "a/x b/to-a/x");
    assert_int_equal(tree.skips.count, 2);
}

static void names_without_address(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/gr\xc3\xbc\xc3\x9f" "e.txt", "x");
    scratch_write(&scratch, "root/100%", "x");
    scratch_write(&scratch, "root/%2e%2e", "x");
    scratch_write(&scratch, "root/a b?#", "x");
    scratch_write(&scratch, "root/latin-\xfc", "x");
    scratch_write(&scratch, "root/overlong-\xc0\xaf", "x");
    scratch_write(&scratch, "root/back\\slash", "x");
    scratch_mkdir(&scratch, "root/folder-\xff");
    scratch_write(&scratch, "root/folder-\xff/x", "x");
    assert_string_equal(walked(), "%2e%2e 100% a b?# gr\xc3\xbc\xc3\x9f" "e.txt");
    assert_int_equal(tree.skips.count, 4);
    logged("not served, a name that is not UTF-8, or has a backslash, has no address: /back\\slash\n");
}

static void neither_file_nor_folder(void **state)
{
    (void)state;
    assert_int_equal(mkfifoat(scratch.fd, "root/fifo", 0644), 0);
    scratch_link(&scratch, "root/to-fifo", "fifo");
    assert_string_equal(walked(), "");
    assert_int_equal(tree.skips.count, 2);
    logged("not served, neither a file nor a folder: /fifo\n");
    logged(": /to-fifo\n");
}

static void names_of_every_length(void **state)
{
    char name[NAME_MAX + 1], path[NAME_MAX + 8];
    (void)state;

    memset(name, 'n', NAME_MAX);
    name[NAME_MAX] = '\0';
    snprintf(path, sizeof path, "root/%s", name);
    scratch_write(&scratch, path, "x");
    assert_string_equal(walked(), name);
}

/* Folders in folders until PATH_MAX: the last one whose path still fits is walked, in it nothing can be named. */
static void paths_too_long(void **state)
{
    char name[NAME_MAX + 1];
    int fd = openat(scratch.fd, "root", O_PATH | O_CLOEXEC);
    (void)state;

    memset(name, 'd', NAME_MAX);
    name[NAME_MAX] = '\0';
    for (unsigned i = 0; i < 17; i++) {
        assert_int_equal(mkdirat(fd, name, 0755), 0);
        int below = openat(fd, name, O_PATH | O_CLOEXEC);
        int file = openat(below, "x", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_true(below >= 0 && file >= 0);
        close(file);
        close(fd);
        fd = below;
    }
    close(fd);
    assert_true(tree_walk(&tree, &scratch.files, NULL, &scratch.log));
    /* The path of the sixteenth folder has 4095 bytes, as many as there may be: its own file has no address any
     * more. */
    assert_int_equal(tree.count, 15);
    assert_int_equal(tree.skips.count, 2); /* its file and its folder */
    logged("not served, a path in it is too long: /ddd");

    /* nftw cannot take that away: from the bottom up, by hand */
    assert_int_equal(chdir(scratch.root), 0);
    for (unsigned i = 0; i < 17; i++)
        assert_int_equal(chdir(name), 0);
    for (unsigned i = 0; i < 17; i++) {
        assert_int_equal(unlink("x"), 0);
        assert_int_equal(chdir(".."), 0);
        assert_int_equal(rmdir(name), 0);
    }
    assert_int_equal(chdir("/"), 0);
}

static void depth_has_a_limit(void **state)
{
    char path[4 * TREE_DEPTH_MAX] = "root";
    (void)state;

    for (unsigned i = 1; i <= TREE_DEPTH_MAX + 1; i++) {
        strcat(path, "/d");
        scratch_mkdir(&scratch, path);
        size_t size = strlen(path);
        strcat(path, "/x");
        scratch_write(&scratch, path, "x");
        path[size] = '\0';
    }
    walked();
    assert_int_equal(tree.count, TREE_DEPTH_MAX);
    assert_int_equal(tree.skips.count, 1);
    logged("not served, too many folders within folders: /d/d");
}

static void unreadable_folder(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/shut");
    scratch_write(&scratch, "root/shut/x", "x");
    scratch_write(&scratch, "root/a", "x");
    assert_int_equal(fchmodat(scratch.fd, "root/shut", 0, 0), 0);
    scratch_drop_root();
    assert_string_equal(walked(), "a");
    scratch_regain_root();
    assert_int_equal(fchmodat(scratch.fd, "root/shut", 0755, 0), 0);
    logged("not served, Permission denied: /shut\n");
    assert_int_equal(tree.skips.count, 1);
}

static void unreadable_root(void **state)
{
    (void)state;
    assert_int_equal(fchmodat(scratch.fd, "root", 0, 0), 0);
    scratch_drop_root();
    assert_false(tree_walk(&tree, &scratch.files, NULL, &scratch.log));
    assert_int_equal(errno, EACCES);
    scratch_regain_root();
    assert_int_equal(fchmodat(scratch.fd, "root", 0755, 0), 0);
}

static void a_folder_that_fails_while_it_is_read(void **state)
{
    (void)state;
    readdir_fails = true;
    assert_string_equal(walked(), "");
    logged("not served, Input/output error: /\n");
}

static void vanish(const char *name)
{
    if (name && strcmp(name, "x") == 0)
        assert_int_equal(unlinkat(scratch.fd, "root/x", 0), 0);
}

static void a_file_that_goes_before_it_is_looked_at(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/x", "x");
    scratch_write(&scratch, "root/y", "y");
    at_entry = vanish;
    assert_string_equal(walked(), "y");
    logged("not served, No such file or directory: /x\n");
}

static void become_a_file(const char *name)
{
    if (name)
        return;
    unlinkat(scratch.fd, "root/d", AT_REMOVEDIR);
    scratch_write(&scratch, "root/d", "x");
}

static void a_folder_that_is_a_file_when_it_is_opened(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/d");
    at_entry = become_a_file;
    assert_string_equal(walked(), "");
    logged("not served, Not a directory: /d\n");
}

static void skips_have_so_many_lines(void **state)
{
    char path[64];
    (void)state;

    for (unsigned i = 0; i < SKIPS_TOLD + 5; i++) {
        snprintf(path, sizeof path, "root/%u\xff", i);
        scratch_write(&scratch, path, "x");
    }
    assert_string_equal(walked(), "");
    assert_int_equal(tree.skips.count, SKIPS_TOLD + 5);
    unsigned lines = 0;
    for (const char *at = scratch.lines; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, SKIPS_TOLD + 1);
    logged("not served: 5 more\n");
}

/* Whether they are known or not. */
static void more_skips_are_told_where_there_are_more(void **state)
{
    struct skips skips[4];
    char path[16];
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        skips_begin(&skips[i], &scratch.log, i > 0 ? &skips[i - 1] : NULL);
        scratch.lines[0] = '\0';
        for (unsigned n = 0; n < SKIPS_TOLD + (i == 3 ? 2 : i > 0); n++) {
            snprintf(path, sizeof path, "%u", n);
            skips_add(&skips[i], 0, path, "because");
        }
        skips_end(&skips[i]);
        assert_string_equal(strstr(scratch.lines, "not served: ") ? strstr(scratch.lines, "not served: ") : "",
                            i == 1 ? "not served: 1 more\n" : i == 3 ? "not served: 2 more\n" : "");
        assert_int_equal(strstr(scratch.lines, "because: /0\n") != NULL, i == 0);
    }
}

/* What lies in a folder that is taken over is known, wherever that has moved in the order; a path for another reason is
 * another skip. */
static void skips_go_with_their_folders(void **state)
{
    struct skips before, now;
    (void)state;
    skips_begin(&before, &scratch.log, NULL);
    skips_add(&before, 3, "a", "because");
    skips_add(&before, 4, "b", "because");
    skips_end(&before);
    skips_begin(&now, &scratch.log, &before);
    skips_take_over(&now, 7, 3);
    skips_end(&now);
    assert_int_equal(now.count, 1);
    scratch.lines[0] = '\0';
    skips_begin(&before, &scratch.log, &now);
    skips_take_over(&before, 1, 3);
    assert_int_equal(before.count, 0);
    skips_take_over(&before, 1, 7);
    skips_add(&before, 1, "a", "because");
    assert_string_equal(scratch.lines, "");
    skips_add(&before, 1, "b", "because");
    skips_add(&before, 1, "a", "whatever");
    assert_string_equal(scratch.lines, "not served, because: /b\nnot served, whatever: /a\n");
    skips_end(&before);
}

/* Folders lie in the order in which they were found, and so do their pages. */
static void folders_know_what_is_theirs(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    scratch_mkdir(&scratch, "root/a/b");
    scratch_mkdir(&scratch, "root/c");
    scratch_write(&scratch, "root/x", "x");
    scratch_write(&scratch, "root/a/x", "x");
    scratch_write(&scratch, "root/a/y", "x");
    scratch_write(&scratch, "root/a/b/x", "x");
    walked();
    assert_int_equal(tree.folder_count, 4);
    for (size_t i = 0; i < tree.folder_count; i++) {
        const struct tree_folder *folder = &tree.folders[i];
        assert_int_equal(folder->path.data[folder->path.size], '\0');
        for (size_t k = 0; k < folder->page_count; k++) {
            struct slice path = slice_text(page_file(tree.pages[folder->first_page + k]));
            assert_true(slice_starts(path, folder->path));
            assert_null(strchr(path.data + folder->path.size + (i > 0), '/'));
        }
        for (size_t k = 0; k < folder->folder_count; k++)
            assert_int_equal(tree.folders[folder->first_folder + k].parent, i);
    }
    assert_int_equal(tree.folders[0].page_count, 1);
    assert_int_equal(tree.folders[0].folder_count, 2);
    assert_int_equal(tree.folders[0].parent, 0);
}

/* ---- Wants of ours --------------------------------------------------------------------------------------------- */

static void every_allocation_may_fail(void **state)
{
    bool walked_all = false;
    (void)state;

    make_many();
    for (int i = 0; !walked_all; i++) {
        assert_true(i < 1000);
        discard(&tree);
        allocations_left = i;
        walked_all = tree_walk(&tree, &scratch.files, NULL, &scratch.log);
        if (!walked_all)
            assert_int_equal(errno, ENOMEM);
    }
    allocations_left = -1;
    assert_int_equal(tree.count, 70);
    assert_string_equal(scratch.lines, "");
}

/* Then it would be a tree with holes, and nothing on the disk is to blame. */
static void no_descriptors_no_tree(void **state)
{
    struct rlimit before, few;
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)state;

    make_folders();
    scratch_link(&scratch, "root/c/link", "x");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    close(next);
    for (rlim_t i = 0; i < 2; i++) { /* a folder, and then what is behind a link in it */
        struct tree holes;
        few = (struct rlimit){ (rlim_t)next + i, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        bool whole = tree_walk(&holes, &scratch.files, NULL, &scratch.log);
        int error = errno;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        discard(&holes);
        assert_false(whole);
        assert_int_equal(error, EMFILE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_folder, start, end),
        cmocka_unit_test_setup_teardown(files_and_folders, start, end),
        cmocka_unit_test_setup_teardown(many_of_both, start, end),
        cmocka_unit_test_setup_teardown(dotfiles_are_passed_over, start, end),
        cmocka_unit_test_setup_teardown(links, start, end),
        cmocka_unit_test_setup_teardown(folders_within_themselves, start, end),
        cmocka_unit_test_setup_teardown(a_pair_of_links_to_each_other, start, end),
        cmocka_unit_test_setup_teardown(names_without_address, start, end),
        cmocka_unit_test_setup_teardown(neither_file_nor_folder, start, end),
        cmocka_unit_test_setup_teardown(names_of_every_length, start, end),
        cmocka_unit_test_setup_teardown(paths_too_long, start, end),
        cmocka_unit_test_setup_teardown(depth_has_a_limit, start, end),
        cmocka_unit_test_setup_teardown(unreadable_folder, start, end),
        cmocka_unit_test_setup_teardown(unreadable_root, start, end),
        cmocka_unit_test_setup_teardown(a_folder_that_fails_while_it_is_read, start, end),
        cmocka_unit_test_setup_teardown(a_file_that_goes_before_it_is_looked_at, start, end),
        cmocka_unit_test_setup_teardown(a_folder_that_is_a_file_when_it_is_opened, start, end),
        cmocka_unit_test_setup_teardown(skips_have_so_many_lines, start, end),
        cmocka_unit_test_setup_teardown(more_skips_are_told_where_there_are_more, start, end),
        cmocka_unit_test_setup_teardown(skips_go_with_their_folders, start, end),
        cmocka_unit_test_setup_teardown(folders_know_what_is_theirs, start, end),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, start, end),
        cmocka_unit_test_setup_teardown(no_descriptors_no_tree, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
