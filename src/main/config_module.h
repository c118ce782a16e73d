/* The modules of a configuration file: from what libconfuse has read into options->modules. What is wrong goes to
 * options->problems with its line; whether a module can be loaded is not asked here. */
#ifndef MAIN_CONFIG_MODULE_H
#define MAIN_CONFIG_MODULE_H

#include "main/options.h"

#include <confuse.h>

/* False: out of memory. */
bool config_modules_take(struct options *options, cfg_t *cfg);

#endif
