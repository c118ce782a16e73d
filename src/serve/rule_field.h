/* A field that somebody wants responses to have: which can be set, and what is said of those that cannot. */
#ifndef SERVE_RULE_FIELD_H
#define SERVE_RULE_FIELD_H

#include "base/why.h"
#include "http/answer.h"

enum { RULE_FIELD_SIZE_MAX = 8192 };

/* "Name: value" into its two slices. False: `why`, which begins with the name. */
bool rule_field_parse(struct slice line, struct field_pair *field, struct why why)
    __attribute__((warn_unused_result));

/* The name alone. */
bool rule_field_check_name(struct slice name, struct why why) __attribute__((warn_unused_result));

#endif
