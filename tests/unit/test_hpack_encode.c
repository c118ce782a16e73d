/* Blocks that are written: what RFC 7541's examples print where we do as they do, what is indexed and what never,
 * changes of the table's size, and that our own decoder reads the same from all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "hpack_examples.h"
#include "hpack_fixture.h"
#include "wire/hpack_encode.h"

/* One side of a connection and the other. */
struct pair {
    struct hpack_encoder encoder;
    struct hpack_decoder decoder;
};

static void pair_init(struct pair *pair)
{
    hpack_encoder_init(&pair->encoder);
    hpack_decoder_init(&pair->decoder);
}

static void pair_fini(struct pair *pair)
{
    hpack_encoder_fini(&pair->encoder);
    hpack_decoder_fini(&pair->decoder);
}

static void expect_hex(const struct writer *w, const char *hex)
{
    struct slice expected = hpack_unhex(hex);
    char octets[1024] = "";
    assert_false(w->overflowed);
    for (size_t i = 0; i < writer_used(w) && i < 500; i++)
        snprintf(octets + 2 * i, 3, "%02x", (uint8_t)w->start[i]);
    if (!slice_equal(writer_slice(w), expected))
        fail_msg("%s instead of %s", octets, hex);
    hpack_release(expected);
}

static bool take_line(struct slice *lines, struct slice *name, struct slice *value)
{
    if (lines->size == 0)
        return false;
    struct slice line = slice_part(*lines, 0, slice_find(*lines, '\n'));
    size_t colon = 1 + slice_find(slice_skip(line, 1), ':');
    *name = slice_part(line, 0, colon);
    *value = slice_skip(line, colon + 2);
    *lines = slice_skip(*lines, line.size + 1);
    return true;
}

static void write_lines(struct hpack_encoder *encoder, struct writer *w, const char *text)
{
    struct slice lines = slice_text(text), name, value;
    hpack_encoder_begin(encoder, w);
    while (take_line(&lines, &name, &value))
        hpack_encoder_field(encoder, w, name, value);
}

/* Written, and read by the other side, whose table agrees. */
static void passes(struct pair *pair, const char *text, const char *hex)
{
    char room[2048], read_room[2048];
    struct writer w = writer_on(room, sizeof room), lines = writer_on(read_room, sizeof read_room - 1);
    write_lines(&pair->encoder, &w, text);
    if (hex)
        expect_hex(&w, hex);
    assert_int_equal(hpack_read(&pair->decoder, writer_slice(&w), 4096, &lines), HPACK_END);
    *lines.at = '\0';
    assert_string_equal(read_room, text);
    assert_int_equal(pair->encoder.table.size, pair->decoder.table.size);
    assert_int_equal(pair->encoder.table.count, pair->decoder.table.count);
}

/* Those of C.4 (with Huffman, with a table) come out to the octet. */
static void as_the_examples(void **state)
{
    struct pair pair;
    (void)state;
    pair_init(&pair);
    for (size_t i = 0; i < HPACK_EXAMPLES; i++)
        for (size_t step = 0; step < 3 && strcmp(hpack_examples[i].number, "C.4") == 0; step++) {
            passes(&pair, hpack_examples[i].steps[step].lines, hpack_examples[i].steps[step].block);
            assert_int_equal(pair.encoder.table.size, hpack_examples[i].steps[step].table_size);
        }
    pair_fini(&pair);
}

/* What the others say, we say otherwise (no date in the table, a cookie never), but the same. */
static void all_examples_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < HPACK_EXAMPLES; i++) {
        struct pair pair;
        pair_init(&pair);
        for (size_t step = 0; step < 3 && hpack_examples[i].steps[step].block; step++)
            passes(&pair, hpack_examples[i].steps[step].lines, NULL);
        pair_fini(&pair);
    }
}

/* ---- Without a table --------------------------------------------------------------------------------------- */

