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

void h1_scan_scalar(const char *bytes, size_t blocks, struct h1_masks *masks)
{
    for (size_t block = 0; block < blocks; block++) {
        const char *at = bytes + block * H1_BLOCK;
        struct h1_masks found = { 0, 0 };
        for (unsigned i = 0; i < H1_BLOCK; i++) {
            found.not_token |= (uint64_t)!char_is(at[i], CHAR_TOKEN) << i;
            found.control |= (uint64_t)is_control((unsigned char)at[i]) << i;
        }
        masks[block] = found;
    }
}
