/* Header blocks of one connection: each is an octet with its size, and its octets; the first octet of all says how much
 * room a second reader's text has. Both readers must come to one verdict and one table, whatever the room; and what was
 * read is written again, with a table or without, and comes back. */
#include <stdio.h>
#include <stdlib.h>

#include "wire/hpack_decode.h"
#include "wire/hpack_encode.h"

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

enum { FIELDS = 300 }; /* a block of 255 octets has no more */

struct message {
    struct writer text;
    enum hpack_result result;
    unsigned count;
    struct hpack_field fields[FIELDS];
};

static void read_block(struct hpack_decoder *decoder, struct slice block, size_t room, struct message *message)
{
    struct hpack_decode decode;
    char *copy = malloc(block.size + 1);
    memcpy(copy, block.data, block.size);
    message->text = writer_on(malloc(room + 1), room);
    message->count = 0;
    hpack_decode_begin(&decode, decoder, slice_make(copy, block.size), &message->text);
    while ((message->result = hpack_decode_next(&decode, &message->fields[message->count])) == HPACK_FIELD) {
        const struct field *at = &message->fields[message->count++].at;
        CHECK((size_t)at->name + at->name_size == at->value);
        CHECK((size_t)at->value + at->value_size == writer_used(&message->text));
        CHECK(message->count <= block.size);
    }
    CHECK(message->result != HPACK_TOO_LARGE || message->text.overflowed);
    free(copy);
}

static struct slice name_of(const struct message *message, unsigned i)
{
    const struct hpack_field *field = &message->fields[i];
    return hpack_nameless(field->id) ? hpack_pseudo_name(field->id)
                                     : slice_make(message->text.start + field->at.name, field->at.name_size);
}

static struct slice value_of(const struct message *message, unsigned i)
{
    const struct field *at = &message->fields[i].at;
    return slice_make(message->text.start + at->value, at->value_size);
}

static void compare_tables(const struct hpack_table *a, const struct hpack_table *b)
{
    CHECK(a->count == b->count && a->size == b->size && a->size_max == b->size_max);
    CHECK(a->size <= a->size_max && a->size_max <= HPACK_TABLE_MAX);
    for (size_t i = HPACK_STATIC_COUNT + 1; i <= HPACK_STATIC_COUNT + (size_t)a->count; i++) {
        const char *x, *y;
        const struct hpack_entry *p = hpack_table_get(a, i, &x), *q = hpack_table_get(b, i, &y);
        CHECK(p->name_size == q->name_size && p->value_size == q->value_size && p->id == q->id && p->valid == q->valid);
        CHECK(memcmp(x, y, (size_t)p->name_size + p->value_size) == 0);
    }
}

/* The same fields but for capitals, which became small. */
static void compare_fields(const struct message *a, const struct message *b)
{
    CHECK(a->count == b->count);
    for (unsigned i = 0; i < a->count; i++) {
        CHECK(slice_equal_nocase(name_of(a, i), name_of(b, i)));
        CHECK(slice_equal(value_of(a, i), value_of(b, i)));
        CHECK(!a->fields[i].valid || b->fields[i].valid);
    }
}

struct pair {
    struct hpack_encoder encoder;
    struct hpack_decoder decoder;
};

static void write_again(struct pair *pair, const struct message *message, bool plain)
{
    static struct message again;
    static char room[1 << 21];
    struct writer w = writer_on(room, sizeof room);
    hpack_encoder_begin(&pair->encoder, &w);
    for (unsigned i = 0; i < message->count; i++) {
        if (plain)
            hpack_encode_field(&w, name_of(message, i), value_of(message, i));
        else
            hpack_encoder_field(&pair->encoder, &w, name_of(message, i), value_of(message, i));
    }
    CHECK(!w.overflowed);
    read_block(&pair->decoder, writer_slice(&w), FIELDS_HEAD_MAX, &again);
    CHECK(again.result == HPACK_END || again.result == HPACK_TOO_LARGE);
    if (again.result == HPACK_END)
        compare_fields(message, &again);
    CHECK(pair->encoder.table.count == pair->decoder.table.count);
    free(again.text.start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct message message, tight;
    struct hpack_decoder whole, small;
    struct pair pair;
    enum hpack_result result = HPACK_END;
    size_t room = size > 0 ? data[0] : 0;
    hpack_decoder_init(&whole);
    hpack_decoder_init(&small);
    hpack_encoder_init(&pair.encoder);
    hpack_decoder_init(&pair.decoder);
    for (size_t at = 1; at < size && result == HPACK_END;) {
        size_t left = size - at - 1, block_size = data[at] < left ? data[at] : left;
        struct slice block = slice_make((const char *)data + at + 1, block_size);
        at += 1 + block_size;
        read_block(&whole, block, FIELDS_HEAD_MAX, &message);
        read_block(&small, block, room, &tight);
        result = message.result;
        CHECK(tight.result == result || (result == HPACK_END && tight.result == HPACK_TOO_LARGE));
        if (result == HPACK_END) {
            compare_tables(&whole.table, &small.table);
            write_again(&pair, &message, data[0] & 1);
        }
        free(message.text.start);
        free(tight.text.start);
    }
    hpack_decoder_fini(&whole);
    hpack_decoder_fini(&small);
    hpack_encoder_fini(&pair.encoder);
    hpack_decoder_fini(&pair.decoder);
    return 0;
}
