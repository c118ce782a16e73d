/* Twenty hashes, compared one by one: it is rare, and slow anyway. See skips.h. */
#include "serve/skips.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void skips_begin(struct skips *skips, const struct log *log, const struct skips *known)
{
    *skips = (struct skips){ .log = log, .known = known };
}

/* False: there are too many. */
static bool keep(struct skips *skips, uint64_t hash, uint32_t folder)
{
    skips->count++;
    if (skips->kept == SKIPS_TOLD)
        return false;
    skips->at[skips->kept++] = (struct skip){ hash, folder };
    return true;
}

static bool knows(const struct skips *known, uint64_t hash)
{
    for (unsigned i = 0; known && i < known->kept; i++)
        if (known->at[i].hash == hash)
            return true;
    return false;
}

void skips_add(struct skips *skips, uint32_t folder, const char *path, const char *why)
{
    uint64_t hash = XXH3_64bits_withSeed(path, strlen(path), XXH3_64bits(why, strlen(why)));
    if (keep(skips, hash, folder) && !knows(skips->known, hash)) /* The reason first: of a long line the end is cut. */
        log_write(skips->log, LOG_LEVEL_WARN, "not served, %s: /%s", why, path);
}

void skips_take_over(struct skips *skips, uint32_t folder, uint32_t then)
{
    const struct skips *known = skips->known;
    for (unsigned i = 0; known && i < known->kept; i++)
        if (known->at[i].folder == then)
            (void)keep(skips, known->at[i].hash, folder);
}

/* Fewer than before is no news: those of folders that were taken over are not counted. */
void skips_end(struct skips *skips)
{
    size_t before = skips->known ? skips->known->rest : 0;
    skips->rest = skips->count - skips->kept;
    if (skips->rest > before)
        log_write(skips->log, LOG_LEVEL_WARN, "not served: %zu more", skips->rest);
    else
        skips->rest = before;
    skips->known = NULL;
}
