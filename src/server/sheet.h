/* What explain prints: steps, each with its facts beneath it, aligned. Text for people, plain enough for tests.
 *
 * It knows nothing of what it is about. Bytes of a request may be among it: controls are shown, never sent to a
 * terminal. */
#ifndef SERVER_SHEET_H
#define SERVER_SHEET_H

#include <stdio.h>

#include "base/slice.h"

struct sheet {
    FILE *out;
    bool colour;
    bool begun; /* there is a step above */
};

/* For the format of a slice, "%.*s". */
#define SHEET_SLICE(slice) (int)(slice).size, (slice).data

void sheet_step(struct sheet *sheet, const char *name);

/* With an empty label it goes on with the fact above. */
void sheet_fact(struct sheet *sheet, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A line as it is. */
void sheet_line(struct sheet *sheet, struct slice line);

#endif
