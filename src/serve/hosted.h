/* What `_redirects` and `_headers` have in common, the files at a site's root in which static hosts let it say what
 * holds for its paths: lines with comments, and paths with a splat, `*`, and placeholders, `:name`. A line that is
 * wrong is told with its number and skipped; the others hold.
 *
 * Paths are compared as they are written: "/blog" is not "/blog/", and the splat of "/blog/" is not about "/blog". */
#ifndef SERVE_HOSTED_H
#define SERVE_HOSTED_H

#include "base/log.h"
#include "base/why.h"
#include "base/writer.h"

enum {
    HOSTED_SIZE_MAX = 1 << 20, /* of a file: what is beyond is not read */
    HOSTED_LINE_MAX = 2000,    /* of a line, as Cloudflare's */
    HOSTED_TOLD_MAX = 20       /* lines that are told of; of more only the number */
};

/* The path is that of one of these files, which are never pages. */
static inline bool hosted_is(struct slice path)
{
    return slice_equal(path, SLICE("/_redirects")) || slice_equal(path, SLICE("/_headers"));
}

struct hosted {
    const char *name;
    const struct log *log;
    struct slice rest;
    unsigned line;   /* of what hosted_next gave last */
    unsigned faults;
};

void hosted_begin(struct hosted *file, const char *name, struct slice text, const struct log *log);

/* The next line that is more than space and comment, without the space around it. False at the end: then the number of
 * faults is told, if not all were. */
bool hosted_next(struct hosted *file, struct slice *line);

/* Takes the next word of a line; a word that begins with # ends it. False at the end. */
bool hosted_word(struct slice *line, struct slice *word);

/* "name:line: what is wrong" */
void hosted_tell(struct hosted *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The path, which is percent-encoded, in the form of a rule's: `:name` becomes {name}, a splat at the end
 * {splat...}. */
bool hosted_path(struct slice path, struct writer *w, struct why why) __attribute__((warn_unused_result));

/* Where a line leads, as a rule does: `:name` becomes {name} where `rule_path` has it, and else stays. */
void hosted_target(struct slice target, struct slice rule_path, struct writer *w);

#endif
