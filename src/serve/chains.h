/* A table of things that lie elsewhere, each with a link in it: by a hash, in chains, growing as it fills. It allocates
 * no entries and compares no keys; whoever asks for a hash looks at all that have it. */
#ifndef SERVE_CHAINS_H
#define SERVE_CHAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chained {
    struct chained *next;
    uint64_t hash;
};

struct chains {
    struct chained **heads;
    size_t room, count; /* room: 0 or a power of two */
};

/* False: no memory. It can only fail while nothing is in the table: what cannot grow goes on with longer chains. */
bool chains_add(struct chains *chains, struct chained *chained, uint64_t hash) __attribute__((warn_unused_result));

void chains_remove(struct chains *chains, struct chained *chained); /* it must be there */

/* One by one those with this hash; NULL: no more. */
struct chained *chains_first(const struct chains *chains, uint64_t hash);
struct chained *chains_next(const struct chained *chained);

void chains_fini(struct chains *chains); /* as empty as all zero; the things stay */

#endif
