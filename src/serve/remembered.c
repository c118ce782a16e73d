/* What is kept of a secret is SipHash's 128 bits of it under a random key of this table's own. Whoever sees those
 * without the key can test no guess. The key lies in memory that is not swapped and not dumped, as far as the system
 * allows. */
#include "serve/remembered.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/siphash.h"

struct entry {
    struct siphash_result mark;
    uint64_t until_ms; /* 0: free */
};

struct remembered {
    struct siphash_key key;
    pthread_mutex_t lock;
    struct entry sets[REMEMBERED_SETS][REMEMBERED_WAYS];
};

struct remembered *remembered_new(void)
{
    struct remembered *remembered =
        mmap(NULL, sizeof *remembered, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (remembered == MAP_FAILED)
        return NULL;
    /* Where these are not allowed it still works, and no worse than any other memory. */
    (void)!mlock(remembered, sizeof *remembered);
    (void)!madvise(remembered, sizeof *remembered, MADV_DONTDUMP);
    if (getrandom(&remembered->key, sizeof remembered->key, 0) == (ssize_t)sizeof remembered->key) {
        pthread_mutex_init(&remembered->lock, NULL);
        return remembered;
    }
    int error = errno;
    munmap(remembered, sizeof *remembered);
    errno = error;
    return NULL;
}

void remembered_free(struct remembered *remembered)
{
    if (!remembered)
        return;
    pthread_mutex_destroy(&remembered->lock);
    explicit_bzero(remembered, sizeof *remembered);
    munmap(remembered, sizeof *remembered);
}

static bool same(struct siphash_result a, struct siphash_result b)
{
    return ((a.half[0] ^ b.half[0]) | (a.half[1] ^ b.half[1])) == 0;
}

static struct entry *set_of(struct remembered *remembered, struct siphash_result mark)
{
    return remembered->sets[mark.half[0] % REMEMBERED_SETS];
}

bool remembered_has(struct remembered *remembered, struct slice secret, uint64_t now_ms)
{
    struct siphash_result mark = siphash(&remembered->key, secret);
    struct entry *set = set_of(remembered, mark);
    bool found = false;
    pthread_mutex_lock(&remembered->lock);
    for (unsigned i = 0; i < REMEMBERED_WAYS; i++)
        found |= now_ms < set[i].until_ms && same(set[i].mark, mark);
    pthread_mutex_unlock(&remembered->lock);
    return found;
}

/* Its own entry where it has one, else the one that ends first, as a free one does. */
static struct entry *place_for(struct entry *set, struct siphash_result mark)
{
    struct entry *place = set;
    for (unsigned i = 0; i < REMEMBERED_WAYS; i++) {
        if (same(set[i].mark, mark))
            return &set[i];
        if (set[i].until_ms < place->until_ms)
            place = &set[i];
    }
    return place;
}

void remembered_add(struct remembered *remembered, struct slice secret, uint64_t now_ms)
{
    struct siphash_result mark = siphash(&remembered->key, secret);
    struct entry *set = set_of(remembered, mark);
    pthread_mutex_lock(&remembered->lock);
    *place_for(set, mark) = (struct entry){ mark, now_ms + REMEMBERED_MS };
    pthread_mutex_unlock(&remembered->lock);
}
