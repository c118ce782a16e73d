/* Percent-encoding (RFC 3986 2.1): what may stand in its place in a URI stays as it is, everything else is escaped. All
 * of them write at most three times the size of the text. */
#ifndef SERVE_PERCENT_H
#define SERVE_PERCENT_H

#include "base/writer.h"

/* `path`, decoded, or a piece of one, as it stands in a URI. "/" stays, and so do "&", "=" and "+". */
void percent_write(struct writer *w, struct slice path);

/* `text`, decoded, as a name or value in a query: only unreserved characters (RFC 3986 2.3) stay. */
void percent_write_query(struct writer *w, struct slice text);

/* A piece of a URI that somebody wrote down: its escapes and its "?" stay as well. */
void percent_write_uri(struct writer *w, struct slice text);

#endif
