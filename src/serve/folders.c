/* Names are found by a hash of parent and name, so that a folder of 50,000 folders is no slower than one of five. A
 * path is put together from names when it is needed, which spares memory where trees are deep. */
#include "serve/folders.h"

#include <errno.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/writer.h"
#include "serve/tree.h"

_Static_assert(PATH_MAX <= UINT16_MAX, "the size of a path fits");

void folders_init(struct folders *folders)
{
    *folders = (struct folders){ .report = 1 };
    list_init(&folders->dirty);
    list_init(&folders->linking);
}

void folders_fini(struct folders *folders)
{
    chains_fini(&folders->by_name);
}

static uint64_t hash_of(const struct folder *parent, struct slice name)
{
    return XXH3_64bits_withSeed(name.data, name.size, (uint64_t)(uintptr_t)parent);
}

static size_t path_size(const struct folder *parent, struct slice name)
{
    if (!parent)
        return 0;
    return parent->path_size + (parent->path_size > 0) + name.size;
}

/* 0, or errno. */
static int refuse(const struct folders *folders, const struct folder *parent, struct slice name)
{
    if (path_size(parent, name) >= PATH_MAX)
        return ENAMETOOLONG;
    if (parent && parent->depth == TREE_DEPTH_MAX)
        return ELOOP;
    return folders->by_name.count == FOLDERS_MAX ? ENOSPC : 0;
}

static struct folder *make(struct folder *parent, struct slice name)
{
    struct folder *folder = calloc(1, sizeof *folder + name.size);
    if (!folder)
        return NULL;
    folder->parent = parent;
    folder->depth = parent ? parent->depth + 1 : 0;
    folder->path_size = (uint16_t)path_size(parent, name);
    folder->name_size = (uint16_t)name.size;
    memcpy(folder->name, name.data, name.size);
    list_init(&folder->children);
    list_init(&folder->sibling);
    list_init(&folder->todo);
    list_init(&folder->dirty);
    list_init(&folder->linking);
    list_init(&folder->watched);
    return folder;
}

struct folder *folders_add(struct folders *folders, struct folder *parent, struct slice name)
{
    errno = refuse(folders, parent, name);
    struct folder *folder = errno == 0 ? make(parent, name) : NULL;
    if (!folder)
        return NULL;
    if (!chains_add(&folders->by_name, &folder->chained, hash_of(parent, name))) {
        free(folder);
        errno = ENOMEM;
        return NULL;
    }
    if (!parent) {
        folders->root = folder;
        return folder;
    }
    list_append(&parent->children, &folder->sibling);
    folder->covered = parent->covered; /* if it is this report's */
    return folder;
}

struct folder *folders_find(const struct folders *folders, const struct folder *parent, struct slice name)
{
    struct chained *chained = chains_first(&folders->by_name, hash_of(parent, name));
    for (; chained; chained = chains_next(chained)) {
        struct folder *folder = LINK_OWNER(chained, struct folder, chained);
        if (folder->parent == parent && slice_equal(slice_make(folder->name, folder->name_size), name))
            return folder;
    }
    return NULL;
}

static void unmark(struct folders *folders, struct folder *folder)
{
    if (list_empty(&folder->dirty))
        return;
    list_remove(&folder->dirty);
    folder->beneath = false;
    folders->dirty_count--;
    folders->dirty_bytes -= folder->path_size + 1u;
}

void folders_remove(struct folders *folders, struct folder *folder)
{
    unmark(folders, folder);
    chains_remove(&folders->by_name, &folder->chained);
    list_remove(&folder->sibling);
    list_remove(&folder->todo);
    list_remove(&folder->linking);
    list_remove(&folder->watched);
    if (folders->root == folder)
        folders->root = NULL;
    free(folder);
}

void folders_mark(struct folders *folders, struct folder *folder, bool beneath)
{
    folders->marks++;
    if (folder->covered == folders->report)
        return;
    if (beneath) {
        folder->beneath = true;
        folder->covered = folders->report;
    }
    if (!list_empty(&folder->dirty))
        return;
    list_append(&folders->dirty, &folder->dirty);
    folders->dirty_count++;
    folders->dirty_bytes += folder->path_size + 1u;
}

void folders_unmark_all(struct folders *folders)
{
    while (!list_empty(&folders->dirty))
        unmark(folders, LINK_OWNER(folders->dirty.next, struct folder, dirty));
    folders->report++;
}

size_t folder_path(const struct folder *folder, char path[static PATH_MAX])
{
    size_t size = folder->path_size, at = size;

    path[size] = '\0';
    for (; folder->parent; folder = folder->parent) {
        at -= folder->name_size;
        memcpy(path + at, folder->name, folder->name_size);
        if (at > 0)
            path[--at] = '/';
    }
    return size;
}

/* A block with the changes, `count` entries, and `bytes` for their paths. */
static struct changes *make_changes(size_t count, size_t bytes, struct writer *paths)
{
    struct changes *changes = malloc(sizeof *changes + count * sizeof(struct change) + bytes);
    if (!changes)
        return NULL;
    *changes = (struct changes){ .at = (struct change *)(changes + 1) };
    *paths = writer_on(changes->at + count, bytes);
    return changes;
}

static struct changes *everything(void)
{
    struct writer paths;
    struct changes *changes = make_changes(1, 0, &paths);
    if (changes)
        changes->at[changes->count++] = (struct change){ SLICE(""), true };
    return changes;
}

struct changes *folders_changes(const struct folders *folders, size_t count_max)
{
    char path[PATH_MAX];
    struct writer paths;

    if (folders->dirty_count > count_max)
        return everything();
    struct changes *changes = make_changes(folders->dirty_count, folders->dirty_bytes, &paths);
    if (!changes)
        return NULL;
    for (const struct link *link = folders->dirty.next; link != &folders->dirty; link = link->next) {
        const struct folder *folder = LINK_OWNER(link, struct folder, dirty);
        size_t size = folder_path(folder, path);
        changes->at[changes->count++] = (struct change){ slice_make(paths.at, size), folder->beneath };
        writer_bytes(&paths, path, size + 1); /* with its NUL */
    }
    changes_sort(changes);
    return changes;
}