static void statuses(void **state)
{
    static const struct {
        unsigned status;
        const char *hex;
    } cases[] = {
        { 200, "88" }, { 204, "89" }, { 206, "8a" }, { 304, "8b" }, { 400, "8c" }, { 404, "8d" }, { 500, "8e" },
        { 100, "08820801" }, { 302, "08826402" }, { 307, "0803333037" }, { 999, "0803393939" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char room[HPACK_STATUS_BOUND], lines_room[64], expected[64];
        struct writer w = writer_on(room, sizeof room), lines = writer_on(lines_room, sizeof lines_room - 1);
        struct hpack_decoder decoder;
        hpack_decoder_init(&decoder);
        hpack_encode_status(&w, cases[i].status);
        assert_false(w.overflowed);
        expect_hex(&w, cases[i].hex);
        assert_int_equal(hpack_read(&decoder, writer_slice(&w), 64, &lines), HPACK_END);
        *lines.at = '\0';
        snprintf(expected, sizeof expected, ":status: %u\n", cases[i].status);
        assert_string_equal(lines_room, expected);
        hpack_decoder_fini(&decoder);
    }
}

static const struct {
    const char *name, *value, *hex;
} fields[] = {
    { "Content-Type", "text/html", "0f1087497ca589d34d1f" },
    { "content-type", "text/html", "0f1087497ca589d34d1f" },
    { "Content-Length", "0", "0f0d0130" },
    { "Set-Cookie", "a=b", "1f28" "03613d62" },
    { "X", "", "0001" "78" "00" },
    { "x", "{}", "000178" "027b7d" },
    { "accept-encoding", "gzip, deflate", "90" },
    { "custom-key", "custom-value", "008825a849e95ba97d7f8925a849e95bb8e8b4bf" },
    { "Custom-Key", "custom-value", "008825a849e95ba97d7f8925a849e95bb8e8b4bf" },
};

static void fields_without_a_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char room[256];
        struct slice name = slice_text(fields[i].name), value = slice_text(fields[i].value);
        struct writer w = writer_on(room, hpack_encode_bound(name, value));
        hpack_encode_field(&w, name, value);
        expect_hex(&w, fields[i].hex);
    }
}

/* As long as any: name and value around the sizes where a number needs one octet more, and names that are not coded. */
static void the_bound_holds(void **state)
{
    static const size_t sizes[] = { 1, 2, 63, 64, 65, 126, 127, 128, 254, 255, 256, 16510, 16511, 16512, 40000 };
    const size_t count = sizeof sizes / sizeof sizes[0];
    char *text = malloc(40000), *room = malloc(80100), *lines_room = malloc(80100);
    (void)state;
    for (size_t i = 0; i < count * count * 2; i++) {
        bool coded = i % 2;
        size_t name_size = sizes[i / 2 / count], value_size = sizes[i / 2 % count];
        if (name_size + value_size > 60000)
            continue;
        memset(text, coded ? 'E' : 'Z', 40000);
        struct slice name = slice_make(text, name_size), value = slice_make(text, value_size);
        struct writer w = writer_on(room, hpack_encode_bound(name, value));
        struct writer lines = writer_on(lines_room, 80100);
        struct pair pair;
        pair_init(&pair);
        hpack_encoder_field(&pair.encoder, &w, name, value);
        assert_false(w.overflowed);
        assert_int_equal(hpack_read(&pair.decoder, writer_slice(&w), FIELDS_HEAD_MAX, &lines), HPACK_END);
        assert_int_equal(writer_used(&lines), name_size + value_size + 3);
        assert_int_equal(lines_room[name_size - 1], coded ? 'e' : 'z');
        assert_int_equal(lines_room[name_size + 2], coded ? 'E' : 'Z');
        pair_fini(&pair);
    }
    free(text);
    free(room);
    free(lines_room);
}

