/* The choice of a scanner on machines that have no vector version here: the build takes this file or h1_scan_x86.c. */
#include "wire/h1_scan.h"

h1_scan *h1_scan_best(void)
{
    return h1_scan_scalar;
}

unsigned h1_scan_versions(h1_scan *versions[H1_SCAN_VERSIONS], const char *names[H1_SCAN_VERSIONS])
{
    versions[0] = h1_scan_scalar;
    names[0] = "scalar";
    return 1;
}
