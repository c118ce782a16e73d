/* The rules of a host in a configuration file. What a rule may say is known to serve/rules.h, which is asked. */
#ifndef MAIN_CONFIG_RULES_H
#define MAIN_CONFIG_RULES_H

#include "main/config_part.h"

/* Those of the host's section, into host->options. */
void config_rules_take(struct part *part, struct host *host);

#endif
