/* What lies beneath the root: every file that can have an address, found by one walk. */
#ifndef SERVE_TREE_H
#define SERVE_TREE_H

#include "base/log.h"
#include "serve/changes.h"
#include "serve/files.h"
#include "serve/page.h"
#include "serve/skips.h"

enum {
    TREE_COUNT_MAX = INT32_MAX, /* of pages, and of folders: beyond it there is no memory either */
    TREE_DEPTH_MAX = 64  /* folders within folders: what lies deeper is skipped */
};

/* A folder that was found. Folders lie in the order in which they were found, so those within one lie side by side, as
 * do its pages. There may be as many as pages: 48 bytes and the path. */
struct tree_folder {
    struct slice path; /* NUL-terminated, in the tree's texts; "" is the root */
    ino_t inode;
    uint32_t device;   /* Linux counts no further */
    uint32_t parent;   /* index; the root is its own parent */
    uint32_t first_page, page_count, first_folder, folder_count;
};

struct tree_texts; /* blocks with the paths of folders, one behind the other */

struct tree {
    struct page **pages; /* a count of each is the tree's */
    size_t count, room;
    struct tree_folder *folders;
    size_t folder_count, folder_room;
    struct tree_texts *texts; /* the one that is being filled, and behind it those that are full */
    struct skips skips;
};

/* What was there before, and what may have changed since. */
struct tree_before {
    const struct tree *tree;       /* NULL: everything is read, and only `skips` is known */
    const struct skips *skips;
    const struct changes *changes; /* sorted */
    struct page *(*find)(const void *user, struct slice path); /* the page of this file, or NULL */
    const void *user;
};

/* What was there before (`before` may be NULL) is taken over, as long as it has not changed: whole folders without a
 * look at the disk, pages with their count. False: errno (no memory, no more descriptors, or the root itself cannot be
 * read); what cannot be served is skipped, and logged unless that was known. */
bool tree_walk(struct tree *tree, const struct files *files, const struct tree_before *before, const struct log *log);

/* Its folders; the pages are whoever's who has taken them. */
void tree_fini(struct tree *tree);

#endif
