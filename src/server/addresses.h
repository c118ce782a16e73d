/* Where a server listens: known once the kernel has chosen the ports that were left to it. It opens nothing. */
#ifndef SERVER_ADDRESSES_H
#define SERVER_ADDRESSES_H

#include "rawhttp.h"

/* The listeners are open, and nothing runs yet: what rh_address says is settled. */
void addresses_settle(rh_server *server);

/* One line for each. */
void addresses_log(const rh_server *server);

/* Before the start: not in the log, the program says it in words of its own. */
void addresses_leave_to_program(rh_server *server);

#endif
