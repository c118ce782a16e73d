/* Header blocks: RFC 7541's examples, all that is malformed, changes of the table's size, what is known of a field, and
 * texts that have no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "hpack_examples.h"
#include "hpack_fixture.h"

enum { TEXT_SIZE = 4096 };

static enum hpack_result read_hex(struct hpack_decoder *decoder, const char *hex, size_t text_size,
    struct writer *lines)
{
    struct slice block = hpack_unhex(hex);
    enum hpack_result result = hpack_read(decoder, block, text_size, lines);
    hpack_release(block);
    return result;
}

/* Reads what must be well-formed, and say this. */
static void expect(struct hpack_decoder *decoder, const char *hex, const char *expected)
{
    char room[2 * TEXT_SIZE];
    struct writer lines = writer_on(room, sizeof room - 1);
    assert_int_equal(read_hex(decoder, hex, TEXT_SIZE, &lines), HPACK_END);
    *lines.at = '\0';
    assert_string_equal(room, expected);
}

static enum hpack_result result_of(struct hpack_decoder *decoder, const char *hex, size_t text_size)
{
    char room[8 * TEXT_SIZE];
    struct writer lines = writer_on(room, sizeof room);
    return read_hex(decoder, hex, text_size, &lines);
}

static void the_examples_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < HPACK_EXAMPLES; i++) {
        const struct hpack_example *example = &hpack_examples[i];
        struct hpack_decoder decoder;
        hpack_decoder_init(&decoder);
        hpack_table_resize(&decoder.table, example->table_max);
        for (size_t step = 0; step < 3 && example->steps[step].block; step++) {
            expect(&decoder, example->steps[step].block, example->steps[step].lines);
            assert_int_equal(decoder.table.size, example->steps[step].table_size);
        }
        hpack_decoder_fini(&decoder);
    }
}

/* Cut anywhere else than between two fields it is malformed. */
static void a_block_that_is_cut_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < HPACK_EXAMPLES; i++) {
        const char *hex = hpack_examples[i].steps[0].block;
        char part[512];
        size_t well_formed = 0, fields = 0;
        for (const char *c = hpack_examples[i].steps[0].lines; *c; c++)
            fields += *c == '\n';
        for (size_t size = 0; size <= strlen(hex); size += 2) {
            struct hpack_decoder decoder;
            hpack_decoder_init(&decoder);
            snprintf(part, sizeof part, "%.*s", (int)size, hex);
            enum hpack_result result = result_of(&decoder, part, TEXT_SIZE);
            well_formed += result == HPACK_END;
            assert_true(result == HPACK_END || result == HPACK_MALFORMED);
            hpack_decoder_fini(&decoder);
        }
        assert_int_equal(well_formed, fields + 1);
    }
}

static const struct {
    const char *what, *block;
} malformed[] = {
    { "index 0", "80" },
    { "an index beyond the static table, the dynamic one being empty", "be" },
    { "an index far beyond both", "ffffffff07" },
    { "the name of an index beyond both, added", "7e0161" },
    { "the name of an index beyond both, not added", "0f2f0161" },
    { "the name of an index beyond both, never added", "1f2f0161" },
    { "no index", "ff" },
    { "half an index", "ff80" },
    { "an index of 33 bits", "ff81ffffff0f" },
    { "an index of six octets more", "ff808080808000" },
    { "an index of zeros without end", "ff80808080808080808080808080" },
    { "an index of five octets that are 35 bits", "ffffffffff7f" },
    { "no name", "40" },
    { "no value", "400161" },
    { "no value behind an index", "41" },
    { "a name longer than the block", "4002" "61" },
    { "a value longer than the block", "41026" "1" },
    { "a value of 4 GiB", "417f80ffffff0f" "61" },
    { "a value whose size has 33 bits", "417f81ffffff0f" "61" },
    { "a value whose size has six octets more", "417f808080808000" },
    { "a value whose size is cut", "417f" },
    { "padding of 8 bits in a name", "4081ff0161" },
    { "padding of 8 bits in a value", "4181ff" },
    { "zeros for padding", "4186a8eb10649cb8" },
    { "EOS", "4184ffffffff" },
    { "a change of size behind a field", "8220" },
    { "three changes of size", "202020" },
    { "a change of size to more than the setting", "3fe21f" },
    { "a change of size to far more", "3fffffffff0e" },
    { "a change of size of 33 bits", "3f81ffffff0f" },
    { "a change of size that is cut", "3f" },
    { "a second change of size to more than the setting", "203fe21f" },
};

