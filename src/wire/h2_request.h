/* The fields of a header block as a request (RFC 9113 8.3), or as trailers (8.1): what they may be, and what they come
 * to. It knows no streams. */
#ifndef WIRE_H2_REQUEST_H
#define WIRE_H2_REQUEST_H

#include "http/exchange.h"
#include "http/session.h"
#include "wire/hpack_decode.h"

enum h2_read {
    H2_READ_WHOLE,
    H2_READ_REFUSED,   /* it is read, and its sender is told what is wrong with it: `status` */
    H2_READ_MALFORMED, /* a stream error: PROTOCOL_ERROR (8.1.1) */
    H2_READ_BROKEN,    /* a connection error: COMPRESSION_ERROR */
    H2_READ_NO_MEMORY  /* and this, too, since the tables do not agree any more */
};

struct h2_reading {
    struct hpack_decoder *decoder;
    struct slice block;
    struct writer text;         /* where the fields are put; request.fields lies in it */
    const struct session_limits *limits;
    unsigned status;            /* REFUSED */
    struct slice priority;      /* the value of the Priority field (RFC 9218 5); data NULL: there is none */
};

/* All of the request but its body and its peer. Its path is the normal one: what that takes is in the arena. */
enum h2_read h2_request_read(struct h2_reading *reading, struct exchange *exchange);

/* Trailers, of which nothing is kept. */
enum h2_read h2_trailers_read(struct h2_reading *reading);

#endif
