/* A section of a configuration file, as libconfuse has read it, on its way into the options: values with their lines,
 * what is wrong with them, and the memory that they go to. */
#ifndef MAIN_CONFIG_PART_H
#define MAIN_CONFIG_PART_H

#include "base/why.h"
#include "main/options.h"

#include <confuse.h>

struct part {
    struct options *options;
    cfg_t *cfg;
    unsigned line;
    bool failed; /* out of memory */
};

/* In the memory of the options. */
struct found {
    const char *text; /* NULL: it is not there */
    unsigned line;
};

/* Zeros, in the memory of the options; NULL, and the part has failed. */
void *part_take(struct part *part, size_t count, size_t size);

struct found part_find(struct part *part, const char *key, unsigned place);

/* Its name, and part->line. NULL: the part has failed. */
const char *part_title(struct part *part);

/* Always false, so that a check can end with it. */
bool part_refuse(struct part *part, unsigned line, const char *key, const char *why);

/* Ended by NULL; NULL where the file has none. Each is to pass the check. */
typedef bool part_check(struct slice text, struct why why);
const char *const *part_list(struct part *part, const char *key, part_check *check, unsigned *line);

#endif
