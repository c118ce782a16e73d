/* WebSocket frames: every first byte, every size form, cut at every byte; masks at every offset against the plain
 * rule; every close code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "wire/ws_frame.h"

#define MASK "\x37\xfa\x21\x3d"

/* From a block that ends where it ends. */
static enum ws_frame_result read_head(struct slice bytes, bool deflate, struct ws_frame *frame, size_t *taken)
{
    char *copy = malloc(bytes.size + 1);
    memcpy(copy, bytes.data, bytes.size);
    char *exact = realloc(copy, bytes.size > 0 ? bytes.size : 1);
    struct slice rest = slice_make(exact, bytes.size);
    enum ws_frame_result result = ws_frame_read(&rest, deflate, frame);
    *taken = bytes.size - rest.size;
    free(exact);
    return result;
}

/* `result` after `at` bytes, and MORE before. */
static void expect(struct slice bytes, bool deflate, enum ws_frame_result result, size_t at)
{
    struct ws_frame frame;
    size_t taken;
    for (size_t size = 0; size <= bytes.size; size++) {
        enum ws_frame_result expected = size < at ? WS_FRAME_MORE : result, got;
        got = read_head(slice_part(bytes, 0, size), deflate, &frame, &taken);
        if (got != expected)
            fail_msg("%02x %02x: %d after %zu", (uint8_t)bytes.data[0], (uint8_t)bytes.data[1], got, size);
        assert_int_equal(taken, got == WS_FRAME_DONE ? at : 0);
    }
}

static bool first_allowed(unsigned first, bool deflate)
{
    static const bool known[16] = { [0] = true, [1] = true, [2] = true, [8] = true, [9] = true, [10] = true };
    unsigned opcode = first & 15;
    bool rsv1 = (first & 0x40) != 0;
    return known[opcode] && !(first & 0x30) && (!rsv1 || (deflate && (opcode == 1 || opcode == 2))) &&
           (opcode < 8 || (first & 0x80));
}

static void knows_every_first_byte(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        char bytes[] = "\x00\x81" MASK "x";
        bytes[0] = (char)first;
        for (unsigned deflate = 0; deflate < 2; deflate++) {
            bool good = first_allowed(first, deflate);
            expect(slice_make(bytes, sizeof bytes - 1), deflate, good ? WS_FRAME_DONE : WS_FRAME_BAD, good ? 6 : 1);
        }
    }
}

static void gives_what_is_in_a_head(void **state)
{
    (void)state;
    struct ws_frame frame;
    size_t taken;
    uint32_t mask;
    memcpy(&mask, MASK, sizeof mask);
    assert_int_equal(read_head(SLICE("\xC1\x85" MASK "hello"), true, &frame, &taken), WS_FRAME_DONE);
    assert_int_equal(taken, 6);
    assert_true(frame.fin && frame.compressed && frame.opcode == WS_TEXT && frame.size == 5 && frame.mask == mask);
    assert_int_equal(read_head(SLICE("\x00\x80" MASK), true, &frame, &taken), WS_FRAME_DONE);
    assert_true(!frame.fin && !frame.compressed && frame.opcode == WS_CONTINUATION && frame.size == 0);
}

struct size_case {
    struct slice second; /* the byte and what follows, up to the mask */
    uint64_t size;       /* of the payload */
    bool good;
};

