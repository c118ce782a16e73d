/* Opens what lies beneath the root, and nothing else: openat2 with RESOLVE_BENEATH, or, where the kernel or a container
 * refuses that call, a walk segment by segment with O_NOFOLLOW and links resolved by hand. No dotfiles. */
#ifndef SERVE_FILES_H
#define SERVE_FILES_H

#include <sys/stat.h>
#include "base/slice.h"

struct files {
    int root_fd;
    bool walk; /* openat2 is not to be had */
};

/* False: errno says why. */
bool files_open_root(struct files *files, const char *folder);
void files_close_root(struct files *files);

/* A regular file or folder for reading, by its path relative to the root, without leading slash ("" is the root).
 * Links are followed as long as they stay inside. -1: errno (EXDEV or ELOOP for one that leads out). Never blocks
 * on a FIFO. */
int files_open(const struct files *files, const char *path);

/* A path that is never served: a segment of it begins with a dot, other than a ".well-known" (RFC 8615) at the
 * root. This is about names that are asked for; a link may lead through dot names, as those do with which
 * Kubernetes mounts a volume. */
bool files_hidden(const char *path);

/* The whole modification time in nanoseconds since 1970, to notice a change by. */
int64_t files_modified_ns(const struct stat *st);

#endif
