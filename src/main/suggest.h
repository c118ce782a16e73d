/* What was probably meant by a name that does not exist. */
#ifndef MAIN_SUGGEST_H
#define MAIN_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

/* The name asked for, and what is nearest to it of the names offered so far. */
struct suggest {
    const char *name;
    size_t size, distance; /* only what is less far is nearer */
    const char *nearest;   /* NULL where none came near */
};

struct suggest suggest_begin(const char *name, size_t size);

/* A name that exists, and others (or NULL) under which people look for it, each with a space before and behind. Dashes
 * and underscores are alike. */
void suggest_offer(struct suggest *suggest, const char *known, const char *also);

/* The option of the command line that was meant, or NULL. */
const char *suggest_option(const char *name, size_t size);

/* Whether this is one of the words, each of which has a space before and behind; `words` may be NULL. */
bool suggest_lists(const char *words, const char *word);

#endif
