/* Base64: what RFC 4648 part 10 gives, every byte value there and back, and everything that is not the one form of its
 * bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"

struct pair {
    struct slice bytes, text;
};

static const struct pair pairs[] = {
    { SLICE_INIT(""), SLICE_INIT("") },
    { SLICE_INIT("f"), SLICE_INIT("Zg==") },
    { SLICE_INIT("fo"), SLICE_INIT("Zm8=") },
    { SLICE_INIT("foo"), SLICE_INIT("Zm9v") },
    { SLICE_INIT("foob"), SLICE_INIT("Zm9vYg==") },
    { SLICE_INIT("fooba"), SLICE_INIT("Zm9vYmE=") },
    { SLICE_INIT("foobar"), SLICE_INIT("Zm9vYmFy") },
    { SLICE_INIT("\xfb\xff\xfe\0\x10\x83"), SLICE_INIT("+//+ABCD") },
};

static void knows_the_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[16], bytes[16];
        size_t size;
        struct writer w = writer_on(text, sizeof text);
        base64_write(&w, pairs[i].bytes);
        assert_true(slice_equal(writer_slice(&w), pairs[i].text));
        assert_true(base64_decode(pairs[i].text, bytes, sizeof bytes, &size));
        assert_true(slice_equal(slice_make(bytes, size), pairs[i].bytes));
    }
}

static void takes_every_byte_there_and_back(void **state)
{
    (void)state;
    char bytes[257], text[344], back[257];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        size_t got;
        struct writer w = writer_on(text, sizeof text);
        base64_write(&w, slice_make(bytes, size));
        assert_false(w.overflowed);
        assert_true(base64_decode(writer_slice(&w), back, size, &got)); /* room for just that */
        assert_true(slice_equal(slice_make(back, got), slice_make(bytes, size)));
        assert_false(size > 0 && base64_decode(writer_slice(&w), back, size - 1, &got));
    }
}

static void refuses_what_is_not_to_the_letter(void **state)
{
    static const struct slice wrong[] = {
        SLICE_INIT("Z"), SLICE_INIT("Zg"), SLICE_INIT("Zg="), SLICE_INIT("Zm9vY"), SLICE_INIT("Zh=="),
        SLICE_INIT("Zm9="), SLICE_INIT("===="), SLICE_INIT("Z==="), SLICE_INIT("Zg==Zg=="), SLICE_INIT("Zm 9"),
        SLICE_INIT("Zm9\n"), SLICE_INIT("Zm-v"), SLICE_INIT("Zm_v"), SLICE_INIT("Z\0=="), SLICE_INIT("Zm9v===="),
        SLICE_INIT("=Zm9"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char bytes[16];
        size_t size;
        if (base64_decode(wrong[i], bytes, sizeof bytes, &size))
            fail_msg("\"%.*s\"", (int)wrong[i].size, wrong[i].data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_examples),
        cmocka_unit_test(takes_every_byte_there_and_back),
        cmocka_unit_test(refuses_what_is_not_to_the_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
