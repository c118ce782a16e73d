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
