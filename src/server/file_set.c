/* stat(2), and then the bytes. See file_set.h. */
#include "server/file_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct file_stamp stamp_from(const struct stat *status)
{
    return (struct file_stamp){
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = (uint64_t)status->st_size,
        .modified_s = status->st_mtim.tv_sec,
        .changed_s = status->st_ctim.tv_sec,
        .modified_ns = (uint64_t)status->st_mtim.tv_nsec,
        .changed_ns = (uint64_t)status->st_ctim.tv_nsec,
    };
}

/* True: something else is there than was seen. */
static bool look(struct file_set *set)
{
    struct file_stamp now[FILE_SET_MAX] = { 0 };
    struct stat status;
    for (unsigned i = 0; i < FILE_SET_MAX; i++)
        if (set->paths[i] && stat(set->paths[i], &status) == 0)
            now[i] = stamp_from(&status);
    bool other = memcmp(now, set->seen, sizeof now) != 0;
    memcpy(set->seen, now, sizeof now);
    return other;
}

bool file_set_changed(struct file_set *set)
{
    bool moved = look(set);
    return !moved && memcmp(set->seen, set->settled, sizeof set->seen) != 0;
}

void file_set_settle(struct file_set *set)
{
    memcpy(set->settled, set->seen, sizeof set->settled);
}

bool file_set_held_still(struct file_set *set)
{
    return !look(set);
}

/* ---- Reading ---- */

static void wipe(struct slice *text)
{
    if (text->data)
        explicit_bzero((char *)text->data, text->size);
    free((char *)text->data);
    *text = slice_make(NULL, 0);
}

void file_texts_free(struct file_texts *texts)
{
    for (unsigned i = 0; i < FILE_SET_MAX; i++)
        wipe(&texts->at[i]);
}

/* False: errno. */
static bool fill(int fd, char *bytes, size_t size)
{
    for (size_t used = 0; used < size;) {
        ssize_t got = read(fd, bytes + used, size - used);
        if (got == 0)
            errno = EAGAIN; /* somebody is writing to it */
        if (got <= 0 && (got == 0 || errno != EINTR))
            return false;
        used += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool read_open(int fd, const char *path, struct slice *text, struct why why)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return why_refuse(why, slice_text(path), "%s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return why_refuse(why, slice_text(path), "this is no file");
    if (status.st_size == 0)
        return why_refuse(why, slice_text(path), "it is empty");
    if (status.st_size > FILE_SET_BYTES_MAX)
        return why_refuse(why, slice_text(path), "it is larger than 1 MiB, and so nothing that belongs here");
    *text = slice_make(malloc((size_t)status.st_size), (size_t)status.st_size);
    if (!text->data)
        return why_refuse(why, slice_text(path), "out of memory");
    return fill(fd, (char *)text->data, text->size) || why_refuse(why, slice_text(path), "%s", strerror(errno));
}

static bool read_file(const char *path, struct slice *text, struct why why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return why_refuse(why, slice_text(path), "cannot be read: %s", strerror(errno));
    bool read = read_open(fd, path, text, why);
    close(fd);
    return read;
}

bool file_set_read(struct file_set *set, struct file_texts *texts, struct why why)
{
    bool read = true;
    *texts = (struct file_texts){ 0 };
    look(set);
    for (unsigned i = 0; read && i < FILE_SET_MAX; i++)
        read = !set->paths[i] || read_file(set->paths[i], &texts->at[i], why);
    if (!read)
        file_texts_free(texts);
    return read;
}

bool file_is_open_to_all(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0;
}
