/* Bodies in pieces, in both directions, for the stage: one that is taken as it comes, one that is made now and then. */
#ifndef TESTS_WIRE_PIECES_H
#define TESTS_WIRE_PIECES_H

#include "stage.h"

/* A POST to /pieces is answered with its body in brackets. By its query: ?early is answered before the body, ?three
 * when three bytes of it have come, ?slow is deferred with each piece, and ?later with all that, at the end, too. */
void pieces_asked(struct stage *stage, struct exchange *exchange);
void pieces_received(struct session_host *host, struct exchange *exchange, struct slice piece, bool last);

/* The owner of the deferred exchange gives it back. False: it is not one of these. */
bool pieces_return(struct exchange *exchange);

/* Ten letters, and trailers; whoever asks for one is told "later" first. */
void pieces_drip(struct stage *stage, struct exchange *exchange);

#endif
