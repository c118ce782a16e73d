/* What was probably meant by an option that does not exist. */
#ifndef MAIN_SUGGEST_H
#define MAIN_SUGGEST_H

#include <stddef.h>

/* The name of the option which is spelt most like the given one, or is known to be called so elsewhere; NULL where
 * none comes near. */
const char *suggest_option(const char *name, size_t size);

#endif
