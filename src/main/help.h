/* The text of --help and --version. */
#ifndef MAIN_HELP_H
#define MAIN_HELP_H

#include <stdio.h>

void help_print(FILE *out);
void help_print_version(FILE *out);

#endif
