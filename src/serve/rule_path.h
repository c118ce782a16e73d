/* Which paths a rule is about: one, those with something in the place of {name}, or those around a star. It compares
 * with normal paths (http/target.h).
 *
 *     "/exact"                                this path
 *     "/old/{name}/x"                         any one segment in the place of {name}
 *     "/old/{rest...}"                        all beneath "/old/", that itself too, but not "/old"
 *     "/assets/", "/old/{name}/" and a star   the same without a name
 *     "*.js", "/assets/" and "*.js"           all that begins and ends so: a star is any text, slashes too, or none */
#ifndef SERVE_RULE_PATH_H
#define SERVE_RULE_PATH_H

#include "serve/pattern.h"

enum { RULE_PATH_SIZE_MAX = 1024 };

enum rule_path_kind { RULE_PATH_EXACT, RULE_PATH_STAR, RULE_PATH_SEGMENTS };

/* Immutable, one block: everything in it lies in it. */
struct rule_path {
    enum rule_path_kind kind;
    struct slice text;      /* as it was given */
    struct slice prefix;    /* what every path that matches begins with; of EXACT: all of it */
    struct slice suffix;    /* of STAR: what it ends with, behind the prefix */
    uint64_t first, mask;   /* the first eight bytes of the prefix, and which of them there are */
    unsigned param_count;   /* those with a name */
    unsigned segment_count; /* of SEGMENTS; a star at the end is a SEGMENT_REST without name */
    struct segment segments[];
};

/* What stands in the place of each {name}, in their order; slices of the path. */
struct rule_values {
    unsigned count;
    struct slice at[PATTERN_PARAMS_MAX];
};

/* NULL: `why`, which begins with the text. Freed with free(). */
struct rule_path *rule_path_new(struct slice text, struct why why) __attribute__((warn_unused_result));

/* `values` is set where it matches. */
bool rule_path_match(const struct rule_path *rule_path, struct slice path, struct rule_values *values);

/* Every path that `other` matches is matched by `rule_path`, too. Where that is hard to tell it says no. */
bool rule_path_covers(const struct rule_path *rule_path, const struct rule_path *other);

/* The place of the parameter of that name, or -1. */
int rule_path_param(const struct rule_path *rule_path, struct slice name);

/* The first eight bytes of a path, zeros behind a shorter one, to compare with `first` and `mask`. */
static inline uint64_t rule_path_first(struct slice path)
{
    uint64_t first = 0;
    if (path.size >= sizeof first)
        memcpy(&first, path.data, sizeof first);
    else if (path.size > 0)
        memcpy(&first, path.data, path.size);
    return first;
}

#endif
