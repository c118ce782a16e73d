/* Responses as HTTP/1.1 bytes (RFC 9112 parts 4, 6 and 7) into an outbox.
 *
 * Prepared answers keep their encoded head and pay a copy; small bodies are copied behind it, large ones become
 * spans. It knows the request's version and method because they decide Connection and whether there is content. */
#ifndef WIRE_H1_WRITE_H
#define WIRE_H1_WRITE_H

#include "http/exchange.h"
#include "http/session.h"

enum h1_write_result {
    H1_WRITE_DONE, /* the response is in the outbox, whole */
    H1_WRITE_FULL, /* not begun: drain the outbox and call again */
    H1_WRITE_PULL, /* the head is in the outbox; the content is to be pulled with h1_write_pull */
    H1_WRITE_BROKEN /* no memory for the head: nothing was written; send a bare 503 and close */
};

/* exchange.response.close must be final. For a BODY_PULL to a 1.0 client, close is forced.
 * `*body_bytes`: bytes of content put into the outbox. */
enum h1_write_result h1_write_response(struct exchange *exchange, const struct session_host *host, struct outbox *out,
                                       uint64_t *body_bytes);

enum h1_pull_result { H1_PULL_MORE, H1_PULL_LATER, H1_PULL_END, H1_PULL_FAILED };

/* The next pieces of the content, chunked or raw, until the outbox is full (MORE), its maker has nothing (LATER) or it
 * ends. */
enum h1_pull_result h1_write_pull(struct exchange *exchange, struct outbox *out, uint64_t *body_bytes);

/* "HTTP/1.1 100 Continue". False: outbox full. */
bool h1_write_continue(struct outbox *out);

/* A 503 without content and with Connection: close, for when there is no memory for anything better. */
void h1_write_unavailable(struct outbox *out, const struct session_host *host);

#endif
