/* The order in which people expect names: without regard to the case of ASCII letters, and runs of digits by their
 * value, so that "img2" stands before "IMG10". Letters beyond ASCII stand by their bytes. */
#ifndef SERVE_NATURAL_H
#define SERVE_NATURAL_H

#include "base/slice.h"

/* Below, at or above zero, as memcmp. Zero only where both are the same bytes. */
int natural_compare(struct slice a, struct slice b);

#endif
