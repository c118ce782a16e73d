/* Looks at a request head 64 bytes at a time and says which of them are not token characters and which are controls.
 *
 * There is one scalar version, the reference, and vector twins; the best one that this CPU has is chosen when asked.
 * It knows nothing of lines or fields. */
#ifndef WIRE_H1_SCAN_H
#define WIRE_H1_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum { H1_BLOCK = 64, H1_SCAN_VERSIONS = 4 };

/* Reads exactly `blocks` times 64 bytes and sets as many pairs of masks: bit i of not_token[b] says that byte i of
 * block b is not a tchar (RFC 9110 5.6.2), bit i of control[b] that it is 0x00-0x1F but tab, or 0x7F. Several blocks at
 * once spare the loading of the constants. */
typedef void h1_scan(const char *bytes, size_t blocks, uint64_t *not_token, uint64_t *control);

h1_scan h1_scan_scalar;

/* All versions that this CPU can run, the best first, the scalar one last; for tests. Returns how many (at most 4). */
unsigned h1_scan_versions(h1_scan *versions[H1_SCAN_VERSIONS], const char *names[H1_SCAN_VERSIONS]);

h1_scan *h1_scan_best(void);

#endif