static void malformed_blocks_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        /* Alone, and behind a text that is full, where nothing but the table is kept any more. */
        for (size_t text_size = 0; text_size <= TEXT_SIZE; text_size += TEXT_SIZE) {
            struct hpack_decoder decoder;
            hpack_decoder_init(&decoder);
            if (result_of(&decoder, malformed[i].block, text_size) != HPACK_MALFORMED)
                fail_msg("%s: accepted", malformed[i].what);
            hpack_decoder_fini(&decoder);
        }
    }
}

/* RFC 7541 5.1 forbids none of it: zeros above the number. */
static void numbers_may_be_longer_than_they_need(void **state)
{
    struct hpack_decoder decoder;
    (void)state;
    hpack_decoder_init(&decoder);
    expect(&decoder, "0f00" "016d", "accept-charset: m\n");
    expect(&decoder, "0f80808000" "016d", "accept-charset: m\n");
    expect(&decoder, "0f8080808000" "016d", "accept-charset: m\n");
    hpack_decoder_fini(&decoder);
}

static void an_empty_block_has_no_fields(void **state)
{
    struct hpack_decoder decoder;
    (void)state;
    hpack_decoder_init(&decoder);
    expect(&decoder, "", "");
    expect(&decoder, "3fe11f", "");
    expect(&decoder, "20" "3fe11f", "");
    assert_null(decoder.table.block);
    hpack_decoder_fini(&decoder);
}

/* ---- Changes of the table's size --------------------------------------------------------------------------- */

static void a_change_of_size_evicts(void **state)
{
    struct hpack_decoder decoder;
    (void)state;
    hpack_decoder_init(&decoder);
    expect(&decoder, "40016101314001620132", "a: 1\nb: 2\n"); /* 34 octets each */
    expect(&decoder, "3f25" "be" "bf", "b: 2\na: 1\n"); /* 68 */
    assert_int_equal(decoder.table.size, 68);
    expect(&decoder, "3f24" "be", "b: 2\n"); /* 67 */
    assert_int_equal(decoder.table.size, 34);
    hpack_decoder_fini(&decoder);
}

/* 66 octets for a moment: one of the two has to go. */
static void what_was_evicted_stays_away(void **state)
{
    struct hpack_decoder decoder;
    (void)state;
    hpack_decoder_init(&decoder);
    expect(&decoder, "40016101314001620132", "a: 1\nb: 2\n");
    expect(&decoder, "3f23" "3fe11f" "be", "b: 2\n");
    assert_int_equal(result_of(&decoder, "bf", TEXT_SIZE), HPACK_MALFORMED);
    expect(&decoder, "20" "3fe11f", "");
    assert_int_equal(result_of(&decoder, "be", TEXT_SIZE), HPACK_MALFORMED);
    hpack_decoder_fini(&decoder);
}

/* RFC 7541 4.2: a setting that is less than the table's size has to be answered by a change of size, in the first block
 * from then on. */
static void a_lowered_setting_wants_a_change_of_size(void **state)
{
    static const struct {
        size_t first, then; /* our settings, one behind the other */
        const char *block;
        enum hpack_result result;
    } cases[] = {
        { 100, 100, "82", HPACK_MALFORMED },
        { 100, 100, "", HPACK_MALFORMED },
        { 100, 100, "3f45" "82", HPACK_END }, /* 100 */
        { 100, 100, "3f46" "82", HPACK_MALFORMED },
        { 100, 100, "20" "82", HPACK_END },
        { 100, 100, "20" "3f45" "82", HPACK_END },
        { 100, 100, "20" "3f46" "82", HPACK_MALFORMED },
        { 100, 4096, "82", HPACK_MALFORMED },
        { 100, 4096, "3f45" "3fe11f" "82", HPACK_END },
        { 100, 4096, "3f46" "3fe11f" "82", HPACK_MALFORMED },
        { 100, 4096, "3fe11f" "82", HPACK_MALFORMED },
        { 100, 4096, "3f45" "82", HPACK_END },
        { 100, 50, "3f45" "82", HPACK_MALFORMED },
        { 100, 50, "3f13" "82", HPACK_END },
        { 50, 100, "3f13" "3f45" "82", HPACK_END },
        { 50, 100, "3f14" "3f45" "82", HPACK_MALFORMED },
        { 0, 0, "20" "82", HPACK_END },
        { 0, 0, "21" "82", HPACK_MALFORMED },
        { 4096, 4096, "82", HPACK_END },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hpack_decoder decoder;
        hpack_decoder_init(&decoder);
        hpack_decoder_limit(&decoder, cases[i].first);
        hpack_decoder_limit(&decoder, cases[i].then);
        if (result_of(&decoder, cases[i].block, TEXT_SIZE) != cases[i].result)
            fail_msg("case %zu", i);
        if (cases[i].result == HPACK_END) /* only once */
            assert_int_equal(result_of(&decoder, "82", TEXT_SIZE), HPACK_END);
        hpack_decoder_fini(&decoder);
    }
}

