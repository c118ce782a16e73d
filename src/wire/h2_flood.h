/* How much of what costs us more than it costs a client is taken from one connection: frames that are cheap to send and
 * carry nothing. Each kind has a budget that fills up again with time, far above what honest clients need.
 *
 * It counts, and says when it is enough; the connection then ends with ENHANCE_YOUR_CALM (RFC 9113 10.5). */
#ifndef WIRE_H2_FLOOD_H
#define WIRE_H2_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

enum h2_flood_kind {
    H2_FLOOD_RESETS,  /* streams that the client has reset, or made us reset (CVE-2023-44487, CVE-2025-8671) */
    H2_FLOOD_ASKS,    /* SETTINGS and PING: each is owed an answer */
    H2_FLOOD_NOTHING, /* empty DATA, tiny WINDOW_UPDATEs, priorities, frames that nobody knows */
    H2_FLOOD_KINDS
};

/* All zero at the beginning. */
struct h2_flood {
    uint32_t full_ms[H2_FLOOD_KINDS]; /* low bits of now_ms: when this budget will be full again */
};

/* One more. False: too many. */
bool h2_flood_allows(struct h2_flood *flood, enum h2_flood_kind kind, uint64_t now_ms);

#endif