static void a_date_can_be_put_in_its_place(void **state)
{
    char room[HPACK_DATE_BOUND];
    struct writer w = writer_on(room, sizeof room);
    (void)state;
    hpack_encode_date(&w, "Mon, 21 Oct 2013 20:13:21 GMT");
    expect_hex(&w, "0f121d4d6f6e2c203231204f637420323031332032303a31333a323120474d54");
    assert_memory_equal(w.at - CLOCK_DATE_SIZE, "Mon, 21 Oct 2013 20:13:21 GMT", CLOCK_DATE_SIZE);
}

/* ---- What is indexed --------------------------------------------------------------------------------------- */

/* How many octets a field takes the second time and the third, with another value in between. */
static void what_comes_again_is_short(void **state)
{
    static const char *const lasting[] = { "content-type", "cache-control", "vary", "server", "content-encoding",
        "access-control-allow-origin", "strict-transport-security", "x-frame-options", ":status" };
    (void)state;
    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++) {
        char room[256], lines[128];
        struct pair pair;
        struct writer w = writer_on(room, sizeof room);
        pair_init(&pair);
        snprintf(lines, sizeof lines, "%s: some value\n", lasting[i]);
        passes(&pair, lines, NULL);
        passes(&pair, lines, "be");
        write_lines(&pair.encoder, &w, lines);
        expect_hex(&w, "be");
        pair_fini(&pair);
    }
}

static void what_changes_is_not_kept(void **state)
{
    static const char *const changing[] = { "content-length", "date", "etag", "last-modified", "content-range",
        "location", "set-cookie", "age", "expires", "retry-after", "www-authenticate", "content-disposition" };
    (void)state;
    for (size_t i = 0; i < sizeof changing / sizeof changing[0]; i++) {
        char lines[128];
        struct pair pair;
        pair_init(&pair);
        snprintf(lines, sizeof lines, "%s: some value\n", changing[i]);
        passes(&pair, lines, NULL);
        assert_int_equal(pair.encoder.table.count, 0);
        pair_fini(&pair);
    }
}

/* The number of a request, and what else has another value each time, does not drive the others out. */
static void an_own_name_is_kept_once(void **state)
{
    char lines[128];
    struct pair pair;
    (void)state;
    pair_init(&pair);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(lines, sizeof lines, "cache-control: no-store\nx-request-id: %u\nx-powered-by: me\n", i);
        passes(&pair, lines, NULL);
    }
    assert_int_equal(pair.encoder.table.count, 3);
    passes(&pair, "cache-control: no-store\nx-powered-by: me\nx-request-id: 0\n", "c0" "be" "bf");
    pair_fini(&pair);
}

static void a_field_of_half_the_table_is_not_kept(void **state)
{
    char value[2048], lines[4096];
    struct pair pair;
    (void)state;
    pair_init(&pair);
    memset(value, 'v', sizeof value);
    snprintf(lines, sizeof lines, "vary: %.*s\n", 2048 - 32 - 4 + 1, value);
    char room[4096];
    struct writer w = writer_on(room, sizeof room);
    write_lines(&pair.encoder, &w, lines);
    assert_int_equal(pair.encoder.table.count, 0);
    snprintf(lines, sizeof lines, "vary: %.*s\n", 2048 - 32 - 4, value);
    w = writer_on(room, sizeof room);
    write_lines(&pair.encoder, &w, lines);
    assert_int_equal(pair.encoder.table.count, 1);
    pair_fini(&pair);
}

/* ---- Changes of the table's size --------------------------------------------------------------------------- */