/* The peer has lowered it by itself already: nothing is owed. */
static void a_setting_that_is_not_less_wants_nothing(void **state)
{
    struct hpack_decoder decoder;
    (void)state;
    hpack_decoder_init(&decoder);
    expect(&decoder, "3f13" "82", ":method: GET\n"); /* 50 */
    hpack_decoder_limit(&decoder, 100);
    expect(&decoder, "82", ":method: GET\n");
    hpack_decoder_limit(&decoder, 50);
    expect(&decoder, "82", ":method: GET\n");
    expect(&decoder, "3f13" "82", ":method: GET\n");
    hpack_decoder_limit(&decoder, 49);
    assert_int_equal(result_of(&decoder, "82", TEXT_SIZE), HPACK_MALFORMED);
    hpack_decoder_fini(&decoder);
}

/* ---- What is known of a field ------------------------------------------------------------------------------ */

static const struct {
    const char *block; /* of one field */
    unsigned id, fixed, valid, name_size;
} known[] = {
    { "82", HPACK_METHOD, 2, true, 0 },
    { "84", HPACK_PATH, 4, true, 0 },
    { "8f", FIELD_OTHER, 15, true, 14 },
    { "90", FIELD_ACCEPT_ENCODING, 16, true, 15 },
    { "bd", FIELD_OTHER, 61, true, 16 },
    { "0f12" "0161", FIELD_OTHER, 0, true, 4 },                  /* date */
    { "0f11" "0161", FIELD_COOKIE, 0, true, 6 },
    { "010161", HPACK_AUTHORITY, 0, true, 0 },
    { "000a3a617574686f72697479" "0161", HPACK_AUTHORITY, 0, true, 0 },
    { "00093a70726f746f636f6c" "0161", HPACK_PROTOCOL, 0, true, 0 },
    { "00073a736368656d65" "0161", HPACK_SCHEME, 0, true, 0 },
    { "00073a737461747573" "0161", HPACK_STATUS, 0, true, 0 },
    { "00053a70617468" "00", HPACK_PATH, 0, true, 0 },
    { "00053a70617468" "010d", HPACK_PATH, 0, true, 0 },         /* is for the target's parser to see */
    { "00053a50617468" "0161", HPACK_PSEUDO, 0, false, 5 },      /* :Path */
    { "00013a" "0161", HPACK_PSEUDO, 0, false, 1 },
    { "00023a61" "0161", HPACK_PSEUDO, 0, false, 2 },
    { "0004686f7374" "0161", FIELD_HOST, 0, true, 4 },
    { "0004486f7374" "0161", FIELD_HOST, 0, false, 4 },          /* a capital */
    { "0000" "0161", FIELD_OTHER, 0, false, 0 },                 /* no name */
    { "0002612d" "0161", FIELD_OTHER, 0, true, 2 },
    { "00026120" "0161", FIELD_OTHER, 0, false, 2 },
    { "0002613a" "0161", FIELD_OTHER, 0, false, 2 },
    { "00026100" "0161", FIELD_OTHER, 0, false, 2 },
    { "000261ff" "0161", FIELD_OTHER, 0, false, 2 },
    { "000161" "00", FIELD_OTHER, 0, true, 1 },
    { "000161" "03780979", FIELD_OTHER, 0, true, 1 },            /* a tab within it */
    { "000161" "0178", FIELD_OTHER, 0, true, 1 },
    { "000161" "01ff", FIELD_OTHER, 0, true, 1 },
    { "000161" "0120", FIELD_OTHER, 0, false, 1 },
    { "000161" "022078", FIELD_OTHER, 0, false, 1 },
    { "000161" "027820", FIELD_OTHER, 0, false, 1 },
    { "000161" "027809", FIELD_OTHER, 0, false, 1 },
    { "000161" "0378007a", FIELD_OTHER, 0, false, 1 },
    { "000161" "03780d7a", FIELD_OTHER, 0, false, 1 },
    { "000161" "03780a7a", FIELD_OTHER, 0, false, 1 },
    { "000161" "03787f7a", FIELD_OTHER, 0, false, 1 },
};

