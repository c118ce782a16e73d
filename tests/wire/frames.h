/* WebSocket frames as case files write them, for either side. What is built here shares nothing with the server's own
 * code for it, so that a mistake does not cancel itself out. */
#ifndef TESTS_WIRE_FRAMES_H
#define TESTS_WIRE_FRAMES_H

#include "stage.h"

/* `word` is cont, text, binary, close, ping, pong or opN, and behind it, each with a dot: more (not the last frame of
 * its message), rsv1, rsv2, rsv3, bare (without a mask). False: it is not that. */
bool frames_add(struct text *text, struct slice word, struct slice payload, bool client);

/* A GET of /ws that asks for a WebSocket, with permessage-deflate or without. */
void frames_open(struct text *input, bool deflate);

#endif