static const struct size_case sizes[] = {
    { SLICE_INIT("\x80"), 0, true },
    { SLICE_INIT("\xfd"), 125, true },
    { SLICE_INIT("\xfe\x00\x7e"), 126, true },
    { SLICE_INIT("\xfe\xff\xff"), 65535, true },
    { SLICE_INIT("\xfe\x00\x7d"), 0, false },
    { SLICE_INIT("\xfe\x00\x00"), 0, false },
    { SLICE_INIT("\xff\x00\x00\x00\x00\x00\x01\x00\x00"), 65536, true },
    { SLICE_INIT("\xff\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX, true },
    { SLICE_INIT("\xff\x00\x00\x00\x00\x00\x00\xff\xff"), 0, false },
    { SLICE_INIT("\xff\x80\x00\x00\x00\x00\x00\x00\x00"), 0, false },
    { SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 0, false },
};

static void wants_the_shortest_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char bytes[16] = "\x82";
        struct writer w = writer_on(bytes + 1, sizeof bytes - 1);
        writer_put(&w, sizes[i].second);
        writer_text(&w, MASK);
        struct slice whole = slice_make(bytes, 1 + writer_used(&w));
        struct ws_frame frame;
        size_t taken;
        expect(whole, false, sizes[i].good ? WS_FRAME_DONE : WS_FRAME_BAD,
               sizes[i].good ? whole.size : 1 + sizes[i].second.size);
        if (sizes[i].good) {
            read_head(whole, false, &frame, &taken);
            assert_int_equal(frame.size, sizes[i].size);
        }
    }
}

static void wants_masks_and_small_control_frames(void **state)
{
    (void)state;
    expect(SLICE("\x81\x05hello"), false, WS_FRAME_BAD, 2);
    expect(SLICE("\x89\x00"), false, WS_FRAME_BAD, 2);
    expect(SLICE("\x89\xfd" MASK), false, WS_FRAME_DONE, 6); /* 125 */
    expect(SLICE("\x89\xfe\x00\x7e" MASK), false, WS_FRAME_BAD, 2);
    expect(SLICE("\x88\xff\x00\x00\x00\x00\x00\x01\x00\x00" MASK), false, WS_FRAME_BAD, 2);
}

/* RFC 6455 5.3: byte i with byte i modulo 4 of the mask. In two pieces, at every pair of odd addresses. */
static void unmasks_at_every_offset(void **state)
{
    enum { SIZE = 150 };
    (void)state;
    for (size_t offset = 0; offset < 8; offset++) {
        for (size_t cut = 0; cut <= SIZE; cut++) {
            char in[SIZE + 8], out[SIZE + 16] = { 0 };
            uint32_t mask;
            for (size_t i = 0; i < SIZE; i++)
                in[offset + i] = (char)(i * 31 + 5);
            memcpy(&mask, MASK, sizeof mask);
            struct slice all = slice_make(in + offset, SIZE);
            mask = ws_unmask(out + 3, slice_part(all, 0, cut), mask);
            ws_unmask(out + 3 + cut, slice_skip(all, cut), mask);
            for (size_t i = 0; i < SIZE; i++)
                assert_int_equal(out[3 + i], (char)(in[offset + i] ^ MASK[i % 4]));
            assert_int_equal(out[2], 0);
            assert_int_equal(out[3 + SIZE], 0);
        }
    }
}

static void unmasks_in_place(void **state)
{
    (void)state;
    char bytes[] = "\x7f\x9f\x4d\x51\x58"; /* RFC 6455 5.7 */
    uint32_t mask;
    memcpy(&mask, MASK, sizeof mask);
    ws_unmask(bytes, slice_make(bytes, 5), mask);
    assert_memory_equal(bytes, "Hello", 5);
}

static void writes_heads(void **state)
{
    static const struct {
        uint64_t size;
        struct slice head;
    } cases[] = {
        { 0, SLICE_INIT("\x82\x00") },
        { 125, SLICE_INIT("\x82\x7d") },
        { 126, SLICE_INIT("\x82\x7e\x00\x7e") },
        { 65535, SLICE_INIT("\x82\x7e\xff\xff") },
        { 65536, SLICE_INIT("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00") },
        { 0x0102030405060708, SLICE_INIT("\x82\x7f\x01\x02\x03\x04\x05\x06\x07\x08") },
    };
    (void)state;
    char bytes[WS_HEAD_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct writer w = writer_on(bytes, sizeof bytes);
        ws_frame_write(&w, WS_BINARY, false, cases[i].size);
        assert_false(w.overflowed);
        assert_true(slice_equal(writer_slice(&w), cases[i].head));
    }
    struct writer w = writer_on(bytes, sizeof bytes);
    ws_frame_write(&w, WS_TEXT, true, 1);
    assert_true(slice_equal(writer_slice(&w), SLICE("\xc1\x01")));
}