static struct hpack_field read_one(struct hpack_decoder *decoder, struct slice block, struct writer *text)
{
    struct hpack_decode decode;
    struct hpack_field field = { .id = 99 };
    hpack_decode_begin(&decode, decoder, block, text);
    assert_int_equal(hpack_decode_next(&decode, &field), HPACK_FIELD);
    assert_int_equal(hpack_decode_next(&decode, &(struct hpack_field){ .id = 0 }), HPACK_END);
    return field;
}

static void check_known(const struct hpack_field *field, size_t i)
{
    if (field->id != known[i].id || field->valid != known[i].valid || field->at.name_size != known[i].name_size)
        fail_msg("%s: id %u, valid %u, name of %u", known[i].block, field->id, field->valid, field->at.name_size);
    assert_int_equal(field->at.name + field->at.name_size, field->at.value);
}

static void fields_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char room[64];
        struct writer text = writer_on(room, sizeof room);
        struct hpack_decoder decoder;
        struct slice block = hpack_unhex(known[i].block);
        hpack_decoder_init(&decoder);
        struct hpack_field field = read_one(&decoder, block, &text);
        check_known(&field, i);
        assert_int_equal(field.fixed, known[i].fixed);
        assert_int_equal(writer_used(&text), field.at.name_size + field.at.value_size);
        hpack_release(block);
        hpack_decoder_fini(&decoder);
    }
}

/* The same of an entry of the dynamic table, and of a literal that takes only its name from there. */
static void what_is_known_stays_with_the_entry(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char room[128], value[] = "y";
        struct writer text = writer_on(room, sizeof room);
        struct hpack_decoder decoder;
        struct slice block = hpack_unhex(known[i].block);
        hpack_decoder_init(&decoder);
        if (block.data[0] != 0) {
            hpack_release(block);
            continue; /* only what has a name of its own */
        }
        ((char *)block.data)[0] = 0x40;
        struct hpack_field first = read_one(&decoder, block, &text);
        struct hpack_field again = read_one(&decoder, SLICE("\xbe"), &text);
        check_known(&first, i);
        check_known(&again, i);
        assert_int_equal(again.fixed, 0);
        assert_memory_equal(room + first.at.value, room + again.at.value, first.at.value_size);
        assert_memory_equal(room + first.at.name, room + again.at.name, first.at.name_size);
        struct hpack_field named = read_one(&decoder, SLICE("\x7e\x01y"), &text);
        assert_int_equal(named.id, known[i].id);
        assert_memory_equal(room + named.at.name, room + first.at.name, first.at.name_size);
        assert_memory_equal(room + named.at.value, value, 1);
        hpack_release(block);
        hpack_decoder_fini(&decoder);
    }
}

/* RFC 7541 4.4: the entry that gives its name may be evicted by the new one. */
static void a_name_of_an_entry_that_is_evicted(void **state)
{
    struct hpack_decoder decoder;
    (void)state;
    hpack_decoder_init(&decoder);
    expect(&decoder, "3f09" "40016101314001620132", "a: 1\nb: 2\n"); /* 40 octets: one entry */
    expect(&decoder, "7e0133", "b: 3\n");
    expect(&decoder, "be", "b: 3\n");
    expect(&decoder, "7e09343434343434343434", "b: 444444444\n"); /* more than there is room for */
    assert_int_equal(decoder.table.count, 0);
    assert_int_equal(result_of(&decoder, "be", TEXT_SIZE), HPACK_MALFORMED);
    hpack_decoder_fini(&decoder);
}

/* ---- Texts without room ------------------------------------------------------------------------------------ */

