/* Accept-Encoding: the first byte of the input is the order of what is there, the rest the values of up to eight
 * fields, a line each.
 *
 * What is chosen has to be there; the same again in another spelling, or behind a member that nobody knows, is the same
 * choice; and what nothing was said against is never refused. */
#include <stdio.h>
#include <stdlib.h>

#include "base/writer.h"
#include "http/coding.h"

enum { VALUES_MAX = 8, TEXT_MAX = 4096 };

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

static void split(struct fields *fields, struct slice lines)
{
    size_t at = 0;
    fields_reset(fields, lines.data);
    while (fields->count < VALUES_MAX && at < lines.size) {
        size_t size = slice_find(slice_skip(lines, at), '\n');
        fields->at[fields->count] = (struct field){ 0, 0, (uint16_t)at, (uint16_t)size };
        fields_note(fields, fields->count, FIELD_ACCEPT_ENCODING);
        fields->count++;
        at += size < lines.size - at ? size + 1 : size;
    }
}

static bool available(unsigned coding, struct coding_order order)
{
    for (unsigned place = 0; place < CODING_COUNT; place++)
        if ((order.places >> 2 * place & 3u) == coding)
            return true;
    return coding == CODING_IDENTITY;
}

/* The values again in one: upper case, and a member which nobody knows in front of each. */
static unsigned choose_respelled(const struct fields *fields, struct coding_order order)
{
    char text[TEXT_MAX + VALUES_MAX * 8];
    struct writer w = writer_on(text, sizeof text);
    for (unsigned i = 0; i < fields->count; i++) {
        struct slice value = fields_value(fields, i);
        writer_text(&w, "x , ");
        for (size_t j = 0; j < value.size; j++)
            writer_byte(&w, value.data[j] >= 'a' && value.data[j] <= 'z' ? (char)(value.data[j] - 32) : value.data[j]);
        writer_byte(&w, ',');
    }
    CHECK(!w.overflowed);
    struct fields respelled;
    fields_reset(&respelled, text);
    respelled.count = 1;
    respelled.at[0] = (struct field){ 0, 0, 0, (uint16_t)writer_used(&w) };
    fields_note(&respelled, 0, FIELD_ACCEPT_ENCODING);
    return coding_choose(&respelled, order);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > TEXT_MAX)
        return 0;
    struct coding_order order = { data[0] };
    struct slice lines = slice_make((const char *)data + 1, size - 1);
    struct fields fields;
    split(&fields, lines);
    unsigned chosen = coding_choose(&fields, order);
    CHECK(chosen == CODING_REFUSED || available(chosen, order));
    CHECK(chosen != CODING_REFUSED || slice_find(lines, '0') < lines.size);
    if (fields.count > 0)
        CHECK(choose_respelled(&fields, order) == chosen);
    return 0;
}
