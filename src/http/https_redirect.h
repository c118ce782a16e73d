/* A request that came in the clear is sent to the same address by https. Which requests those are, and where there; not
 * whether there is anybody who speaks https. */
#ifndef HTTP_HTTPS_REDIRECT_H
#define HTTP_HTTPS_REDIRECT_H

#include "base/why.h"
#include "base/writer.h"
#include "http/exchange.h"

enum https_redirect_kind { HTTPS_REDIRECT_AUTO /* where there is a listener that speaks https */, HTTPS_REDIRECT_OFF,
                           HTTPS_REDIRECT_PORT };

struct https_redirect {
    enum https_redirect_kind kind;
    unsigned port;
};

/* "auto", "off" or a port: the one which clients come to by https, that of a proxy, for example. False: `why`. */
bool https_redirect_parse(struct slice text, struct https_redirect *redirect, struct why why)
    __attribute__((warn_unused_result));

/* All that name a path, but those by which a certificate is got in the first place (RFC 8555 8.3): they come over http,
 * and there may be no https yet. */
bool https_redirect_applies(const struct request *request);

/* So many bytes are enough for what the next one writes. */
size_t https_redirect_room(const struct request *request);

/* The value of Location. False: the request does not say which host it is for, as HTTP/1.0 allows. */
bool https_redirect_write(const struct request *request, unsigned port, struct writer *w)
    __attribute__((warn_unused_result));

#endif
