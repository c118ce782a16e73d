/* The options that the environment sets: RAWHTTP_CACHE_SIZE for --cache-size and so on, and PORT. */
#ifndef MAIN_ENVIRONMENT_H
#define MAIN_ENVIRONMENT_H

#include "main/options.h"

/* False: options->problem says what is wrong. A variable that is empty is as if it were not there. */
bool environment_read(struct options *options, char *const *environment);

enum { ENVIRONMENT_STRAY_SIZE = 200 };

/* The next variable that is called like ours and sets nothing: `text` says so, and what was probably meant. Not those
 * of a Kubernetes service called "rawhttp" (RAWHTTP_SERVICE_HOST). `*at` moves behind it. False: none. */
bool environment_stray(char *const **at, char text[static ENVIRONMENT_STRAY_SIZE]);

#endif
