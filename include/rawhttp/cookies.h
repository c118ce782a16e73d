/* rawhttp: cookies (RFC 6265), those that a request brings and those that a response sets. */
#ifndef RAWHTTP_COOKIES_H
#define RAWHTTP_COOKIES_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The first cookie of that name, which is case-sensitive; as it was sent, quotes included. Absent: data NULL. */
RH_API rh_slice rh_cookie(const rh_request *request, const char *name);

/* All of them, one after the other:
 *
 *     for (size_t at = 0; rh_cookie_next(request, &at, &name, &value);)
 *
 * False at the end. A value that was sent without a name has the name "". */
RH_API bool rh_cookie_next(const rh_request *request, size_t *at, rh_slice *name, rh_slice *value);

/* Which requests that come from another site's pages bring the cookie. */
enum rh_same_site {
    RH_SAME_SITE_LAX,    /* navigations: a link that is followed */
    RH_SAME_SITE_STRICT, /* none */
    RH_SAME_SITE_NONE    /* all; only with `secure` */
};

typedef struct rh_cookie_options {
    const char *name;            /* a token. "__Host-..." wants secure, path "/" and no domain, "__Secure-..." secure */
    const char *value;           /* ASCII without spaces, controls, " , ; and \; NULL: "". With the name up to 4096
                                    bytes */
    const char *path;            /* for which paths; default "/", all */
    const char *domain;          /* "example.org": for all hosts beneath it, too; default: this host alone */
    int64_t max_age_s;           /* seconds; default: until the browser is closed. Negative: the browser forgets it. It
                                    is sent as Max-Age alone: Expires says the same by the client's clock, which may
                                    be wrong, and where there are both it does not count (RFC 6265 5.3) */
    bool secure;                 /* over TLS alone */
    bool http_only;              /* not for scripts */
    bool partitioned;            /* one for each site around it; only with `secure` */
    enum rh_same_site same_site; /* default: lax */
} rh_cookie_options;

RH_API bool rh_cookie_add(rh_request *request, const rh_cookie_options *options, size_t options_size);

/* Sets a cookie with the response, as rh_set sets a field: false, and the response becomes a 500, where browsers would
 * not take it (the log says why) or there is no memory. */
static inline bool rh_set_cookie(rh_request *request, rh_cookie_options options)
{
    return rh_cookie_add(request, &options, sizeof options);
}

#ifdef __cplusplus
}
#endif

#endif
