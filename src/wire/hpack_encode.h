/* Fields of responses into header blocks of HTTP/2 (RFC 7541), in two ways: without a table, so that the block can be
 * made once and be sent on any connection (a prepared answer's), and with a connection's table.
 *
 * A name may have capitals, which become small; that name and value are valid is the caller's business. */
#ifndef WIRE_HPACK_ENCODE_H
#define WIRE_HPACK_ENCODE_H

#include "base/clock.h"
#include "base/writer.h"
#include "wire/hpack_table.h"

/* ---- Without a table --------------------------------------------------------------------------------------- */

/* The octets that a field takes at most, and :status, and a date. */
enum { HPACK_FIELD_OVERHEAD = 11, HPACK_STATUS_BOUND = 5, HPACK_DATE_BOUND = 3 + CLOCK_DATE_SIZE };

static inline size_t hpack_encode_bound(struct slice name, struct slice value)
{
    return name.size + value.size + HPACK_FIELD_OVERHEAD;
}

void hpack_encode_status(struct writer *w, unsigned status);

/* A literal without indexing, Huffman coded where that is shorter. "set-cookie" is never indexed (RFC 7541 7.1.3). */
void hpack_encode_field(struct writer *w, struct slice name, struct slice value);

/* The date, not Huffman coded, so that another one can be put in its place: the last CLOCK_DATE_SIZE octets. */
void hpack_encode_date(struct writer *w, const char *date);

/* ---- With a table ------------------------------------------------------------------------------------------ */

/* What lasts as long as a connection. */
struct hpack_encoder {
    struct hpack_table table;
    uint16_t limit;  /* what the table may have from the next block on */
    uint16_t lowest; /* the least of those that were asked for since the last block */
};

void hpack_encoder_init(struct hpack_encoder *encoder);
void hpack_encoder_fini(struct hpack_encoder *encoder);

/* The peer's SETTINGS_HEADER_TABLE_SIZE, of which at most HPACK_TABLE_MAX are used. */
void hpack_encoder_limit(struct hpack_encoder *encoder, uint32_t size);

/* Begins a block, any block of the connection, one without a table too: writes the changes of size that the peer waits
 * for (RFC 7541 4.2), at most HPACK_BEGIN_BOUND octets, mostly none. */
enum { HPACK_BEGIN_BOUND = 6 };
void hpack_encoder_begin(struct hpack_encoder *encoder, struct writer *w);

/* A field, and an entry for the next time where it is likely to come again. The writer must have room for it
 * (hpack_encode_bound), and the block must be sent: the peer's table has to follow this one. */
void hpack_encoder_field(struct hpack_encoder *encoder, struct writer *w, struct slice name, struct slice value);

#endif
