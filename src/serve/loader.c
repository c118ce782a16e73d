/* Reads and hashes files with several threads, which take one page after another from a shared counter. A file is
 * taken as it is only when size and times were the same before and after, so that a half-written one is never kept;
 * one that does not hold still becomes a page without validators, opened anew for each request. */
#include "serve/loader.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_STATIC_LINKING_ONLY /* for XXH3_state_t on the stack */
#include <xxhash.h>

enum { TRIES_MAX = 3, PIECE_SIZE = 64 * 1024 };

struct loader {
    struct tree *tree;
    const struct files *files;
    size_t kept;
    int64_t now_s;
    atomic_size_t next;
};

enum reading { READING_STEADY, READING_CHANGED, READING_FAILED };

/* One attempt at a file. */
struct attempt {
    int fd;
    struct stat st;
    uint64_t hash;
    char *content;  /* NULL: hash only */
    uint64_t room;  /* bytes of content */
};

/* Reads `size` bytes, fewer only at the end of the file; -1: errno. */
static ssize_t read_full(int fd, char *out, size_t size, uint64_t offset)
{
    size_t got = 0;

    while (got < size) {
        ssize_t n = pread(fd, out + got, size - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* One byte more than there should be is asked for: to get it is to notice that the file grows. */
static enum reading fill(struct attempt *attempt)
{
    size_t size = (size_t)attempt->st.st_size;
    ssize_t got = read_full(attempt->fd, attempt->content, size + 1, 0);

    if (got < 0)
        return READING_FAILED;
    attempt->hash = XXH3_64bits(attempt->content, size);
    return (size_t)got == size ? READING_STEADY : READING_CHANGED;
}

static enum reading digest(struct attempt *attempt)
{
    XXH3_state_t state;
    char piece[PIECE_SIZE];
    uint64_t size = (uint64_t)attempt->st.st_size, sum = 0;

    XXH3_64bits_reset(&state);
    while (sum <= size) {
        ssize_t got = read_full(attempt->fd, piece, sizeof piece, sum);
        if (got < 0)
            return READING_FAILED;
        if (got == 0)
            break;
        XXH3_64bits_update(&state, piece, (size_t)got);
        sum += (uint64_t)got;
    }
    attempt->hash = XXH3_64bits_digest(&state);
    return sum == size ? READING_STEADY : READING_CHANGED;
}

/* Into memory if the file still fits where it was to go; else `content` is dropped. */
static enum reading read_once(struct attempt *attempt)
{
    struct stat after;

    if (fstat(attempt->fd, &attempt->st) < 0)
        return READING_FAILED;
    if (!S_ISREG(attempt->st.st_mode)) {
        errno = EISDIR;
        return READING_FAILED;
    }
    if (attempt->content && (uint64_t)attempt->st.st_size > attempt->room) {
        free(attempt->content);
        attempt->content = NULL;
    }
    enum reading reading = attempt->content ? fill(attempt) : digest(attempt);
    if (reading != READING_STEADY)
        return reading;
    if (fstat(attempt->fd, &after) < 0)
        return READING_FAILED;
    bool same = after.st_size == attempt->st.st_size && files_modified_ns(&after) == files_modified_ns(&attempt->st);
    return same ? READING_STEADY : READING_CHANGED;
}

static enum reading read_steady(struct attempt *attempt)
{
    enum reading reading = READING_CHANGED;

    for (unsigned tries = 0; tries < TRIES_MAX && reading == READING_CHANGED; tries++)
        reading = read_once(attempt);
    return reading;
}

/* False: errno, it cannot be read. */
static bool load_page(const struct loader *loader, struct page *page, bool keep)
{
    struct attempt attempt = { .fd = files_open(loader->files, page->path.data), .room = page->size };
    if (attempt.fd < 0)
        return false;

    /* Without memory for its content a page is one that is not in memory. */
    attempt.content = keep ? malloc(page->size + 1) : NULL;
    enum reading reading = read_steady(&attempt);
    int error = errno;
    close(attempt.fd);

    if (reading != READING_FAILED)
        page_describe(page, &attempt.st, loader->now_s);
    if (reading == READING_STEADY)
        page_set_hash(page, attempt.hash);
    else
        page_unsettle(page);
    if (reading != READING_STEADY || !attempt.content || !page_keep(page, attempt.content))
        free(attempt.content);
    errno = error;
    return reading != READING_FAILED;
}

static void *read_pages(void *user)
{
    struct loader *loader = user;
    struct tree *tree = loader->tree;

    for (;;) {
        size_t i = atomic_fetch_add_explicit(&loader->next, 1, memory_order_relaxed);
        if (i >= tree->count)
            return NULL;
        if (load_page(loader, tree->pages[i], i < loader->kept))
            continue;
        tree_skip_error(tree, tree->pages[i]->path.data, errno);
        page_free(tree->pages[i]);
        tree->pages[i] = NULL;
    }
}

/* Signals are for the threads of the program that embeds us. */
static unsigned start(struct loader *loader, pthread_t *threads, unsigned count)
{
    sigset_t all, before;
    unsigned started = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started < count && pthread_create(&threads[started], NULL, read_pages, loader) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void drop_unread(struct tree *tree)
{
    size_t count = 0;

    for (size_t i = 0; i < tree->count; i++)
        if (tree->pages[i])
            tree->pages[count++] = tree->pages[i];
    tree->count = count;
}

void loader_read(struct tree *tree, const struct files *files, size_t kept, unsigned threads)
{
    struct clock clock = { .now_ms = 0 };
    pthread_t others[LOADER_THREADS_MAX];

    clock_update(&clock);
    struct loader loader = { .tree = tree, .files = files, .kept = kept, .now_s = clock.unix_s };
    unsigned wanted = threads > LOADER_THREADS_MAX ? LOADER_THREADS_MAX : threads;
    unsigned started = wanted > 1 ? start(&loader, others, wanted - 1) : 0;
    read_pages(&loader);
    for (unsigned i = 0; i < started; i++)
        pthread_join(others[i], NULL);
    drop_unread(tree);
}
