/* One queue, first in first out, and a few threads that wait at it. Its jobs take milliseconds, so a mutex is
 * the right tool. It knows nothing of what a job does or where its result goes. */
#include "base/background.h"

#include <stdlib.h>

#include "base/thread.h"

struct background {
    pthread_mutex_t lock;
    pthread_cond_t work; /* there is a job, or it is ending */
    struct job *first, **last;
    bool ending;
    unsigned count;
    pthread_t threads[];
};

/* The next job, or NULL once it is ending and nothing is left. */
static struct job *wait_for_job(struct background *background)
{
    pthread_mutex_lock(&background->lock);
    while (!background->first && !background->ending)
        pthread_cond_wait(&background->work, &background->lock);
    struct job *job = background->first;
    if (job) {
        background->first = job->next;
        if (!background->first)
            background->last = &background->first;
    }
    pthread_mutex_unlock(&background->lock);
    return job;
}

static void *run_jobs(void *argument)
{
    struct background *background = argument;
    for (struct job *job = wait_for_job(background); job; job = wait_for_job(background))
        job->run(job);
    return NULL;
}

struct background *background_new(unsigned threads)
{
    struct background *background = calloc(1, sizeof *background + threads * sizeof(pthread_t));
    if (!background)
        return NULL;
    background->last = &background->first;
    pthread_mutex_init(&background->lock, NULL);
    pthread_cond_init(&background->work, NULL);
    while (background->count < threads &&
           thread_start(&background->threads[background->count], "rawhttp-back", run_jobs, background) == 0)
        background->count++;
    if (background->count > 0)
        return background;
    background_free(background);
    return NULL;
}

void background_submit(struct background *background, struct job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&background->lock);
    *background->last = job;
    background->last = &job->next;
    pthread_cond_signal(&background->work);
    pthread_mutex_unlock(&background->lock);
}

void background_free(struct background *background)
{
    if (!background)
        return;
    pthread_mutex_lock(&background->lock);
    background->ending = true;
    pthread_cond_broadcast(&background->work);
    pthread_mutex_unlock(&background->lock);
    for (unsigned i = 0; i < background->count; i++)
        pthread_join(background->threads[i], NULL);
    pthread_cond_destroy(&background->work);
    pthread_mutex_destroy(&background->lock);
    free(background);
}
