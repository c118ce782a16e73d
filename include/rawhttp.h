/* rawhttp: an HTTP server as a library. https://www.rfc-editor.org/rfc/rfc9110 says what HTTP means.
 *
 *     #include <rawhttp.h>
 *
 *     static void hello(rh_request *request, void *user) { rh_text(request, "Hello, world!\n"); }
 *
 *     int main(void)
 *     {
 *         rh_server *server = rh_server_new((rh_options){ .listen = ":8080", .root = "public" });
 *         rh_route(server, "GET /hello", hello, NULL);
 *         return rh_run(server);
 *     }
 *
 * The library never exits, prints or installs a signal handler, and keeps no globals: several servers can live in one
 * process.
 *
 * Threads: what is called with an rh_server may be called from any thread, one call at a time until it is started. Then
 * all but rh_server_free (and rh_drain and rh_stop always) may come from several at once, also while others wait in
 * rh_run or rh_wait. What is called with an rh_request belongs to the thread that answers it (see rh_handler and
 * rh_defer). */
#ifndef RAWHTTP_H
#define RAWHTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RH_API __attribute__((visibility("default")))
#define RH_MUST_USE __attribute__((warn_unused_result))
#define RH_PRINTF(text, rest) __attribute__((format(printf, text, rest)))
#else
#define RH_API
#define RH_MUST_USE
#define RH_PRINTF(text, rest)
#endif

#define RH_VERSION "0.1.0"

/* Rises with every change after which what was built before would not work any more; also the shared library's name
 * has it in it, librawhttp.so.0. */
#define RH_ABI 0

typedef struct rh_server rh_server;   /* one server: listeners, workers, routes, pages */
typedef struct rh_request rh_request; /* one exchange: a request and the response that is being built */
typedef struct rh_answer rh_answer;   /* a prepared, immutable response for any number of requests */

/* Bytes that belong to somebody else; not NUL-terminated. data is NULL where there is nothing ("absent"). */
typedef struct rh_slice {
    const char *data;
    size_t size;
} rh_slice;

/* ---- Server ------------------------------------------------------------------------------------------------- */

enum rh_log_level { RH_LOG_ERROR, RH_LOG_WARN, RH_LOG_INFO, RH_LOG_DEBUG };

/* One line of text without a line break. Called from any of the server's threads, several at a time. */
typedef void rh_log(void *user, enum rh_log_level level, const char *line);

/* Writes the line to standard error; for programs that want just that: `.log = rh_log_stderr`. */
RH_API void rh_log_stderr(void *user, enum rh_log_level level, const char *line);

/* Everything has a default: zero means "the default", given here. Strings are copied. Sizes are bytes, times
 * milliseconds. To turn a number off where that makes sense, use RH_OFF. */
#define RH_OFF UINT32_MAX

