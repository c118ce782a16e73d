/* How much memory this process may use: what the machine has, or what a control group allows where that is less. It
 * does not know how much of that is in use, nor what it is for. */
#ifndef BASE_MEMORY_LIMIT_H
#define BASE_MEMORY_LIMIT_H

#include <stdint.h>

/* Bytes. UINT64_MAX where nothing can be told. Reads files: for the start of a server, not for the way of a request. */
uint64_t memory_limit(void);

/* The same with the files of /proc and /sys beneath another root, "" being the real one. */
uint64_t memory_limit_beneath(const char *root);

#endif
