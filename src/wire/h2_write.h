/* Responses as frames of HTTP/2: header blocks, made once for what is prepared, and content in pieces.
 *
 * It writes what it is told to, where there is room and a window: whose turn it is, is for others to say. */
#ifndef WIRE_H2_WRITE_H
#define WIRE_H2_WRITE_H

#include "wire/h2_machine.h"

enum h2_written {
    H2_WRITTEN_END,     /* of the response: END_STREAM is out */
    H2_WRITTEN_MORE,    /* something, and there is more */
    H2_WRITTEN_FULL,    /* nothing: the outbox has no room */
    H2_WRITTEN_BLOCKED, /* nothing: the stream has no window */
    H2_WRITTEN_LATER,   /* nothing: the maker of the content had none */
    H2_WRITTEN_BROKEN   /* nothing: there is no memory, or the maker of the content has failed */
};

/* What is sent behind the head. */
const struct body *h2_content_of(const struct exchange *exchange);

/* The head, and with it all of the content, if that is small, may go at once (`along`), and fits into the windows.
 * Never BLOCKED or LATER. */
enum h2_written h2_write_head(struct h2_connection *c, struct h2_stream *stream, bool along, struct outbox *out);

/* One frame of the content, at most. The head is out. */
enum h2_written h2_write_content(struct h2_connection *c, struct h2_stream *stream, struct outbox *out);

/* The end of a response whose content was made while it was sent: its trailers, END_STREAM with them. */
enum h2_written h2_write_trailers(struct h2_connection *c, struct h2_stream *stream, struct outbox *out);

/* 100 (Continue). False: no room. */
bool h2_write_continue(struct h2_connection *c, uint32_t id, struct outbox *out);

#endif
