/* What is sent first (RFC 9218): how urgent a response is, and whether it is of use in parts; and the queue in which
 * streams wait for their turn, ordered by that. RFC 7540's tree of priorities is not known here: nobody uses it.
 *
 * It knows nothing of what the streams have to send. */
#ifndef WIRE_H2_PRIORITY_H
#define WIRE_H2_PRIORITY_H

#include "base/list.h"
#include "base/slice.h"

enum { H2_URGENCIES = 8, H2_URGENCY_DEFAULT = 3 };

struct h2_priority {
    uint8_t urgency; /* 0: first */
    bool incremental;
};

static inline struct h2_priority h2_priority_default(void)
{
    return (struct h2_priority){ .urgency = H2_URGENCY_DEFAULT };
}

/* The value of a Priority field or of a PRIORITY_UPDATE. What is not understood is as if it were not there (4): so is
 * all of it where it is malformed. */
struct h2_priority h2_priority_read(struct slice text);

struct h2_turn {
    struct link link;
    struct h2_priority priority;
    bool queued;
    uint32_t id; /* the stream's */
};

struct h2_queue {
    struct link whole[H2_URGENCIES]; /* one response after the other, in the order of the requests */
    struct link parts[H2_URGENCIES]; /* a piece of each in turn */
    uint8_t occupied;                /* bit u: there is something of this urgency */
    uint8_t parts_next;              /* bit u: it is the turn of those in parts */
};

void h2_queue_init(struct h2_queue *queue);

static inline bool h2_queue_empty(const struct h2_queue *queue)
{
    return queue->occupied == 0;
}

/* Nothing where it is queued already. */
void h2_queue_add(struct h2_queue *queue, struct h2_turn *turn);

/* Nothing where it is not queued. */
void h2_queue_remove(struct h2_queue *queue, struct h2_turn *turn);

/* Whose turn it is; it stays queued. NULL: nobody's. */
struct h2_turn *h2_queue_first(const struct h2_queue *queue);

/* The first one has had its turn, and has more. */
void h2_queue_rotate(struct h2_queue *queue, struct h2_turn *turn);

#endif
