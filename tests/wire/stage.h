/* A session on a stage: a host with a few fixed resources instead of a server, a connection that is only buffers, and a
 * record of what was asked and what went out. For the wire cases, the unit tests and the fuzzer.
 *
 * It treats the session as badly as a connection may: input is fed from a block of its very size that is freed after
 * each feed, so a slice kept too long or a byte read too far is a finding of the address sanitizer.
 *
 *     GET /page     prepared, "Hello, page!\n"           GET /text     built on the spot, two fields, "Hello, text!\n"
 *     GET /large    prepared, 20,000 bytes                GET /none     204
 *     GET /stream   pulled, 3 x 5,000 bytes               GET /same     prepared 304
 *     GET /broken   pulled, breaks after 5,000 bytes      GET /reset    205, with content that must not get out
 *     POST /echo    the body, wanted whole                GET, POST /later   deferred, answers "later: " and the body
 *     OPTIONS *     204                                   GET /parts    206, made of parts, three ranges of /large
 *     GET /ws       a WebSocket, see socket.h
 */
#ifndef TESTS_WIRE_STAGE_H
#define TESTS_WIRE_STAGE_H

#include "base/writer.h"
#include "http/session.h"
#include "wire/h2_worker.h"
#include "wire/ws_session.h"

enum {
    STAGE_LARGE_SIZE = 20000,
    STAGE_PIECE_SIZE = 5000,
    STAGE_OUTBOX_SIZE = 64 * 1024,
    STAGE_STREAM_MAX = 300,
    STAGE_MESSAGE_MAX = 300
};

struct text {
    char *data;
    size_t size, room;
};

void text_append(struct text *text, struct slice bytes);
void text_drop(struct text *text, size_t count); /* from the front */
void text_free(struct text *text);

static inline struct slice text_slice(const struct text *text)
{
    return slice_make(text->data, text->size);
}

struct stage {
    struct session_host host; /* first: its callbacks find the stage by it */
    struct session_limits limits;
    struct clock clock;
    struct pages pages;
    struct ws_worker sockets;
    struct h2_worker h2;
    struct session *session;  /* NULL: no connection */
    struct outbox outbox;
    struct answer *page, *large, *same;
    int file;                 /* what is in the large one */
    struct hold file_hold;
    struct exchange *spare;   /* a pool of one */
    struct exchange *later;   /* deferred, still to be answered */
    uint64_t stream_max;      /* bytes of a body that is handed on; 0: STAGE_STREAM_MAX */
    bool slow;                /* deferred ones wait for stage_answer */
    bool stuck;               /* the peer takes nothing: the outbox is not emptied */
    bool inside;              /* the session is at work: what allocates now is its doing */
    unsigned alive;           /* exchanges that somebody holds */
    unsigned taken, finished; /* must be the same in the end, but for deferred ones whose connection went */
    unsigned last_status;     /* of the last finished one */
    uint64_t last_bytes;      /* and its bytes of content */
    struct text input;        /* sent, not consumed */
    struct text output;       /* all that went out */
    struct writer asked;      /* a line for each request that the host was asked: method, path?query, body */
    char asked_bytes[8192];
};

void stage_init(struct stage *stage, size_t outbox_size);
void stage_fini(struct stage *stage); /* ends the program where something was leaked */

/* From now on sessions remember fields, from here on and under these limits; without this call they do not. */
void stage_remember(struct stage *stage);
void stage_forget(struct stage *stage);

void stage_open(struct stage *stage); /* an HTTP/1.x session */
void stage_open_as(struct stage *stage, const struct session_type *type);
void stage_close(struct stage *stage);

/* The peer sends: feeds, drains and answers until nothing moves any more. */
void stage_send(struct stage *stage, struct slice bytes);
void stage_flush(struct stage *stage);  /* what is in the outbox goes out */
void stage_go_on(struct stage *stage);  /* as stage_send, with no new bytes */
void stage_answer(struct stage *stage); /* completes the deferred exchange */
void stage_expire(struct stage *stage);
void stage_goodbye(struct stage *stage);

#endif
