/* The text of a server-sent event (HTML Living Standard, section 9.2.5): lines of "name: value", and an empty one. */
#ifndef HTTP_EVENT_H
#define HTTP_EVENT_H

#include "base/writer.h"

#include <stdint.h>

struct event {
    struct slice name, id, data; /* data NULL: there is none */
    uint32_t retry_ms;           /* 0: none */
};

/* Whether it can be written so that a reader gets back what was meant: no line breaks in name and identifier, no NUL in
 * the identifier, and UTF-8 everywhere. */
bool event_valid(const struct event *event);

/* As many bytes at most. */
size_t event_bound(const struct event *event);
void event_write(struct writer *w, const struct event *event);

#endif
