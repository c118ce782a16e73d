/* Follows a folder on disk: says when something beneath it has changed, as soon as it holds still for a moment. A
 * thread of its own waits for inotify, or walks through the folder again and again where there is none. It reads no
 * file, and does not know what is made of the news. */
#ifndef SERVE_WATCHER_H
#define SERVE_WATCHER_H

#include "base/log.h"
#include "serve/changes.h"

enum {
    WATCHER_QUIET_MS = 75,   /* nothing more has come for so long: it is told */
    WATCHER_LATEST_MS = 400, /* it is told so long after the first change, even while more come */
    WATCHER_RESCAN_MS = 250, /* without inotify: between two walks; longer where a walk takes long */
    WATCHER_ROOT_MS = 250,   /* how often it is looked whether the root's path leads to another folder */
    WATCHER_CHANGES_MAX = 1024 /* more folders than that are told as "everything" */
};

struct watcher_settings {
    const char *root;     /* a path; links in it may be swapped, and so may the folder be */
    bool rescans;         /* never uses inotify */
    size_t watches_max;   /* of inotify's, 0: as many as the kernel gives */
    unsigned quiet_ms, latest_ms, rescan_ms, root_ms; /* 0: as above */
    const struct log *log;

    /* On the watcher's thread; `changes` is gone when it returns. It may take its time: what happens meanwhile is told
     * the next time. Not called while the root's path leads nowhere, as far as is known: it may do so any moment.
     *
     * The first call comes as soon as all is watched, and says that everything has changed: what was read before may
     * have changed before it was watched. So either the site is loaded by this call, or it was loaded earlier and this
     * call finds hardly any difference. From then on nothing is missed: a file that changes after it was read for one
     * call leads to another one. Files may still be being written. */
    void (*changed)(void *user, const struct changes *changes);

    /* On the same thread, between two looks: at least every root_ms, as long as `changed` takes no longer. Its time is
     * lost for looking. May be NULL. */
    void (*tend)(void *user);
    void *user;
};

struct watcher;

/* Opens the root. The settings are copied, what they point to is not, save for the path. NULL: errno. */
struct watcher *watcher_new(const struct watcher_settings *settings);

bool watcher_start(struct watcher *watcher); /* false: errno */

/* Waits for a call of `changed` that is under way; a walk is broken off. NULL is allowed. */
void watcher_free(struct watcher *watcher);

#endif
