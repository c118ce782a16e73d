/* Cross-origin requests, as a server sees them (the Fetch standard, "CORS protocol"): which origins' pages may read a
 * response, and which fields tell the browser so. A browser enforces it; to the server an origin that is not allowed is
 * no error, it only does not get the fields.
 *
 * A rule says no more than the origins; what else there is comes from rh_use_cors. */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "base/why.h"
#include "http/exchange.h"

/* How long a browser may remember the answer to a preflight. Chromium takes no more. */
#define CORS_MAX_AGE_S "7200"

enum {
    CORS_ORIGINS_MAX = 32,
    CORS_FIELDS_MAX = 6,
    CORS_ASKED_MAX = 1024, /* bytes of Access-Control-Request-Headers that are repeated; more are not allowed */
    CORS_METHODS_ROOM = 64
};

struct cors {
    struct slice origins; /* separated by spaces, or "*"; borrowed */
    unsigned count;       /* 0: no other origin may read it */
    bool any;
    bool credentials;       /* also with cookies and passwords; not with `any` */
    struct slice headers;   /* request fields that scripts may set, a list; empty: those that they ask for */
    struct slice exposed;   /* response fields that scripts may read, a list; empty: what they always may */
    struct slice max_age_s; /* for which a preflight holds; empty: CORS_MAX_AGE_S */
};

/* A list of field names and nothing else, such as "Content-Type, X-Key". */
bool cors_names_valid(struct slice names);

/* "https://app.example http://localhost:3000", or "*". False: `why`, which begins with the origin that is wrong. */
bool cors_parse(struct cors *cors, struct slice text, struct why why) __attribute__((warn_unused_result));

struct cors_fields {
    unsigned count;
    struct field_pair at[CORS_FIELDS_MAX]; /* in static memory, the rule's, the request's or this struct's */
    char methods[CORS_METHODS_ROOM];
};

/* The origin is one of them. */
bool cors_allows(const struct cors *cors, struct slice origin);

/* The fields do not depend on the request: with "*", and with one origin, which every response can name ("CORS protocol
 * and HTTP caches"). So they can be part of what is prepared. */
static inline bool cors_constant(const struct cors *cors)
{
    return cors->any || cors->count == 1;
}

/* For every response but that to a preflight. `origin`: the request's field, data NULL where there is none. With
 * several origins Vary: Origin is always among the fields, so that a cache does not give one origin what was meant
 * for none. */
void cors_actual(const struct cors *cors, struct slice origin, struct cors_fields *fields);

/* OPTIONS with Origin and Access-Control-Request-Method: the browser asks first, and the answer is a 204 with the
 * fields of cors_preflight, whatever else OPTIONS means there. */
bool cors_is_preflight(const struct request *request);

/* `methods`: those that the path has (method_bit). */
void cors_preflight(const struct cors *cors, const struct request *request, unsigned methods,
                    struct cors_fields *fields);

#endif
