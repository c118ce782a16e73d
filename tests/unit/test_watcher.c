/* The watcher as a whole, on real folders: what is told and when, the root that is swapped or gone, events that are
 * lost, inotify that runs out, and changes that never cease. Waits end with what they wait for, or fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "scratch.h"
#include "serve/watcher.h"

enum { PATIENCE_S = 30 };

/* ---- Faults ----------------------------------------------------------------------------------------------------- */

static atomic_bool no_calloc, no_malloc, no_eventfd, no_thread;
static atomic_int init_error; /* errno for inotify_init1; 0: none */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    errno = ENOMEM;
    return atomic_load(&no_calloc) ? NULL : __real_calloc(count, size);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    errno = ENOMEM;
    return atomic_load(&no_malloc) ? NULL : __real_malloc(size);
}

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags)
{
    errno = EMFILE;
    return atomic_load(&no_eventfd) ? -1 : __real_eventfd(count, flags);
}

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);
int __wrap_inotify_init1(int flags)
{
    errno = atomic_load(&init_error);
    return errno ? -1 : __real_inotify_init1(flags);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    return atomic_load(&no_thread) ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}

/* ---- What is told ----------------------------------------------------------------------------------------------- */

static struct scratch scratch;
static struct watcher *watcher;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t news;
    unsigned reports, replacements;
    char last[4096];       /* "a b/": folders; a slash: with all beneath it; "." the root; "!" it was replaced */
    const char *wanted;    /* a folder: is it among those that changed? */
    bool found;
    bool held, holding;    /* a report is not let go */
    bool signals;          /* some signal is not blocked */
    bool partial;          /* the root was replaced, but not everything has changed */
} told;

static void note_signals(void)
{
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    told.signals |= !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGPIPE);
}

static void note(void *user, const struct changes *changes)
{
    size_t used = 0;

    pthread_mutex_lock(&told.lock);
    if (user != &told)
        abort();
    note_signals();
    told.reports++;
    told.replacements += changes->root_replaced;
    told.partial |= changes->root_replaced && !changes_everything(changes);
    told.last[0] = '\0';
    if (changes->root_replaced)
        used = (size_t)snprintf(told.last, sizeof told.last, "! ");
    for (size_t i = 0; i < changes->count && used < sizeof told.last; i++) {
        const struct change *change = &changes->at[i];
        bool root = change->folder.size == 0 && !change->beneath;
        used += (size_t)snprintf(told.last + used, sizeof told.last - used, "%s%.*s%s", i ? " " : "",
                                 (int)change->folder.size, change->folder.data,
                                 root ? "." : change->beneath ? "/" : "");
    }
    if (told.wanted && changes_touch(changes, slice_text(told.wanted)))
        told.found = true;
    pthread_cond_broadcast(&told.news);
    while (told.held) {
        told.holding = true;
        pthread_cond_broadcast(&told.news);
        pthread_cond_wait(&told.news, &told.lock);
    }
    told.holding = false;
    pthread_mutex_unlock(&told.lock);
}

static struct timespec deadline(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += PATIENCE_S;
    return time;
}

/* With the lock. */
static void wait_for_news(const struct timespec *until, const char *what)
{
    if (pthread_cond_timedwait(&told.news, &told.lock, until) != 0) {
        pthread_mutex_unlock(&told.lock);
        fail_msg("waited in vain for %s; last was \"%s\"", what, told.last);
    }
}

static unsigned reports(void)
{
    pthread_mutex_lock(&told.lock);
    unsigned count = told.reports;
    pthread_mutex_unlock(&told.lock);
    return count;
}

/* The next report after the first `seen`. */
static const char *report_after(unsigned seen)
{
    static char text[sizeof told.last];
    struct timespec until = deadline();

    pthread_mutex_lock(&told.lock);
    while (told.reports <= seen)
        wait_for_news(&until, "a report");
    memcpy(text, told.last, sizeof text);
    pthread_mutex_unlock(&told.lock);
    return text;
}

static void want(const char *folder)
{
    pthread_mutex_lock(&told.lock);
    told.wanted = folder;
    told.found = false;
    pthread_mutex_unlock(&told.lock);
}

static void await_wanted(void)
{
    struct timespec until = deadline();
    pthread_mutex_lock(&told.lock);
    while (!told.found)
        wait_for_news(&until, told.wanted);
    told.wanted = NULL;
    pthread_mutex_unlock(&told.lock);
}

