/* The HTTP/1.x session's own state, and what its two halves call of each other: h1_session.c has the phases, the head
 * and the response, h1_body.c what comes behind a head. Nobody else includes this. */
#ifndef WIRE_H1_MACHINE_H
#define WIRE_H1_MACHINE_H

#include "http/session.h"
#include "wire/h1_chunked.h"
#include "wire/h1_framing.h"
#include "wire/h1_head.h"

/* Out of line: what an ordinary request has no need of must not be in the way of its registers (40 instructions). */
#define RARE __attribute__((noinline))

struct h1_session {
    struct session base;
    struct exchange *exchange; /* NULL at rest, and where its response has gone before its body was read */
    uint64_t left;             /* LENGTH: bytes of the body still to come; CHUNKED: how many more are acceptable */
    uint64_t sent;             /* bytes of content of this response put into the outbox */
    const struct h1_scanner *scanner;
    union {
        struct h1_head head;
        struct h1_chunked chunked;
    } parser;
    uint8_t body;        /* enum h1_body: what is still to be read of this request; REFUSED: nobody can tell */
    bool wanted;         /* the body is collected for the host */
    bool owes_continue;  /* the client waits for a 100 before it sends the body */
    bool pulling;        /* the head of the response is out, its content is being pulled */
    bool holds_body;     /* references on all that the response's body lies in are ours */
    bool leaving;        /* the next response is the last one */
    uint8_t slot;        /* of the host's memo: where the fields of the last request were */
};

_Static_assert(sizeof(struct h1_session) <= 128, "with the connection around it, 256 bytes of ours while it is idle");

/* Steps of the machine: each returns the next phase. In h1_session.c: no memory for this request; the peer's fault,
 * after which nobody knows where the next one begins; the request is whole; its response is there; it is deferred;
 * request and response are over. */
enum session_phase h1_starve(struct h1_session *s, struct outbox *out);
enum session_phase h1_refuse(struct h1_session *s, unsigned status);
enum session_phase h1_ask(struct h1_session *s, struct outbox *out);
enum session_phase h1_respond(struct h1_session *s, struct outbox *out);
enum session_phase h1_await(const struct h1_session *s);
enum session_phase h1_rest(const struct h1_session *s);

/* In h1_body.c: a body follows; more of it has come; its exchange, which was with somebody else, is ready for more. */
enum session_phase h1_body_expect(struct h1_session *s, const struct h1_framing *framing, bool begun,
                                  struct outbox *out);
enum session_phase h1_body_read(struct h1_session *s, struct slice *bytes, struct outbox *out);
enum session_phase h1_body_receive_on(struct h1_session *s);

#endif
