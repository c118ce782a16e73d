/* Folders are watched by their descriptor, through /proc/self/fd: that names the very folder which was opened, whatever
 * happens to its path meanwhile. Without /proc there is no inotify for us, and the tree is rescanned.
 *
 * IN_MODIFY is there beside IN_CLOSE_WRITE for files that are written to and kept open. Opening, reading and closing
 * what was only read is not watched, so serving pages makes no events. */
#include "serve/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/writer.h"

enum {
    MASK = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR |
           IN_EXCL_UNLINK,
    FD_PATH_MAX = 32 /* "/proc/self/fd/2147483647/" */
};

void notify_init(struct notify *notify)
{
    *notify = (struct notify){ .fd = -1, .pass = 1 };
    list_init(&notify->bare);
}

bool notify_open(struct notify *notify, size_t watches_max)
{
    notify->watches_max = watches_max;
    notify->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return notify->fd >= 0;
}

static void drop(struct notify *notify, struct notify_watch *watch)
{
    chains_remove(&notify->watches, &watch->chained);
    list_remove(&watch->bare);
    free(watch);
}

void notify_end_all(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}

void notify_close(struct notify *notify)
{
    notify_end_all(notify);
    while (!list_empty(&notify->bare))
        drop(notify, LINK_OWNER(notify->bare.next, struct notify_watch, bare));
    chains_fini(&notify->watches);
    notify_init(notify);
}

struct notify_watch *notify_find(const struct notify *notify, int descriptor)
{
    /* The kernel counts descriptors up and uses none twice (until there have been 2^31), which is hash enough. */
    struct chained *chained = chains_first(&notify->watches, (uint64_t)descriptor);
    return chained ? LINK_OWNER(chained, struct notify_watch, chained) : NULL;
}

static struct notify_watch *make(struct notify *notify, int descriptor)
{
    if (notify->watches.count >= notify->watches_max) {
        errno = ENOSPC;
        return NULL;
    }
    struct notify_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    list_init(&watch->folders);
    list_init(&watch->bare);
    if (chains_add(&notify->watches, &watch->chained, (uint64_t)descriptor)) {
        list_append(&notify->bare, &watch->bare);
        return watch;
    }
    free(watch);
    errno = ENOMEM;
    return NULL;
}

/* The watch for the folder at this path: the one there is for its inode, or a new one. */
static struct notify_watch *add(struct notify *notify, const char *path, uint32_t flags)
{
    int descriptor = inotify_add_watch(notify->fd, path, MASK | flags);
    if (descriptor < 0)
        return NULL;
    struct notify_watch *watch = notify_find(notify, descriptor);
    if (!watch)
        watch = make(notify, descriptor);
    if (!watch) {
        int error = errno;
        inotify_rm_watch(notify->fd, descriptor);
        errno = error;
    }
    return watch;
}

static void write_fd_path(struct writer *w, int fd)
{
    writer_text(w, "/proc/self/fd/");
    writer_uint(w, (uint64_t)fd);
}

bool notify_watch(struct notify *notify, int fd, struct folder *folder)
{
    char path[FD_PATH_MAX];
    struct writer w = writer_on(path, sizeof path);

    write_fd_path(&w, fd);
    writer_byte(&w, '\0');
    struct notify_watch *watch = add(notify, path, 0);
    if (!watch)
        return false;
    folder->watch = watch;
    list_append(&watch->folders, &folder->watched);
    list_remove(&watch->bare);
    watch->count++;
    return true;
}

static void end(struct notify *notify, struct notify_watch *watch)
{
    if (notify->fd >= 0) /* fails where the folder has gone, and its watch with it */
        inotify_rm_watch(notify->fd, (int)watch->chained.hash);
    drop(notify, watch);
}

void notify_leave(struct notify *notify, struct folder *folder)
{
    struct notify_watch *watch = folder->watch;
    if (!watch)
        return;
    folder->watch = NULL;
    list_remove(&folder->watched);
    if (--watch->count > 0)
        return;
    if (notify_passed(notify, watch))
        list_append(&notify->bare, &watch->bare);
    else
        end(notify, watch);
}

bool notify_pass(struct notify *notify, int root_fd, const char *path)
{
    char whole[FD_PATH_MAX + PATH_MAX];
    struct writer w = writer_on(whole, sizeof whole);

    write_fd_path(&w, root_fd);
    writer_byte(&w, '/');
    writer_text(&w, path);
    writer_byte(&w, '\0');
    struct notify_watch *watch = add(notify, whole, *path ? IN_DONT_FOLLOW : 0); /* "" is the root, by its descriptor */
    if (watch)
        watch->pass = notify->pass;
    return watch != NULL;
}

void notify_prune(struct notify *notify)
{
    struct link *next = notify->bare.next;
    while (next != &notify->bare) {
        struct notify_watch *watch = LINK_OWNER(next, struct notify_watch, bare);
        next = next->next;
        if (!notify_passed(notify, watch))
            end(notify, watch);
    }
}

void notify_forget(struct notify *notify, struct notify_watch *watch)
{
    while (!list_empty(&watch->folders)) {
        struct folder *folder = LINK_OWNER(watch->folders.next, struct folder, watched);
        folder->watch = NULL;
        list_remove(&folder->watched);
    }
    drop(notify, watch);
}

size_t notify_read(struct notify *notify, void *buffer, size_t size)
{
    ssize_t got = read(notify->fd, buffer, size);
    return got > 0 ? (size_t)got : 0;
}