typedef struct rh_options {
    const char *listen;         /* default "127.0.0.1:8080". Several, separated by spaces, up to 16. ":8080" all
                                   interfaces, "[::1]:8080", "localhost:8080" both loopbacks (which counts twice),
                                   "unix:/path"; "https://:8443" is TLS on any of these. Port 0: any free one, see
                                   rh_address */
    const char *root;           /* folder of pages; NULL: no pages */
    unsigned workers;           /* threads with a loop each; default: usable CPUs */
    unsigned background;        /* threads for blocking work; default 4 */
    uint64_t cache_bytes;       /* content kept in memory; default 256 MiB; 1: none */
    const char *cache_policy;   /* who leaves when that is full: "sieve" (default) or "lru" */
    bool no_encodings;          /* pages are not compressed; files beside them (.br, .zst, .gz) are used all the same */
    const char *watch;          /* how changes beneath the roots are noticed: "auto" (default: by inotify, by "rescan"
                                   where there is none), "rescan" (walking through them again and again) or "off" */
    uint64_t buffer_memory;     /* bodies, partial heads, unsent output (messages that wait for a WebSocket, a pipe or a
                                   topic, too) and compressors of all connections together; each worker has its
                                   share; default: a quarter of the memory there is (machine or control group).
                                   At least 3 * body_max + 1 MiB for each worker. Beyond it: 503, or close; a message
                                   is refused, a stream is not compressed */
    uint32_t request_line_max;  /* 8 KiB, else 414 */
    uint32_t head_max;          /* 32 KiB, else 431; at most 65535 */
    uint32_t fields_max;        /* 100, else 431; at most 250 */
    uint64_t body_max;          /* 1 MiB: a request body given whole to a handler, else 413 */
    uint32_t head_timeout_ms;   /* 10 s to receive a head, else 408 */
    uint32_t body_timeout_ms;   /* 30 s between bytes of a body, else 408 */
    uint32_t body_rate_min;     /* 500 bytes a second on average, looked at every body_timeout_ms; RH_OFF: none */
    uint32_t idle_timeout_ms;   /* 60 s between requests */
    uint32_t send_timeout_ms;   /* 60 s without progress in sending a response */
    uint32_t quiet_timeout_ms;  /* 30 s without a byte from a WebSocket's client, then a ping; then close */
    uint32_t drain_timeout_ms;  /* 30 s for what is in flight after rh_drain */
    uint32_t pipelined_max;     /* 64 requests of one connection answered in one go */
    uint32_t connections_max;   /* each worker has its share; default: from RLIMIT_NOFILE */
    bool no_server_field;       /* leave out "Server: rawhttp" */
    const char *trusted_proxies; /* whose word about the client is taken, see rh_client: addresses, networks such as
                                   "10.0.0.0/8", "loopback", "private" (RFC 1918, fc00::/7) and "unix" (unix sockets),
                                   separated by spaces, up to 64; default: nobody's */
    const char *access_log;     /* a file, appended; "-" standard output; NULL: none. A line a request: JSON, coloured
                                   text on a terminal */
    rh_log *log;                /* where the server's own messages go; NULL: nowhere */
    void *log_user;
    bool embedded;              /* no worker threads: the program runs the one loop; rawhttp/loop.h says how */
    const char *hsts;           /* "31536000 includeSubDomains preload": with all that goes out over https, how many
                                   seconds browsers shall come by https alone (RFC 6797); default: nothing of that. Such
                                   a field of the response's own goes before it */
    const char *https_redirect; /* "auto" (default): what comes over http is sent to the first https listener (308),
                                   where there is one; or the port to which it is sent, if that is another's; or "off".
                                   Not what lies beneath /.well-known/acme-challenge/, what comes over a unix socket, or
                                   what a trusted proxy got by https */
    bool no_http2;              /* speak HTTP/1 alone, whatever clients offer */
    uint32_t http2_streams_max; /* 128 requests in flight on an HTTP/2 connection; those beyond it are refused */
    uint32_t handshake_timeout_ms; /* 10 s for the handshake of TLS to be done, else close */
} rh_options;

/* Here and wherever a struct comes with its size, the program may be older than the library or newer. What an older one
 * does not know has its default; what a newer one sets and this library does not know is refused, never passed over. */
RH_API rh_server *rh_server_create(const rh_options *options, size_t options_size);

/* A server which does not listen yet. Never fails but for lack of memory (NULL, which all calls here accept): a mistake
 * in the options is kept and reported by rh_start and rh_run. */
static inline rh_server *rh_server_new(rh_options options)
{
    return rh_server_create(&options, sizeof options);
}

/* Reads the pages, binds the listeners and starts the workers. 0, or -1: see rh_error; its addresses are free then.
 * Once per server: another call is -1 and changes nothing. */
RH_API int rh_start(rh_server *server) RH_MUST_USE;

/* rh_start, unless that was done, then waits until the server has ended (rh_drain, rh_stop). 0, or 1 if it could not
 * start: what main returns. The reason also goes to the log; without a log callback it is only in rh_error. */
