/* What lies beneath the root: every file that can have an address, found by one walk. */
#ifndef SERVE_TREE_H
#define SERVE_TREE_H

#include <stdatomic.h>
#include "base/log.h"
#include "serve/files.h"
#include "serve/page.h"

enum {
    TREE_DEPTH_MAX = 64, /* folders within folders: what lies deeper is skipped */
    TREE_SKIPS_TOLD = 20 /* each with a log line; of more than that only the number is told */
};

struct tree {
    const struct log *log;
    struct page **pages; /* path and size are set; the tree's, until somebody takes them */
    size_t count, room;
    atomic_size_t skipped;
};

/* False: errno (no memory, or the root itself cannot be read); what cannot be served is logged and skipped. */
bool tree_walk(struct tree *tree, const struct files *files, const struct log *log);
void tree_fini(struct tree *tree);

/* Counted, and a log line if there are not too many. Any thread. */
void tree_skip(struct tree *tree, const char *path, const char *why);

/* As tree_skip, with errno's text. */
void tree_skip_error(struct tree *tree, const char *path, int error);

/* When all is read: how many were skipped without a line of their own. */
void tree_tell_rest(const struct tree *tree);

#endif
