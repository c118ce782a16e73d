/* Percent-encoding of a path (RFC 3986 2.1): what may stand in a path stays as it is, everything else is escaped. */
#ifndef SERVE_PERCENT_H
#define SERVE_PERCENT_H

#include "base/writer.h"

/* `path`, or a piece of one, as it stands in a URI: at most three times its size. "/" stays. */
void percent_write(struct writer *w, struct slice path);

#endif
