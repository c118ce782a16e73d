/* A temporary folder for tests that need real files: scratch_open makes it, with a "root" in it and room beside
 * that for what must not be served; scratch_close takes everything away. Paths are relative to the temporary
 * folder. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "serve/files.h"

struct scratch {
    char folder[64], root[80];
    int fd;
    struct files files;
    struct log log;
    pthread_mutex_t lock;
    char lines[16 * 1024]; /* what was logged */
};

static inline void scratch_note(void *user, enum log_level level, const char *line)
{
    struct scratch *scratch = user;
    (void)level;
    pthread_mutex_lock(&scratch->lock);
    size_t used = strlen(scratch->lines);
    snprintf(scratch->lines + used, sizeof scratch->lines - used, "%s\n", line);
    pthread_mutex_unlock(&scratch->lock);
}

static inline void scratch_mkdir(struct scratch *scratch, const char *path)
{
    assert_int_equal(mkdirat(scratch->fd, path, 0755), 0);
}

static inline void scratch_open(struct scratch *scratch)
{
    memset(scratch, 0, sizeof *scratch);
    strcpy(scratch->folder, "/tmp/rawhttp-test-XXXXXX");
    assert_non_null(mkdtemp(scratch->folder));
    assert_int_equal(chmod(scratch->folder, 0755), 0);
    snprintf(scratch->root, sizeof scratch->root, "%s/root", scratch->folder);
    scratch->fd = open(scratch->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(scratch->fd >= 0);
    scratch_mkdir(scratch, "root");
    pthread_mutex_init(&scratch->lock, NULL);
    scratch->log = (struct log){ scratch_note, scratch };
    assert_true(files_open_root(&scratch->files, scratch->root));
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline void scratch_close(struct scratch *scratch)
{
    files_close_root(&scratch->files);
    close(scratch->fd);
    pthread_mutex_destroy(&scratch->lock);
    assert_int_equal(nftw(scratch->folder, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void scratch_write_bytes(struct scratch *scratch, const char *path, const void *data, size_t size)
{
    int fd = openat(scratch->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    close(fd);
}

static inline void scratch_write(struct scratch *scratch, const char *path, const char *text)
{
    scratch_write_bytes(scratch, path, text, strlen(text));
}

static inline void scratch_link(struct scratch *scratch, const char *path, const char *target)
{
    assert_int_equal(symlinkat(target, scratch->fd, path), 0);
}

/* The file's modification time. */
static inline void scratch_date(struct scratch *scratch, const char *path, int64_t seconds, long nanoseconds)
{
    struct timespec times[2] = { { seconds, nanoseconds }, { seconds, nanoseconds } };
    assert_int_equal(utimensat(scratch->fd, path, times, 0), 0);
}

/* Permissions mean nothing to root: between these two calls the test is nobody. */
static inline void scratch_drop_root(void)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(65534), 0);
}

static inline void scratch_regain_root(void)
{
    if (getuid() != 0)
        return;
    assert_int_equal(seteuid(0), 0);
    prctl(PR_SET_DUMPABLE, 1); /* which the kernel took away, and the leak checker needs */
}

#endif
