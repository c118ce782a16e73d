/* Proactive negotiation (RFC 9110 part 12): which of two media types a client would rather have. */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include "http/fields.h"

/* The weight 0..1000 that the Accept fields give to this type ("text/html"): the most specific range that
 * matches decides (RFC 9110 12.5.1). 1000 without an Accept field; -1 stands for a malformed field. */
int accept_weight(const struct fields *fields, struct slice type);

/* True where this very type is named, and not refused: not where it is only among "all types", as programs say that
 * care for none in particular. */
bool accept_names(const struct fields *fields, struct slice type);

/* True where JSON is named by the client and weighs more than HTML: it then gets problem+json. */
bool accept_prefers_json(const struct fields *fields);

#endif
