/* What is remembered of blocks of fields: which ones are, that they come back as they were wherever they stand, and who
 * has to make room. That this is what reading them would have come to is shown by the tests of the head. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "failing_memory.h"
#include "wire/h1_memo.h"

static const struct slice plain = SLICE_INIT("Host: a\r\nX: yz\r\n\r\n");

/* The fields of `plain`, which stands `begin` bytes behind `base`. */
static void read_plain(struct fields *fields, const char *base, uint16_t begin)
{
    memset(fields, 0xEE, sizeof *fields);
    fields_reset(fields, base);
    fields->at[0] = (struct field){ .name = begin, .name_size = 4, .value = (uint16_t)(begin + 6), .value_size = 1 };
    fields->at[1] = (struct field){ (uint16_t)(begin + 9), 1, (uint16_t)(begin + 12), 2 };
    fields_note(fields, 0, FIELD_HOST);
    fields_note(fields, 1, FIELD_OTHER);
    fields->count = 2;
}

/* `before` bytes and the block, in a buffer of that very size. */
static char *place(size_t before, struct slice block)
{
    char *head = malloc(before + block.size);
    memset(head, '-', before);
    memcpy(head + before, block.data, block.size);
    return head;
}

static uint8_t learn_plain(struct h1_memo *memo, uint8_t slot, uint16_t begin)
{
    struct fields fields;
    char *head = place(begin, plain);
    read_plain(&fields, head, begin);
    slot = h1_memo_learn(memo, slot, slice_make(head + begin, plain.size), &fields);
    free(head);
    return slot;
}

static void comes_back_wherever_it_stands(void **state)
{
    static const uint16_t places[] = { 0, 16, 300, UINT16_MAX - 18 };
    const size_t count = sizeof places / sizeof places[0];
    (void)state;
    for (size_t i = 0; i < count * count; i++) {
        uint16_t from = places[i / count], to = places[i % count];
        struct h1_memo *memo = h1_memo_new();
        struct fields fields, expected;
        uint8_t slot = learn_plain(memo, 7, from);
        char *head = place(to, plain);
        read_plain(&expected, head, to);
        fields_reset(&fields, head);
        assert_int_equal(slot, memo->latest);
        assert_int_equal(h1_memo_recall(memo, slot, slice_make(head + to, plain.size), &fields), plain.size);
        assert_int_equal(fields.count, 2);
        assert_int_equal(fields.present, expected.present);
        assert_int_equal(fields.first[FIELD_HOST], 0);
        assert_int_equal(fields.first[FIELD_OTHER], 1);
        assert_memory_equal(fields.id, expected.id, 2);
        assert_memory_equal(fields.at, expected.at, 2 * sizeof fields.at[0]);
        assert_true(slice_equal(fields_get(&fields, FIELD_HOST), SLICE("a")));
        free(head);
        free(memo);
    }
}

/* Every byte of it counts, and all of them have to be there; what stands behind it is somebody else's. */
static void only_the_same_bytes_are_known(void **state)
{
    struct h1_memo *memo = h1_memo_new();
    struct fields fields;
    uint8_t slot = learn_plain(memo, 0, 0);
    (void)state;
    for (size_t i = 0; i < plain.size; i++) {
        char *head = place(0, plain);
        fields_reset(&fields, head);
        head[i] ^= 1;
        assert_int_equal(h1_memo_recall(memo, slot, slice_make(head, plain.size), &fields), 0);
        assert_int_equal(fields.count, 0);
        free(head);
        head = place(0, slice_part(plain, 0, i));
        fields_reset(&fields, head);
        assert_int_equal(h1_memo_recall(memo, slot, slice_make(head, i), &fields), 0);
        free(head);
    }
    char *more = place(0, SLICE("Host: a\r\nX: yz\r\n\r\nGET / HTTP/1.1\r\n"));
    fields_reset(&fields, more);
    assert_int_equal(h1_memo_recall(memo, slot, slice_make(more, plain.size + 16), &fields), plain.size);
    free(more);
    free(memo);
}

static void nothing_is_known_at_first(void **state)
{
    struct h1_memo *memo = h1_memo_new();
    struct fields fields;
    (void)state;
    for (unsigned slot = 0; slot < H1_MEMO_BLOCKS; slot++) {
        fields_reset(&fields, "");
        assert_int_equal(h1_memo_recall(memo, slot, SLICE(""), &fields), 0);
        fields_reset(&fields, plain.data);
        assert_int_equal(h1_memo_recall(memo, slot, plain, &fields), 0);
    }
    free(memo);
}

