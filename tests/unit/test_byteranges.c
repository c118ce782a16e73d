/* The text between the parts of multipart/byteranges, and that its length is what was said before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/byteranges.h"

#define BOUNDARY "00010203040506070809abcdeff0ff7f"

static const uint8_t random_bytes[BYTERANGES_RANDOM] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
                                                         0x08, 0x09, 0xab, 0xcd, 0xef, 0xf0, 0xff, 0x7f };

/* A whole body; of each range as many "#" as it has bytes. */
static void write_all(struct writer *w, const struct byteranges *parts, const struct ranges *ranges)
{
    for (unsigned i = 0; i < ranges->count; i++) {
        byteranges_head(w, parts, ranges->at[i]);
        for (uint64_t n = 0; n < ranges->at[i].size; n++)
            writer_byte(w, '#');
    }
    byteranges_end(w, parts);
    assert_false(w->overflowed);
}

static void writes_a_body(void **state)
{
    static const struct ranges ranges = { 2, { { 500, 3 }, { 7999, 1 } } };
    static const char expected[] =
        "\r\n--" BOUNDARY "\r\nContent-Type: application/pdf\r\nContent-Range: bytes 500-502/8000\r\n\r\n###"
        "\r\n--" BOUNDARY "\r\nContent-Type: application/pdf\r\nContent-Range: bytes 7999-7999/8000\r\n\r\n#"
        "\r\n--" BOUNDARY "--\r\n";
    struct byteranges parts;
    char text[1024];
    struct writer w = writer_on(text, sizeof text);
    (void)state;
    byteranges_init(&parts, SLICE("application/pdf"), 8000, random_bytes);
    write_all(&w, &parts, &ranges);
    assert_int_equal(writer_used(&w), sizeof expected - 1);
    assert_memory_equal(text, expected, sizeof expected - 1);
}

static void names_its_boundary(void **state)
{
    static const char expected[] = "multipart/byteranges; boundary=" BOUNDARY;
    struct byteranges parts;
    char text[BYTERANGES_TYPE];
    struct writer w = writer_on(text, sizeof text);
    (void)state;
    byteranges_init(&parts, SLICE("text/plain"), 1, random_bytes);
    byteranges_type(&w, &parts);
    assert_false(w.overflowed);
    assert_int_equal(writer_used(&w), sizeof expected - 1);
    assert_memory_equal(text, expected, sizeof expected - 1);
}

static void knows_its_length(void **state)
{
    static const struct slice types[] = { SLICE_INIT(""), SLICE_INIT("a/b"), SLICE_INIT("text/html; charset=utf-8") };
    static const struct ranges sets[] = {
        { 1, { { 0, 1 } } },
        { 2, { { 0, 1 }, { 2, 1 } } },
        { 2, { { 9, 1 }, { 0, 5 } } },
        { 3, { { 99, 2 }, { 9, 11 }, { 999, 1 } } },
        { 4, { { 0, 7 }, { 1234567, 89 }, { 1000000000, 1 }, { 99999999998, 2 } } },
        { 16, { { 0, 1 },   { 10, 1 },  { 20, 1 },  { 30, 1 },  { 40, 1 },  { 50, 1 },  { 60, 1 },  { 70, 1 },
                { 80, 1 },  { 90, 1 },  { 100, 1 }, { 110, 1 }, { 120, 1 }, { 130, 1 }, { 140, 1 }, { 150, 1 } } },
    };
    char text[8192];
    (void)state;
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
            struct byteranges parts;
            struct writer w = writer_on(text, sizeof text);
            byteranges_init(&parts, types[t], 100000000000, random_bytes);
            write_all(&w, &parts, &sets[i]);
            assert_int_equal(byteranges_length(&parts, &sets[i]), writer_used(&w));
        }
    }
}

/* The largest numbers there can be, in exactly the room that is said to be enough; and ranges larger than memory. */
static void keeps_within_its_room(void **state)
{
    static const struct ranges ranges = { 2, { { UINT64_MAX - 1, 1 }, { 0, UINT64_MAX / 2 } } };
    struct byteranges parts;
    char text[BYTERANGES_HEAD_MAX + 10];
    struct writer w = writer_on(text, sizeof text);
    (void)state;
    byteranges_init(&parts, SLICE("text/plain"), UINT64_MAX, random_bytes);
    byteranges_head(&w, &parts, ranges.at[0]);
    assert_false(w.overflowed);
    assert_int_equal(writer_used(&w), sizeof text);
    w = writer_on(text, BYTERANGES_END);
    byteranges_end(&w, &parts);
    assert_false(w.overflowed);
    assert_int_equal(writer_used(&w), BYTERANGES_END);
    uint64_t heads = sizeof text + (sizeof text - 20); /* of the second one, "0" and 19 digits where there were 20 */
    assert_int_equal(byteranges_length(&parts, &ranges), heads + 1 + UINT64_MAX / 2 + BYTERANGES_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_body),
        cmocka_unit_test(names_its_boundary),
        cmocka_unit_test(knows_its_length),
        cmocka_unit_test(keeps_within_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
