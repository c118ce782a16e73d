/* A sorted array: some 20 comparisons find one of a million folders, and four bytes each remember them. */
#include "serve/site_folders.h"

#include <stdlib.h>

struct site_folders {
    const struct tree *tree;
    size_t count;
    uint32_t at[]; /* indexes of the tree's folders, by path */
};

bool site_folders_served(const struct tree *tree, size_t folder)
{
    const struct tree_folder *self = &tree->folders[folder];
    while (folder != 0) {
        folder = tree->folders[folder].parent;
        if (tree->folders[folder].inode == self->inode && tree->folders[folder].device == self->device)
            return false;
    }
    return self->inode != 0;
}

static int compare(struct slice a, struct slice b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_folders(const void *left, const void *right, void *user)
{
    const struct tree *tree = user;
    const uint32_t *a = left, *b = right;
    return compare(tree->folders[*a].path, tree->folders[*b].path);
}

struct site_folders *site_folders_new(const struct site *site)
{
    const struct tree *tree = &site->tree;
    struct site_folders *folders = malloc(sizeof *folders + tree->folder_count * sizeof folders->at[0]);
    if (!folders)
        return NULL;
    folders->tree = tree;
    folders->count = 0;
    for (size_t i = 0; i < tree->folder_count; i++)
        if (site_folders_served(tree, i))
            folders->at[folders->count++] = (uint32_t)i;
    qsort_r(folders->at, folders->count, sizeof folders->at[0], compare_folders, (void *)tree);
    return folders;
}

void site_folders_free(struct site_folders *folders)
{
    free(folders);
}

static bool find(const struct site_folders *folders, struct slice path, size_t *folder)
{
    size_t from = 0, to = folders->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = compare(folders->tree->folders[folders->at[middle]].path, path);
        if (order == 0) {
            *folder = folders->at[middle];
            return true;
        }
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

bool site_folders_find(const struct site_folders *folders, struct slice path, size_t *folder)
{
    if (!folders || path.size == 0)
        return false;
    struct slice inner = slice_skip(path, 1);
    if (slice_ends(inner, SLICE("/")))
        inner.size--;
    if (inner.size == 0 && path.size > 1) /* "//" is not the root, which has the empty path */
        return false;
    return find(folders, inner, folder);
}