static void what_is_too_large_is_not_kept(void **state)
{
    static char bytes[H1_MEMO_BYTES_MAX + 1];
    struct h1_memo *memo = h1_memo_new();
    struct fields fields;
    (void)state;
    memset(bytes, 'x', sizeof bytes);
    for (unsigned over = 0; over < 4; over++) {
        size_t size = H1_MEMO_BYTES_MAX + over % 2;
        read_plain(&fields, bytes, 0);
        fields.count = H1_MEMO_FIELDS_MAX + over / 2;
        uint8_t hand = memo->hand, slot = h1_memo_learn(memo, 9, slice_make(bytes, size), &fields);
        assert_int_equal(slot, over == 0 ? hand : 9);
        assert_int_equal(memo->hand, hand + (over == 0));
        if (over == 0)
            assert_int_equal(h1_memo_recall(memo, slot, slice_make(bytes, size), &fields), size);
    }
    free(memo);
}

static struct slice kind(char *text, size_t size, unsigned number)
{
    return slice_make(text, (size_t)snprintf(text, size, "Host: %u\r\n\r\n", number));
}

static uint8_t learn_kind(struct h1_memo *memo, uint8_t slot, unsigned number)
{
    char text[32];
    struct slice block = kind(text, sizeof text, number);
    struct fields fields;
    read_plain(&fields, block.data, 0);
    fields.count = 1;
    return h1_memo_learn(memo, slot, block, &fields);
}

static bool knows_kind(struct h1_memo *memo, uint8_t slot, unsigned number)
{
    char text[32];
    struct slice block = kind(text, sizeof text, number);
    struct fields fields;
    fields_reset(&fields, block.data);
    return h1_memo_recall(memo, slot, block, &fields) == block.size;
}

/* As many as there are slots; the next one takes the place of the first that nobody has met again. */
static void who_is_met_again_stays(void **state)
{
    struct h1_memo *memo = h1_memo_new();
    (void)state;
    for (unsigned i = 0; i < H1_MEMO_BLOCKS; i++) {
        assert_int_equal(learn_kind(memo, 0, i), i);
        memo->strangers = 0;
    }
    for (unsigned i = 0; i < H1_MEMO_BLOCKS; i++)
        assert_true(i == 2 || knows_kind(memo, (uint8_t)i, i));
    assert_int_equal(learn_kind(memo, 99, 100), 99); /* the hand passes 0 and 1 */
    assert_int_equal(learn_kind(memo, 99, 101), 99);
    assert_int_equal(learn_kind(memo, 99, 102), 2);
    assert_int_equal(memo->latest, 2);
    assert_true(knows_kind(memo, 2, 102));
    assert_false(knows_kind(memo, 2, 2));
    assert_true(knows_kind(memo, 0, 0));
    for (unsigned i = 3; i < H1_MEMO_BLOCKS; i++) {
        assert_int_equal(learn_kind(memo, 99, 103), 99);
        memo->strangers = 0;
    }
    assert_int_equal(learn_kind(memo, 99, 104), 99); /* 0 has been met since */
    assert_int_equal(learn_kind(memo, 99, 105), 1);  /* and 1 has not */
    free(memo);
}

/* As long as it pays, every block is kept; where none is met again, few are. */
static void strangers_are_not_kept_for_long(void **state)
{
    struct h1_memo *memo = h1_memo_new();
    unsigned kept = 0;
    (void)state;
    for (unsigned i = 0; i < H1_MEMO_PATIENCE; i++)
        assert_int_equal(learn_kind(memo, 99, i), i);
    for (unsigned i = 0; i < 10 * H1_MEMO_PATIENCE; i++)
        kept += learn_kind(memo, 99, 100 + i) != 99;
    assert_int_equal(kept, 10);
    assert_true(knows_kind(memo, memo->latest, 100 + 10 * H1_MEMO_PATIENCE - 1));
    assert_int_not_equal(learn_kind(memo, 99, 1000), 99);
    free(memo);
}

/* Whoever says the same only a few times in a row is found out, too. */
static void short_runs_are_found(void **state)
{
    (void)state;
    for (unsigned run = 4; run <= 16; run++) {
        struct h1_memo *memo = h1_memo_new();
        uint8_t slot = 0;
        unsigned known = 0, requests = 200 * run;
        memo->strangers = H1_MEMO_PATIENCE;
        for (unsigned i = 0; i < requests; i++) {
            bool knows = knows_kind(memo, slot, i / run);
            known += knows;
            slot = knows ? slot : learn_kind(memo, slot, i / run);
        }
        assert_true(known > requests / 4);
        free(memo);
    }
}

static void without_memory_there_is_none(void **state)
{
    (void)state;
    allocations_left = 0;
    assert_null(h1_memo_new());
    allocations_left = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_wherever_it_stands),
        cmocka_unit_test(only_the_same_bytes_are_known),
        cmocka_unit_test(nothing_is_known_at_first),
        cmocka_unit_test(what_is_too_large_is_not_kept),
        cmocka_unit_test(who_is_met_again_stays),
        cmocka_unit_test(strangers_are_not_kept_for_long),
        cmocka_unit_test(short_runs_are_found),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
