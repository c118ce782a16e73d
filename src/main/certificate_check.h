/* The certificates that a configuration names: whether they can be read and fit their keys, each told with its line. */
#ifndef MAIN_CERTIFICATE_CHECK_H
#define MAIN_CERTIFICATE_CHECK_H

#include "main/options.h"

/* Those that the file names; of others the server tells. False: it has been put to options->problems. */
bool certificate_check(struct options *options);

#endif
