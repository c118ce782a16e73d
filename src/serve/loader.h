/* Reads a tree: every file once, to hash it, and into memory where it is to be kept there. */
#ifndef SERVE_LOADER_H
#define SERVE_LOADER_H

#include "serve/tree.h"

enum { LOADER_THREADS_MAX = 64 };

/* The first `kept` pages get their content and answers, the others their validators. Pages that cannot be read are
 * logged, and leave the tree. The calling thread reads too, so that fewer threads than were asked for are no error. */
void loader_read(struct tree *tree, const struct files *files, size_t kept, unsigned threads);

#endif
