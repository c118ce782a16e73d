/* The request methods (RFC 9110 part 9, RFC 5789) as numbers; anything else is a token without one. */
#ifndef HTTP_METHOD_H
#define HTTP_METHOD_H

#include "base/slice.h"

enum method {
    METHOD_OTHER, /* a valid token that we do not know: 501 */
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_CONNECT,
    METHOD_OPTIONS,
    METHOD_TRACE,
    METHOD_PATCH,
    METHOD_COUNT
};

/* Methods are case-sensitive (RFC 9110 9.1): "get" is METHOD_OTHER. */
enum method method_from(struct slice token);

/* A set of methods is a mask of bits. */
static inline unsigned method_bit(enum method method)
{
    return 1u << method;
}

struct writer;
void method_write_allow(struct writer *w, unsigned methods); /* "GET, HEAD, OPTIONS" */

#endif