RH_API int rh_run(rh_server *server);

/* Waits until the server has ended. */
RH_API void rh_wait(rh_server *server);

/* Stops accepting once the accept queue is empty, answers what is in flight with "Connection: close", and ends; at the
 * latest after drain_timeout_ms. Returns at once. Safe in a signal handler. */
RH_API void rh_drain(rh_server *server);

/* Ends now; connections are cut. Returns at once. Safe in a signal handler. */
RH_API void rh_stop(rh_server *server);

/* Stops where that has not happened, waits (for deferred requests to be completed, too), frees. Not from a handler. */
RH_API void rh_server_free(rh_server *server);

/* Why rh_start failed or what was wrong first with an option or a route: one line which says what to do; "" if nothing.
 * Valid until the next call with this server. */
RH_API const char *rh_error(const rh_server *server);

/* The TCP port of the first listener, after rh_start; 0 for a unix socket. */
RH_API unsigned rh_port(const rh_server *server);

/* All addresses it listens on, from 0, after rh_start, each with the port that it was given: "127.0.0.1:41234",
 * "https://[::1]:8443", "unix:/path". The log says them, too. NULL beyond the last one. Valid until rh_server_free. */
RH_API const char *rh_address(const rh_server *server, unsigned index);

/* A line of the program's own in the server's log: for modules, above all, which know the server and not where
 * its messages go. From rh_server_new to rh_server_free, any thread. What is no text, as controls are, is escaped
 * (\x1b), what is longer than 1023 bytes is cut, and a level that is none becomes RH_LOG_ERROR. */
RH_API void rh_log_write(rh_server *server, enum rh_log_level level, const char *format, ...) RH_PRINTF(3, 4);

/* What is served, after rh_start. */
typedef struct rh_site_info {
    size_t pages;           /* files that have an address */
    size_t pages_in_memory;
    uint64_t bytes;         /* of all of them */
    uint64_t bytes_in_memory;
} rh_site_info;
RH_API rh_site_info rh_site(const rh_server *server);

/* ---- Hosts -------------------------------------------------------------------------------------------------- */

/* What holds for some paths of a host. The first rule whose path matches decides, whole: nothing is taken from
 * another. What is left out (NULL, 0) is as it would be without a rule. A path is one of
 *
 *     "/exact"             this path
 *     "/old/{name}/x"      {name} is one segment, any
 *     "/old/{rest...}"     all beneath; {rest} is what follows, perhaps nothing. Where no name is needed, a star stands
 *                          for it: "/assets/" with "*" behind, and "/" with "*" behind for everything
 *     "*.js"               every path that ends so
 *
 * and {name} may stand in redirect and rewrite. Headers and cors also go with errors at the path, all but those that
 * speak of the page (Cache-Control, Expires, Link, Content-... but for Content-Security-Policy).
 *
 * Of the rule for the path of a route, or of what middleware answers, the same headers, cors and basic_auth hold: the
 * password is asked for and a preflight (OPTIONS) answered before either runs, and a field is added where the response
 * has none of that name. What else a rule does is for where no route answers. Routes are for all hosts, rules for one:
 * a path that is to be guarded under every name is guarded in every host. */
typedef struct rh_rule {
    const char *path;
    const char *redirect;       /* where to instead: a path or a URL; the query is kept */
    const char *rewrite;        /* the path whose page answers instead */
    unsigned status;            /* of the redirect: 301 (default), 302, 303, 307 or 308. Without redirect: the path is
                                   answered with this error, 403, 404, 410 or 451; a rewrite also with 200 (default) */
    const char *cache_control;  /* the field's value; "": no such field */
    const char *const *headers; /* "Name: value" each, NULL at the end */
    const char *cors;           /* origins whose pages may read it, separated by spaces, or "*" */
    const char *basic_auth;     /* a file of "name:hash" lines: who may see it */
} rh_rule;