static void changes_of_size_are_written(void **state)
{
    static const struct {
        uint32_t first, then;
        const char *hex;
    } cases[] = {
        { 4096, 4096, "" },
        { 4097, UINT32_MAX, "" },
        { 0, 0, "20" },
        { 10, 10, "2a" },        /* RFC 7541 C.1.1 */
        { 30, 30, "3e" },
        { 31, 31, "3f00" },
        { 1337, 1337, "3f9a0a" }, /* C.1.2 */
        { 4095, 4095, "3fe01f" },
        { 0, 4096, "20" "3fe11f" },
        { 0, UINT32_MAX, "20" "3fe11f" },
        { 4095, 100, "3f45" },
        { 100, 1337, "3f45" "3f9a0a" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char room[HPACK_BEGIN_BOUND];
        struct writer w = writer_on(room, sizeof room);
        struct pair pair;
        pair_init(&pair);
        hpack_encoder_limit(&pair.encoder, cases[i].first);
        hpack_encoder_limit(&pair.encoder, cases[i].then);
        hpack_encoder_begin(&pair.encoder, &w);
        expect_hex(&w, cases[i].hex);
        w = writer_on(room, sizeof room);
        hpack_encoder_begin(&pair.encoder, &w); /* once */
        assert_int_equal(writer_used(&w), 0);
        pair_fini(&pair);
    }
}

/* The other side says which size it wants, as decoders do, and both tables stay the same. */
static void the_peers_sizes_are_obeyed(void **state)
{
    static const uint32_t sizes[] = { 4096, 100, 0, 200, 40, 4096, 60, 0, 4096, 150 };
    struct pair pair;
    uint32_t seed = 9113;
    (void)state;
    pair_init(&pair);
    for (unsigned i = 0; i < 5000; i++) {
        char lines[256];
        for (unsigned again = (seed >> 9) % 40; again < 2; again++) {
            uint32_t size = sizes[(seed = seed * 1664525 + 1013904223) / 7 % 10];
            hpack_decoder_limit(&pair.decoder, size);
            hpack_encoder_limit(&pair.encoder, size);
        }
        seed = seed * 1664525 + 1013904223;
        snprintf(lines, sizeof lines, "vary: %u\ncontent-type: type/%u\nx-%u: value\n", (seed >> 8) % 3,
            (seed >> 16) % 50, (seed >> 10) % 30);
        passes(&pair, lines, NULL);
        assert_true(pair.encoder.table.size_max == pair.decoder.limit);
    }
    pair_fini(&pair);
}

/* ---- Memory ------------------------------------------------------------------------------------------------ */

/* Without memory fields are not kept, and the peer, which keeps what it had, still understands what comes later. */
static void without_memory_it_goes_on(void **state)
{
    struct pair pair;
    uint32_t seed = 1;
    (void)state;
    pair_init(&pair);
    for (unsigned i = 0; i < 5000; i++) {
        char lines[200], room[512], read_room[512];
        struct writer w = writer_on(room, sizeof room), read = writer_on(read_room, sizeof read_room - 1);
        seed = seed * 1664525 + 1013904223;
        snprintf(lines, sizeof lines, "vary: %.*s%u\ncontent-type: type/%u\n", (int)((seed >> 20) % 60),
            "------------------------------------------------------------", (seed >> 8) % 5, (seed >> 16) % 50);
        allocations_left = i % 3 == 0 ? -1 : 0;
        write_lines(&pair.encoder, &w, lines);
        allocations_left = -1;
        assert_int_equal(hpack_read(&pair.decoder, writer_slice(&w), 512, &read), HPACK_END);
        *read.at = '\0';
        assert_string_equal(read_room, lines);
        assert_true(pair.encoder.table.size <= pair.decoder.table.size);
        if (i % 100 == 99) /* a table that has to grow again */
            hpack_table_fini(&pair.encoder.table);
        pair.encoder.table.size_max = 4096;
    }
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_examples),
        cmocka_unit_test(all_examples_pass),
        cmocka_unit_test(statuses),
        cmocka_unit_test(fields_without_a_table),
        cmocka_unit_test(the_bound_holds),
        cmocka_unit_test(a_date_can_be_put_in_its_place),
        cmocka_unit_test(what_comes_again_is_short),
        cmocka_unit_test(what_changes_is_not_kept),
        cmocka_unit_test(an_own_name_is_kept_once),
        cmocka_unit_test(a_field_of_half_the_table_is_not_kept),
        cmocka_unit_test(changes_of_size_are_written),
        cmocka_unit_test(the_peers_sizes_are_obeyed),
        cmocka_unit_test(without_memory_it_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
