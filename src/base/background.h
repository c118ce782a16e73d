/* A few threads for what may block: opening files, name look-ups, a user's database. A job runs on one of
 * them; what it made travels home through a mailbox, which is the job's own business. */
#ifndef BASE_BACKGROUND_H
#define BASE_BACKGROUND_H

#include <stdbool.h>

struct job {
    struct job *next;
    void (*run)(struct job *job); /* on a background thread */
};

struct background;

/* `threads` is at least 1; fewer are made do with where the system gives no more. NULL: no memory or no thread could be
 * started. Threads block every signal. */
struct background *background_new(unsigned threads);

/* Any thread. The job is the caller's memory until it has run. */
void background_submit(struct background *background, struct job *job);

/* Runs what was submitted, then ends the threads and frees all. */
void background_free(struct background *background);

#endif
