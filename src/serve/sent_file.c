/* Size and modification time say that a file was written to; the time in steps of a clock, so that a file which was
 * written to a moment ago is no safe beginning (static_file.age_ms). See sent_file.h. */
#include "serve/sent_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/digest.h"
#include "serve/files.h"

enum { SAMPLES = 8, SAMPLE_SIZE = 512 };

/* Evenly, from the first byte to the last. What cannot be read is taken for zeros. */
static uint64_t take_sample(int fd, uint64_t size)
{
    char bytes[SAMPLES][SAMPLE_SIZE] = { { 0 } };
    size_t piece = size < SAMPLE_SIZE ? (size_t)size : SAMPLE_SIZE;
    unsigned count = size > piece ? SAMPLES : 1;

    for (unsigned i = 0; i < count; i++)
        if (pread(fd, bytes[i], piece, (off_t)((size - piece) * i / (SAMPLES - 1))) < (ssize_t)piece)
            memset(bytes[i], 0, sizeof bytes[i]);
    return digest_bytes(slice_make(&bytes[0][0], sizeof bytes));
}

void file_print_take(struct file_print *print, int fd, const struct stat *st)
{
    *print = (struct file_print){ .size = (uint64_t)st->st_size, .modified_ns = files_modified_ns(st) };
    print->sample = take_sample(fd, print->size);
}

bool file_print_holds(const struct file_print *print, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || (uint64_t)st.st_size < print->size)
        return false;
    if ((uint64_t)st.st_size == print->size)
        return files_modified_ns(&st) == print->modified_ns;
    return take_sample(fd, print->size) == print->sample;
}

static bool holds(const struct steady *steady)
{
    const struct sent_file *sent = (const struct sent_file *)steady;

    if (file_print_holds(&sent->print, sent->descriptor->fd))
        return true;
    log_write(sent->log, LOG_LEVEL_WARN, "cut off, somebody wrote to it while it was sent: %s", sent->path);
    return false;
}

struct sent_file *sent_file_new(struct descriptor *descriptor, const struct file_print *print, const char *path,
                                const struct log *log)
{
    size_t size = strlen(path) + 1;
    struct sent_file *sent = malloc(sizeof *sent + size);

    if (!sent)
        return NULL;
    *sent = (struct sent_file){ .steady = { holds }, .descriptor = descriptor, .print = *print, .log = log };
    memcpy(sent->path, path, size);
    return sent;
}

void sent_file_free(void *user)
{
    struct sent_file *sent = user;

    hold_unref(&sent->descriptor->hold);
    free(sent);
}
