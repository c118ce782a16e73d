/* One field line as it goes out. It does not know which field it is, nor behind what it stands. */
#ifndef WIRE_H1_FIELD_H
#define WIRE_H1_FIELD_H

#include "base/writer.h"
#include "http/answer.h"

static inline size_t h1_field_bound(const struct field_pair *field)
{
    return field->name.size + field->value.size + sizeof ": \r\n" - 1;
}

/* Both were validated when they were added (answer_new, exchange_add_field): a line break here would let somebody write
 * the rest of the response. */
static inline __attribute__((always_inline)) void h1_field_write(struct writer *w, const struct field_pair *field)
{
    char *at = writer_take(w, h1_field_bound(field));
    if (!at)
        return;
    at = copy_small(at, field->name);
    at = copy_small(at, SLICE(": "));
    at = copy_small(at, field->value);
    copy_small(at, SLICE("\r\n"));
}

#endif
