/* What an error says: a small page for a person, or problem+json (RFC 9457) for a program. Pure text, made from a
 * status and an optional detail; who gets which form, and when, is decided by errors.c. */
#ifndef SERVE_ERROR_PAGE_H
#define SERVE_ERROR_PAGE_H

#include "base/writer.h"

/* One sentence that says what a status means for whoever sees it. */
struct error_text {
    unsigned status;
    struct slice sentence;
};

/* The statuses that have a sentence of their own, one by one; NULL at the end. */
const struct error_text *error_text_at(size_t index);

/* Room in which a page with this detail fits, in either form: an escape makes up to six bytes of one. */
static inline size_t error_page_room(struct slice detail)
{
    return 2048 + 6 * detail.size;
}

void error_page_html(struct writer *w, unsigned status, struct slice detail);
void error_page_json(struct writer *w, unsigned status, struct slice detail);

#endif
