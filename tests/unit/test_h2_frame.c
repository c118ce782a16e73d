/* Frame heads to and from bytes, what is taken off a payload, frames of a fixed form, and settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/h2_frame.h"
#include "wire/h2_settings.h"

static void heads_come_back(void **state)
{
    static const struct h2_frame frames[] = {
        { 0, 0, H2_SETTINGS, 0 },
        { H2_FRAME_MAX, H2_ID_MAX, H2_CONTINUATION, 0xff },
        { 1, 1, 0xff, 1 },
        { 0x1234, 0x12345678, H2_DATA, H2_END_STREAM },
    };
    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        char bytes[H2_FRAME_HEAD];
        h2_frame_put(bytes, &frames[i]);
        struct h2_frame got = h2_frame_read(bytes);
        assert_int_equal(got.size, frames[i].size);
        assert_int_equal(got.id, frames[i].id);
        assert_int_equal(got.type, frames[i].type);
        assert_int_equal(got.flags, frames[i].flags);
    }
}

static void reads_all_bits_but_the_reserved_one(void **state)
{
    struct h2_frame frame = h2_frame_read("\xff\xff\xfe\x08\x00\xff\xff\xff\xff");
    (void)state;
    assert_int_equal(frame.size, 0xfffffe);
    assert_int_equal(frame.id, 0x7fffffff);
    assert_int_equal(h2_get16("\x80\x01"), 0x8001);
    assert_int_equal(h2_get32("\x80\x01\x02\x03"), 0x80010203);
}

static void strips_padding_and_priority(void **state)
{
    static const struct {
        uint8_t type, flags;
        struct slice payload, rest;
        enum h2_error error;
    } cases[] = {
        { H2_DATA, 0, SLICE_INIT("abc"), SLICE_INIT("abc"), H2_NO_ERROR },
        { H2_DATA, H2_PADDED, SLICE_INIT("\0abc"), SLICE_INIT("abc"), H2_NO_ERROR },
        { H2_DATA, H2_PADDED, SLICE_INIT("\2abc"), SLICE_INIT("a"), H2_NO_ERROR },
        { H2_DATA, H2_PADDED, SLICE_INIT("\3abc"), SLICE_INIT(""), H2_NO_ERROR },
        { H2_DATA, H2_PADDED, SLICE_INIT("\4abc"), SLICE_INIT(""), H2_PROTOCOL_ERROR },
        { H2_DATA, H2_PADDED, SLICE_INIT(""), SLICE_INIT(""), H2_FRAME_SIZE_ERROR },
        { H2_DATA, H2_HAS_PRIORITY, SLICE_INIT("abc"), SLICE_INIT("abc"), H2_NO_ERROR },
        { H2_HEADERS, H2_HAS_PRIORITY, SLICE_INIT("\0\0\0\1\2abc"), SLICE_INIT("abc"), H2_NO_ERROR },
        { H2_HEADERS, H2_HAS_PRIORITY, SLICE_INIT("\0\0\0\1\2"), SLICE_INIT(""), H2_NO_ERROR },
        { H2_HEADERS, H2_HAS_PRIORITY, SLICE_INIT("\0\0\0\1"), SLICE_INIT(""), H2_FRAME_SIZE_ERROR },
        { H2_HEADERS, H2_HAS_PRIORITY | H2_PADDED, SLICE_INIT("\1\0\0\0\1\2abc"), SLICE_INIT("ab"), H2_NO_ERROR },
        { H2_HEADERS, H2_HAS_PRIORITY | H2_PADDED, SLICE_INIT("\1\0\0\0\1"), SLICE_INIT(""), H2_FRAME_SIZE_ERROR },
        { H2_HEADERS, H2_HAS_PRIORITY | H2_PADDED, SLICE_INIT("\1\0\0\0\1\2"), SLICE_INIT(""), H2_PROTOCOL_ERROR },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice payload = cases[i].payload;
        const struct h2_frame frame = { (uint32_t)payload.size, 1, cases[i].type, cases[i].flags };
        enum h2_error error = h2_frame_strip(&frame, &payload);
        if (error != cases[i].error || (error == H2_NO_ERROR && !slice_equal(payload, cases[i].rest)))
            fail_msg("case %zu: error %d, %zu bytes", i, error, payload.size);
    }
}

static void knows_what_depends_on_itself(void **state)
{
    struct h2_frame frame = { 0, 3, H2_PRIORITY, 0 };
    (void)state;
    assert_true(h2_frame_circular(&frame, SLICE("\200\0\0\3\0")));
    assert_false(h2_frame_circular(&frame, SLICE("\0\0\0\1\0")));
    frame.type = H2_HEADERS;
    assert_false(h2_frame_circular(&frame, SLICE("\0\0\0\3\0")));
    frame.flags = H2_HAS_PRIORITY;
    assert_true(h2_frame_circular(&frame, SLICE("\0\0\0\3\0")));
    assert_false(h2_frame_circular(&frame, SLICE("\0\0\0")));
    frame.flags = H2_HAS_PRIORITY | H2_PADDED;
    assert_true(h2_frame_circular(&frame, SLICE("\0\0\0\0\3\0")));
    assert_false(h2_frame_circular(&frame, SLICE("")));
}

static void writes_whole_frames(void **state)
{
    static const char expected[] =
        "\0\0\4\3\0\0\0\0\5\0\0\0\10" "\0\0\4\10\0\0\0\0\0\0\1\0\0" "\0\0\0\4\1\0\0\0\0"
        "\0\0\10\6\1\0\0\0\0" "12345678" "\0\0\10\7\0\0\0\0\0\177\377\377\377\0\0\0\13";
    char buffer[256];
    struct outbox out;
    (void)state;
    outbox_init(&out, buffer, sizeof buffer);
    h2_write_reset(&out, 5, H2_CANCEL);
    h2_write_window_update(&out, 0, 0x10000);
    h2_write_settings_ack(&out);
    h2_write_ping(&out, H2_ACK, "12345678");
    h2_write_goaway(&out, H2_ID_MAX, H2_ENHANCE_YOUR_CALM);
    assert_int_equal(out.used, sizeof expected - 1);
    assert_memory_equal(buffer, expected, sizeof expected - 1);
    assert_int_equal(out.count, 1); /* one run */
}

