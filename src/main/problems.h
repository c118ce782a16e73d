/* The mistakes of one text, each with the line that it stands in: all that were found, in the order of the lines.
 * Whose text it is, and how they are shown, is not known here. */
#ifndef MAIN_PROBLEMS_H
#define MAIN_PROBLEMS_H

#include <stdbool.h>

enum { PROBLEMS_MAX = 50 }; /* who has made more of them looks at the first few only */

struct problem {
    unsigned line; /* 0: of the whole */
    char *text;
};

struct problems {
    struct problem at[PROBLEMS_MAX];
    unsigned count, dropped; /* those that are there, and those for which there was no room or no memory */
};

/* Always false, so that a check can end with it. */
bool problems_add(struct problems *problems, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline bool problems_any(const struct problems *problems)
{
    return problems->count > 0 || problems->dropped > 0;
}

void problems_fini(struct problems *problems);

#endif
