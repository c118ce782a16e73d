/* A hash of content (XXH3, 64 bits), from which strong validators are made: so replicas agree about them, whenever
 * their files were written. */
#ifndef SERVE_DIGEST_H
#define SERVE_DIGEST_H

#include "base/slice.h"

/* Never 0, which stands for "not known". */
uint64_t digest_bytes(struct slice bytes);

/* Of the first `size` bytes of an open file, read in pieces. False: errno, or it ended before (errno 0). */
bool digest_file(int fd, uint64_t size, uint64_t *digest);

#endif
