/* Opens beneath the root. The kernel resolves the path where it offers openat2; else trail (below) does what
 * RESOLVE_BENEATH does: no link is followed by the kernel, and what a link says is read and walked from the root again.
 *
 * It refuses to know what a page is; it has paths, descriptors and errno. */
#include "serve/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/writer.h"

enum {
    OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, /* O_NONBLOCK: a FIFO without writer opens at once */
    FOLDER_FLAGS = O_PATH | O_DIRECTORY | O_CLOEXEC,           /* to pass through, search permission is enough */
    LINKS_MAX = 40,                                            /* as many as the kernel follows (path_resolution(7)) */
    TRAIL_MAX = PATH_MAX - 1,                                  /* PATH_MAX counts a NUL */
    TRIES_MAX = 16
};

static int open_beneath(int root_fd, const char *path)
{
    struct open_how how = { .flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    long fd = -1;

    /* EAGAIN: something was renamed while ".." was being resolved, and the kernel cannot vouch for the result. */
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return (int)fd;
}

bool files_open_root(struct files *files, const char *folder)
{
    files->root_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->root_fd < 0)
        return false;

    /* Old kernels answer ENOSYS, container profiles EPERM; whatever it is, the walk needs no new call. */
    int probe = open_beneath(files->root_fd, ".");
    files->walk = probe < 0;
    if (probe >= 0)
        close(probe);
    return true;
}

void files_close_root(struct files *files)
{
    close(files->root_fd);
    files->root_fd = -1;
}

/* A path on its way to be resolved. Everything before the segment in hand has been opened and is free of links; a link
 * or a ".." is replaced in the text by what it means, and the descent starts anew from the root. */
struct trail {
    char text[TRAIL_MAX];
    size_t size;
    unsigned links;
};

enum step { STEP_DOWN, STEP_ARRIVED, STEP_AGAIN, STEP_FAILED };

static enum step fail(int error)
{
    errno = error;
    return STEP_FAILED;
}

static enum step replace(struct trail *trail, size_t from, size_t to, struct slice with)
{
    char text[TRAIL_MAX];
    struct writer w = writer_on(text, sizeof text);

    writer_bytes(&w, trail->text, from);
    writer_put(&w, with);
    writer_bytes(&w, trail->text + to, trail->size - to);
    if (w.overflowed)
        return fail(ENAMETOOLONG);
    trail->size = writer_used(&w);
    memcpy(trail->text, text, trail->size);
    return STEP_AGAIN;
}

/* ".." at [from, to): takes away the segment before it, which is a folder and no link, so that its parent is what
 * its text says. */
static enum step climb(struct trail *trail, size_t from, size_t to)
{
    while (from > 0 && trail->text[from - 1] == '/')
        from--;
    if (from == 0)
        return fail(EXDEV);
    while (from > 0 && trail->text[from - 1] != '/')
        from--;
    return replace(trail, from, to, SLICE(""));
}

/* The segment at [from, to) could not be opened: if that is because it is a link, what it says takes its place. */
static enum step follow(struct trail *trail, int folder, const char *name, size_t from, size_t to)
{
    int error = errno;
    char target[PATH_MAX];
    ssize_t size = error == ELOOP || error == ENOTDIR ? readlinkat(folder, name, target, sizeof target) : -1;

    if (size < 0)
        return fail(error);
    if (size == sizeof target)
        return fail(ENAMETOOLONG);
    if (target[0] == '/')
        return fail(EXDEV);
    if (++trail->links > LINKS_MAX)
        return fail(ELOOP);
    return replace(trail, from, to, slice_make(target, (size_t)size));
}

/* One segment from `folder` down; `*at` is where it begins, then where it ends. */
static enum step step_down(struct trail *trail, int folder, size_t *at, int *below)
{
    while (*at < trail->size && trail->text[*at] == '/')
        ++*at;
    struct slice rest = slice_skip(slice_make(trail->text, trail->size), *at);
    struct slice segment = slice_part(rest, 0, slice_find(rest, '/'));
    size_t from = *at, to = from + segment.size;
    bool last = to == trail->size;

    if (slice_equal(segment, SLICE("..")))
        return climb(trail, from, to);
    if (slice_equal(segment, SLICE(".")) && !last)
        return replace(trail, from, to, SLICE("")); /* climb must find the folder's name before a ".." */
    if (segment.size == 0)
        segment = SLICE("."); /* "folder/" is the folder itself */
    if (segment.size > NAME_MAX)
        return fail(ENAMETOOLONG);

    char name[NAME_MAX + 1] = "";
    memcpy(name, segment.data, segment.size);
    *below = openat(folder, name, (last ? (int)OPEN_FLAGS : (int)FOLDER_FLAGS) | O_NOFOLLOW);
    if (*below < 0)
        return follow(trail, folder, name, from, to);
    *at = to;
    return last ? STEP_ARRIVED : STEP_DOWN;
}

/* ARRIVED: *fd is what the trail leads to. */
static enum step descend(int root_fd, struct trail *trail, int *fd)
{
    enum step step = STEP_DOWN;
    size_t at = 0;
    int folder = root_fd;

    while (step == STEP_DOWN) {
        int below = -1;
        step = step_down(trail, folder, &at, &below);
        int error = errno;
        if (folder != root_fd)
            close(folder);
        errno = error;
        folder = below;
    }
    *fd = folder;
    return step;
}

static int walk_beneath(int root_fd, const char *path)
{
    struct trail trail = { .links = 0 };
    enum step step = replace(&trail, 0, 0, slice_text(path));
    int fd = -1;

    while (step == STEP_AGAIN)
        step = descend(root_fd, &trail, &fd);
    return step == STEP_ARRIVED ? fd : -1;
}

bool files_hidden(const char *path)
{
    struct slice rest = slice_text(path), known = SLICE(".well-known");

    if (slice_starts(rest, known) && (rest.size == known.size || rest.data[known.size] == '/'))
        rest = slice_skip(rest, known.size);
    return slice_starts(rest, SLICE(".")) || strstr(rest.data, "/.") != NULL;
}

int files_open(const struct files *files, const char *path)
{
    struct stat st;

    if (files_hidden(path)) {
        errno = ENOENT;
        return -1;
    }
    if (path[0] == '/') {
        errno = EXDEV;
        return -1;
    }
    int fd = files->walk ? walk_beneath(files->root_fd, path) : open_beneath(files->root_fd, *path ? path : ".");
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        return fd;
    close(fd);
    errno = ENXIO; /* as open says of a socket */
    return -1;
}

/* Some file systems keep any number of seconds: what is beyond the years that 64 bits can count is at their end. */
int64_t files_modified_ns(const struct stat *st)
{
    int64_t ns;

    if (__builtin_mul_overflow((int64_t)st->st_mtim.tv_sec, INT64_C(1000000000), &ns) ||
        __builtin_add_overflow(ns, (int64_t)st->st_mtim.tv_nsec, &ns))
        return st->st_mtim.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}
