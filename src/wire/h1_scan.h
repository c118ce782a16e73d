/* Looks at a request head up to 64 bytes at a time and says which of them are token characters and which are text.
 *
 * There is one scalar scanner, the reference, and vector twins; the best one that this CPU has is chosen when asked.
 * It knows nothing of lines or fields. */
#ifndef WIRE_H1_SCAN_H
#define WIRE_H1_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum { H1_HALF = 32, H1_BLOCK = 64, H1_SCANNERS = 4 };

/* Bit i speaks of byte i. They say what a byte is and not what it is not, so that a byte that is not there, whose bits
 * are 0, is neither a token character nor text. */
struct h1_masks {
    uint64_t token; /* a tchar (RFC 9110 5.6.2) */
    uint64_t text;  /* no control: 0x20 and up but 0x7F, and tab */
};

struct h1_scanner {
    const char *name;
    /* The 64 bytes from `begin` on, or as many as there are: may be none. `begin` is a multiple of 64. It may look at
     * all `size` bytes of the data, and at none behind them. */
    struct h1_masks (*scan)(const char *data, size_t size, size_t begin);
    /* Which of 32 bytes may stand in a path for themselves, and which in a host's name: bit i for a CHAR_PATH, a
     * CHAR_HOST. */
    uint32_t (*scan_path)(const char *bytes);
    uint32_t (*scan_host)(const char *bytes);
};

extern const struct h1_scanner h1_scanner_scalar;

const struct h1_scanner *h1_scanner_best(void);

/* All that this CPU can run, the best first, the scalar one last; for tests. Returns how many. */
unsigned h1_scanner_list(const struct h1_scanner *scanners[H1_SCANNERS]);

#endif
