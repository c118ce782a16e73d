/* One rule, read: what is wrong with it whatever stands beside it, and the block that it becomes. */
#ifndef SERVE_RULE_H
#define SERVE_RULE_H

#include "serve/rules.h"

/* Copies everything. NULL: `why`, which begins with its path. */
struct rule *rule_new(const struct rule_spec *spec, struct why why) __attribute__((warn_unused_result));
void rule_free(struct rule *rule);

#endif