static void await_replacement(unsigned count)
{
    struct timespec until = deadline();
    pthread_mutex_lock(&told.lock);
    while (told.replacements < count)
        wait_for_news(&until, "a new root");
    pthread_mutex_unlock(&told.lock);
}

static bool logged(const char *text)
{
    pthread_mutex_lock(&scratch.lock);
    bool there = strstr(scratch.lines, text) != NULL;
    pthread_mutex_unlock(&scratch.lock);
    return there;
}

static void await_log(const char *text)
{
    for (unsigned i = 0; !logged(text); i++) {
        if (i == PATIENCE_S * 200)
            fail_msg("no \"%s\" in the log:\n%s", text, scratch.lines);
        usleep(5000);
    }
}

static unsigned log_lines(void)
{
    unsigned count = 0;
    pthread_mutex_lock(&scratch.lock);
    for (const char *at = scratch.lines; (at = strchr(at, '\n')); at++)
        count++;
    pthread_mutex_unlock(&scratch.lock);
    return count;
}

static void hold_next(void)
{
    pthread_mutex_lock(&told.lock);
    told.held = true;
    pthread_mutex_unlock(&told.lock);
}

static void await_held(void)
{
    struct timespec until = deadline();
    pthread_mutex_lock(&told.lock);
    while (!told.holding)
        wait_for_news(&until, "a report to hold");
    pthread_mutex_unlock(&told.lock);
}

static void let_go(void)
{
    pthread_mutex_lock(&told.lock);
    told.held = false;
    pthread_cond_broadcast(&told.news);
    pthread_mutex_unlock(&told.lock);
}

/* ---- The stage -------------------------------------------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    atomic_store(&no_calloc, false);
    atomic_store(&no_malloc, false);
    atomic_store(&no_eventfd, false);
    atomic_store(&no_thread, false);
    atomic_store(&init_error, 0);
    scratch_open(&scratch);
    memset(&told, 0, sizeof told);
    pthread_mutex_init(&told.lock, NULL);
    pthread_cond_init(&told.news, NULL);
    watcher = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    let_go();
    watcher_free(watcher);
    pthread_cond_destroy(&told.news);
    pthread_mutex_destroy(&told.lock);
    scratch_close(&scratch);
    return told.signals || told.partial;
}

static struct watcher_settings settings_for(const char *root)
{
    return (struct watcher_settings){ .root = root, .quiet_ms = 20, .root_ms = 20, .rescan_ms = 20,
                                      .log = &scratch.log, .changed = note, .user = &told };
}

static void follow(const struct watcher_settings *settings)
{
    watcher = watcher_new(settings);
    assert_non_null(watcher);
    assert_true(watcher_start(watcher));
    assert_string_equal(report_after(0), "/");
}

static const char *in_scratch(const char *path)
{
    static char text[PATH_MAX];
    snprintf(text, sizeof text, "%s/%s", scratch.folder, path);
    return text;
}

static void move(const char *from, const char *to)
{
    assert_int_equal(renameat(scratch.fd, from, scratch.fd, to), 0);
}

/* A file that comes into a folder of the root is told of; `where` is that folder's path on disk. */
static void notices(const char *folder, const char *where)
{
    static unsigned number;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/file%u", where, number++);
    want(folder);
    scratch_write(&scratch, path, "x");
    await_wanted();
}

/* ---- Tests ------------------------------------------------------------------------------------------------------ */

static void tells_what_changes(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    scratch_mkdir(&scratch, "root/b");
    struct watcher_settings settings = settings_for(scratch.root);
    follow(&settings);
    scratch_mkdir(&scratch, "root/a/n"); /* one event each, so that each is one report, however slow this machine is */
    assert_string_equal(report_after(1), "a a/n/");
    move("root/a/n", "root/b/n");
    assert_string_equal(report_after(2), "a b b/n/");
    notices("b/n", "root/b/n");
    notices("", "root");
    assert_int_equal(log_lines(), 0);
}

static void ordinary_times(void **state)
{
    (void)state;
    struct watcher_settings settings = { .root = scratch.root, .log = &scratch.log, .changed = note, .user = &told };
    follow(&settings);
    notices("", "root");
}

/* A change is told of when nothing more comes, and not before. */
static void waits_for_quiet(void **state)
{
    char path[64];
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    struct watcher_settings settings = settings_for(scratch.root);
    settings.quiet_ms = 1500;
    settings.latest_ms = 3600 * 1000;
    follow(&settings);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(path, sizeof path, "root/a/%u", i);
        scratch_write(&scratch, path, "x");
        if (i % 20 == 0)
            usleep(10 * 1000);
    }
    assert_string_equal(report_after(1), "a");
    assert_int_equal(reports(), 2); /* all of it at once */
}

