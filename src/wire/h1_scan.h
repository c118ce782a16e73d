/* Looks at 64 bytes of a request head at a time and says which are not token characters and which are controls.
 *
 * There is one scalar version, the reference, and vector twins; the best one that this CPU has is chosen once. It
 * knows nothing of lines or fields. */
#ifndef WIRE_H1_SCAN_H
#define WIRE_H1_SCAN_H

#include <stdint.h>

struct h1_masks {
    uint64_t not_token; /* bit i: byte i is not a tchar (RFC 9110 5.6.2) */
    uint64_t control;   /* bit i: byte i is 0x00-0x1F but tab, or 0x7F */
};

/* Reads exactly 64 bytes. */
typedef void h1_scan(const char *bytes, struct h1_masks *masks);

h1_scan h1_scan_scalar;

/* All versions that this CPU can run, the best first, the scalar one last; for tests. Returns how many (at most 4). */
unsigned h1_scan_versions(h1_scan *versions[4], const char *names[4]);

h1_scan *h1_scan_best(void);

#endif