typedef struct rh_host_options {
    const char *names;              /* "example.org *.example.org", separated by spaces; NULL: the default host, which
                                       answers for every name that is not another's */
    const char *root;               /* folder of pages; NULL: no pages, for the default host that of rh_options */
    const char *fallback;           /* the page for navigations to paths that are nothing, "/index.html"; NULL: none */
    bool list;                      /* folders without index.html are listed */
    const rh_rule *rules;
    size_t rule_count;
    const char *const *types;       /* "ending media-type" each ("mjs text/javascript"), NULL at the end */
    const char *const *error_pages; /* "status path" each ("404 /lost.html"), NULL at the end */
} rh_host_options;

RH_API int rh_host_add(rh_server *server, const rh_host_options *options, size_t options_size, size_t rule_size);

/* One more name to answer for, or what the default host does. Before rh_start, once for each name; later it is -1 and
 * changes nothing. Everything is copied, but files are opened by rh_start. 0, or -1 for a mistake: rh_error says which,
 * and rh_start will fail too. */
static inline int rh_host(rh_server *server, const rh_host_options *options)
{
    return rh_host_add(server, options, sizeof *options, sizeof *options->rules);
}

/* ---- Routes ------------------------------------------------------------------------------------------------- */

/* Answers a request with the calls below, or defers it. Runs on the loop of one of the workers and must not block: what
 * blocks goes to rh_background. Everything it got from the request lives as long as the request. */
typedef void rh_handler(rh_request *request, void *user);

/* "METHOD /pattern": literal segments, {name} for one segment, {name...} for all the rest (last, may be empty). The
 * most literal pattern wins, segment by segment. HEAD (from GET), OPTIONS and 405 with Allow come by themselves.
 * Before rh_start; later it is -1 and changes nothing. 0, or -1 for a malformed pattern or a conflict: rh_error says
 * which, and rh_start will fail too. */
RH_API int rh_route(rh_server *server, const char *pattern, rh_handler *handler, void *user);

/* ---- Request ------------------------------------------------------------------------------------------------ */

RH_API rh_slice rh_method(const rh_request *request);
RH_API rh_slice rh_path(const rh_request *request);         /* decoded and normalised, begins with "/" */
RH_API rh_slice rh_query_raw(const rh_request *request);    /* as sent, without "?" */
RH_API rh_slice rh_body(const rh_request *request);         /* whole; empty where there was none */
RH_API rh_slice rh_peer(const rh_request *request);         /* "192.0.2.1", "2001:db8::1" or "unix" */

/* Whose request it is, written as a peer is. Where that is one of trusted_proxies, it is the last hop of Forwarded
 * (RFC 7239) or X-Forwarded-For that is none; if all are, the first one. A hop that is hidden or not understood is
 * not passed: then it is the one before it, which told of it. Where there are both fields and they do not agree, it
 * is the peer. Absent: no memory. */
RH_API rh_slice rh_client(rh_request *request);

/* "https" over TLS, and where a trusted proxy says so, by Forwarded or X-Forwarded-Proto; else "http". */
RH_API rh_slice rh_scheme(const rh_request *request);

/* Who the client has proved to be by a certificate, which is verified then: its subject as RFC 4514 writes it,
 * "CN=alice,O=Example". Absent: it has shown none, it came over a proxy or without TLS, or there is no memory. On the
 * request's loop only, that is in a handler; on other threads it is absent, so take it before deferring. */
RH_API rh_slice rh_client_subject(rh_request *request);

/* The first field of that name, any case; absent: data NULL. */
RH_API rh_slice rh_field(const rh_request *request, const char *name);

/* The value of {name} in the route's pattern, decoded; absent: data NULL. */
RH_API rh_slice rh_param(const rh_request *request, const char *name);

/* The first value of `name` in the query, decoded; "" where it stands without value; absent: data NULL. */
RH_API rh_slice rh_query(rh_request *request, const char *name);

