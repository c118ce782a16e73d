/* SipHash against results of another implementation (OpenSSL's: key 00 to 0f, text 00 01 02 ...). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/siphash.h"

enum { SIZE_MAX_TRIED = 64 };

/* The bytes of the result, the lowest one first, as hexadecimal digits. */
static void print(struct siphash_result result, char out[33])
{
    for (unsigned i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", (unsigned)(result.half[i / 8] >> i % 8 * 8 & 0xff));
}

static void hashes_as_others_do(void **state)
{
    static const struct {
        size_t size;
        const char *result;
    } rows[] = {
        { 0, "a3817f04ba25a8e66df67214c7550293" },
        { 1, "da87c1d86b99af44347659119b22fc45" },
        { 2, "8177228da4a45dc7fca38bdef60affe4" },
        { 3, "9c70b60c5267a94e5f33b6b02985ed51" },
        { 4, "f88164c12d9c8faf7d0f6e7c7bcd5579" },
        { 5, "1368875980776f8854527a07690e9627" },
        { 6, "14eeca338b208613485ea0308fd7a15e" },
        { 7, "a1f1ebbed8dbc153c0b84aa61ff08239" },
        { 8, "3b62a9ba6258f5610f83e264f31497b4" },
        { 9, "264499060ad9baabc47f8b02bb6d71ed" },
        { 15, "5493e99933b0a8117e08ec0f97cfc3d9" },
        { 16, "6ee2a4ca67b054bbfd3315bf85230577" },
        { 17, "473d06e8738db89854c066c47ae47740" },
        { 63, "5150d1772f50834a503e069a973fbd7c" },
        { 64, "1eaf077dc0d4cd3f8cad4d383658a74b" },
    };
    const struct siphash_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char bytes[1 + SIZE_MAX_TRIED], printed[33];
        for (size_t j = 0; j < rows[i].size; j++)
            bytes[1 + j] = (char)j; /* at an odd address */
        print(siphash(&key, slice_make(bytes + 1, rows[i].size)), printed);
        assert_string_equal(printed, rows[i].result);
    }
}

static void takes_no_bytes_at_all(void **state)
{
    const struct siphash_key key = { { 1, 2 } };
    struct siphash_result none = siphash(&key, slice_make(NULL, 0)), empty = siphash(&key, SLICE(""));
    (void)state;
    assert_memory_equal(&none, &empty, sizeof none);
}

static void depends_on_the_whole_key(void **state)
{
    const struct siphash_key zero = { { 0, 0 } };
    struct siphash_result plain = siphash(&zero, SLICE("text"));
    (void)state;
    for (unsigned bit = 0; bit < 128; bit++) {
        struct siphash_key key = zero;
        key.half[bit / 64] |= UINT64_C(1) << bit % 64;
        struct siphash_result other = siphash(&key, SLICE("text"));
        assert_int_not_equal(plain.half[0], other.half[0]);
        assert_int_not_equal(plain.half[1], other.half[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_others_do),
        cmocka_unit_test(takes_no_bytes_at_all),
        cmocka_unit_test(depends_on_the_whole_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
