/* The fields that a page has where no rule says otherwise. */
#ifndef SERVE_DEFAULTS_H
#define SERVE_DEFAULTS_H

#include "http/answer.h"

/* Cache-Control for the file at this path.
 *
 * A name with a hash of its content in it: for a year, and not asked for again on a reload (RFC 8246). Everything
 * else, pages as well as what they are made of: "no-cache", kept and asked for each time (RFC 9111 5.2.2.4), which a
 * 304 answers, so that after a deploy nobody sees a page of today with a style sheet of yesterday. Without a field
 * caches would guess how long a file is good (4.2.2). "max-age=0, must-revalidate" says the same in three times the
 * bytes.
 *
 * `guarded`: a password was asked for. "public" would let a cache that many share keep the file, and give it to those
 * who have none (RFC 9111 3.5). */
struct slice defaults_cache_control(struct slice path, bool guarded);

/* X-Content-Type-Options: nosniff. A file is what its type says: a browser that looks for itself can take an uploaded
 * text for a script. */
struct field_pair defaults_nosniff(void);

#endif
