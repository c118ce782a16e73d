/* Whoever can be a member of topics: a counted thing on one worker to which parcels are handed. What it is, and how it
 * sends them, only its type knows; topics know nothing else of it. */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include "server/server.h"
#include "wire/ws_parcel.h"

struct listener;

/* What was sent to a topic. */
struct broadcast {
    enum ws_opcode kind;      /* WS_TEXT or WS_BINARY */
    struct slice payload;     /* within the plain parcel */
    struct ws_parcel *plain;
    struct ws_parcel *packed; /* NULL: no member takes that, or it is not worth it */
};

enum heard { HEARD, HEARD_NOT }; /* its queue is full */

struct listener_type {
    /* On the listener's worker, which may close it meanwhile. */
    enum heard (*hear)(struct listener *listener, const struct broadcast *broadcast);
    void (*cut)(struct listener *listener); /* ends its connection now */
};

struct listener {
    const struct listener_type *type;
    struct hold hold;
    struct server_worker *worker;
    struct link memberships;  /* in topics; its worker's */
    atomic_bool closed;       /* it has left all topics for good; set by its worker */
    bool packs;               /* takes compressed frames */
};

static inline void listener_init(struct listener *listener, const struct listener_type *type,
                                 struct server_worker *worker, void (*gone)(struct hold *))
{
    *listener = (struct listener){ .type = type, .worker = worker };
    hold_init(&listener->hold, gone);
    list_init(&listener->memberships);
}

/* rh_topic_join and rh_topic_leave, for any kind of listener (topic.c). */
typedef struct rh_topic rh_topic;
bool listener_join(struct listener *listener, rh_topic *topic) __attribute__((warn_unused_result));
bool listener_leave(struct listener *listener, rh_topic *topic) __attribute__((warn_unused_result));

/* On its worker: it closes, and leaves all topics. */
void listener_close(struct listener *listener);

#endif