struct writer_thread {
    pthread_t thread;
    atomic_bool ending;
};

static void *write_on(void *argument)
{
    struct writer_thread *writer = argument;
    while (!atomic_load(&writer->ending)) {
        scratch_write(&scratch, "root/a/f", "x");
        usleep(1000);
    }
    return NULL;
}

/* It is never quiet, but told of all the same. */
static void tells_while_changes_go_on(void **state)
{
    struct writer_thread writer = { .ending = false };
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    struct watcher_settings settings = settings_for(scratch.root);
    settings.quiet_ms = 3600 * 1000;
    settings.latest_ms = 100;
    follow(&settings);
    assert_int_equal(pthread_create(&writer.thread, NULL, write_on, &writer), 0);
    assert_string_equal(report_after(1), "a");
    assert_string_equal(report_after(2), "a");
    atomic_store(&writer.ending, true);
    pthread_join(writer.thread, NULL);
}

static void many_folders_are_everything(void **state)
{
    char path[64];
    (void)state;
    for (unsigned i = 0; i <= WATCHER_CHANGES_MAX; i++) {
        snprintf(path, sizeof path, "root/%u", i);
        scratch_mkdir(&scratch, path);
    }
    struct watcher_settings settings = settings_for(scratch.root);
    settings.quiet_ms = 300;
    settings.latest_ms = 3600 * 1000;
    follow(&settings);
    hold_next();
    scratch_mkdir(&scratch, "root/0/n");
    await_held();
    for (unsigned i = 0; i <= WATCHER_CHANGES_MAX; i++) {
        snprintf(path, sizeof path, "root/%u/f", i);
        scratch_mkdir(&scratch, path);
    }
    let_go();
    assert_string_equal(report_after(2), "/");
    assert_int_equal(told.replacements, 0);
}

/* What happens while a report is being worked on is told next. */
static void slow_listener(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    scratch_mkdir(&scratch, "root/b");
    struct watcher_settings settings = settings_for(scratch.root);
    follow(&settings);
    hold_next();
    scratch_write(&scratch, "root/a/f", "x");
    await_held();
    want("b");
    scratch_write(&scratch, "root/b/f", "x");
    let_go();
    await_wanted();
}

/* ---- The root --------------------------------------------------------------------------------------------------- */

/* ln -sfn: the link is replaced by a rename. */
static void root_is_a_link_that_is_swapped(void **state)
{
    char root[PATH_MAX];
    (void)state;
    scratch_mkdir(&scratch, "v1");
    scratch_mkdir(&scratch, "v2");
    scratch_mkdir(&scratch, "v2/sub");
    scratch_link(&scratch, "current", "v1");
    strcpy(root, in_scratch("current"));
    struct watcher_settings settings = settings_for(root);
    follow(&settings);
    notices("", "v1");
    for (unsigned i = 1; i <= 4; i++) {
        scratch_link(&scratch, "next", i % 2 ? "v2" : "v1");
        move("next", "current");
        await_replacement(i);
        notices("", i % 2 ? "v2" : "v1");
    }
    move("v1", "gone"); /* the folder that is followed now, by way of the link */
    move("v2", "v1");
    await_replacement(5);
    notices("sub", "v1/sub");
}

static void link_on_the_way_to_the_root(void **state)
{
    char root[PATH_MAX];
    (void)state;
    scratch_mkdir(&scratch, "r1");
    scratch_mkdir(&scratch, "r1/public");
    scratch_mkdir(&scratch, "r2");
    scratch_mkdir(&scratch, "r2/public");
    scratch_link(&scratch, "release", "r1");
    strcpy(root, in_scratch("release/public"));
    struct watcher_settings settings = settings_for(root);
    follow(&settings);
    scratch_link(&scratch, "next", "r2");
    move("next", "release");
    await_replacement(1);
    notices("", "r2/public");
}

static void root_is_moved_away_and_another_in(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "next");
    scratch_mkdir(&scratch, "next/sub");
    struct watcher_settings settings = settings_for(scratch.root);
    follow(&settings);
    assert_int_equal(renameat2(scratch.fd, "next", scratch.fd, "root", RENAME_EXCHANGE), 0);
    assert_string_equal(report_after(1), "! /");
    notices("sub", "root/sub");
}

