/* What --explain and --header say, as the bytes of a request. It checks only that they are one request; whether that is
 * well-formed is for the server to say. */
#ifndef MAIN_REQUEST_TEXT_H
#define MAIN_REQUEST_TEXT_H

#include "base/slice.h"
#include "base/why.h"

/* What the request is made of. */
struct request_parts {
    const char *line;          /* "GET /path", or with a version behind it: "GET /path HTTP/1.0" */
    const char *const *fields; /* "Name: value" each; where there is no Host it is localhost */
    size_t field_count;
};

/* malloc'd; data is NULL where it cannot be: `why`. */
struct slice request_text(const struct request_parts *parts, struct why why);

#endif
