/* The certificates that the program was told: pairs of files on the command line and in the environment, sections in a
 * configuration file; and what they make of the addresses to listen on. What is in the files is not known here. */
#ifndef MAIN_OPTION_CERTIFICATE_H
#define MAIN_OPTION_CERTIFICATE_H

#include "main/options.h"

/* One more, or the first one of this origin, which takes the place of all that a weaker one has named. Its texts must
 * last. False: options->problem. */
bool option_add_certificate(struct options *options, struct certificate_option certificate);

/* --tls-cert and --tls-key: the n-th of the one goes with the n-th of the other. */
bool option_set_certificate(struct options *options, const char *chain, struct origin origin);
bool option_set_key(struct options *options, const char *key, struct origin origin);

/* Once all is known: the certificates as the library wants them. */
bool option_settle_certificates(struct options *options);

/* There is something to speak https with. */
bool option_is_secure(const struct options *options);

#endif
