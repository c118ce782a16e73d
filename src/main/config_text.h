/* The text of a configuration file, made ready for libconfuse to read: checked for what that passes over, and written
 * anew in a form that it takes without going astray. docs/design/012-configuration.md says why.
 *
 * It knows which keys there are and that they are there once, and nothing of values. */
#ifndef MAIN_CONFIG_TEXT_H
#define MAIN_CONFIG_TEXT_H

#include "base/slice.h"
#include "main/config_keys.h"
#include "main/problems.h"

enum { CONFIG_TEXT_MAX = 1 << 20, CONFIG_PARTS_MAX = 4096 /* hosts and rules of a file */ };

/* What libconfuse is to read: without comments, statements with unknown keys and sections that have no end, each value
 * and title in double quotes with the number of its line and a colon in front. To be freed; NULL: out of memory. All
 * mistakes but those of grammar are in `problems`. */
char *config_text_prepare(struct slice text, const struct config_keys *keys, struct problems *problems);

/* What stands behind the line's number in such a value. */
const char *config_text_value(const char *prepared, unsigned *line);

#endif
