/* Cookies (RFC 6265, and draft-ietf-httpbis-rfc6265bis where browsers follow that): the pairs of a Cookie field, and
 * the value of a Set-Cookie that browsers take as it is meant. What a cookie is good for is not known here. */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "base/why.h"
#include "base/writer.h"

/* Takes the next pair of a Cookie field's value. What has no "=" is a value without name, as browsers send it;
 * quotes are part of a value, as they are for browsers. False at the end. */
bool cookie_next(struct slice *rest, struct slice *name, struct slice *value);

enum cookie_same_site { COOKIE_LAX, COOKIE_STRICT, COOKIE_NONE };

struct cookie {
    struct slice name, value;
    struct slice path;   /* data NULL: "/" */
    struct slice domain; /* data NULL: only the host that sets it */
    int64_t max_age_s;   /* 0: until the browser is closed; negative: it is to be forgotten */
    bool secure, http_only, partitioned;
    enum cookie_same_site same_site;
};

enum { COOKIE_PAIR_MAX = 4096, COOKIE_ATTRIBUTE_MAX = 1024 }; /* bytes; browsers drop what is longer */

/* False: `why`, where browsers would drop the cookie, or not keep it as it is meant. */
bool cookie_valid(const struct cookie *cookie, struct why why) __attribute__((warn_unused_result));

/* How many bytes cookie_write needs at most. */
size_t cookie_room(const struct cookie *cookie);

/* One that is valid. */
void cookie_write(struct writer *w, const struct cookie *cookie);

#endif
