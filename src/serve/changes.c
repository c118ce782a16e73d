/* Paths are ordered as if a slash came before every other byte, so that what lies beneath a folder stands right behind
 * it: "a", "a/b", "a-b". Then the one entry that can cover a path is the last one that is not behind it. */
#include "serve/changes.h"

#include <stdlib.h>

static unsigned rank(char c)
{
    return c == '/' ? 0 : (unsigned)(unsigned char)c + 1;
}

static int compare(struct slice a, struct slice b)
{
    size_t size = a.size < b.size ? a.size : b.size, i = 0;
    while (i < size && a.data[i] == b.data[i])
        i++;
    if (i < size)
        return rank(a.data[i]) < rank(b.data[i]) ? -1 : 1;
    return (a.size > b.size) - (a.size < b.size);
}

/* Of two entries for one folder, first the one that covers the other. */
static int by_path(const void *a, const void *b)
{
    const struct change *left = a, *right = b;
    int order = compare(left->folder, right->folder);
    return order ? order : (int)right->beneath - (int)left->beneath;
}

static bool inside(struct slice folder, struct slice path)
{
    return folder.size == 0 ||
           (path.size > folder.size && path.data[folder.size] == '/' && slice_starts(path, folder));
}

static bool covers(const struct change *change, struct slice folder)
{
    return slice_equal(change->folder, folder) || (change->beneath && inside(change->folder, folder));
}

void changes_sort(struct changes *changes)
{
    size_t kept = 0;
    if (changes->count > 1)
        qsort(changes->at, changes->count, sizeof changes->at[0], by_path);
    for (size_t i = 0; i < changes->count; i++)
        if (kept == 0 || !covers(&changes->at[kept - 1], changes->at[i].folder))
            changes->at[kept++] = changes->at[i];
    changes->count = kept;
}

bool changes_touch(const struct changes *changes, struct slice folder)
{
    size_t from = 0, to = changes->count; /* those before `from` are not behind it, those from `to` on are */
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare(changes->at[middle].folder, folder) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 && covers(&changes->at[from - 1], folder);
}
