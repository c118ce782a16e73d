/* Content codings (RFC 9110 8.4.1): their names, and which one a client is to get (Accept-Encoding, 12.5.3).
 *
 * It knows nothing of how content is encoded, nor where encoded content comes from. */
#ifndef HTTP_CODING_H
#define HTTP_CODING_H

#include "http/fields.h"

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BR, CODING_ZSTD, CODING_COUNT };

enum { CODING_REFUSED = CODING_COUNT }; /* of coding_choose: nothing that is there is acceptable */

/* As in Content-Encoding. Identity, which stands in no such field, has one too. */
struct slice coding_name(enum coding coding);

/* What a file that holds its neighbour's content in this coding has behind that one's name: ".gz"; of identity "". */
struct slice coding_suffix(enum coding coding);

static inline unsigned coding_bit(enum coding coding)
{
    return 1u << coding;
}

/* The codings in which there is a representation, best first: two bits each, from the lowest. Identity is always there;
 * what is behind it in the order is identity again, so that all zero means that there is nothing else. */
struct coding_order {
    uint8_t places;
};

/* The smallest first; of equal sizes br, zstd, gzip, identity. `available` are coding_bits; the sizes of others are not
 * looked at. */
struct coding_order coding_order_by_size(const uint64_t size[static CODING_COUNT], unsigned available);

/* Of the available codings that the client gives its highest weight the first of the order. Where it accepts none of
 * them, or sends no Accept-Encoding at all (then it would have to take any; but programs that ask for nothing often
 * cannot decode): identity. Where it refuses that, too ("identity;q=0", or "*;q=0" without identity): CODING_REFUSED,
 * for 406.
 *
 * A member that does not follow the grammar is passed over like a coding that nobody knows. Of several members for one
 * coding the heaviest counts. */
unsigned coding_choose(const struct fields *fields, struct coding_order order);

#endif
