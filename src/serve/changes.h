/* What has changed beneath the root since the last report: folders, by their paths. What exactly has changed in them,
 * and whether it has really, is found by whoever reads them again; everything else is as it was. */
#ifndef SERVE_CHANGES_H
#define SERVE_CHANGES_H

#include "base/slice.h"

struct change {
    struct slice folder; /* relative to the root, no slash at either end; "" is the root. It may be gone by now */
    bool beneath;        /* with all that lies beneath it, new or replaced; else only what it holds itself: its files,
                            links, and which folders there are */
};

struct changes {
    struct change *at;  /* after changes_sort: by path, none of them covered by another one */
    size_t count;
    bool root_replaced; /* the root's path leads to another folder now */
    int root_fd;        /* the folder that all this is about, which the path may have left again by now; 0: not known */
};

/* Puts them in order, a folder before what lies beneath it, and leaves out what another one covers. */
void changes_sort(struct changes *changes);

/* After changes_sort: whether what this folder holds itself has to be read again. */
bool changes_touch(const struct changes *changes, struct slice folder);

/* It is not known what has changed: all has to be read again. */
static inline bool changes_everything(const struct changes *changes)
{
    return changes->count > 0 && changes->at[0].beneath && changes->at[0].folder.size == 0;
}

#endif
