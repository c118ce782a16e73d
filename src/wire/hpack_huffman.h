/* The Huffman code of HPACK (RFC 7541 5.2 and Appendix B): strings of field names and values, packed.
 *
 * It knows nothing of fields, of integers or of what stands around a string. Its tables are made by tools/hpack_tables:
 * hpack_codes.h, and for decoding hpack_pairs.h and hpack_longs.h. */
#ifndef WIRE_HPACK_HUFFMAN_H
#define WIRE_HPACK_HUFFMAN_H

#include "base/writer.h"

/* A code has at least 5 bits, so that this many octets bound what `size` coded octets decode to. */
static inline size_t hpack_huffman_decoded_max(size_t size)
{
    return size * 8 / 5;
}

/* How many octets `text` takes once it is encoded: never more than 30 bits each. */
size_t hpack_huffman_size(struct slice text);

void hpack_huffman_encode(struct writer *w, struct slice text);

/* False: malformed, that is EOS among the symbols, more than 7 bits of padding, or padding that is not the beginning of
 * EOS; what was written by then is nobody's business. Where there is no room the writer is marked, nothing is written
 * beyond it, and all of the string is checked nevertheless. */
__attribute__((warn_unused_result)) bool hpack_huffman_decode(struct writer *w, struct slice coded);

#endif
