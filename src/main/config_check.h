/* What a configuration names on the disk (--check): whether it is there and may be read. */
#ifndef MAIN_CONFIG_CHECK_H
#define MAIN_CONFIG_CHECK_H

#include "main/options.h"

/* After options_parse. False: what is missing has been put to options->problems. */
bool config_check_disk(struct options *options);

#endif