/* rm -r, mkdir, as site generators do; the new folder may get the old one's inode number. */
static void root_is_made_again(void **state)
{
    (void)state;
    struct watcher_settings settings = settings_for(scratch.root);
    follow(&settings);
    for (unsigned i = 1; i <= 5; i++) {
        assert_int_equal(nftw(scratch.root, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
        scratch_mkdir(&scratch, "root");
        await_replacement(i);
        notices("", "root");
    }
}

static void root_is_gone_for_a_while(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    struct watcher_settings settings = settings_for(scratch.root);
    follow(&settings);
    move("root", "away");
    await_log("No such file or directory; what was read of it is still served");
    unsigned seen = reports();
    scratch_write(&scratch, "away/a/f", "x");
    usleep(100 * 1000);
    assert_int_equal(reports(), seen);
    move("away", "root");
    assert_string_equal(report_after(seen), "a");
    assert_int_equal(told.replacements, 0);

    scratch_write(&scratch, "file", "x");
    assert_int_equal(renameat2(scratch.fd, "file", scratch.fd, "root", RENAME_EXCHANGE), 0);
    await_log("Not a directory");
    assert_int_equal(unlinkat(scratch.fd, "root", 0), 0);
    scratch_mkdir(&scratch, "root");
    await_replacement(1);
    notices("", "root");
    assert_int_equal(log_lines(), 2); /* once each time, though it was looked for every 20 ms */
}

static void root_that_loses_its_permissions(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    struct watcher_settings settings = settings_for(scratch.root);
    follow(&settings);
    assert_int_equal(fchmodat(scratch.fd, "root", 0711, 0), 0);
    assert_string_equal(report_after(1), "/");
    notices("a", "root/a");
}

/* ---- Without inotify -------------------------------------------------------------------------------------------- */

static void watches_run_out_at_the_start(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    scratch_mkdir(&scratch, "root/a/b");
    struct watcher_settings settings = settings_for(scratch.root);
    settings.watches_max = 2;
    follow(&settings);
    assert_true(logged("is walked through every 20 ms"));
    assert_true(logged("sysctl fs.inotify.max_user_watches="));
    notices("a/b", "root/a/b");
    scratch_mkdir(&scratch, "root/a/c");
    notices("a/c", "root/a/c");
    assert_int_equal(unlinkat(scratch.fd, "root/a/c", AT_REMOVEDIR), -1); /* there is a file in it */
    assert_int_equal(log_lines(), 1);
}

static void watches_run_out_later(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    struct watcher_settings settings = settings_for(scratch.root);
    settings.watches_max = 2;
    follow(&settings);
    notices("a", "root/a");
    assert_int_equal(log_lines(), 0);
    want("b");
    scratch_mkdir(&scratch, "root/b");
    await_wanted();
    notices("b", "root/b");
    notices("a", "root/a");
    assert_int_equal(log_lines(), 1);

    scratch_mkdir(&scratch, "small"); /* a root for which they are enough */
    assert_int_equal(renameat2(scratch.fd, "small", scratch.fd, "root", RENAME_EXCHANGE), 0);
    await_replacement(1);
    notices("", "root");
    scratch_mkdir(&scratch, "root/x");
    scratch_mkdir(&scratch, "root/y"); /* and are not any more */
    notices("y", "root/y");
    assert_int_equal(log_lines(), 1); /* it has been said */
}

/* What is told of that, to whoever can do something about it. */
static void inotify_is_not_to_be_had(void **state)
{
    static const struct {
        int error;
        const char *line;
    } rows[] = {
        { ENOSYS, "inotify is not to be had" },
        { EMFILE, "sysctl fs.inotify.max_user_instances=" },
    };
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        atomic_store(&init_error, rows[i].error);
        struct watcher_settings settings = settings_for(scratch.root);
        told.reports = 0;
        follow(&settings);
        notices("", "root");
        assert_true(logged(rows[i].line));
        assert_int_equal(log_lines(), i + 1);
        watcher_free(watcher);
    }
    watcher = NULL;
}

static void rescans_if_asked(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    struct watcher_settings settings = settings_for(scratch.root);
    settings.rescans = true;
    follow(&settings);
    notices("a", "root/a");
    notices("", "root");
    assert_int_equal(renameat2(scratch.fd, "root/a", scratch.fd, "root", RENAME_EXCHANGE), -1); /* into itself */
    scratch_mkdir(&scratch, "next");
    assert_int_equal(renameat2(scratch.fd, "next", scratch.fd, "root", RENAME_EXCHANGE), 0);
    await_replacement(1);
    notices("", "root");
    move("root", "away");
    await_log("still served");
    move("away", "root");
    notices("", "root");
    assert_int_equal(log_lines(), 1);
}

static void rescanning_waits_for_quiet_too(void **state)
{
    struct writer_thread writer = { .ending = false };
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    struct watcher_settings settings = settings_for(scratch.root);
    settings.rescans = true;
    settings.quiet_ms = 50;
    settings.latest_ms = 3600 * 1000;
    follow(&settings);
    notices("a", "root/a");

    settings = settings_for(scratch.root);
    watcher_free(watcher);
    settings.rescans = true;
    settings.quiet_ms = 100 * 1000;
    settings.latest_ms = 200;
    memset(told.last, 0, sizeof told.last);
    told.reports = 0;
    follow(&settings);
    assert_int_equal(pthread_create(&writer.thread, NULL, write_on, &writer), 0);
    assert_string_equal(report_after(1), "a");
    atomic_store(&writer.ending, true);
    pthread_join(writer.thread, NULL);
}

/* ---- What goes wrong -------------------------------------------------------------------------------------------- */

static unsigned long queue_limit(void)
{
    unsigned long limit = 0;
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    if (file) {
        if (fscanf(file, "%lu", &limit) != 1)
            limit = 0;
        fclose(file);
    }
    return limit;
}

/* The queue overflows while a report is being worked on, and folders come of which no event tells. */
static void events_are_lost(void **state)
{
    unsigned long limit = queue_limit();
    (void)state;
    if (limit == 0 || limit > 100 * 1000)
        skip();
    scratch_mkdir(&scratch, "root/a");
    scratch_mkdir(&scratch, "root/b");
    struct watcher_settings settings = settings_for(scratch.root);
    follow(&settings);
    hold_next();
    scratch_write(&scratch, "root/a/f", "x");
    await_held();
    unsigned seen = reports();
    for (unsigned long i = 0; i <= limit; i += 2) { /* a name, and another one, so that no two are alike */
        move("root/a/f", "root/a/g");
        move("root/a/g", "root/a/f");
    }
    scratch_mkdir(&scratch, "root/b/unseen");
    let_go();
    assert_string_equal(report_after(seen), "/");
    notices("b/unseen", "root/b/unseen");
    assert_int_equal(told.replacements, 0);
}

static void memory_is_short_for_a_while(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    struct watcher_settings settings = settings_for(scratch.root);
    watcher = watcher_new(&settings);
    assert_non_null(watcher);
    atomic_store(&no_calloc, true);
    assert_true(watcher_start(watcher));
    usleep(50 * 1000);
    assert_int_equal(reports(), 0);
    atomic_store(&no_calloc, false);
    assert_string_equal(report_after(0), "/"); /* it has tried again */

    atomic_store(&no_malloc, true); /* for the list of what has changed */
    scratch_write(&scratch, "root/a/f", "x");
    const char *last = report_after(1);
    atomic_store(&no_malloc, false);
    assert_string_equal(last, "/");
    notices("a", "root/a");
}

static void does_not_begin(void **state)
{
    char root[PATH_MAX];
    (void)state;
    strcpy(root, in_scratch("nowhere"));
    struct watcher_settings settings = settings_for(root);
    assert_null(watcher_new(&settings));
    assert_int_equal(errno, ENOENT);
    settings.root = scratch.root;
    atomic_store(&no_calloc, true);
    assert_null(watcher_new(&settings));
    assert_int_equal(errno, ENOMEM);
    atomic_store(&no_calloc, false);
    atomic_store(&no_eventfd, true);
    assert_null(watcher_new(&settings));
    assert_int_equal(errno, EMFILE);
    atomic_store(&no_eventfd, false);

    watcher = watcher_new(&settings);
    assert_non_null(watcher);
    atomic_store(&no_thread, true);
    assert_false(watcher_start(watcher));
    assert_int_equal(errno, EAGAIN);
    atomic_store(&no_thread, false);
    assert_true(watcher_start(watcher));
    assert_string_equal(report_after(0), "/");
    watcher_free(NULL);
}

/* Ends in the middle of the first walk, of a report, and of nothing. */
static void ends_at_any_time(void **state)
{
    char path[64];
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "root/%u", i);
        scratch_mkdir(&scratch, path);
    }
    struct watcher_settings settings = settings_for(scratch.root);
    for (unsigned i = 0; i < 20; i++) {
        settings.rescans = i % 2;
        watcher = watcher_new(&settings);
        assert_non_null(watcher);
        assert_true(watcher_start(watcher));
        usleep(i * 300);
        watcher_free(watcher);
    }
    watcher = NULL;
}

