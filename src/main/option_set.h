/* One value of one option, from wherever it comes: checked, and stored unless a stronger one has been. Knows neither
 * command line nor file. */
#ifndef MAIN_OPTION_SET_H
#define MAIN_OPTION_SET_H

#include "main/options.h"

enum { OPTION_LABEL_SIZE = 48 };

/* The option's name as it is written in that place: --cache-size, RAWHTTP_CACHE_SIZE, cache_size. */
const char *option_label(const struct option_row *row, struct origin origin, char out[static OPTION_LABEL_SIZE]);

const struct option_row *option_find(const char *name, size_t size); /* NULL: there is none */

/* False: options->problem says what is wrong with it. A value that is outranked is checked all the same. */
bool option_set(struct options *options, const struct option_row *row, const char *text, struct origin origin);

struct origin *option_origin(struct options *options, const struct option_row *row);

/* One more module, or the first one of this origin, which takes the place of all that a weaker one has named. Its texts
 * must last. False: no memory, or there are too many. */
bool option_add_module(struct options *options, struct module_option module);

/* Always false, so that a check can end with it. */
bool option_fail(struct options *options, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* In the memory of *options, and NULL where there is none. */
const char *option_keep(struct options *options, const char *text);
const char *option_keep_path(struct options *options, const char *path); /* of a file: made absolute */

#endif
