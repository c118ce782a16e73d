/* The certificates of a configuration file: certificate "fullchain.pem" { key = "privkey.pem" }, at its top or in the
 * host that they are for. */
#ifndef MAIN_CONFIG_CERTIFICATE_H
#define MAIN_CONFIG_CERTIFICATE_H

#include "main/options.h"

#include <confuse.h>

/* Of the section `cfg`. False: no memory. What is wrong has been put to options->problems. */
bool config_certificates_take(struct options *options, cfg_t *cfg);

#endif
