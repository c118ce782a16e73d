/* A route's pattern, "GET /users/{id}", taken apart: a method and segments, each a literal, a parameter or the rest.
 *
 * It knows nothing of other patterns: what is wrong here is wrong whatever else is registered. */
#ifndef SERVE_PATTERN_H
#define SERVE_PATTERN_H

#include "base/why.h"
#include "http/method.h"

enum { PATTERN_SEGMENTS_MAX = 32, PATTERN_PARAMS_MAX = 16 };

enum segment_kind {
    SEGMENT_LITERAL,   /* exactly this text; may be empty as the last one: "/a/" ends in an empty segment */
    SEGMENT_PARAMETER, /* {name}: any segment that is not empty */
    SEGMENT_REST       /* {name...}: all that follows, slashes too, or nothing; last */
};

struct segment {
    enum segment_kind kind;
    struct slice text; /* the literal, or the parameter's name */
};

struct pattern {
    struct slice text; /* whole, as given; everything here lies within it */
    struct slice path;
    enum method method;
    unsigned param_count, segment_count;
    struct segment segments[PATTERN_SEGMENTS_MAX];
};

/* False: `why` (`why_size` bytes, one line) names the pattern and says what to write instead. */
bool pattern_parse(struct pattern *pattern, const char *text, char *why, size_t why_size)
    __attribute__((warn_unused_result));

/* A path alone, without method. It may begin with a star instead of a slash; stars are literals here. */
bool pattern_parse_path(struct pattern *pattern, struct slice path, struct why why)
    __attribute__((warn_unused_result));

#endif
