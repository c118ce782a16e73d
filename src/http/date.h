/* HTTP dates read (RFC 9110 5.6.7): IMF-fixdate, and the two obsolete forms a recipient must accept. Writing
 * them is base/clock's. */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include "base/slice.h"

/* Seconds since 1970. False: not a date in any of the three forms. `now_s` settles the century of a two-digit year. */
bool date_parse(struct slice text, int64_t now_s, int64_t *unix_s);

#endif
