/* Two queues of contents and the thread that encodes them, one coding at a time, so that what is asked for meanwhile
 * waits for one coding at most. A content is in a queue without a reference, and leaves it when it is retired; while it
 * is being encoded it is held. See encoder.h. */
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
    struct link awaited, others; /* the first go first */
    bool busy; /* one has been taken out of its queue and is being encoded */
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

static struct link *queue_of(struct encoder *encoder, const struct content *content)
{
    return atomic_load_explicit(&content->awaited, memory_order_relaxed) ? &encoder->awaited : &encoder->others;
}

/* Nothing of it is begun any more when nobody will find it, or when it is time to go. */
static bool needless(const struct encoder *encoder, const struct content *content)
{
    return encoder->ending || content->retiring;
}

/* In front of the others of its queue: it has been begun. */
static void put_back(struct encoder *encoder, struct content *content)
{
    pthread_mutex_lock(&encoder->lock);
    if (!needless(encoder, content))
        list_prepend(queue_of(encoder, content), &content->queue);
    pthread_mutex_unlock(&encoder->lock);
}

/* The next coding. */
static void encode(struct encoder *encoder, struct content *content)
{
    unsigned coding = (unsigned)__builtin_ctz(atomic_load_explicit(&content->wanted, memory_order_relaxed));

    add(encoder, content, coding);
    if (atomic_fetch_and(&content->wanted, (uint8_t)~coding_bit(coding)) != coding_bit(coding))
        put_back(encoder, content);
}

static bool has_none(const struct encoder *encoder)
{
    return list_empty(&encoder->awaited) && list_empty(&encoder->others);
}

/* The next one, held; NULL: it is over. */
static struct content *wait_for_content(struct encoder *encoder)
{
    struct content *content = NULL;

    pthread_mutex_lock(&encoder->lock);
    encoder->busy = false;
    while (has_none(encoder) && !encoder->ending)
        pthread_cond_wait(&encoder->changed, &encoder->lock);
    if (!encoder->ending) {
        const struct link *queue = list_empty(&encoder->awaited) ? &encoder->others : &encoder->awaited;
        content = LINK_OWNER(queue->next, struct content, queue);
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
    list_init(&encoder->awaited);
    list_init(&encoder->others);
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
    list_splice(&encoder->others, &encoder->awaited);
    while (!list_empty(&encoder->others))
        list_remove(encoder->others.next);
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
    if (!needless(encoder, content))
        list_append(queue_of(encoder, content), &content->queue);
    pthread_cond_broadcast(&encoder->changed);
    pthread_mutex_unlock(&encoder->lock);
}

/* Ranked as they usually come out: sizes are not known yet. */
static bool would_get(const struct content *content, const struct fields *fields)
{
    static const uint64_t ranks[CODING_COUNT] = { [CODING_BR] = 1, [CODING_ZSTD] = 2, [CODING_GZIP] = 3,
                                                  [CODING_IDENTITY] = 4 };
    unsigned wanted = atomic_load_explicit(&content->wanted, memory_order_relaxed), there = wanted;

    for (unsigned coding = 0; coding < CODING_COUNT; coding++)
        there |= content_in(content, coding) ? coding_bit(coding) : 0;
    unsigned chosen = coding_choose(fields, coding_order_by_size(ranks, there));
    return chosen != CODING_REFUSED && (wanted & coding_bit(chosen)) != 0;
}

/* In no queue, while it is being encoded or before it is submitted, it will go to the right one. */
void encoder_hasten(struct encoder *encoder, struct content *content, const struct fields *fields)
{
    if (!would_get(content, fields) || atomic_exchange_explicit(&content->awaited, true, memory_order_relaxed))
        return;
    pthread_mutex_lock(&encoder->lock);
    if (!list_empty(&content->queue)) {
        list_remove(&content->queue);
        list_append(&encoder->awaited, &content->queue);
    }
    pthread_mutex_unlock(&encoder->lock);
}

bool encoder_idle(struct encoder *encoder)
{
    if (!encoder)
        return true;
    pthread_mutex_lock(&encoder->lock);
    bool idle = has_none(encoder) && !encoder->busy;
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
