/* The configuration file: read, and put into the options. rawhttpd.conf(5) says what it looks like. */
#ifndef MAIN_CONFIG_FILE_H
#define MAIN_CONFIG_FILE_H

#include "base/slice.h"
#include "main/options.h"

/* options->config. False: all mistakes in it are in options->problems, or, where it could not be read, options->problem
 * says why. */
bool config_file_read(struct options *options);

/* The same for a text of at most CONFIG_TEXT_MAX bytes; options->folder is what its relative paths begin with. */
bool config_file_parse(struct options *options, struct slice text);

#endif
