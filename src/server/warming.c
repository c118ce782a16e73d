/* One thread, one site at a time. See warming.h. */
#include "server/warming.h"

#include <poll.h>
#include <stdlib.h>

#include "base/thread.h"
#include "serve/warmer.h"

enum { POLL_MS = 5 };

struct warming {
    unsigned threads;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* there is a site, or it is ending */
    struct site *next;      /* held; NULL: none */
    bool ending;
    atomic_bool interrupted; /* there is a next one, or it is ending */
    atomic_bool warm;        /* nothing is left to be read */
    pthread_t thread;
};

/* Held, or NULL: it is over. */
static struct site *wait_for_site(struct warming *warming)
{
    pthread_mutex_lock(&warming->lock);
    while (!warming->next && !warming->ending)
        pthread_cond_wait(&warming->changed, &warming->lock);
    struct site *site = warming->next;
    warming->next = NULL;
    if (!warming->ending)
        atomic_store(&warming->interrupted, false);
    pthread_mutex_unlock(&warming->lock);
    return site;
}

static void *run(void *argument)
{
    struct warming *warming = argument;

    for (struct site *site; (site = wait_for_site(warming));) {
        warmer_load(site, warming->threads, SIZE_MAX, &warming->interrupted);
        if (!atomic_load(&warming->interrupted))
            atomic_store(&warming->warm, true);
        warmer_hash(site, &warming->interrupted);
        site_unref(site);
    }
    return NULL;
}

struct warming *warming_new(unsigned threads)
{
    struct warming *warming = calloc(1, sizeof *warming);

    if (!warming)
        return NULL;
    warming->threads = threads;
    pthread_mutex_init(&warming->lock, NULL);
    pthread_cond_init(&warming->changed, NULL);
    if (thread_start(&warming->thread, "rawhttp-warm", run, warming) == 0)
        return warming;
    free(warming);
    return NULL;
}

/* Takes over the reference. */
static void hand_over(struct warming *warming, struct site *site, bool ending)
{
    pthread_mutex_lock(&warming->lock);
    struct site *before = warming->next;
    warming->next = site;
    warming->ending = ending;
    atomic_store(&warming->interrupted, true);
    atomic_store(&warming->warm, false);
    pthread_cond_signal(&warming->changed);
    pthread_mutex_unlock(&warming->lock);
    site_unref(before);
}

void warming_free(struct warming *warming)
{
    if (!warming)
        return;
    hand_over(warming, NULL, true);
    pthread_join(warming->thread, NULL);
    pthread_cond_destroy(&warming->changed);
    pthread_mutex_destroy(&warming->lock);
    free(warming);
}

void warming_begin(struct warming *warming, struct site *site)
{
    if (!warming)
        return;
    hold_ref(&site->hold);
    hand_over(warming, site, false);
}

void warming_wait(struct warming *warming, unsigned wait_ms)
{
    for (unsigned waited = 0; warming && waited < wait_ms && !atomic_load(&warming->warm); waited += POLL_MS)
        poll(NULL, 0, POLL_MS);
}
