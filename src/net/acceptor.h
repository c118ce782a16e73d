/* Takes new connections in, as many as there are descriptors for: beyond that the longest idle one makes room, and
 * where none is idle accepting pauses until one has closed. Nothing spins. */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include "net/worker.h"

/* Worker, descriptor and the rest are set. False: errno. */
bool acceptor_begin(struct acceptor *acceptor);

/* Takes the listeners out of the loop, and puts them back. */
void acceptors_pause(struct worker *worker, uint64_t again_ms);
void acceptors_resume(struct worker *worker);

/* Accepts what is in the queues, to the last. */
void acceptors_empty(struct worker *worker);

#endif
