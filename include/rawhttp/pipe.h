/* Content that is written from elsewhere while it is sent, by any thread; and server-sent events, which are such
 * content. Part of rawhttp.h. */
#ifndef RAWHTTP_PIPE_H
#define RAWHTTP_PIPE_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rh_pipe rh_pipe;

typedef struct rh_pipe_options {
    const char *type;              /* Content-Type; NULL: "application/octet-stream" */
    size_t queue_max;              /* bytes that may wait for the client to take them; default 256 KiB */
    void (*drained)(void *user);   /* a write was refused because the queue was full, and there is room again */
    void (*closed)(void *user);    /* once: the response is over, all was sent or the client has gone. One that has only
                                      closed its own end may still read: events end then, other content goes on */
    void *user;
} rh_pipe_options;

RH_API rh_pipe *rh_pipe_begin(rh_request *request, const rh_pipe_options *options, size_t options_size);

/* Answers with content that others write: chunked, or until close for HTTP/1.0. In a handler, or before rh_complete.
 * The reference that is returned is the caller's, and ends with rh_pipe_close or rh_pipe_abort. NULL: the request has
 * an answer already, or there is no memory (503); `closed` is not called then. The two callbacks run on the worker's
 * loop, and may write. */
static inline rh_pipe *rh_pipe_open(rh_request *request, rh_pipe_options options)
{
    return rh_pipe_begin(request, &options, sizeof options);
}

/* Any thread, in order. The bytes are copied. False, and nothing was written: the queue is full (`drained` tells when
 * to try again), there is no memory, of which what waits for all clients together has a share (the buffer_memory of
 * rh_options), or nobody reads any more (rh_pipe_gone). An empty queue takes one write, however long it is. */
RH_API bool rh_pipe_write(rh_pipe *pipe, const void *data, size_t size);

/* Any thread. Bytes that wait; whether the response is over, so that writing has become useless. */
RH_API size_t rh_pipe_queued(rh_pipe *pipe);
RH_API bool rh_pipe_gone(rh_pipe *pipe);

/* Any thread. The content ends behind what was written; or breaks off, which the client can tell (one of HTTP/1.0
 * cannot). Either gives the reference back. NULL does nothing. */
RH_API void rh_pipe_close(rh_pipe *pipe);
RH_API void rh_pipe_abort(rh_pipe *pipe);

/* ---- Server-sent events (HTML, section 9.2) ----------------------------------------------------------------- */

/* rh_pipe_open for an EventSource: text/event-stream, not to be stored. `type` is not looked at. When the server
 * drains, the stream ends: the browser comes back by itself, and says with Last-Event-ID what it got last. */
RH_API rh_pipe *rh_events_begin(rh_request *request, const rh_pipe_options *options, size_t options_size);

static inline rh_pipe *rh_events_open(rh_request *request, rh_pipe_options options)
{
    return rh_events_begin(request, &options, sizeof options);
}

typedef struct rh_event {
    const char *name;  /* what is listened for; NULL: "message" */
    const char *id;    /* becomes Last-Event-ID; NULL: none */
    const char *data;  /* UTF-8, any number of lines; NULL: none */
    uint32_t retry_ms; /* how long to wait before coming back; 0: left as it is */
} rh_event;

RH_API bool rh_event_write(rh_pipe *pipe, const rh_event *event, size_t event_size);

/* rh_pipe_write for an event. False also (errno is EINVAL then): a line break in the name or the identifier, or a text
 * that is not UTF-8. An event without anything is a comment that keeps the connection alive. */
static inline bool rh_event_send(rh_pipe *pipe, rh_event event)
{
    return rh_event_write(pipe, &event, sizeof event);
}

#ifdef __cplusplus
}
#endif

#endif
