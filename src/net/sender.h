/* Puts spans on the wire: runs of memory with one writev, files with sendfile. What does not go out is kept as a
 * backlog until the socket takes more. It knows nothing of requests. */
#ifndef NET_SENDER_H
#define NET_SENDER_H

#include "base/pages.h"
#include "http/outbox.h"
#include "net/transport.h"

enum sent {
    SENT_ALL,
    SENT_BLOCKED, /* the socket takes no more now */
    SENT_PAUSED,  /* the turn's share is used up; others first */
    SENT_BROKEN   /* the connection, or the file that was being sent */
};

enum { SENDER_TURN_BYTES = 2 * 1024 * 1024 };

/* Unsent spans with copies of the small bytes, in a block of the worker's pages. */
struct backlog {
    size_t room; /* of the block */
    unsigned first, count;
    struct span spans[];
};

/* What nearly every turn has: small responses, copied into one run, which the socket takes whole. False: it is not so,
 * or the socket has not taken all of it; sender_send goes on from there. */
bool sender_send_at_once(struct transport *transport, struct outbox *out);

/* Sends what is in the outbox and empties it; what is left becomes `*backlog` (NULL if nothing). `*moved` bytes went
 * out. */
enum sent sender_send(struct transport *transport, struct outbox *out, struct pages *pages, struct backlog **backlog,
                      uint64_t *moved);

/* Goes on with a backlog; frees it and sets it to NULL when all is out. */
enum sent sender_resume(struct transport *transport, struct pages *pages, struct backlog **backlog, uint64_t *moved);

void backlog_free(struct pages *pages, struct backlog *backlog);

#endif
