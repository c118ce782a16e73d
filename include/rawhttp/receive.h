/* Bodies that are taken as they come, a piece at a time, in bounded memory however long they are. Part of rawhttp.h. */
#ifndef RAWHTTP_RECEIVE_H
#define RAWHTTP_RECEIVE_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rh_route_options {
    const char *pattern; /* "METHOD /pattern", as for rh_route */
    rh_handler *handler;
    void *user;
    uint64_t body_max; /* bytes, else 413; default: that of rh_options; 1 GiB where the body is streamed */
    bool stream;       /* the handler is called when the head has come, and takes the body with rh_receive */
} rh_route_options;

RH_API int rh_route_add(rh_server *server, const rh_route_options *options, size_t options_size);

/* rh_route with more to say. */
static inline int rh_route_with(rh_server *server, rh_route_options options)
{
    return rh_route_add(server, &options, sizeof options);
}

/* A piece of the body, valid until it returns; or, once, `last` and no bytes: the body is whole, and now the request
 * has to be answered or deferred. Runs on the worker's loop.
 *
 * It may answer before the last piece: it is not called again then, and what still comes is thrown away. It may defer
 * (rh_defer, rh_background): nothing more is read until rh_complete, so whoever is slow slows the sender, and memory
 * stays bounded; without an answer by then, the next piece follows. Where the client goes away, or is too slow (408),
 * or sends too much (413), it is not called again. */
typedef void rh_receiver(rh_request *request, void *user, rh_slice piece, bool last);

/* Called in the handler of a route with `stream`, which then need not answer. Without this call, and without an answer,
 * the response is a 500; so it is where the route does not stream. rh_body is empty. */
RH_API void rh_receive(rh_request *request, rh_receiver *receiver, void *user);

#ifdef __cplusplus
}
#endif

#endif