/* However much room the text has, the table comes out the same. */
static void a_text_without_room_leaves_the_table_right(void **state)
{
    static const char block[] = "82" "40016101314001620132" "418cf1e3c2e5f23a6ba0ab90f4ff" "7f000133"
        "100870617373776f726406736563726574" "408825a849e95ba97d7f8925a849e95bb8e8b4bf" "be" "84" "c0";
    struct hpack_decoder whole;
    char room[2 * TEXT_SIZE];
    (void)state;
    hpack_decoder_init(&whole);
    assert_int_equal(result_of(&whole, block, TEXT_SIZE), HPACK_END);
    bool ended = false;
    for (size_t size = 0; size < 200; size++) {
        struct hpack_decoder decoder;
        struct writer lines = writer_on(room, sizeof room);
        hpack_decoder_init(&decoder);
        enum hpack_result result = read_hex(&decoder, block, size, &lines);
        assert_true(result == HPACK_END || (result == HPACK_TOO_LARGE && !ended));
        ended = result == HPACK_END;
        assert_int_equal(decoder.table.size, whole.table.size);
        for (size_t index = 62; index < 62U + whole.table.count; index++) {
            const char *theirs, *ours;
            const struct hpack_entry *a = hpack_table_get(&whole.table, index, &theirs);
            const struct hpack_entry *b = hpack_table_get(&decoder.table, index, &ours);
            assert_int_equal(a->name_size, b->name_size);
            assert_int_equal(a->value_size, b->value_size);
            assert_int_equal(a->id, b->id);
            assert_int_equal(a->valid, b->valid);
            assert_memory_equal(theirs, ours, (size_t)a->name_size + a->value_size);
        }
        hpack_decoder_fini(&decoder);
    }
    assert_true(ended);
    hpack_decoder_fini(&whole);
}

/* What was there before the field that did not fit is still there, and the writer says what happened. */
static void what_did_fit_stays(void **state)
{
    char room[20];
    struct writer text = writer_on(room, sizeof room);
    struct hpack_decoder decoder;
    struct hpack_decode decode;
    struct hpack_field field;
    struct slice block = hpack_unhex("82" "40016101314108" "6162636465666768"
        "4012" "616263646566676869616263646566676869" "0131" "84");
    (void)state;
    hpack_decoder_init(&decoder);
    hpack_decode_begin(&decode, &decoder, block, &text);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(hpack_decode_next(&decode, &field), HPACK_FIELD);
    assert_int_equal(hpack_decode_next(&decode, &field), HPACK_TOO_LARGE);
    assert_true(text.overflowed);
    assert_true(slice_equal(writer_slice(&text), SLICE("GETa1abcdefgh")));
    assert_int_equal(decoder.table.count, 3);
    hpack_release(block);
    hpack_decoder_fini(&decoder);
}

/* A field larger than the table empties it, and one larger than any table does, too, though nobody keeps its text. */
static void a_field_larger_than_the_table_empties_it(void **state)
{
    static const size_t sizes[] = { 4063, 4064, 4096, 5000 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t text_size = 0; text_size <= 2 * TEXT_SIZE; text_size += 2 * TEXT_SIZE) {
            char octets[5100], lines_room[3 * TEXT_SIZE];
            struct writer block = writer_on(octets, sizeof octets), lines = writer_on(lines_room, sizeof lines_room);
            struct hpack_decoder decoder;
            hpack_decoder_init(&decoder);
            expect(&decoder, "4001610131", "a: 1\n");
            writer_put(&block, SLICE("\x40\x01" "b\x7f"));
            writer_byte(&block, (char)(0x80 | ((sizes[i] - 127) & 0x7F)));
            writer_byte(&block, (char)((sizes[i] - 127) >> 7));
            for (size_t at = 0; at < sizes[i]; at++)
                writer_byte(&block, 'x');
            enum hpack_result expected = text_size == 0 ? HPACK_TOO_LARGE : HPACK_END;
            assert_int_equal(hpack_read(&decoder, writer_slice(&block), text_size, &lines), expected);
            assert_int_equal(decoder.table.count, sizes[i] == 4063);
            assert_int_equal(decoder.table.size, sizes[i] == 4063 ? 4096 : 0);
            hpack_decoder_fini(&decoder);
        }
    }
}