/* RFC 6455 7.4.1 and 7.4.2, and IANA's registry for 1012 to 1014. */
static void knows_every_close_code(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= 65535; code++) {
        bool good = (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
                    (code >= 3000 && code <= 4999);
        assert_int_equal(ws_close_valid(code), good);
    }
}

struct close_case {
    struct slice payload;
    unsigned fault, code;
    struct slice reason;
};

static const struct close_case closes[] = {
    { SLICE_INIT(""), 0, 1005, SLICE_INIT("") },
    { SLICE_INIT("\x03"), 1002, 1005, SLICE_INIT("") },
    { SLICE_INIT("\x03\xe8"), 0, 1000, SLICE_INIT("") },
    { SLICE_INIT("\x0f\xa0 g\xC3\xBCt"), 0, 4000, SLICE_INIT(" g\xC3\xBCt") },
    { SLICE_INIT("\x03\xed"), 1002, 1005, SLICE_INIT("") },
    { SLICE_INIT("\x00\x00"), 1002, 1005, SLICE_INIT("") },
    { SLICE_INIT("\x03\xe8g\xFCt"), 1007, 1005, SLICE_INIT("") },
    { SLICE_INIT("\x03\xe8 \xC3"), 1007, 1005, SLICE_INIT("") },
};

static void reads_close_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof closes / sizeof closes[0]; i++) {
        unsigned code;
        struct slice reason;
        assert_int_equal(ws_close_read(closes[i].payload, &code, &reason), closes[i].fault);
        assert_int_equal(code, closes[i].code);
        assert_true(slice_equal(reason, closes[i].reason));
    }
}

static void writes_close_frames(void **state)
{
    (void)state;
    char bytes[WS_HEAD_MAX + WS_CONTROL_MAX], reason[200];
    struct writer w = writer_on(bytes, sizeof bytes);
    ws_close_write(&w, 1000, SLICE("bye"));
    assert_true(slice_equal(writer_slice(&w), SLICE("\x88\x05\x03\xe8" "bye")));
    w = writer_on(bytes, sizeof bytes);
    ws_close_write(&w, WS_NO_STATUS, SLICE("not sent"));
    assert_true(slice_equal(writer_slice(&w), SLICE("\x88\x00")));

    memset(reason, 'x', sizeof reason);
    memcpy(reason + WS_REASON_MAX - 1, "\xC3\xBC", 2); /* does not fit whole, so not at all */
    w = writer_on(bytes, sizeof bytes);
    ws_close_write(&w, 4999, slice_make(reason, sizeof reason));
    assert_int_equal(writer_used(&w), 2 + 2 + WS_REASON_MAX - 1);
    assert_int_equal(bytes[1], 2 + WS_REASON_MAX - 1);
    w = writer_on(bytes, sizeof bytes);
    ws_close_write(&w, 4999, SLICE("good\xFF" "bad")); /* never anything that is not UTF-8 */
    assert_true(slice_equal(writer_slice(&w), SLICE("\x88\x06\x13\x87good")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_every_first_byte),
        cmocka_unit_test(gives_what_is_in_a_head),
        cmocka_unit_test(wants_the_shortest_size),
        cmocka_unit_test(wants_masks_and_small_control_frames),
        cmocka_unit_test(unmasks_at_every_offset),
        cmocka_unit_test(unmasks_in_place),
        cmocka_unit_test(writes_heads),
        cmocka_unit_test(knows_every_close_code),
        cmocka_unit_test(reads_close_frames),
        cmocka_unit_test(writes_close_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
