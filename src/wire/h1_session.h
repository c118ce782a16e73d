/* The HTTP/1.x session: heads and bodies out of the bytes, exchanges to the host, responses in order into the outbox
 * (RFC 9112 part 9). One request at a time; those behind it wait in the input. */
#ifndef WIRE_H1_SESSION_H
#define WIRE_H1_SESSION_H

#include "http/session.h"

extern const struct session_type h1_session_type;

#endif
