/* The scanner in plain C: what the others are compared with, and what runs where there are no others.
 *
 * It takes the character classes from the table that the rest of the server uses, so it shares nothing with the
 * nibble tables of the vector versions but the RFC. */
#include "wire/h1_scan.h"

#include "http/fields.h"

static bool is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t') || c == 0x7F;
}

void h1_scan_scalar(const char *bytes, size_t blocks, uint64_t *not_token, uint64_t *control)
{
    for (size_t block = 0; block < blocks; block++) {
        not_token[block] = control[block] = 0;
        for (unsigned i = 0; i < H1_BLOCK; i++) {
            char c = bytes[block * H1_BLOCK + i];
            not_token[block] |= (uint64_t)!char_is(c, CHAR_TOKEN) << i;
            control[block] |= (uint64_t)is_control((unsigned char)c) << i;
        }
    }
}
