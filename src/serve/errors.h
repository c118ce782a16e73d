/* The response to what went wrong: the site's own page (404.html, 50x.html), a small built-in one, or problem+json (RFC
 * 9457) for clients that prefer JSON. All are prepared when the server starts, so an error storm costs no more than
 * pages. */
#ifndef SERVE_ERRORS_H
#define SERVE_ERRORS_H

#include "http/exchange.h"
#include "serve/site.h"

struct errors;

/* `site` may be NULL. NULL: no memory. */
struct errors *errors_new(const struct site *site);
void errors_free(struct errors *errors);

/* Sets the response: prepared where there is nothing special in it. `allow`: for 405, a mask of methods, else 0.
 * `detail` (may be empty) is shown to the client, but not in a page of the site's own. Drops the response that was
 * begun, save for fields which do not describe its content (WWW-Authenticate, Retry-After, Content-Range): clear it
 * first where they should go too. Whether the connection closes is not decided here. Never fails: without memory it
 * falls back to the prepared answer, of the x00 of its class for a status that is not prepared. A status that is no
 * error becomes 500. */
void errors_answer(const struct errors *errors, struct exchange *exchange, unsigned status, unsigned allow,
                   struct slice detail);

#endif
