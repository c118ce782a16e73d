/* rawhttp: what stands before the handlers and pages of a server, and what a request carries from one to the next.
 *
 *     static void need_key(rh_request *request, void *key)
 *     {
 *         if (rh_slice_is_secret(rh_field(request, "X-Key"), key))
 *             rh_next(request);
 *         else
 *             rh_fail(request, 401, NULL);
 *     }
 *
 *     rh_use(server, "/api/", need_key, "open sesame");
 */
#ifndef RAWHTTP_MIDDLEWARE_H
#define RAWHTTP_MIDDLEWARE_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Middleware --------------------------------------------------------------------------------------------- */

/* `handler` comes before whatever answers requests for paths beneath `prefix`: routes, pages, fallback, errors. A
 * prefix is whole segments, decoded: "/api" or "/api/" is for /api and all beneath it, not for /apis; "/" is for
 * everything that has a path. Those whose prefix matches come in the order in which they were registered. Before
 * them come a host's rules about passwords and other origins (rh_rule); not before them come requests that are refused
 * while they are read (malformed, too large).
 *
 * The handler answers, or calls rh_next, or defers the request. Where it did nothing of that, the response is a 500.
 * It runs where a handler runs, before a route is looked for: rh_param has nothing yet, and rh_body has something
 * only where a route wants it.
 *
 * At most 64 for a server, before rh_start; later it is -1 and changes nothing. 0, or -1 for a prefix that cannot
 * be: rh_error says why, and rh_start will fail too. */
RH_API int rh_use(rh_server *server, const char *prefix, rh_handler *handler, void *user);

/* What is next runs: further middleware, then what answers. Fields that were set go out with whatever comes of it,
 * pages and errors too, unless that has its own of this name; Set-Cookie, Vary, Link and Server-Timing are added to
 * it. A status is not handed on. Once a request, and not after an answer: else it does nothing, and that is logged.
 *
 * When it returns, what came can be looked at with rh_answered, and rh_set still adds fields; but if that is 0 (the
 * request has been deferred, or its body is taken in pieces), nothing else of it may be used any more.
 *
 * Middleware that has deferred the request itself (rh_defer, rh_background) calls it instead of answering, before
 * rh_complete: it returns at once, and what is next runs on the worker, after rh_complete. */
RH_API void rh_next(rh_request *request);

/* The status of the answer so far; 0: there is none yet, or the request is deferred. */
RH_API unsigned rh_answered(const rh_request *request);

/* ---- Middleware that is there already ------------------------------------------------------------------------- */

/* What rh_use says of the prefix, the order and the result is true of each. Options are copied; their zeros are the
 * defaults. */

/* Which other origins' pages may use what lies beneath a prefix (the Fetch standard, "CORS protocol"). A preflight is
 * answered here; so is first what has to let it pass without credentials. */
typedef struct rh_cors_options {
    const char *origins; /* "https://app.example http://localhost:3000", separated by spaces, or "*" for all */
    const char *methods; /* "GET, POST"; default: those that the routes of the path have, else GET and HEAD */
    const char *headers; /* request fields that scripts may set, "Content-Type, X-Key"; default: those they ask for */
    const char *expose;  /* response fields that scripts may read; default: the few that they always may */
    bool credentials;    /* with cookies and passwords; then the origins have to be named */
    uint32_t max_age_s;  /* how long a browser may remember a preflight; default 7200; RH_OFF: not at all */
} rh_cors_options;

RH_API int rh_cors_add(rh_server *server, const char *prefix, const rh_cors_options *options, size_t options_size);

static inline int rh_use_cors(rh_server *server, const char *prefix, rh_cors_options options)
{
    return rh_cors_add(server, prefix, &options, sizeof options);
}

/* A name for each request, which goes out as X-Request-Id and stands in the access log: 128 bits that nobody can
 * foretell, as 32 hexadecimal digits. */
typedef struct rh_request_id_options {
    bool trust; /* X-Request-Id of the request is taken, if it is 1 to 128 letters, digits and - _ . : / + = @ ~ */
} rh_request_id_options;

RH_API int rh_request_id_add(rh_server *server, const char *prefix, const rh_request_id_options *options,
                             size_t options_size);

static inline int rh_use_request_id(rh_server *server, const char *prefix, rh_request_id_options options)
{
    return rh_request_id_add(server, prefix, &options, sizeof options);
}

RH_API rh_slice rh_request_id_of(const rh_request *request); /* absent: no such middleware has come by */

/* So many requests in so many seconds from each client (rh_client; of IPv6 the first 64 bits), `burst` of them at once;
 * beyond that 429 with Retry-After. A token bucket for each, 16 bytes, in a table of fixed size that all workers share:
 * if there are more clients than that, those are forgotten first that have been quiet for longest. */
typedef struct rh_rate_limit_options {
    uint32_t requests; /* 1 to 1,000,000; has to be given */
    uint32_t per_s;    /* 1 to 86,400; default 1 */
    uint32_t burst;    /* 1 to 1,000,000; default: `requests` */
    uint32_t clients;  /* 64 to 16,777,216, rounded up to a power of two; default 65,536 */
} rh_rate_limit_options;

RH_API int rh_rate_limit_add(rh_server *server, const char *prefix, const rh_rate_limit_options *options,
                             size_t options_size);

static inline int rh_use_rate_limit(rh_server *server, const char *prefix, rh_rate_limit_options options)
{
    return rh_rate_limit_add(server, prefix, &options, sizeof options);
}

/* ---- What a request carries --------------------------------------------------------------------------------- */

/* Memory that lives as long as the request, all zero, aligned for anything. NULL: there is none, or the request has got
 * 64 MiB already. */
RH_API void *rh_memory(rh_request *request, size_t size);

/* Hands `value` on to whoever asks for `key`, which is an address that nobody else has, such as that of a static
 * variable. Another value for a key takes the place of the first. False: no memory. */
RH_API bool rh_attach(rh_request *request, const void *key, void *value);
RH_API void *rh_attached(const rh_request *request, const void *key); /* NULL: nothing */

/* What became of a request. */
typedef struct rh_end {
    unsigned status;
    uint64_t bytes; /* of content, handed to the connection */
    uint64_t ms;    /* since its head was there */
    bool gone;      /* the connection broke before that */
} rh_end;

/* Called when the response has wholly gone to the connection, or this is broken. What is registered last is called
 * first. On the worker's loop, where it must not block, or in rh_server_free. The request can still be looked at.
 * False: no memory, and it will not be called. */
typedef void rh_ended(rh_request *request, const rh_end *end, void *user);
RH_API bool rh_on_end(rh_request *request, rh_ended *ended, void *user);

/* Compares every byte, so that the time it takes tells nothing of how much was right, but for the size. */
RH_API bool rh_slice_is_secret(rh_slice slice, const char *secret);

#ifdef __cplusplus
}
#endif

#endif
