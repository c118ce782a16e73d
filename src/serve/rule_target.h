/* Where a rule leads: a text with {name} in it, for which the rule's path has a value. Either it is a redirect's, and
 * becomes the value of Location, or a rewrite's, and becomes a normal path. */
#ifndef SERVE_RULE_TARGET_H
#define SERVE_RULE_TARGET_H

#include "base/writer.h"
#include "http/target.h"
#include "serve/rule_path.h"

enum { RULE_TARGET_SIZE_MAX = 2048 };

/* A path, or an http or https URL, written as URIs are (escapes, a query, a fragment; what cannot stand in a URI will
 * be escaped). {name} may stand anywhere but in the host. False: `why`, which begins with the rule's path. */
bool rule_target_check_location(struct slice text, const struct rule_path *rule_path, struct why why)
    __attribute__((warn_unused_result));

/* A path, decoded, as a page has it. */
bool rule_target_check_path(struct slice text, const struct rule_path *rule_path, struct why why)
    __attribute__((warn_unused_result));

/* A target and what its names stand for. The text has been checked. */
struct rule_target {
    struct slice text;
    const struct rule_path *rule_path;
    const struct rule_values *values;
};

/* So many bytes are enough for either. `query`: the request's. */
size_t rule_target_room(const struct rule_target *target, struct slice query);

/* The request's query is kept: it is the whole one, or stands behind that of the target. A value can never become the
 * host: a path does not begin with two slashes, whatever {name} stands for. */
void rule_target_location(const struct rule_target *target, const struct target *request, struct writer *w);

void rule_target_path(const struct rule_target *target, struct writer *w);

/* The location is on this host (it begins with a slash), and names this normal path, whatever its query. */
bool rule_target_names(struct slice location, struct slice path);

#endif
