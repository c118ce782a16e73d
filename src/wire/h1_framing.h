/* The one place that decides where an HTTP/1.x request ends (RFC 9112 part 6), and whether the connection can go on.
 *
 * Pure: the fields in, a decision out. Whatever two parsers could decide differently is refused. */
#ifndef WIRE_H1_FRAMING_H
#define WIRE_H1_FRAMING_H

#include "http/exchange.h"

enum h1_body { H1_BODY_NONE, H1_BODY_LENGTH, H1_BODY_CHUNKED, H1_BODY_REFUSED };

struct h1_framing {
    enum h1_body body;
    uint16_t status;  /* REFUSED: 400, 417 or 501; the connection closes */
    bool persistent;  /* the client lets the connection go on after this exchange (RFC 9112 9.3) */
    bool expects;     /* 100-continue is awaited before the body (RFC 9110 10.1.1; never for 1.0, nor without a body) */
    uint64_t length;  /* LENGTH: bytes, more than 0 */
};

/* Nothing in the head has a say in its framing: no body, and 1.1 goes on where 1.0 does not. So nearly every request
 * is, and this is all that it pays for being asked. */
static inline bool h1_framing_plain(const struct fields *fields)
{
    return !fields_have(fields, field_bit(FIELD_TRANSFER_ENCODING) | field_bit(FIELD_CONTENT_LENGTH) |
                                    field_bit(FIELD_EXPECT) | field_bit(FIELD_CONNECTION));
}

struct h1_framing h1_framing_decide(const struct request *request);

#endif
