/* The scanner in plain C: what the others are compared with, and what runs where there are no others.
 *
 * It takes the character classes from the table that the rest of the server uses, so it shares nothing with the
 * nibble tables of the vector scanners but the RFC. */
#include "wire/h1_scan.h"

#include "http/fields.h"

static bool is_text(unsigned char c)
{
    return (c >= 0x20 && c != 0x7F) || c == '\t';
}

static struct h1_masks scan(const char *data, size_t size, size_t begin)
{
    struct h1_masks masks = { 0, 0 };
    for (size_t i = 0; i < H1_BLOCK && begin + i < size; i++) {
        char c = data[begin + i];
        masks.token |= (uint64_t)char_is(c, CHAR_TOKEN) << i;
        masks.text |= (uint64_t)is_text((unsigned char)c) << i;
    }
    return masks;
}

static uint32_t scan_class(const char *bytes, unsigned class)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < H1_HALF; i++)
        mask |= (uint32_t)char_is(bytes[i], class) << i;
    return mask;
}

static uint32_t scan_path(const char *bytes)
{
    return scan_class(bytes, CHAR_PATH);
}

static uint32_t scan_host(const char *bytes)
{
    return scan_class(bytes, CHAR_HOST);
}

const struct h1_scanner h1_scanner_scalar = { "scalar", scan, scan_path, scan_host };
