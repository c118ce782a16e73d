/* The HTTP/2 session (RFC 9113): frames in, exchanges to the host, several at a time; their responses as frames into
 * the outbox, a piece of each in the order of their priorities (RFC 9218). */
#ifndef WIRE_H2_SESSION_H
#define WIRE_H2_SESSION_H

#include "http/session.h"

/* Its host has an h2_worker (h2_worker.h). */
extern const struct session_type h2_session_type;

#endif