static void reads_settings(void **state)
{
    static const struct {
        struct slice payload;
        enum h2_error error;
        uint32_t table_size;
        int32_t window;
    } cases[] = {
        { SLICE_INIT(""), H2_NO_ERROR, 4096, 65535 },
        { SLICE_INIT("\0\1\0\0\0\0\0\4\177\377\377\377"), H2_NO_ERROR, 0, 0x7fffffff },
        { SLICE_INIT("\0\1\377\377\377\377"), H2_NO_ERROR, 0xffffffff, 65535 },
        { SLICE_INIT("\0\4\0\0\0\1\0\4\0\0\0\2"), H2_NO_ERROR, 4096, 2 }, /* the last one holds */
        { SLICE_INIT("\0\4\200\0\0\0"), H2_FLOW_CONTROL_ERROR, 4096, 65535 },
        { SLICE_INIT("\0\2\0\0\0\1"), H2_NO_ERROR, 4096, 65535 },
        { SLICE_INIT("\0\2\0\0\0\2"), H2_PROTOCOL_ERROR, 4096, 65535 },
        { SLICE_INIT("\0\5\0\0\100\0"), H2_NO_ERROR, 4096, 65535 },
        { SLICE_INIT("\0\5\0\0\77\377"), H2_PROTOCOL_ERROR, 4096, 65535 },
        { SLICE_INIT("\0\5\0\377\377\377"), H2_NO_ERROR, 4096, 65535 },
        { SLICE_INIT("\0\5\1\0\0\0"), H2_PROTOCOL_ERROR, 4096, 65535 },
        { SLICE_INIT("\0\10\0\0\0\2"), H2_PROTOCOL_ERROR, 4096, 65535 },
        { SLICE_INIT("\0\11\0\0\0\2"), H2_PROTOCOL_ERROR, 4096, 65535 },
        { SLICE_INIT("\0\3\0\0\0\0\0\6\0\0\0\0\377\377\377\377\377\377"), H2_NO_ERROR, 4096, 65535 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct h2_settings settings = h2_settings_default();
        enum h2_error error = h2_settings_read(&settings, cases[i].payload);
        if (error != cases[i].error || settings.table_size != cases[i].table_size ||
            settings.window != cases[i].window)
            fail_msg("case %zu: error %d, table %u, window %d", i, error, settings.table_size, settings.window);
    }
}

/* RFC 7541 4.2: a table that was to be small for a moment has to be emptied, and that said in the next block. */
static void notices_the_least_of_several_sizes(void **state)
{
    struct h2_settings settings = h2_settings_default();
    (void)state;
    assert_int_equal(h2_settings_read(&settings, SLICE("\0\1\0\0\0\0\0\1\0\0\020\0")), H2_NO_ERROR);
    assert_int_equal(settings.table_size, 4096);
    assert_int_equal(settings.table_size_least, 0);
    assert_int_equal(h2_settings_read(&settings, SLICE("\0\1\0\0\040\0")), H2_NO_ERROR);
    assert_int_equal(settings.table_size_least, 4096); /* that was another frame's */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_come_back),
        cmocka_unit_test(reads_all_bits_but_the_reserved_one),
        cmocka_unit_test(strips_padding_and_priority),
        cmocka_unit_test(knows_what_depends_on_itself),
        cmocka_unit_test(writes_whole_frames),
        cmocka_unit_test(reads_settings),
        cmocka_unit_test(notices_the_least_of_several_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