/* ---- All at once ------------------------------------------------------------------------------------------------ */

/* Folders come, go and move while the watcher looks at them. Whatever it has seen of that: in the end every folder that
 * there is is followed, and what is no longer there is not. */
static void storm(void **state)
{
    enum { NAMES = 6, STEPS = 3000 };
    char from[64], to[64];
    uint32_t random = 12345;
    (void)state;

    struct watcher_settings settings = settings_for(scratch.root);
    follow(&settings);
    for (unsigned i = 0; i < STEPS; i++) {
        random = random * 1664525 + 1013904223;
        unsigned a = random >> 8 & 7, b = random >> 12 & 7, c = random >> 16 & 7, d = random >> 20 & 7;
        snprintf(from, sizeof from, a < NAMES ? "root/%u/%u" : "root/%u", a % NAMES, b);
        snprintf(to, sizeof to, c < NAMES ? "root/%u/%u" : "root/%u", c % NAMES, d);
        switch (random >> 24 & 3) {
        case 0:
        case 1:
            mkdirat(scratch.fd, from, 0755); /* any of these may fail, for want of a parent or such */
            break;
        case 2:
            renameat(scratch.fd, from, scratch.fd, to);
            break;
        default:
            unlinkat(scratch.fd, from, AT_REMOVEDIR);
            break;
        }
    }
    for (unsigned a = 0; a < NAMES; a++)
        for (unsigned b = 0; b < 8; b++) {
            snprintf(from, sizeof from, "root/%u/%u", a, b);
            if (faccessat(scratch.fd, from, F_OK, 0) == 0)
                notices(from + strlen("root/"), from);
        }
    unsigned before = log_lines();
    notices("", "root");
    assert_int_equal(before, 0);
}

