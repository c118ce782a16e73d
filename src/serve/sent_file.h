/* An open file on its way to a client: what it was when the response began, so that nobody gets the beginning of one
 * state and the end of another under one head. Where somebody has written to it, the response ends with its connection.
 *
 * A file that was only appended to is, as far as the response goes, what it was: else no log could be had while it is
 * written. It opens nothing and sends nothing. */
#ifndef SERVE_SENT_FILE_H
#define SERVE_SENT_FILE_H

#include <sys/stat.h>

#include "base/log.h"
#include "http/answer.h"
#include "serve/descriptors.h"

/* What a file looks like. Its change time says nothing: that changes with its name, too. */
struct file_print {
    uint64_t size;
    int64_t modified_ns;
    uint64_t sample; /* of its content, here and there */
};

/* Reads a little: for background threads. */
void file_print_take(struct file_print *print, int fd, const struct stat *st);

/* Whether the content that there was is still there, perhaps with more behind it. Quick, unless it has grown. */
bool file_print_holds(const struct file_print *print, int fd);

struct sent_file {
    struct steady steady;
    struct descriptor *descriptor; /* its reference */
    struct file_print print;
    const struct log *log;
    char path[];                   /* for the log */
};

/* Takes over the reference. NULL: no memory, and it is still the caller's. */
struct sent_file *sent_file_new(struct descriptor *descriptor, const struct file_print *print, const char *path,
                                const struct log *log);
void sent_file_free(void *sent);

#endif
