/* Credentials of the Basic scheme (RFC 7617), as a client sends them in Authorization. Whose they are, and whether they
 * are right, is for others to know. */
#ifndef HTTP_BASIC_H
#define HTTP_BASIC_H

#include "http/fields.h"

enum { BASIC_TEXT_MAX = 512 }; /* name, colon and password; crypt(3) takes no password of more than 511 bytes */

struct basic {
    struct slice name, password; /* within `text`; UTF-8 without controls; the name has no colon and may be empty */
    char text[BASIC_TEXT_MAX];
};

/* The token68 of the credentials, still encoded. False: there are none, there are several Authorization fields, or they
 * are of another scheme or malformed. */
bool basic_token(const struct fields *fields, struct slice *token);

/* False: not the canonical base64 of such a text, so that two tokens never mean the same. `basic` holds secrets either
 * way, for the caller to wipe. */
bool basic_decode(struct slice token, struct basic *basic);

/* Whether it can stand before the colon. */
bool basic_name_valid(struct slice name);

#endif
