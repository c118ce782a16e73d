/* What holds and where it comes from (--print-config), in the words of a configuration file: read as one, it says the
 * same again. */
#ifndef MAIN_PRINT_CONFIG_H
#define MAIN_PRINT_CONFIG_H

#include "main/options.h"
#include "server/config.h"

#include <stdio.h>

/* After options_parse; `config` is what the library makes of these options. Relative paths become absolute. False: out
 * of memory, or the folder that they begin with is not known. */
bool print_config(const struct options *options, const struct config *config, FILE *out);

#endif
