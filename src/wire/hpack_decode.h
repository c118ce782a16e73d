/* Header blocks of HTTP/2 (RFC 7541), whole ones, into fields. The text of the fields goes into the caller's writer,
 * one behind the other, and is found there by 16-bit offsets, as those of HTTP/1 are in their head (http/fields.h).
 *
 *     hpack_decode_begin(&decode, &decoder, block, &text);
 *     while ((result = hpack_decode_next(&decode, &field)) == HPACK_FIELD)
 *         ...
 *
 * A block must be read to its end, by that or by hpack_decode_skip, even where nobody wants it any more: the table has
 * to follow the peer's. Which fields a message may have, and in which order, is for others to know. */
#ifndef WIRE_HPACK_DECODE_H
#define WIRE_HPACK_DECODE_H

#include "base/writer.h"
#include "wire/hpack_table.h"

/* What lasts as long as a connection. */
struct hpack_decoder {
    struct hpack_table table;
    uint16_t limit;  /* the SETTINGS_HEADER_TABLE_SIZE of ours that holds */
    uint16_t lowest; /* of those that have held since the last block */
};

void hpack_decoder_init(struct hpack_decoder *decoder);
void hpack_decoder_fini(struct hpack_decoder *decoder);

/* The peer has acknowledged a SETTINGS_HEADER_TABLE_SIZE of ours, at most HPACK_TABLE_MAX. Only needed where it is not
 * HPACK_TABLE_DEFAULT. */
void hpack_decoder_limit(struct hpack_decoder *decoder, size_t size);

enum hpack_result {
    HPACK_FIELD,     /* there is one */
    HPACK_END,       /* of the block, which was well-formed */
    HPACK_TOO_LARGE, /* the same, but the text had no room for all of it */
    HPACK_MALFORMED, /* COMPRESSION_ERROR: the connection cannot go on */
    HPACK_NO_MEMORY  /* for the table: nor can it here */
};

/* One block; text is borrowed until the end, and has at most 65,535 octets. */
struct hpack_decode {
    const uint8_t *at, *end;
    struct hpack_decoder *decoder;
    struct writer *text;
    enum hpack_result ending; /* when there is nothing left: HPACK_END, unless it began badly */
};

struct hpack_field {
    struct field at; /* from the text's start; a pseudo field's name is not there (size 0), its id says it */
    uint8_t id;      /* field_id, or hpack_pseudo from HPACK_PSEUDO on */
    uint8_t fixed;   /* 1 to 61: all of it is this entry of the static table (2: ":method" "GET"); 0: it is not */
    bool valid;      /* RFC 9113 8.2.1: the name is a token without capitals, and the value has no control but tab and
                        no white space around it. Always of a pseudo field that is known: whoever reads its value has
                        a narrower grammar for it; never of one that is not (id HPACK_PSEUDO) */
};

void hpack_decode_begin(struct hpack_decode *decode, struct hpack_decoder *decoder, struct slice block,
    struct writer *text);

/* Not HPACK_FIELD: that was all, and it must not be called again. Where the text has no room the rest is skipped, and
 * what was there before stays as it is. */
__attribute__((warn_unused_result)) enum hpack_result hpack_decode_next(struct hpack_decode *decode,
    struct hpack_field *field);

/* Reads the rest, for the table's sake. HPACK_END, HPACK_MALFORMED or HPACK_NO_MEMORY. */
__attribute__((warn_unused_result)) enum hpack_result hpack_decode_skip(struct hpack_decode *decode);

#endif
