/* What a configuration names on the disk: whether it is there, may be read, and is what it has to be. For --check, and
 * before a server starts, so that both say where it stands. */
#ifndef MAIN_CONFIG_CHECK_H
#define MAIN_CONFIG_CHECK_H

#include "main/options.h"

/* After options_parse, also where that has found mistakes in the file. False: what is wrong has been put to
 * options->problems, or, where it does not stand in the file, to options->problem. */
bool config_check_disk(struct options *options);

#endif
