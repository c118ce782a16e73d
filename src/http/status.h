/* Status codes (RFC 9110 part 15, RFC 6585) and their reason phrases. */
#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

#include <stdbool.h>
#include "base/slice.h"

struct slice status_reason(unsigned status); /* "Unknown" for a code without a registered phrase */

/* What a handler may answer with: a final status; interim ones are the session's own. */
static inline bool status_valid(unsigned status)
{
    return status >= 200 && status <= 599;
}

/* RFC 9110 6.4.1: these never have content, whatever a handler says. */
static inline bool status_bodiless(unsigned status)
{
    return status < 200 || status == 204 || status == 304;
}

/* 205 forbids content, too (RFC 9110 15.3.6), but is framed like any other response. */
static inline bool status_contentless(unsigned status)
{
    return status_bodiless(status) || status == 205;
}

#endif
