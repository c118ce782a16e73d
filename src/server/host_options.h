/* What a program says about a host (rh_host_options), checked and copied: a site's configuration, and what vhost wants
 * to know. Nothing is opened here. */
#ifndef SERVER_HOST_OPTIONS_H
#define SERVER_HOST_OPTIONS_H

#include "server/vhost.h"

/* Into a vhost that is all zero but for its store. The options may be of an older program, which knew fewer of them: so
 * many bytes of them are read, and of each rule. False: `why`. */
bool host_options_read(struct vhost *vhost, const rh_host_options *options, size_t rule_size, struct why why)
    __attribute__((warn_unused_result));

#endif
