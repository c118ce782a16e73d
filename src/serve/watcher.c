/* The thread: what is to be looked at when, and what is told. A turn waits for events or for what is due next: a
 * walk, a look at the root's path, a report.
 *
 * The root is looked at by its path, with one stat, four times a second. Watching every folder that its path passes
 * through would spare that, but they need not be readable, may be as busy as /tmp, and a mount over one of them makes
 * no event. */
#include "serve/watcher.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"
#include "serve/survey.h"

enum {
    RETRY_MS = 1000, /* after memory or descriptors were short */
    WALK_SHARE = 20, /* rescanning takes at most one part in so many of a CPU's time; */
    FOUND_SHARE = 4, /* and while something changes one in so many */
    EVENTS_SIZE = 64 * 1024
};

struct watcher {
    struct watcher_settings settings;
    char *root;
    struct files files;    /* the root that is being followed */
    struct survey survey;
    struct clock clock;
    int bell_fd;
    atomic_bool ending;
    pthread_t thread;
    bool started;

    bool rescans;
    bool stale;            /* all has to be read before the next report */
    bool root_replaced;
    bool missing;          /* the root's path leads nowhere now, which has been told */
    bool told;             /* that there is no inotify, and what to do */
    bool told_crowded;
    bool pending;          /* there is something to report */
    uint64_t first_ms, last_ms; /* pending: when something changed */
    uint64_t retry_ms;     /* no report before */
    uint64_t root_due_ms, walk_due_ms;

    _Alignas(struct inotify_event) char events[EVENTS_SIZE];
};

/* ---- What is known to have changed ---- */

static void touch(struct watcher *watcher, uint64_t now_ms)
{
    if (!watcher->pending)
        watcher->first_ms = now_ms;
    watcher->last_ms = now_ms;
    watcher->pending = true;
}

static const char *advice(enum survey_result result)
{
    switch (result) {
    case SURVEY_NO_WATCHES:
        return "inotify has no more watches for this user; raise the limit: sysctl fs.inotify.max_user_watches=1048576";
    case SURVEY_NO_INSTANCE:
        return "this user has too many inotify instances; raise the limit: sysctl fs.inotify.max_user_instances=1024";
    case SURVEY_REMOTE:
        return "inotify does not tell what others change in this file system";
    case SURVEY_NO_INOTIFY:
        return "inotify is not to be had (it needs /proc as well)";
    case SURVEY_OK:
    case SURVEY_STOPPED:
    case SURVEY_AGAIN:
    case SURVEY_LOST:
        break;
    }
    return NULL;
}

static void do_without_inotify(struct watcher *watcher, const char *why)
{
    watcher->rescans = true;
    if (watcher->told)
        return;
    watcher->told = true;
    log_write(watcher->settings.log, LOG_LEVEL_WARN,
              "%s is walked through every %u ms, or less often if that takes long, to find what has changed: %s",
              watcher->root, watcher->settings.rescan_ms, why);
}

static void react(struct watcher *watcher, enum survey_result result)
{
    if (result == SURVEY_OK || result == SURVEY_STOPPED)
        return;
    if (advice(result))
        do_without_inotify(watcher, advice(result));
    if (result == SURVEY_AGAIN)
        watcher->retry_ms = watcher->clock.now_ms + RETRY_MS;
    watcher->stale = true;
    touch(watcher, watcher->clock.now_ms);
}

/* ---- Looking ---- */