/* The same of a body that is application/x-www-form-urlencoded, as browsers send a form; of any other, absent. Like the
 * query it is bytes as the client chose them: they may be no UTF-8, and have any control in them. */
RH_API rh_slice rh_form(rh_request *request, const char *name);

/* All pairs, one after the other, for names that stand several times, such as those of checkboxes:
 *
 *     for (size_t at = 0; rh_form_next(request, &at, &name, &value);)
 *
 * False at the end. What cannot be decoded, or for which there is no memory, has data NULL. */
RH_API bool rh_query_next(rh_request *request, size_t *at, rh_slice *name, rh_slice *value);
RH_API bool rh_form_next(rh_request *request, size_t *at, rh_slice *name, rh_slice *value);

/* The whole slice is decimal digits (for the second perhaps with a minus sign) and fits: true, and *value is set. */
RH_API bool rh_slice_uint(rh_slice slice, uint64_t *value);
RH_API bool rh_slice_int(rh_slice slice, int64_t *value);
RH_API bool rh_slice_is(rh_slice slice, const char *text);

/* Text that can be shown and stored anywhere: UTF-8 (RFC 3629) without control characters but tabs and line breaks, and
 * so without NUL. */
RH_API bool rh_slice_is_text(rh_slice slice);

/* ---- Response ----------------------------------------------------------------------------------------------- */

/* For the response that follows; default 200. 200 to 599; with anything else the response becomes a 500. */
RH_API void rh_status(rh_request *request, unsigned status);

/* Adds a field; both strings are copied. False, and the response becomes a 500: the name is no token or is one of the
 * server's own (Content-Length, Transfer-Encoding, Connection, Date; Server unless no_server_field is set), the value
 * has a control character in it or spaces around it, there are 100 already, or there is no memory; the log says which
 * field, and why. A Content-Type holds against that of the calls below. */
RH_API bool rh_set(rh_request *request, const char *name, const char *value);

/* The response's content, which ends the building of the response; one call a request, another one does nothing, and is
 * logged. All copy what they are given. Where none was called, and the request was not deferred, the response is a
 * 500. */
RH_API void rh_text(rh_request *request, const char *text); /* text/plain; charset=utf-8 */
RH_API void rh_html(rh_request *request, const char *html); /* text/html; charset=utf-8 */
RH_API void rh_bytes(rh_request *request, const char *type, const void *data, size_t size);
RH_API void rh_empty(rh_request *request);                  /* no content: 204 unless a status was set */
RH_API void rh_redirect(rh_request *request, unsigned status, const char *location); /* 3xx, but not 304 */

/* An error response: the site's own page or the built-in one, problem+json (RFC 9457) for clients that prefer JSON.
 * 400 to 599, else it becomes a 500. `detail` may be NULL; it is shown to the client, though not in the site's own
 * page. Fields that were set and do not describe content (WWW-Authenticate, Retry-After) go out with it. */
RH_API void rh_fail(rh_request *request, unsigned status, const char *detail);

/* JSON by a format: literal JSON text in which these stand for values, each escaped as it has to be:
 *     %s const char * as a string (NULL: null)      %S rh_slice as a string (data NULL: null)
 *     %d int   %u unsigned   %ld %lu long   %lld %llu long long   %zu size_t   %f double (NaN, infinity: null)
 *     %b int as true or false    %j const char *, JSON already made    %J rh_slice, JSON already made    %% a percent
 * rh_json answers with it; rh_json_add collects pieces of a longer one, and rh_json_send answers with what was
 * collected. */
RH_API void rh_json(rh_request *request, const char *format, ...);
RH_API void rh_json_add(rh_request *request, const char *format, ...);
RH_API void rh_json_send(rh_request *request);

