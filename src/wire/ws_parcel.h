/* A frame of ours, made once, immutable and counted, so that it can wait in the queues of any number of sockets; and
 * such a queue. Whoever makes one may be on any thread; a queue has one owner. */
#ifndef WIRE_WS_PARCEL_H
#define WIRE_WS_PARCEL_H

#include "base/hold.h"
#include "wire/ws_deflate.h"
#include "wire/ws_frame.h"

struct ws_parcel {
    struct hold hold;
    struct pages *payer; /* charged for it until it is freed; NULL: nobody */
    struct slice frame;  /* head and payload, within the bytes */
    char bytes[];
};

/* One reference, the caller's. NULL: no memory, or for a control frame more than WS_CONTROL_MAX bytes. */
struct ws_parcel *ws_parcel_new(enum ws_opcode opcode, struct slice payload);
struct ws_parcel *ws_parcel_close(unsigned code, struct slice reason);

/* Compressed. NULL: no memory, or it would not become smaller. */
struct ws_parcel *ws_parcel_deflated(struct ws_deflater *deflater, enum ws_opcode opcode, struct slice payload);

static inline enum ws_opcode ws_parcel_opcode(const struct ws_parcel *parcel)
{
    return (enum ws_opcode)(parcel->frame.data[0] & 0x0F);
}

/* Counts its memory, and that of one place in a queue, against what a worker may lend, until it is freed; once. So what
 * lies in an outbox still counts. Any thread. False: that is too much. */
bool ws_parcel_charge(struct ws_parcel *parcel, struct pages *payer) __attribute__((warn_unused_result));

/* A parcel's place in one queue. */
struct ws_post {
    struct ws_post *next;
    struct ws_parcel *parcel;
    struct pages *payer; /* as for a parcel */
};

/* Takes over the caller's reference, where there is memory; NULL: there is none. */
struct ws_post *ws_post_new(struct ws_parcel *parcel);
void ws_post_free(struct ws_post *post);

/* The same for the places of a parcel that has many. */
bool ws_post_charge(struct ws_post *post, struct pages *payer) __attribute__((warn_unused_result));

struct ws_queue {
    struct ws_post *first, *last; /* NULL: empty */
};

void ws_queue_append(struct ws_queue *queue, struct ws_post *post);
struct ws_post *ws_queue_take(struct ws_queue *queue); /* the first one, or NULL */

#endif
