/* What is in force is a version: published by one pointer for the workers, who are done with it at the end of their
 * turn, and counted for background threads, who are not. The lock is theirs alone. */
#include "serve/password_file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/hold.h"
#include "base/list.h"

struct version {
    struct hold hold; /* that of the file, or of qsbr after that, and one for each check */
    struct retired retired;
    struct passwords *passwords;
};

/* By which it is noticed that a file is not what it was. The time of the last status change too: it tells of a
 * replacement that kept size and date. */
struct mark {
    int error; /* 0: there is such a file */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct password_file {
    struct qsbr *qsbr;
    const struct log *log;
    _Atomic(struct version *) current;
    _Atomic uint64_t looked_ms; /* when the request came for which it was last looked at */
    pthread_mutex_t lock;       /* for all below, and to take a version without being a worker */
    struct mark mark;           /* of the file when the current version was read */
    struct mark told;           /* what was last found: of each fault there is one line */
    char path[];
};

/* ---- Versions ----------------------------------------------------------------------------------------------- */

static void gone(struct hold *hold)
{
    struct version *version = LINK_OWNER(hold, struct version, hold);
    passwords_free(version->passwords);
    free(version);
}

static void let_go(struct retired *retired)
{
    hold_unref(&LINK_OWNER(retired, struct version, retired)->hold);
}

/* NULL: `why`. */
static struct version *version_read(const char *path, struct why why)
{
    struct version *version = malloc(sizeof *version);
    if (!version) {
        why_refuse(why, slice_text(path), "%s", strerror(errno));
        return NULL;
    }
    version->passwords = passwords_read(path, why);
    if (version->passwords) {
        hold_init(&version->hold, gone);
        return version;
    }
    free(version);
    return NULL;
}

/* Any thread but a worker's: the lock may be held while the file is read. */
static struct version *take_version(struct password_file *file)
{
    pthread_mutex_lock(&file->lock);
    struct version *version = atomic_load_explicit(&file->current, memory_order_relaxed);
    hold_ref(&version->hold);
    pthread_mutex_unlock(&file->lock);
    return version;
}

/* ---- The file ----------------------------------------------------------------------------------------------- */

static struct mark mark_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return (struct mark){ .error = errno };
    return (struct mark){ .device = st.st_dev, .inode = st.st_ino, .size = st.st_size, .modified = st.st_mtim,
                          .changed = st.st_ctim };
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same(const struct mark *a, const struct mark *b)
{
    return a->error == b->error && a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

struct password_file *password_file_new(struct slice path, struct qsbr *qsbr, const struct log *log, struct why why)
{
    struct password_file *file = calloc(1, sizeof *file + path.size + 1);
    if (!file) {
        why_refuse(why, path, "%s", strerror(errno));
        return NULL;
    }
    memcpy(file->path, path.data, path.size);
    file->qsbr = qsbr;
    file->log = log;
    file->mark = file->told = mark_of(file->path); /* first: a change while it is read is then seen by the first look */
    struct version *version = version_read(file->path, why);
    if (!version) {
        free(file);
        return NULL;
    }
    atomic_init(&file->current, version);
    pthread_mutex_init(&file->lock, NULL);
    return file;
}

void password_file_free(struct password_file *file)
{
    if (!file)
        return;
    hold_unref(&atomic_load_explicit(&file->current, memory_order_relaxed)->hold);
    pthread_mutex_destroy(&file->lock);
    free(file);
}

static void replace(struct password_file *file, struct version *next)
{
    struct version *before = atomic_exchange_explicit(&file->current, next, memory_order_acq_rel);
    qsbr_retire(file->qsbr, &before->retired, let_go);
    log_write(file->log, LOG_LEVEL_INFO, "%s: has changed and was read again", file->path);
}

/* A file with a fault is read again at each look, since the fault may be ours: no memory. One that changes while it is
 * read may be half of what somebody writes: the next look will find it whole. */
static void follow(struct password_file *file)
{
    char text[WHY_SIZE];
    struct mark found = mark_of(file->path), told = file->told;
    file->told = found;
    if (same(&found, &file->mark))
        return;
    struct version *next = version_read(file->path, (struct why){ text, sizeof text });
    struct mark after = mark_of(file->path);
    if (same(&found, &after) && next) {
        file->mark = found;
        replace(file, next);
    } else if (next) {
        hold_unref(&next->hold);
    } else if (same(&found, &after) && !same(&found, &told)) {
        log_write(file->log, LOG_LEVEL_WARN, "%s; what was read before stays in force", text);
    }
}

/* Acquire: whoever sees that it was looked at sees what was found. Requests of several workers come with times that are
 * not in order. */
bool password_file_stale(const struct password_file *file, uint64_t now_ms)
{
    uint64_t looked_ms = atomic_load_explicit(&file->looked_ms, memory_order_acquire);
    return now_ms >= looked_ms && now_ms - looked_ms >= PASSWORD_FILE_LOOK_MS;
}

bool password_file_look(struct password_file *file, struct slice token, uint64_t now_ms)
{
    qsbr_reclaim(file->qsbr); /* the version before, by now */
    pthread_mutex_lock(&file->lock);
    if (password_file_stale(file, now_ms)) {
        follow(file);
        atomic_store_explicit(&file->looked_ms, now_ms, memory_order_release);
    }
    pthread_mutex_unlock(&file->lock);
    struct version *version = take_version(file);
    bool remembered = passwords_remembers(version->passwords, token, now_ms);
    hold_unref(&version->hold);
    return remembered;
}

/* ---- Asking ------------------------------------------------------------------------------------------------- */

bool password_file_remembers(struct password_file *file, struct slice token, uint64_t now_ms)
{
    struct version *version = atomic_load_explicit(&file->current, memory_order_acquire);
    return passwords_remembers(version->passwords, token, now_ms);
}

enum password_result password_file_check(struct password_file *file, struct slice token, uint64_t now_ms)
{
    struct version *version = take_version(file);
    enum password_result result = passwords_check(version->passwords, token, now_ms);
    int error = errno;
    hold_unref(&version->hold);
    errno = error;
    return result;
}