/* The same for a page that is made for its request. The format is HTML, and nothing of a client gets into it unescaped:
 *     %s const char *, %S rh_slice as text, in an element or in an attribute's quotes (NULL: nothing); not within
 *     script and style, and where a link is wanted only if it has been checked to be one
 *     %h const char *, %H rh_slice: HTML already made      and %d to %f, %b, %% of JSON */
RH_API void rh_html_add(rh_request *request, const char *format, ...);
RH_API void rh_html_send(rh_request *request);

/* Content that is made while it is sent, piece by piece (chunked; until close for HTTP/1.0). `pull` writes up to size
 * bytes, which are 240 at least, and returns how many, 0 at the end, -1 where it failed: the connection is then cut, so
 * that the client can tell (one of HTTP/1.0 cannot). It runs on the worker's loop. `done` (may be NULL) is called once,
 * whatever happens: there, in rh_server_free, or at once where the request has a response already. */
typedef long rh_pull(void *user, char *out, size_t size);
RH_API void rh_stream(rh_request *request, const char *type, rh_pull *pull, void (*done)(void *user), void *user);

/* A field that is sent behind the content of rh_stream, where the wire has a place for it (not for a client of
 * HTTP/1.0). From the handler, or from `pull` before it returns 0. False, and nothing changes: not valid, or a field
 * that has to be known before the content (RFC 9110 6.5.1), or there are 8, or it is longer than 1 KiB. */
RH_API bool rh_trailer(rh_request *request, const char *name, const char *value);

/* A prepared answer. `type` may be NULL for none; fields is a list of "Name: value" strings ended by NULL, or NULL.
 * The content is copied. NULL: no memory, or (errno is EINVAL) a status that is not 200 to 599 or a field that rh_set
 * would refuse. Server is refused always, for several servers may send one answer, each as its no_server_field says.
 * Freed with rh_answer_free, before or after the server, but not while a handler may send it, nor right after one did
 * on another thread: rh_send from a handler borrows it until the response has been written. After rh_wait is always
 * safe. */
RH_API rh_answer *rh_answer_new(unsigned status, const char *type, const void *data, size_t size,
                                const char *const *fields);
RH_API void rh_send(rh_request *request, rh_answer *answer); /* NULL: 503. rh_status and rh_set do not change it */
RH_API void rh_answer_free(rh_answer *answer);

/* ---- Not blocking ------------------------------------------------------------------------------------------- */

/* Called in a handler that will not answer now. From then on the request belongs to whoever the handler gives it to,
 * on any one thread at a time, who answers it and then calls rh_complete, once. Nothing else of the request may be
 * used after that. rh_complete for a request that is not deferred, or is complete already, is a mistake of the program
 * that cannot be made good: an assertion fails, unless the request's memory serves another one by then. */
RH_API void rh_defer(rh_request *request);
RH_API void rh_complete(rh_request *request);

/* True once the connection is broken or the client has closed its end, so that long work can stop early. In the
 * second case it may still be reading (few do that), so a response that is completed is sent all the same. Deferred
 * requests only; any thread, until rh_complete. See also rh_on_gone. */
RH_API bool rh_gone(const rh_request *request);

/* rh_defer, `work` on a background thread, which answers the request, then rh_complete. Called in a handler, once, and
 * not after rh_defer; `work` itself calls none of the three. For a request that is deferred, as it is in `work`, an
 * assertion fails. */
RH_API void rh_background(rh_request *request, rh_handler *work, void *user);

#ifdef __cplusplus
}
#endif

#include <rawhttp/cookies.h>
#include <rawhttp/json.h>
#include <rawhttp/loop.h>
#include <rawhttp/middleware.h>
#include <rawhttp/module.h>
#include <rawhttp/multipart.h>
#include <rawhttp/output.h>
#include <rawhttp/pipe.h>
#include <rawhttp/receive.h>
#include <rawhttp/tls.h>
#include <rawhttp/topic.h>
#include <rawhttp/websocket.h>

#endif
