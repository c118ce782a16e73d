/* Header blocks in hexadecimal, and what they say as lines of "name: value". Everything lies in memory of its very
 * size, so that a sanitizer sees what reads or writes beyond it. */
#ifndef TESTS_HPACK_FIXTURE_H
#define TESTS_HPACK_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "wire/hpack_decode.h"

static inline struct slice hpack_exactly(const void *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, data, size);
    return slice_make(copy, size);
}

static inline void hpack_release(struct slice copy)
{
    free((void *)copy.data);
}

/* To be released. */
static inline struct slice hpack_unhex(const char *hex)
{
    char octets[8192];
    size_t size = 0;
    for (; hex[0] != '\0' && size < sizeof octets; hex += 2) {
        unsigned octet = 0;
        sscanf(hex, "%2x", &octet);
        octets[size++] = (char)octet;
    }
    return hpack_exactly(octets, size);
}

static inline struct slice hpack_name(const struct hpack_field *field, const struct writer *text)
{
    return field->id > HPACK_PSEUDO ? hpack_pseudo_name(field->id)
                                    : slice_make(text->start + field->at.name, field->at.name_size);
}

static inline struct slice hpack_value(const struct hpack_field *field, const struct writer *text)
{
    return slice_make(text->start + field->at.value, field->at.value_size);
}

/* All of a block into lines, as far as its text has room for `text_size`. */
static inline enum hpack_result hpack_read(struct hpack_decoder *decoder, struct slice block, size_t text_size,
    struct writer *lines)
{
    struct slice copy = hpack_exactly(block.data, block.size);
    char *room = malloc(text_size > 0 ? text_size : 1);
    struct writer text = writer_on(room, text_size);
    struct hpack_decode decode;
    struct hpack_field field;
    enum hpack_result result;
    hpack_decode_begin(&decode, decoder, copy, &text);
    while ((result = hpack_decode_next(&decode, &field)) == HPACK_FIELD) {
        writer_put(lines, hpack_name(&field, &text));
        writer_put(lines, SLICE(": "));
        writer_put(lines, hpack_value(&field, &text));
        writer_byte(lines, '\n');
    }
    free(room);
    hpack_release(copy);
    return result;
}

#endif
