/* What a client sees: replies taken one after the other from the bytes that went out, by a reader which shares nothing
 * with the server's own, so that a mistake does not cancel itself out. */
#ifndef TESTS_WIRE_REPLY_H
#define TESTS_WIRE_REPLY_H

#include "stage.h"

struct reply {
    unsigned status;
    struct slice head; /* the field lines, each with its CRLF */
    struct slice trailers;
    struct text body;  /* without transfer coding */
};

/* Takes all "100 Continue"s out. Returns how many there were. */
unsigned reply_strip_interim(struct text *output);

/* The value of the only field of this name, in the head or the trailers; data is NULL where there is none, or several:
 * *count says how many. */
struct slice reply_field(const struct reply *reply, struct slice name, unsigned *count);

/* Takes the next reply from the front of `*bytes`. NULL, or what is wrong with it. Its body is to be freed. */
const char *reply_take(struct slice *bytes, bool to_head, struct reply *reply);

#endif
