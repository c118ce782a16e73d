/* Content that is made while it is sent, as gzip (RFC 1952): a source that draws from another one. Where that has
 * nothing now, all that came so far is made readable for the client before the wait.
 *
 * It belongs to whoever draws. */
#ifndef SERVE_GZIP_STREAM_H
#define SERVE_GZIP_STREAM_H

#include "http/answer.h"

enum { GZIP_STREAM_SIZE = 270 * 1024 }; /* bytes that one takes, about */

struct gzip_stream;

struct gzip_stream *gzip_stream_new(body_pull *pull, void *user); /* NULL: no memory, or not built */
void gzip_stream_free(struct gzip_stream *stream);

/* In less room zlib would end what it flushes again and again. */
enum { GZIP_STREAM_ROOM_MIN = 7 };

body_pull gzip_stream_pull; /* its user is the stream */

#endif
