/* How a thread of ours is started: with every signal blocked, for signals belong to the threads of the program that
 * embeds us (and write and sendfile would raise SIGPIPE), and with a name for `ps -L`. It knows nothing of what the
 * thread does; ending and joining it is its owner's. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* 0, or the errno that says why there is no such thread. `name` has at most 15 bytes: the kernel keeps no more. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *user)
    __attribute__((warn_unused_result));

#endif
