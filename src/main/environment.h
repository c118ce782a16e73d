/* The options that the environment sets: RAWHTTP_CACHE_SIZE for --cache-size and so on, and PORT. */
#ifndef MAIN_ENVIRONMENT_H
#define MAIN_ENVIRONMENT_H

#include "main/options.h"

/* False: options->problem says what is wrong. A variable that is empty is as if it were not there, and one that is no
 * option's is not looked at: orchestrators set some of their own, such as RAWHTTP_SERVICE_HOST. */
bool environment_read(struct options *options, char *const *environment);

#endif
