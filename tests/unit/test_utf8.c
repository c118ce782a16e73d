/* UTF-8: every code point there is in its right form, and every other form refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

/* Writes `code` into exactly `size` bytes, whether that form is allowed or not. */
static struct slice encode(uint32_t code, size_t size, char out[static 4])
{
    static const unsigned char leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = size; i > 1; i--) {
        out[i - 1] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(leads[size] | code);
    return slice_make(out, size);
}

static size_t right_size(uint32_t code)
{
    if (code < 0x80)
        return 1;
    if (code < 0x800)
        return 2;
    return code < 0x10000 ? 3 : 4;
}

static void knows_every_code_point_in_every_form(void **state)
{
    static const uint32_t beyond[] = { 0, 0x80, 0x800, 0x10000, 0x200000 };
    (void)state;
    for (size_t size = 1; size <= 4; size++) {
        for (uint32_t code = 0; code < beyond[size]; code++) {
            char bytes[4];
            bool surrogate = code >= 0xD800 && code <= 0xDFFF;
            size_t expected = size == right_size(code) && !surrogate && code <= 0x10FFFF ? size : 0;
            if (utf8_size(encode(code, size, bytes)) != expected)
                fail_msg("U+%04X in %zu bytes", (unsigned)code, size);
            if (size == 4 && code > 0x110000)
                code += 0xFFF; /* all of those begin with F4 90 or worse; a sample will do */
            if (size == 1 && code == 0x7F)
                break;
        }
    }
}

static void needs_whole_characters(void **state)
{
    static const uint32_t codes[] = { 0xE9, 0x20AC, 0x1F600 };
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char bytes[5];
        struct slice whole = encode(codes[i], i + 2, bytes);
        bytes[i + 2] = 'z';
        assert_int_equal(utf8_size(slice_make(bytes, i + 3)), i + 2); /* what follows does not matter */
        for (size_t size = 0; size < whole.size; size++)
            assert_int_equal(utf8_size(slice_make(bytes, size)), 0);
        for (size_t at = 1; at < whole.size; at++) {
            static const char no_continuations[] = { 0, 'a', 0x7f, (char)0xC0, (char)0xFF };
            for (size_t k = 0; k < sizeof no_continuations; k++) {
                char spoiled[4];
                memcpy(spoiled, bytes, sizeof spoiled);
                spoiled[at] = no_continuations[k];
                assert_int_equal(utf8_size(slice_make(spoiled, whole.size)), 0);
            }
        }
    }
    for (unsigned lead = 0xF5; lead <= 0xFF; lead++)
        assert_int_equal(utf8_size(slice_make((char[]){ (char)lead, (char)0x80, (char)0x80, (char)0x80 }, 4)), 0);
    for (unsigned lead = 0x80; lead <= 0xC1; lead++)
        assert_int_equal(utf8_size(slice_make((char[]){ (char)lead, (char)0x80 }, 2)), 0);
}

static void judges_whole_texts(void **state)
{
    (void)state;
    assert_true(utf8_valid(SLICE("")));
    assert_true(utf8_valid(slice_make(NULL, 0)));
    assert_true(utf8_valid(SLICE("a\0b")));
    assert_true(utf8_valid(SLICE("z\xC3\xBCrich \xE2\x82\xAC\xF0\x9F\x98\x80.")));
    assert_false(utf8_valid(SLICE("z\xFCrich")));
    assert_false(utf8_valid(SLICE("abc\xE2\x82")));
    assert_false(utf8_valid(SLICE("\xC0\x80")));
    assert_false(utf8_valid(SLICE("\x80")));
}

/* Whole, cut at every byte and a byte at a time: `bad_at` is how many bytes it takes to see that it is wrong. */
static void expect_pieces(struct slice text, size_t bad_at)
{
    for (size_t cut = 0; cut <= text.size; cut++) {
        struct utf8_run run = { 0 };
        bool good = utf8_continue(&run, slice_part(text, 0, cut));
        assert_int_equal(good, cut < bad_at);
        if (good)
            assert_int_equal(utf8_continue(&run, slice_skip(text, cut)), text.size < bad_at);
    }
    struct utf8_run run = { 0 };
    for (size_t at = 0; at < text.size && at + 1 <= bad_at; at++)
        assert_int_equal(utf8_continue(&run, slice_part(text, at, at + 1)), at + 1 < bad_at);
}

static void judges_pieces_as_soon_as_it_can(void **state)
{
    (void)state;
    const size_t never = SIZE_MAX;
    expect_pieces(SLICE(""), never);
    expect_pieces(SLICE("plain text of more than eight bytes"), never);
    expect_pieces(SLICE("12345678\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80 and on"), never);
    expect_pieces(SLICE("\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xED\x9F\xBF\xE0\xA0\x80\xF0\x90\x80\x80"), never);
    expect_pieces(SLICE("abc\xF4\x90\x80\x80"), 5); /* beyond U+10FFFF */
    expect_pieces(SLICE("\xED\xA0\x80"), 2);         /* a surrogate */
    expect_pieces(SLICE("\xE0\x80\x80"), 2);         /* overlong */
    expect_pieces(SLICE("\xF0\x8F\x80\x80"), 2);
    expect_pieces(SLICE("1234567\xC0\x80"), 8);
    expect_pieces(SLICE("12345678\x80"), 9);
    expect_pieces(SLICE("\xE2\x82z"), 3);
    expect_pieces(SLICE("\xF5"), 1);
}

static void says_whether_a_character_is_open(void **state)
{
    (void)state;
    struct utf8_run run = { 0 };
    assert_true(utf8_continue(&run, SLICE("a\xE2")));
    assert_int_equal(run.left, 2);
    assert_true(utf8_continue(&run, SLICE("\x82")));
    assert_int_equal(run.left, 1);
    assert_true(utf8_continue(&run, SLICE("\xAC")));
    assert_int_equal(run.left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_every_code_point_in_every_form),
        cmocka_unit_test(needs_whole_characters),
        cmocka_unit_test(judges_whole_texts),
        cmocka_unit_test(judges_pieces_as_soon_as_it_can),
        cmocka_unit_test(says_whether_a_character_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
