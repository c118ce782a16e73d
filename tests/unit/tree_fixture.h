/* What the tests of the walk share: memory and folders that fail, a tree beside the one before it, and its paths. */
#ifndef TESTS_TREE_FIXTURE_H
#define TESTS_TREE_FIXTURE_H

#include <dirent.h>
#include <sys/resource.h>

#include "scratch.h"
#include "serve/tree.h"

/* ---- Faults --------------------------------------------------------------------------------------------------- */

static int allocations_left = -1; /* -1: no limit */
static bool readdir_fails;
static void (*at_entry)(const char *name); /* of each that is found, and with NULL at the end of a folder */
static unsigned folders_read;

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

void *__real_reallocarray(void *block, size_t count, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
    return refused() ? NULL : __real_reallocarray(block, count, size);
}

DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd)
{
    folders_read++;
    return refused() ? NULL : __real_fdopendir(fd);
}

/* readdir under the name that it has with 64-bit offsets, which Meson asks for. */
struct dirent *__real_readdir64(DIR *folder);
struct dirent *__wrap_readdir64(DIR *folder);
struct dirent *__wrap_readdir64(DIR *folder)
{
    if (readdir_fails) {
        errno = EIO;
        return NULL;
    }
    struct dirent *entry = __real_readdir64(folder);
    if (at_entry)
        at_entry(entry ? entry->d_name : NULL);
    return entry;
}

/* ---- Looking at a tree ----------------------------------------------------------------------------------------- */

static struct scratch scratch;
static struct tree tree, earlier;

/* The pages whose only holder this tree is go with it. */
static void discard(struct tree *old)
{
    for (size_t i = 0; i < old->count; i++)
        if (atomic_fetch_sub(&old->pages[i]->count, 1) == 1)
            page_free(old->pages[i]);
    tree_fini(old);
}

static int start(void **state)
{
    (void)state;
    allocations_left = -1;
    readdir_fails = false;
    at_entry = NULL;
    folders_read = 0;
    earlier = tree = (struct tree){ .count = 0 };
    scratch_open(&scratch);
    return 0;
}

static int end(void **state)
{
    (void)state;
    discard(&tree);
    discard(&earlier);
    scratch_close(&scratch);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp((*(struct page *const *)a)->path, (*(struct page *const *)b)->path);
}

/* The paths, sorted, joined by spaces. The tree's own order stays as it is. */
static inline const char *paths_of(const struct tree *of)
{
    static char text[16 * 1024];
    struct page **sorted = calloc(of->count + 1, sizeof *sorted);
    char *at = text;

    for (size_t i = 0; i < of->count; i++)
        sorted[i] = of->pages[i];
    qsort(sorted, of->count, sizeof *sorted, by_path);
    text[0] = '\0';
    for (size_t i = 0; i < of->count; i++)
        at += sprintf(at, "%s%s", i ? " " : "", page_file(sorted[i]));
    free(sorted);
    return text;
}

static inline const char *walked(void)
{
    assert_true(tree_walk(&tree, &scratch.files, NULL, &scratch.log));
    return paths_of(&tree);
}

static inline struct page *page_in(const struct tree *in, const char *path)
{
    for (size_t i = 0; i < in->count; i++)
        if (strcmp(page_file(in->pages[i]), path) == 0)
            return in->pages[i];
    return NULL;
}

static void logged(const char *line)
{
    if (!strstr(scratch.lines, line))
        fail_msg("no line \"%s\" in:\n%s", line, scratch.lines);
}

static void make_folders(void)
{
    scratch_mkdir(&scratch, "root/a");
    scratch_mkdir(&scratch, "root/a/b");
    scratch_mkdir(&scratch, "root/c");
    scratch_write(&scratch, "root/x", "x");
    scratch_write(&scratch, "root/a/x", "x");
    scratch_write(&scratch, "root/a/b/x", "x");
    scratch_write(&scratch, "root/c/x", "x");
    assert_string_equal(walked(), "a/b/x a/x c/x x");
}

static void make_many(void)
{
    char path[64];
    for (unsigned i = 0; i < 70; i++) { /* more than the first room for folders and pages */
        snprintf(path, sizeof path, "root/d%u", i);
        scratch_mkdir(&scratch, path);
        snprintf(path, sizeof path, "root/f%u", i);
        scratch_write(&scratch, path, "x");
    }
}

#endif
