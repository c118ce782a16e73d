/* A body of several parts for the stage: three ranges of its large page as multipart/byteranges. One is sent from
 * memory, one is short enough to be copied, one comes from a file. */
#ifndef TESTS_WIRE_PARTS_H
#define TESTS_WIRE_PARTS_H

#include "stage.h"

/* Without a name, with this content; -1: there is none. */
int parts_file(const struct body *content);

/* False: no memory. */
bool parts_answer(struct stage *stage, struct exchange *exchange);

#endif
