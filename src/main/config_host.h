/* The hosts of a configuration file, each with its rules: from what libconfuse has read into the options of the
 * library. What is wrong goes to options->problems with its line. */
#ifndef MAIN_CONFIG_HOST_H
#define MAIN_CONFIG_HOST_H

#include "main/options.h"

#include <confuse.h>

/* Fills in options->site (but for what are options of the program) and options->hosts. False: out of memory. */
bool config_hosts_take(struct options *options, cfg_t *cfg);

#endif