/* mkdir -p, again and again, each chain with a file at its end that must be told of. */
static void deep_folders_in_one_go(void **state)
{
    static char folder[64];
    (void)state;
    struct watcher_settings settings = settings_for(scratch.root);
    follow(&settings);
    for (unsigned i = 0; i < 40; i++) {
        char path[256];
        snprintf(folder, sizeof folder, "d%u/a/b/c/d/e/f", i);
        want(folder);
        for (size_t at = 0; at <= strlen(folder); at++)
            if (folder[at] == '/' || folder[at] == '\0') {
                snprintf(path, sizeof path, "root/%.*s", (int)at, folder);
                scratch_mkdir(&scratch, path);
            }
        await_wanted();
        snprintf(path, sizeof path, "root/%s", folder);
        notices(folder, path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_what_changes, start, end),
        cmocka_unit_test_setup_teardown(ordinary_times, start, end),
        cmocka_unit_test_setup_teardown(waits_for_quiet, start, end),
        cmocka_unit_test_setup_teardown(tells_while_changes_go_on, start, end),
        cmocka_unit_test_setup_teardown(many_folders_are_everything, start, end),
        cmocka_unit_test_setup_teardown(slow_listener, start, end),
        cmocka_unit_test_setup_teardown(root_is_a_link_that_is_swapped, start, end),
        cmocka_unit_test_setup_teardown(link_on_the_way_to_the_root, start, end),
        cmocka_unit_test_setup_teardown(root_is_moved_away_and_another_in, start, end),
        cmocka_unit_test_setup_teardown(root_is_made_again, start, end),
        cmocka_unit_test_setup_teardown(root_is_gone_for_a_while, start, end),
        cmocka_unit_test_setup_teardown(root_that_loses_its_permissions, start, end),
        cmocka_unit_test_setup_teardown(watches_run_out_at_the_start, start, end),
        cmocka_unit_test_setup_teardown(watches_run_out_later, start, end),
        cmocka_unit_test_setup_teardown(inotify_is_not_to_be_had, start, end),
        cmocka_unit_test_setup_teardown(rescans_if_asked, start, end),
        cmocka_unit_test_setup_teardown(rescanning_waits_for_quiet_too, start, end),
        cmocka_unit_test_setup_teardown(events_are_lost, start, end),
        cmocka_unit_test_setup_teardown(memory_is_short_for_a_while, start, end),
        cmocka_unit_test_setup_teardown(does_not_begin, start, end),
        cmocka_unit_test_setup_teardown(ends_at_any_time, start, end),
        cmocka_unit_test_setup_teardown(storm, start, end),
        cmocka_unit_test_setup_teardown(deep_folders_in_one_go, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
