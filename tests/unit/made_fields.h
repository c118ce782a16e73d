/* Request fields for tests, out of a text such as "Accept: text/html\nHost: a": as a head parser would leave them, but
 * without its strictness. */
#ifndef TESTS_MADE_FIELDS_H
#define TESTS_MADE_FIELDS_H

#include "http/fields.h"

static inline void made_field(struct fields *fields, size_t name, size_t colon, size_t end)
{
    struct slice value = slice_trim(slice_make(fields->base + colon + 1, end - colon - 1));
    unsigned index = fields->count++;
    enum field_id id = field_identify(slice_make(fields->base + name, colon - name));
    fields->at[index] = (struct field){ (uint16_t)name, (uint16_t)(colon - name), (uint16_t)(value.data - fields->base),
                                        (uint16_t)value.size };
    fields_note(fields, index, id);
}

static inline void made_fields(struct fields *fields, const char *text)
{
    fields_reset(fields, text);
    for (size_t at = 0; text[at];) {
        size_t size = strcspn(text + at, "\n");
        made_field(fields, at, at + strcspn(text + at, ":"), at + size);
        at += size + (text[at + size] == '\n');
    }
}

#endif
