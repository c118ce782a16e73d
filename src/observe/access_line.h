/* One line of the access log: what an exchange was, as JSON or for a person at a terminal.
 *
 * Whatever a peer sends, it makes one line, ends where it should, and holds no control character. It knows nothing of
 * where the line goes. */
#ifndef OBSERVE_ACCESS_LINE_H
#define OBSERVE_ACCESS_LINE_H

#include "base/clock.h"
#include "base/writer.h"
#include "http/exchange.h"

/* A line always fits into ACCESS_LINE_MAX: of each value that the peer chose no more than ACCESS_VALUE_MAX bytes are
 * shown, and an escape makes six of one (method, target, referer and agent). */
enum { ACCESS_VALUE_MAX = 2048, ACCESS_LINE_MAX = 4 * 6 * ACCESS_VALUE_MAX + 1024 };

struct access_entry {
    const struct exchange *exchange;
    uint64_t body_bytes; /* of the response's content, as sent */
    struct slice client; /* empty: the peer */
    struct slice id;     /* of the request; empty: it has none */
    uint64_t now_ms;     /* clock.now_ms: the duration is counted from exchange->begun_ms, where that is set */
    const char *stamp;   /* clock_format_stamp: CLOCK_STAMP_SIZE bytes */
};

/* {"time":...,"peer":...,"method":...,"target":...,"status":...,"bytes":...,"ms":...,"version":...}; "client" behind
 * the peer, and "tls", "cipher", "referer", "agent" and "id" at the end, where there are any. What a refused request
 * did not tell is null. */
void access_line_json(struct writer *w, const struct access_entry *entry);

/* Time (UTC), status, method, size, duration, client, target, in columns. What is unknown is "-". */
void access_line_colour(struct writer *w, const struct access_entry *entry);

#endif
