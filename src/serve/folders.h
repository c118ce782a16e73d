/* The folders beneath the root, as the watcher knows them: a tree of names, each folder with its watch, what it is on
 * disk, and whether it has changed. Memory only; what is true on disk is survey's to find out. */
#ifndef SERVE_FOLDERS_H
#define SERVE_FOLDERS_H

#include <limits.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/slice.h"
#include "serve/chains.h"
#include "serve/changes.h"

enum { FOLDERS_MAX = 1 << 20 }; /* links can make more paths than there are folders */

struct notify_watch;

/* A folder by its path: one that links lead to is here once for each path. */
struct folder {
    struct folder *parent; /* NULL: the root */
    struct link children, sibling;
    struct chained chained;
    struct link todo;    /* among those that have to be read */
    struct link dirty;   /* among those that have changed */
    struct link linking; /* among those with links in them */
    struct notify_watch *watch; /* NULL: none */
    struct link watched; /* among the folders of that watch; rescanning: among all, in the order of their reading */
    dev_t device;        /* these five are 0 until it has been opened */
    ino_t inode;
    mode_t mode;
    uid_t owner;
    gid_t group;
    uint64_t print;      /* rescanning: of what it holds */
    uint64_t stamp;      /* rescanning: of its own times when it was read; 0: it has to be read in the next pass */
    unsigned pass, read; /* rescanning: the pass in which it was last seen in its folder, and read */
    uint8_t lively;      /* rescanning: it has changed lately */
    bool circular;       /* it lies within itself, by way of a link, and is not looked into */
    bool beneath;        /* dirty with all that lies beneath it */
    unsigned covered;    /* in this report it is, or lies beneath, a folder that is */
    uint16_t depth, path_size, name_size;
    char name[];
};

struct folders {
    struct folder *root;
    struct chains by_name;
    struct link dirty, linking;
    unsigned report; /* counts up when all marks go */
    size_t dirty_count, dirty_bytes; /* their paths, each with one more byte */
    size_t marks; /* how often something was found to have changed */
};

void folders_init(struct folders *folders);
void folders_fini(struct folders *folders); /* all must have been removed */

/* The root where `parent` is NULL. NULL: no memory (ENOMEM), or no place for it: its path is too long (ENAMETOOLONG),
 * it lies too deep (ELOOP), or there are too many (ENOSPC). */
struct folder *folders_add(struct folders *folders, struct folder *parent, struct slice name);

struct folder *folders_find(const struct folders *folders, const struct folder *parent, struct slice name);

/* It must have no children and no watch any more. */
void folders_remove(struct folders *folders, struct folder *folder);

/* It has changed; or, `beneath`, it and all that lies beneath it. Costs nothing where that is known already, as it is
 * of what is added beneath such a folder. */
void folders_mark(struct folders *folders, struct folder *folder, bool beneath);
void folders_unmark_all(struct folders *folders);

/* What is marked, as far as it is at most `count_max` folders; else the root with all beneath it. One block for
 * free(). NULL: no memory. The marks stay. */
struct changes *folders_changes(const struct folders *folders, size_t count_max);

/* Writes its path, NUL-terminated, and returns its size. */
size_t folder_path(const struct folder *folder, char path[static PATH_MAX]);

#endif
