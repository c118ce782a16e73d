/* The stage's WebSocket: GET /ws. It sends back what comes, notes each message and the end of it, and takes up to
 * STAGE_MESSAGE_MAX bytes. "bye" is answered and then closed by itself, with 4000. */
#ifndef TESTS_WIRE_SOCKET_H
#define TESTS_WIRE_SOCKET_H

#include "stage.h"

/* Upgrades, or answers with the status of the handshake. False: no memory. */
bool socket_answer(struct stage *stage, struct exchange *exchange);

#endif
