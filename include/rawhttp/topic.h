/* rawhttp: what is sent once and goes to many, on whichever worker they are.
 *
 *     rh_topic *news = rh_topic_new(server, (rh_topic_options){ 0 });   once
 *     rh_topic_join(news, socket);                                      in `opened`
 *     rh_topic_send(news, RH_TEXT, "hello", 5);                         anywhere
 */
#ifndef RAWHTTP_TOPIC_H
#define RAWHTTP_TOPIC_H

#include <rawhttp/pipe.h>
#include <rawhttp/websocket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Topics ------------------------------------------------------------------------------------------------- */

typedef struct rh_topic rh_topic;

typedef struct rh_topic_options {
    bool close_slow; /* a member whose queue is full is cut; default: it misses what is sent then, which is counted */
} rh_topic_options;

RH_API rh_topic *rh_topic_create(rh_server *server, const rh_topic_options *options, size_t options_size);

/* A topic without members. NULL: no memory, or an option that is not known (the log says so). */
static inline rh_topic *rh_topic_new(rh_server *server, rh_topic_options options)
{
    return rh_topic_create(server, &options, sizeof options);
}

/* All that follow may be called by any thread, in any call of a socket too.
 *
 * A socket can be in any number of topics, in each once, and leaves all of them when it closes. What a thread sends to
 * the topic after it has let a socket join goes to that one, too. False: no memory, or it is closed. */
RH_API bool rh_topic_join(rh_topic *topic, rh_socket *socket);
RH_API bool rh_topic_leave(rh_topic *topic, rh_socket *socket); /* false: no memory, it is still a member */

/* The same for a response that is written from elsewhere (see rh_pipe_open): what is sent becomes its content; or, for
 * one of rh_events_open, a text becomes the data of an event, and binary messages are not for it. */
RH_API bool rh_topic_join_pipe(rh_topic *topic, rh_pipe *pipe);
RH_API bool rh_topic_leave_pipe(rh_topic *topic, rh_pipe *pipe);

/* Answers with server-sent events which are what is sent to the topic and nothing else, until the client goes or the
 * server drains: nobody has to keep or close anything. In a handler, or before rh_complete. */
RH_API void rh_topic_events(rh_topic *topic, rh_request *request);

/* To all who are members. The message is encoded once, and compressed once, for all of them. Messages that one thread
 * sends to a topic arrive in their order; with those sent to a single socket there is none. What waits for
 * its members counts against the buffer_memory of rh_options. False: no memory, or a text is not UTF-8; nobody gets
 * it. */
RH_API bool rh_topic_send(rh_topic *topic, enum rh_message_kind kind, const void *data, size_t size);

RH_API size_t rh_topic_members(const rh_topic *topic);
RH_API uint64_t rh_topic_missed(const rh_topic *topic); /* messages that a member did not get because it was too slow */

/* Its members are none any more; their connections stay. Not while a handler or a callback may still use it: after
 * rh_wait is always safe, before rh_server_free or behind it. NULL is allowed. */
RH_API void rh_topic_free(rh_topic *topic);

#ifdef __cplusplus
}
#endif

#endif
