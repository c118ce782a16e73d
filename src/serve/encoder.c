/* A queue of contents and the thread that encodes them. A content is in the queue without a reference, and leaves it
 * when it is retired; while it is being encoded it is held. See encoder.h. */
#include "serve/encoder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/thread.h"
#include "serve/compress.h"

enum { LOWEST_PRIORITY = 19 };

struct encoder {
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something to do, or it is ending */
    struct link queue;
    bool busy; /* one has been taken out of the queue and is being encoded */
    bool ending;
    pthread_t thread;
};

/* Room is made for it before it is published; others may leave for it. */
static void add(struct encoder *encoder, struct content *content, enum coding coding)
{
    struct page_cache *cache = &encoder->store->cache;
    struct slice plain = slice_make(content->identity.bytes, content->identity.size);
    struct link leavers;
    size_t size;
    char *bytes = compress_content(coding, plain, &size);

    if (!bytes)
        return;
    list_init(&leavers);
    uint64_t before = content_weight_all(content), after = before + content_weight_added(size);
    bool room = page_cache_resize(cache, &content->cached, after, &leavers);
    bool added = room && content_add(content, coding, bytes, size);
    if (!added)
        free(bytes);
    if (room && !added)
        page_cache_shrink(cache, &content->cached, before);
    store_retire(encoder->store, &leavers);
}

/* Nobody will find it any more, or it is time to go. */
static bool needless(struct encoder *encoder, const struct content *content)
{
    pthread_mutex_lock(&encoder->lock);
    bool now = encoder->ending || content->retiring;
    pthread_mutex_unlock(&encoder->lock);
    return now;
}

static void encode(struct encoder *encoder, struct content *content)
{
    for (unsigned coding = 1; coding < CODING_COUNT && !needless(encoder, content); coding++)
        if (content->wanted & coding_bit(coding))
            add(encoder, content, coding);
}

/* The next one, held; NULL: it is over. */
static struct content *wait_for_content(struct encoder *encoder)
{
    struct content *content = NULL;

    pthread_mutex_lock(&encoder->lock);
    encoder->busy = false;
    while (list_empty(&encoder->queue) && !encoder->ending)
        pthread_cond_wait(&encoder->changed, &encoder->lock);
    if (!encoder->ending) {
        content = LINK_OWNER(encoder->queue.next, struct content, queue);
        list_remove(&content->queue);
        hold_ref(&content->hold); /* it is not retired yet, so the cache still holds it */
        encoder->busy = true;
    }
    pthread_mutex_unlock(&encoder->lock);
    return content;
}

static void *run(void *argument)
{
    struct encoder *encoder = argument;

    setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY); /* of Linux' threads each has its own */
    for (struct content *content; (content = wait_for_content(encoder));) {
        encode(encoder, content);
        hold_unref(&content->hold);
    }
    return NULL;
}

struct encoder *encoder_new(struct store *store)
{
    struct encoder *encoder = calloc(1, sizeof *encoder);

    if (!encoder)
        return NULL;
    encoder->store = store;
    pthread_mutex_init(&encoder->lock, NULL);
    pthread_cond_init(&encoder->changed, NULL);
    list_init(&encoder->queue);
    int error = thread_start(&encoder->thread, "rawhttp-encode", run, encoder);
    if (error == 0)
        return encoder;
    free(encoder);
    errno = error;
    return NULL;
}

void encoder_free(struct encoder *encoder)
{
    if (!encoder)
        return;
    pthread_mutex_lock(&encoder->lock);
    encoder->ending = true;
    while (!list_empty(&encoder->queue))
        list_remove(encoder->queue.next);
    pthread_cond_broadcast(&encoder->changed);
    pthread_mutex_unlock(&encoder->lock);
    pthread_join(encoder->thread, NULL);
    pthread_cond_destroy(&encoder->changed);
    pthread_mutex_destroy(&encoder->lock);
    free(encoder);
}

void encoder_submit(struct encoder *encoder, struct content *content)
{
    pthread_mutex_lock(&encoder->lock);
    if (!content->retiring && !encoder->ending)
        list_append(&encoder->queue, &content->queue);
    pthread_cond_broadcast(&encoder->changed);
    pthread_mutex_unlock(&encoder->lock);
}

bool encoder_idle(struct encoder *encoder)
{
    if (!encoder)
        return true;
    pthread_mutex_lock(&encoder->lock);
    bool idle = list_empty(&encoder->queue) && !encoder->busy;
    pthread_mutex_unlock(&encoder->lock);
    return idle;
}

void encoder_forget(struct encoder *encoder, struct content *content)
{
    pthread_mutex_lock(&encoder->lock);
    content->retiring = true;
    list_remove(&content->queue);
    pthread_mutex_unlock(&encoder->lock);
}
