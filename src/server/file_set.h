/* A few files that mean something only together, a certificate, its key and what is stapled to it: read whole, and
 * looked at again and again for whether they have changed and held still. Links are followed, so what `certbot` does,
 * to turn a link to a new file, is a change.
 *
 * What the files say is not known here; that it is nobody else's business is: memory is wiped before it is given
 * back. */
#ifndef SERVER_FILE_SET_H
#define SERVER_FILE_SET_H

#include <stdint.h>

#include "base/why.h"

enum { FILE_SET_MAX = 3, FILE_SET_BYTES_MAX = 1 << 20 /* of each */ };

/* Which bytes a path leads to, as far as one can tell without reading them; all zero where it leads to none. */
struct file_stamp {
    uint64_t device, inode, size;
    int64_t modified_s, changed_s;
    uint64_t modified_ns, changed_ns;
};

struct file_texts {
    struct slice at[FILE_SET_MAX]; /* data NULL: none */
};

struct file_set {
    const char *paths[FILE_SET_MAX]; /* NULL: there is no such file; the same path may stand twice */
    struct file_stamp seen[FILE_SET_MAX], settled[FILE_SET_MAX];
};

/* Looks at the files. True: they are others than those that were settled, and the same as in the look before. */
bool file_set_changed(struct file_set *set);

/* What was seen last is what is talked about from now on, be it taken or refused. */
void file_set_settle(struct file_set *set);

/* Reads what is there now, which is then seen. False: `why`. */
bool file_set_read(struct file_set *set, struct file_texts *texts, struct why why) __attribute__((warn_unused_result));

/* The files that were read were those that are seen still. */
bool file_set_held_still(struct file_set *set);

void file_texts_free(struct file_texts *texts);

/* Others than its owner and his group may read or write the file. */
bool file_is_open_to_all(const char *path);

#endif
