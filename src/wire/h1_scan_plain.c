/* The choice of a scanner on machines that have no vector version here: the build takes this file or h1_scan_x86.c. */
#include "wire/h1_scan.h"

const struct h1_scanner *h1_scanner_best(void)
{
    return &h1_scanner_scalar;
}

unsigned h1_scanner_list(const struct h1_scanner *scanners[H1_SCANNERS])
{
    scanners[0] = &h1_scanner_scalar;
    return 1;
}
