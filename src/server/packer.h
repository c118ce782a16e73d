/* Frames for messages, compressed where that helps, on whichever thread sends: each worker has a compressor, and who
 * needs one takes that of the socket's worker, or another's that is free. */
#ifndef SERVER_PACKER_H
#define SERVER_PACKER_H

#include <pthread.h>

#include "wire/ws_parcel.h"

struct rh_server;

struct packer {
    pthread_mutex_t lock;
    struct pages *payer;          /* its worker's */
    struct ws_deflater *deflater; /* made at the first need */
};

enum { PACKER_SIZE_MIN = 256 }; /* less is sent as it is: it would save some 100 bytes for 10 us */

void packer_init(struct packer *packer, struct pages *payer); /* charged for the compressor */
void packer_fini(struct packer *packer);

/* NULL: too short, it would not become smaller, or there is no memory for that: it then goes out as it is. `nearest`:
 * the worker whose compressor is asked for first. */
struct ws_parcel *packer_pack(struct rh_server *server, unsigned nearest, enum ws_opcode kind, struct slice bytes);

#endif
