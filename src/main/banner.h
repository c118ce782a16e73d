/* What a person sees once the server listens: what is served, where, and how much of it is in memory. Knows no
 * server, only the facts that it is given. */
#ifndef MAIN_BANNER_H
#define MAIN_BANNER_H

#include "rawhttp.h"

#include <stdio.h>

struct banner {
    const char *folder; /* an absolute path where one could be made */
    const char *listen; /* addresses separated by spaces, as in rh_options */
    unsigned port;      /* the first one's, which may have been asked for as 0 */
    unsigned workers;
    rh_site_info site;
    bool self_signed;   /* what https is spoken with, nobody trusts */
};

/* Several lines for a terminal, or half a line for a log: "listening on ...". */
void banner_print(const struct banner *banner, FILE *out);
void banner_print_line(const struct banner *banner, FILE *out);

#endif
