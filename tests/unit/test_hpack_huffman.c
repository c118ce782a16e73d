/* The Huffman code: the strings of RFC 7541's examples, every symbol, every pair of them, random strings, all that is
 * malformed, and rooms of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hpack_fixture.h"
#include "wire/hpack_huffman.h"

static struct slice encode(struct slice text)
{
    char *room = malloc(4 * text.size + 1);
    struct writer w = writer_on(room, 4 * text.size + 1);
    hpack_huffman_encode(&w, text);
    assert_false(w.overflowed);
    assert_int_equal(writer_used(&w), hpack_huffman_size(text));
    struct slice coded = hpack_exactly(room, writer_used(&w));
    free(room);
    return coded;
}

/* Whether `coded` is `text`, in a room of `room_size`. */
static void decodes(struct slice coded, struct slice text, size_t room_size)
{
    char *room = malloc(room_size > 0 ? room_size : 1);
    struct writer w = writer_on(room, room_size);
    assert_true(hpack_huffman_decode(&w, coded));
    assert_int_equal(w.overflowed, room_size < text.size);
    if (!w.overflowed)
        assert_true(slice_equal(writer_slice(&w), text));
    free(room);
}

static void round_trip(struct slice text)
{
    struct slice coded = encode(text);
    decodes(coded, text, hpack_huffman_decoded_max(coded.size) + 2);
    decodes(coded, text, text.size);
    hpack_release(coded);
}

/* RFC 7541 C.4 and C.6. */
static const struct {
    const char *text, *coded;
} examples[] = {
    { "www.example.com", "f1e3c2e5f23a6ba0ab90f4ff" },
    { "no-cache", "a8eb10649cbf" },
    { "custom-key", "25a849e95ba97d7f" },
    { "custom-value", "25a849e95bb8e8b4bf" },
    { "302", "6402" },
    { "307", "640eff" },
    { "private", "aec3771a4b" },
    { "Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff" },
    { "Mon, 21 Oct 2013 20:13:22 GMT", "d07abe941054d444a8200595040b8166e084a62d1bff" },
    { "https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3" },
    { "gzip", "9bd9ab" },
    { "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
        "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007" },
    { "", "" },
};

static void codes_as_the_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct slice expected = hpack_unhex(examples[i].coded), text = slice_text(examples[i].text);
        struct slice coded = encode(text);
        assert_true(slice_equal(coded, expected));
        for (size_t room = 0; room <= 2 * text.size + 4; room++)
            decodes(expected, text, room);
        hpack_release(coded);
        hpack_release(expected);
    }
}

/* All codes have their place: the sum of their shares of all strings of 30 bits is 1 less EOS. */
static void the_code_is_complete(void **state)
{
    uint64_t sum = 1;
    (void)state;
    for (unsigned symbol = 0; symbol < 256; symbol++) {
        char eight[8];
        memset(eight, (int)symbol, sizeof eight);
        sum += UINT64_C(1) << (30 - hpack_huffman_size(slice_make(eight, sizeof eight)));
    }
    assert_int_equal(sum, UINT64_C(1) << 30);
}

static void every_pair_comes_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 65536; i++)
        round_trip(slice_make((char[]){ (char)(i >> 8), (char)i }, 2));
}

static uint32_t random_next(uint32_t *seed)
{
    return *seed = *seed * 1664525 + 1013904223;
}

static void random_strings_come_back(void **state)
{
    uint32_t seed = 7541;
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char text[600];
        size_t size = (random_next(&seed) >> 8) % (i % 10 == 0 ? sizeof text : 40);
        unsigned usual = (random_next(&seed) >> 16) % 8; /* how many of eight are letters */
        for (size_t at = 0; at < size; at++) {
            uint32_t value = random_next(&seed) >> 8;
            text[at] = (char)((value & 7) < usual ? 'a' + (value >> 3) % 26 : value >> 3);
        }
        round_trip(slice_make(text, size));
    }
}

/* RFC 7541 5.2. */
static const struct {
    const char *what, *coded;
} malformed[] = {
    { "8 bits of padding", "ff" },
    { "8 bits of padding behind a symbol that ends an octet", "6402ff" },
    { "11 bits of padding", "1fff" },
    { "zeros for padding", "a8eb10649cb8" },
    { "padding that ends in a zero", "a8eb10649cbe" },
    { "EOS alone", "fffffffc" },
    { "EOS and ones", "ffffffff" },
    { "EOS behind a symbol", "1fffffffff" },
    { "EOS between symbols", "1fffffffe0ffffffff" },
    { "EOS behind more than a window", "a8eb10649ca8eb10649ca8eb10649cffffffff" },
    { "a symbol of 13 bits cut after 8", "ff" },
    { "a symbol of 13 bits cut after 12 with 4 before", "ffc0" },
    { "a symbol of 28 bits cut after 24", "fffffe" },
    { "a symbol of 30 bits cut after 24", "ffffff" },
    { "a symbol of 30 bits cut after 29", "07fffffff8" },
};

static void malformed_strings_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct slice coded = hpack_unhex(malformed[i].coded);
        for (size_t room_size = 0; room_size < 64; room_size++) {
            char *room = malloc(room_size + 1);
            struct writer w = writer_on(room, room_size);
            if (hpack_huffman_decode(&w, coded))
                fail_msg("%s: accepted", malformed[i].what);
            free(room);
        }
        hpack_release(coded);
    }
}

/* Every string of up to two octets: it is what it is encoded to, or it is not well-formed. */
static void all_short_strings_are_decoded_or_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 65536 + 256; i++) {
        char octets[2] = { (char)i, (char)(i >> 8) };
        struct slice coded = hpack_exactly(octets, i < 65536 ? 2 : 1);
        char room[16];
        struct writer w = writer_on(room, sizeof room);
        if (hpack_huffman_decode(&w, coded)) {
            struct slice again = encode(writer_slice(&w));
            assert_true(slice_equal(again, coded));
            hpack_release(again);
        }
        hpack_release(coded);
    }
}

static void a_long_string_without_room_is_still_checked(void **state)
{
    char text[3000];
    (void)state;
    memset(text, 'a', sizeof text);
    struct slice coded = encode(slice_make(text, sizeof text));
    decodes(coded, slice_make(text, sizeof text), 0);
    decodes(coded, slice_make(text, sizeof text), sizeof text - 1);
    decodes(coded, slice_make(text, sizeof text), sizeof text);
    struct writer none = writer_on(NULL, 0);
    memset((char *)coded.data + coded.size - 4, 0xFF, 4);
    assert_false(hpack_huffman_decode(&none, coded));
    hpack_release(coded);
}

static void encoding_without_room_marks_the_writer(void **state)
{
    char room[64];
    struct slice text = SLICE("https://www.example.com");
    (void)state;
    for (size_t size = 0; size <= hpack_huffman_size(text); size++) {
        struct writer w = writer_on(room, size);
        memset(room, '#', sizeof room);
        hpack_huffman_encode(&w, text);
        assert_int_equal(w.overflowed, size < hpack_huffman_size(text));
        assert_int_equal(room[size], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_as_the_examples),
        cmocka_unit_test(the_code_is_complete),
        cmocka_unit_test(every_pair_comes_back),
        cmocka_unit_test(random_strings_come_back),
        cmocka_unit_test(malformed_strings_are_refused),
        cmocka_unit_test(all_short_strings_are_decoded_or_refused),
        cmocka_unit_test(a_long_string_without_room_is_still_checked),
        cmocka_unit_test(encoding_without_room_marks_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
