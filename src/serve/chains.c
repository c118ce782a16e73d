/* Buckets double when there is one thing for each, so a look-up sees about one that it is not looking for. */
#include "serve/chains.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM_MIN = 64 };

static struct chained **head_of(const struct chains *chains, uint64_t hash)
{
    return &chains->heads[hash & (chains->room - 1)];
}

static void push(struct chains *chains, struct chained *chained)
{
    struct chained **head = head_of(chains, chained->hash);
    chained->next = *head;
    *head = chained;
}

static void grow(struct chains *chains)
{
    struct chains more = { .room = chains->room ? 2 * chains->room : ROOM_MIN, .count = chains->count };
    more.heads = calloc(more.room, sizeof(struct chained *));
    if (!more.heads)
        return;
    for (size_t i = 0; i < chains->room; i++) {
        while (chains->heads[i]) {
            struct chained *chained = chains->heads[i];
            chains->heads[i] = chained->next;
            push(&more, chained);
        }
    }
    free(chains->heads);
    *chains = more;
}

bool chains_add(struct chains *chains, struct chained *chained, uint64_t hash)
{
    if (chains->count >= chains->room)
        grow(chains);
    if (chains->room == 0)
        return false;
    chained->hash = hash;
    push(chains, chained);
    chains->count++;
    return true;
}

void chains_remove(struct chains *chains, struct chained *chained)
{
    struct chained **at = head_of(chains, chained->hash);
    while (*at != chained) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = chained->next;
    chains->count--;
}

static struct chained *with_hash(struct chained *chained, uint64_t hash)
{
    while (chained && chained->hash != hash)
        chained = chained->next;
    return chained;
}

struct chained *chains_first(const struct chains *chains, uint64_t hash)
{
    return chains->room ? with_hash(*head_of(chains, hash), hash) : NULL;
}

struct chained *chains_next(const struct chained *chained)
{
    return with_hash(chained->next, chained->hash);
}

void chains_fini(struct chains *chains)
{
    free(chains->heads);
    *chains = (struct chains){ .heads = NULL };
}
