/* inotify(7): watches on folders, and what the kernel tells of them. One watch belongs to an inode, so all paths that
 * lead to a folder share it. What an event means is survey's to know. */
#ifndef SERVE_NOTIFY_H
#define SERVE_NOTIFY_H

#include <sys/inotify.h>

#include "base/list.h"
#include "serve/chains.h"
#include "serve/folders.h"

struct notify_watch {
    struct chained chained; /* its hash is the watch descriptor */
    struct link folders;    /* those that are seen through it */
    size_t count;           /* of those; `folders` may be short of them while somebody goes through it */
    unsigned pass;          /* when links were last found to pass through here; 0: never */
    struct link bare;       /* among those without folders */
};

struct notify {
    int fd; /* readable when there is something to read; -1: not open */
    size_t watches_max;
    unsigned pass; /* links are followed once in each; what none passed through in this one is of no use to them */
    struct chains watches;
    struct link bare;
};

/* A struct that notify_close may be called for. */
void notify_init(struct notify *notify);

/* `watches_max`: beyond it watches have run out as if the kernel had said so. False: errno. */
bool notify_open(struct notify *notify, size_t watches_max);

/* All watches end at once, with the descriptor, so that folders can leave without a call for each. */
void notify_end_all(struct notify *notify);

void notify_close(struct notify *notify); /* the folders must have been left */

/* Watches an open folder for `folder`, which has no watch yet. False: errno; ENOSPC: watches have run out. */
bool notify_watch(struct notify *notify, int fd, struct folder *folder);

/* `folder` needs its watch, if it has one, no longer. */
void notify_leave(struct notify *notify, struct folder *folder);

/* A link passes through this folder: a path beneath an open one. False: errno, as above. */
bool notify_pass(struct notify *notify, int root_fd, const char *path);

/* Links pass through it, as far as is known. */
static inline bool notify_passed(const struct notify *notify, const struct notify_watch *watch)
{
    return watch->pass == notify->pass;
}

/* Ends the watches which only links needed that no longer pass through. */
void notify_prune(struct notify *notify);

struct notify_watch *notify_find(const struct notify *notify, int descriptor); /* NULL: there is none (any more) */

/* The kernel has ended this watch (IN_IGNORED). */
void notify_forget(struct notify *notify, struct notify_watch *watch);

/* Reads what has come, as much as fits into the buffer. The events lie one behind another; 0: nothing has come. */
size_t notify_read(struct notify *notify, void *buffer, size_t size);

#endif
