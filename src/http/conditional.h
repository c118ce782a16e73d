/* Preconditions (RFC 9110 part 13) as a pure function: validators and the request's fields in, a verdict out. */
#ifndef HTTP_CONDITIONAL_H
#define HTTP_CONDITIONAL_H

#include "http/fields.h"

enum verdict { VERDICT_SEND, VERDICT_NOT_MODIFIED, VERDICT_FAILED };

/* `etag` with its quotes (and W/ if weak), empty where there is none; `modified_s` seconds since 1970, -1: unknown.
 * For GET and HEAD (`safe`): If-None-Match, else If-Modified-Since, give NOT_MODIFIED; If-Match and
 * If-Unmodified-Since give FAILED (412), in the precedence of RFC 9110 13.2.2. */
enum verdict conditional_evaluate(const struct fields *fields, struct slice etag, int64_t modified_s, bool safe,
                                  int64_t now_s);

#endif
