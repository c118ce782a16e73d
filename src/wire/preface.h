/* What a connection in cleartext speaks, its first bytes tell: HTTP/2 begins with a line that no other version can
 * begin with (RFC 9113 3.4, "prior knowledge"). Here is the session for until that is known. */
#ifndef WIRE_PREFACE_H
#define WIRE_PREFACE_H

#include "http/session.h"

/* Becomes an HTTP/2 or an HTTP/1.x session in place, and pays nothing for it afterwards. */
extern const struct session_type preface_session_type;

#endif