static void take_events(struct watcher *watcher)
{
    size_t size = notify_read(&watcher->survey.notify, watcher->events, sizeof watcher->events), at = 0;

    while (at < size) {
        const struct inotify_event *event = (const struct inotify_event *)(watcher->events + at);
        at += sizeof *event + event->len;
        bool mattered = watcher->stale; /* then all will be read anyway, but not before it holds still */
        if (!watcher->stale)
            react(watcher, survey_event(&watcher->survey, event, &mattered));
        if (mattered)
            touch(watcher, watcher->clock.now_ms);
    }
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* How long a walk may be rested from that took so long. */
static uint64_t rest_ms(const struct watcher *watcher, uint64_t walk_ms)
{
    return most(watcher->settings.rescan_ms, WALK_SHARE * walk_ms);
}

/* A walk that finds something is followed by another one soon, to see whether it holds still; and while there is
 * something to be told anyway, nothing is read that does not look as if it had changed. */
static void walk(struct watcher *watcher)
{
    uint64_t from_ms = watcher->clock.now_ms;
    size_t marks = watcher->survey.folders.marks;
    unsigned turn_ms = watcher->pending ? 0 : watcher->settings.rescan_ms / WALK_SHARE + 1;
    react(watcher, survey_scan(&watcher->survey, turn_ms));
    clock_update(&watcher->clock);

    uint64_t took_ms = watcher->clock.now_ms - from_ms, rest = rest_ms(watcher, took_ms);
    bool found = watcher->survey.folders.marks != marks;
    if (found)
        touch(watcher, from_ms);
    if (found)
        rest = most(watcher->settings.quiet_ms, FOUND_SHARE * took_ms);
    watcher->walk_due_ms = watcher->clock.now_ms + rest;
}

static void miss_root(struct watcher *watcher, int error)
{
    if (!watcher->missing)
        log_write(watcher->settings.log, LOG_LEVEL_WARN, "%s: %s; what was read of it is still served", watcher->root,
                  strerror(error));
    watcher->missing = true;
}

/* Whether the root's path still leads to the folder that is open, whose inode number cannot be given to another one
 * before it is closed. */
static bool is_open(const struct watcher *watcher, const struct stat *st)
{
    struct stat open;
    return fstat(watcher->files.root_fd, &open) == 0 && open.st_dev == st->st_dev && open.st_ino == st->st_ino;
}

static void look_at_root(struct watcher *watcher)
{
    struct files files = { .root_fd = -1 };
    struct stat st;

    watcher->root_due_ms = watcher->clock.now_ms + watcher->settings.root_ms;
    bool there = stat(watcher->root, &st) == 0;
    bool same = there && is_open(watcher, &st);
    if (!there || (!same && !files_open_root(&files, watcher->root))) {
        miss_root(watcher, errno);
        return;
    }
    watcher->missing = false;
    if (same)
        return;
    files_close_root(&watcher->files);
    watcher->files = files;
    watcher->rescans = watcher->settings.rescans; /* it may be different with this one */
    watcher->stale = watcher->root_replaced = true;
    touch(watcher, watcher->clock.now_ms);
}

/* ---- Reporting ---- */

/* Reads all. False: not possible now. */
static bool renew(struct watcher *watcher)
{
    enum survey_result result = survey_all(&watcher->survey, watcher->rescans);
    if (result != SURVEY_OK && !watcher->rescans && advice(result)) {
        do_without_inotify(watcher, advice(result));
        result = survey_all(&watcher->survey, true);
    }
    uint64_t from_ms = watcher->clock.now_ms;
    clock_update(&watcher->clock);
    uint64_t now_ms = watcher->clock.now_ms, took_ms = now_ms - from_ms;
    watcher->walk_due_ms = now_ms + rest_ms(watcher, took_ms);
    watcher->retry_ms = now_ms + took_ms; /* events that go on getting lost cost half a CPU, not all of it */
    watcher->stale = false;
    react(watcher, result);
    return !watcher->stale && result == SURVEY_OK;
}

static void tell(struct watcher *watcher)
{
    struct change all = { SLICE(""), true };
    struct changes everything = { .at = &all, .count = 1 }, *changes = NULL;

    changes = folders_changes(&watcher->survey.folders, WATCHER_CHANGES_MAX);
    struct changes *told = changes ? changes : &everything;
    told->root_replaced = watcher->root_replaced;
    told->root_fd = watcher->files.root_fd;
    folders_unmark_all(&watcher->survey.folders);
    watcher->pending = watcher->root_replaced = false;
    if (told->count > 0)
        watcher->settings.changed(watcher->settings.user, told);
    free(changes);
    clock_update(&watcher->clock);
}

static void report(struct watcher *watcher)
{
    if (watcher->stale && !renew(watcher))
        return;
    react(watcher, survey_links(&watcher->survey));
    if (watcher->survey.crowded && !watcher->told_crowded) {
        watcher->told_crowded = true;
        log_write(watcher->settings.log, LOG_LEVEL_WARN,
                  "%s has more than %d folders, counting those behind links: changes in the others go unnoticed",
                  watcher->root, (int)FOLDERS_MAX);
    }
    if (!watcher->stale)
        tell(watcher);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t report_due_ms(const struct watcher *watcher)
{
    if (!watcher->pending || watcher->missing)
        return UINT64_MAX;
    uint64_t due = least(watcher->last_ms + watcher->settings.quiet_ms,
                         watcher->first_ms + watcher->settings.latest_ms);
    return due > watcher->retry_ms ? due : watcher->retry_ms;
}

static uint64_t walk_due_ms(const struct watcher *watcher)
{
    return watcher->survey.rescans && !watcher->stale && !watcher->missing ? watcher->walk_due_ms : UINT64_MAX;
}

/* ---- The thread ---- */

static void await(struct watcher *watcher)
{
    uint64_t due = least(least(report_due_ms(watcher), walk_due_ms(watcher)), watcher->root_due_ms);
    uint64_t now = watcher->clock.now_ms;
    struct pollfd fds[] = { { .fd = watcher->bell_fd, .events = POLLIN },
                            { .fd = watcher->survey.notify.fd, .events = POLLIN } };

    poll(fds, 2, due > now ? (int)(due - now) : 0); /* a descriptor of -1 is passed over */
    clock_update(&watcher->clock);
    if (fds[1].revents)
        take_events(watcher);
}

static void *live(void *argument)
{
    struct watcher *watcher = argument;

    clock_update(&watcher->clock);
    watcher->root_due_ms = watcher->clock.now_ms + watcher->settings.root_ms;
    while (!atomic_load_explicit(&watcher->ending, memory_order_relaxed)) {
        if (watcher->clock.now_ms >= watcher->root_due_ms)
            look_at_root(watcher);
        if (watcher->clock.now_ms >= walk_due_ms(watcher))
            walk(watcher);
        if (watcher->clock.now_ms >= report_due_ms(watcher))
            report(watcher);
        if (watcher->settings.tend)
            watcher->settings.tend(watcher->settings.user);
        await(watcher);
    }
    return NULL;
}

static unsigned or_default(unsigned value, unsigned otherwise)
{
    return value ? value : otherwise;
}

static void fill_in(struct watcher_settings *settings)
{
    settings->quiet_ms = or_default(settings->quiet_ms, WATCHER_QUIET_MS);
    settings->latest_ms = or_default(settings->latest_ms, WATCHER_LATEST_MS);
    settings->rescan_ms = or_default(settings->rescan_ms, WATCHER_RESCAN_MS);
    settings->root_ms = or_default(settings->root_ms, WATCHER_ROOT_MS);
    if (settings->watches_max == 0)
        settings->watches_max = SIZE_MAX;
}

struct watcher *watcher_new(const struct watcher_settings *settings)
{
    struct watcher *watcher = calloc(1, sizeof *watcher);
    if (!watcher)
        return NULL;
    watcher->settings = *settings;
    fill_in(&watcher->settings);
    watcher->files.root_fd = watcher->bell_fd = -1;
    survey_init(&watcher->survey, &watcher->files, &watcher->ending, watcher->settings.watches_max);
    watcher->rescans = settings->rescans;
    watcher->stale = watcher->pending = true; /* since time 0, so that the first report is due at once */
    watcher->root = strdup(settings->root);
    if (watcher->root && files_open_root(&watcher->files, watcher->root))
        watcher->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watcher->bell_fd >= 0)
        return watcher;
    int error = errno;
    watcher_free(watcher);
    errno = error;
    return NULL;
}

bool watcher_start(struct watcher *watcher)
{
    errno = thread_start(&watcher->thread, "rawhttp-watch", live, watcher);
    watcher->started = errno == 0;
    return watcher->started;
}

static void stop(struct watcher *watcher)
{
    uint64_t one = 1;
    atomic_store_explicit(&watcher->ending, true, memory_order_relaxed);
    ssize_t ignored = write(watcher->bell_fd, &one, sizeof one); /* fails only where it rings already */
    (void)ignored;
    pthread_join(watcher->thread, NULL);
}

void watcher_free(struct watcher *watcher)
{
    if (!watcher)
        return;
    if (watcher->started)
        stop(watcher);
    survey_fini(&watcher->survey);
    if (watcher->bell_fd >= 0)
        close(watcher->bell_fd);
    if (watcher->files.root_fd >= 0)
        files_close_root(&watcher->files);
    free(watcher->root);
    free(watcher);
}