/* Nobody wants the rest. */
static void the_rest_can_be_skipped(void **state)
{
    char room[64];
    struct writer text = writer_on(room, sizeof room);
    struct hpack_decoder decoder;
    struct hpack_decode decode;
    struct hpack_field field;
    struct slice block = hpack_unhex("82" "40016101314001620132" "84" "000163" "0133" "100163" "0133");
    (void)state;
    hpack_decoder_init(&decoder);
    hpack_decode_begin(&decode, &decoder, block, &text);
    assert_int_equal(hpack_decode_next(&decode, &field), HPACK_FIELD);
    assert_int_equal(hpack_decode_skip(&decode), HPACK_END);
    assert_int_equal(writer_used(&text), 3);
    assert_false(text.overflowed);
    expect(&decoder, "be" "bf", "b: 2\na: 1\n");
    hpack_release(block);
    hpack_decoder_fini(&decoder);
}

/* 16 KiB that would be 16,384 times the largest entry: they cost what their own octets cost. The text takes one, and
 * nobody copies the others. */
static void a_bomb_is_no_more_than_its_own_octets(void **state)
{
    char value[4000], octets[4096], bomb[16384], lines_room[2 * TEXT_SIZE];
    struct writer block = writer_on(octets, sizeof octets), lines = writer_on(lines_room, sizeof lines_room);
    struct hpack_decoder decoder;
    (void)state;
    hpack_decoder_init(&decoder);
    memset(value, 'x', sizeof value);
    memset(bomb, 0xbe, sizeof bomb);
    writer_put(&block, SLICE("\x40\x01" "b\x7f\xa1\x1e")); /* 127 + 33 + 30 * 128 */
    writer_bytes(&block, value, sizeof value);
    assert_int_equal(hpack_read(&decoder, writer_slice(&block), TEXT_SIZE, &lines), HPACK_END);
    lines = writer_on(lines_room, sizeof lines_room);
    assert_int_equal(hpack_read(&decoder, slice_make(bomb, sizeof bomb), TEXT_SIZE, &lines), HPACK_TOO_LARGE);
    assert_int_equal(writer_used(&lines), 4000 + 4);
    assert_int_equal(decoder.table.count, 1);
    hpack_decoder_fini(&decoder);
}

/* ---- Memory ------------------------------------------------------------------------------------------------ */

static void no_memory_is_said(void **state)
{
    (void)state;
    for (size_t text_size = 0; text_size <= TEXT_SIZE; text_size += TEXT_SIZE) {
        struct hpack_decoder decoder;
        char lines_room[64];
        struct writer lines = writer_on(lines_room, sizeof lines_room);
        struct slice block = hpack_unhex("82" "4001610131" "84");
        char *room = malloc(text_size + 1);
        struct writer text = writer_on(room, text_size);
        struct hpack_decode decode;
        struct hpack_field field;
        hpack_decoder_init(&decoder);
        enum hpack_result result;
        hpack_decode_begin(&decode, &decoder, block, &text);
        allocations_left = 0;
        while ((result = hpack_decode_next(&decode, &field)) == HPACK_FIELD)
            writer_byte(&lines, '.');
        allocations_left = -1;
        assert_int_equal(result, HPACK_NO_MEMORY);
        assert_int_equal(writer_used(&lines), text_size > 0);
        free(room);
        hpack_release(block);
        hpack_decoder_fini(&decoder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_are_understood),
        cmocka_unit_test(a_block_that_is_cut_is_malformed),
        cmocka_unit_test(malformed_blocks_are_refused),
        cmocka_unit_test(numbers_may_be_longer_than_they_need),
        cmocka_unit_test(an_empty_block_has_no_fields),
        cmocka_unit_test(a_change_of_size_evicts),
        cmocka_unit_test(what_was_evicted_stays_away),
        cmocka_unit_test(a_lowered_setting_wants_a_change_of_size),
        cmocka_unit_test(a_setting_that_is_not_less_wants_nothing),
        cmocka_unit_test(fields_are_known),
        cmocka_unit_test(what_is_known_stays_with_the_entry),
        cmocka_unit_test(a_name_of_an_entry_that_is_evicted),
        cmocka_unit_test(a_text_without_room_leaves_the_table_right),
        cmocka_unit_test(what_did_fit_stays),
        cmocka_unit_test(a_field_larger_than_the_table_empties_it),
        cmocka_unit_test(the_rest_can_be_skipped),
        cmocka_unit_test(a_bomb_is_no_more_than_its_own_octets),
        cmocka_unit_test(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
