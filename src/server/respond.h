/* Building responses for handlers: what the public calls and the dispatcher share. */
#ifndef SERVER_RESPOND_H
#define SERVER_RESPOND_H

#include "serve/static.h"
#include "server/server.h"

/* An error response; `allow` for 405, `detail` may be empty. With it goes what is said at this path (said.h). */
void respond_error(struct exchange *exchange, unsigned status, unsigned allow, struct slice detail);

/* The same for a request of which the path is not known. */
void respond_refused(struct exchange *exchange, unsigned status);

/* A response with these bytes, which lie in the arena of the exchange; `type` is a constant, or empty for none. */
void respond_bytes(struct exchange *exchange, struct slice type, struct slice bytes);

/* A redirect, with a line for whoever does not follow it by itself (RFC 9110 15.4). `location` lies in the arena of the
 * exchange. */
void respond_moved(struct exchange *exchange, unsigned status, struct slice location);

/* What static_answer has come to, where that is no response yet. Of what is negotiable the coding was chosen first: its
 * tag and its size decided, so a refusal varies by Accept-Encoding as the page does (RFC 9110 12.5.5). */
void respond_page(struct exchange *exchange, enum static_result result, bool negotiable);

/* 503: no memory for this request. */
void respond_unavailable(struct exchange *exchange);

/* A body that is held by others. */
void respond_file(struct exchange *exchange, struct slice type, const struct body *body);

/* No memory for a call of the handler's: 503, and what the handler still calls is no second answer. */
void respond_starved(struct exchange *exchange);

/* rh_set and its like: once the response of what comes next is there, the field is kept for it. False: it was refused,
 * or there is no memory; the response will be a 500. */
bool respond_field(struct exchange *exchange, struct slice name, struct slice value);

/* True where the handler has given its answer already, which is logged; this one must not change it. */
bool respond_is_second(struct exchange *exchange);

/* Logs what the handler or middleware has done, the first time in a request. */
void respond_complain_once(struct exchange *exchange, const char *what);

/* What the program has said cannot be sent: the response becomes a 500, and the log says why, for the first such thing
 * in a request. */
void respond_refuse(struct exchange *exchange, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads options as sized_read does. False: there is one that is not known, and the response is a 500. */
bool respond_take(struct exchange *exchange, void *known, size_t known_size, const void *given, size_t given_size)
    __attribute__((warn_unused_result));

/* Called once the handler or whoever completes is done: a response that is missing or was refused becomes a 500. */
void respond_settle(struct exchange *exchange);

/* Adds what middleware has said to a response that is settled. */
void respond_dress(struct exchange *exchange);

/* 204 with Allow, for OPTIONS. */
void respond_options(struct exchange *exchange, unsigned allow);

#endif
