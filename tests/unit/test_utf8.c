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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_every_code_point_in_every_form),
        cmocka_unit_test(needs_whole_characters),
        cmocka_unit_test(judges_whole_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
