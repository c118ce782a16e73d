/* `_redirects`, in the form that static hosts read: where a path leads, a line each.
 *
 *     # from          to                            status
 *     /old            /new                          301
 *     /blog/:year/x   /posts-:year.html#x
 *     /news*          https://news.example/         302!
 *
 * A star that is the whole last segment is called :splat. The status is 301 where it is left out; 200 answers with
 * the page at `to` instead of sending the client there, and 403, 404, 410 and 451 answer with that page and status. A
 * rule holds where the site has no page, unless there is a ! behind the status. The first that holds decides. The
 * query is kept. Conditions (on the query, the country, the language) are told as mistakes, because without them a
 * rule would mean something else; so is 200 to another host, for which a proxy would be needed. */
#ifndef SERVE_REDIRECTS_H
#define SERVE_REDIRECTS_H

#include "base/log.h"
#include "serve/rules.h"

/* The rules of the file, in its order; nothing of `text` is kept. NULL: there are none, or no memory, which is told. */
struct rules *redirects_parse(struct slice text, const struct log *log);

#endif
