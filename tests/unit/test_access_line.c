/* A line of the access log: what it says, and that nothing a peer sends can break out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "observe/access_line.h"
#include "observe/access_log.h"

/* ---- An exchange to log ---- */

static struct exchange exchange;
static char head[16 * 1024];
static const uint64_t now_ms = 5000;
static const char stamp[] = "2026-01-31T08:49:37.123Z";

static void gone(struct hold *hold)
{
    (void)hold;
}

static void add_field(enum field_id id, struct slice value)
{
    struct fields *fields = &exchange.request.fields;
    unsigned at = 0;
    for (unsigned i = 0; i < fields->count; i++)
        at = fields->at[i].value + fields->at[i].value_size;
    memcpy(head + at, value.data, value.size);
    fields->base = head;
    fields->at[fields->count] = (struct field){ .value = (uint16_t)at, .value_size = (uint16_t)value.size };
    fields_note(fields, fields->count++, id);
}

static void begin(struct slice method, struct slice target)
{
    exchange_reset(&exchange);
    exchange.begun_ms = 4988;
    exchange.request.method_name = method;
    exchange.request.raw_target = target;
    exchange.request.version = 11;
    exchange.request.peer = SLICE("192.0.2.1");
    exchange.response.status = 200;
}

static char line[ACCESS_LINE_MAX + 1];
static struct slice client, id; /* what is told of the request beside itself */

static struct slice format(enum access_log_form form, uint64_t bytes)
{
    struct writer w = writer_on(line, ACCESS_LINE_MAX);
    struct access_entry entry = { &exchange, bytes, client, id, now_ms, stamp };
    if (form == ACCESS_LOG_JSON)
        access_line_json(&w, &entry);
    else
        access_line_colour(&w, &entry);
    assert_false(w.overflowed);
    *w.at = '\0';
    return writer_slice(&w);
}

/* One line feed, at its end, and no other control but what colours are made of; no C1 control either, in UTF-8. */
static void expect_one_line(struct slice s, enum access_log_form form)
{
    assert_true(s.size > 0);
    assert_int_equal(s.data[s.size - 1], '\n');
    for (size_t i = 0; i + 1 < s.size; i++) {
        unsigned char c = (unsigned char)s.data[i], next = (unsigned char)s.data[i + 1];
        assert_true((c >= 0x20 && c != 0x7f) || (c == 0x1b && form == ACCESS_LOG_COLOUR && next == '['));
        assert_false(c == 0xc2 && next >= 0x80 && next < 0xa0);
        assert_true(c < 0x80 || form == ACCESS_LOG_JSON);
    }
}

/* ---- Lines ---- */

static void test_json_lines(void **state)
{
    (void)state;
    begin(SLICE("GET"), SLICE("/hello?x=1"));
    assert_string_equal(format(ACCESS_LOG_JSON, 1234).data,
                        "{\"time\":\"2026-01-31T08:49:37.123Z\",\"peer\":\"192.0.2.1\",\"method\":\"GET\","
                        "\"target\":\"/hello?x=1\",\"status\":200,\"bytes\":1234,\"ms\":12,"
                        "\"version\":\"HTTP/1.1\"}\n");
    add_field(FIELD_USER_AGENT, SLICE("Mozilla/5.0 (X11; Linux x86_64)"));
    assert_non_null(strstr(format(ACCESS_LOG_JSON, 0).data,
                           "\"bytes\":0,\"ms\":12,\"version\":\"HTTP/1.1\","
                           "\"agent\":\"Mozilla/5.0 (X11; Linux x86_64)\"}\n"));
    add_field(FIELD_REFERER, SLICE("http://a/"));
    assert_non_null(strstr(format(ACCESS_LOG_JSON, 0).data, ",\"referer\":\"http://a/\",\"agent\":\"Mozilla"));

    begin(SLICE("HEAD"), SLICE("/"));
    exchange.request.version = 10;
    exchange.begun_ms = now_ms;
    exchange.response.status = 304;
    add_field(FIELD_REFERER, SLICE(""));
    assert_non_null(strstr(format(ACCESS_LOG_JSON, UINT64_MAX).data,
                           "\"status\":304,\"bytes\":18446744073709551615,\"ms\":0,\"version\":\"HTTP/1.0\","
                           "\"referer\":\"\"}"));
}

static void test_what_was_spoken(void **state)
{
    static const struct {
        uint16_t cipher;
        const char *shown;
    } cases[] = {
        { 0x1301, "\"HTTP/1.1\",\"tls\":\"TLSv1.3\",\"cipher\":\"TLS_AES_128_GCM_SHA256\"}\n" },
        { 0xcca9, "\"tls\":\"TLSv1.2\",\"cipher\":\"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256\"}\n" },
        { 0xc09f, "\"tls\":\"TLSv1.2\",\"cipher\":\"0xc09f\"}\n" },
        { 0, "\"HTTP/1.1\"}\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(SLICE("GET"), SLICE("/"));
        exchange.request.cipher = cases[i].cipher;
        assert_non_null(strstr(format(ACCESS_LOG_JSON, 0).data, cases[i].shown));
    }
    exchange.request.cipher = 0;
}

static void test_who_is_behind_a_proxy(void **state)
{
    (void)state;
    begin(SLICE("GET"), SLICE("/"));
    client = SLICE("2001:db8::7");
    id = SLICE("4f\"");
    assert_non_null(strstr(format(ACCESS_LOG_JSON, 0).data,
                           ",\"peer\":\"192.0.2.1\",\"client\":\"2001:db8::7\",\"method\":"));
    assert_non_null(strstr(format(ACCESS_LOG_JSON, 0).data, ",\"version\":\"HTTP/1.1\",\"id\":\"4f\\\"\"}\n"));
    assert_non_null(strstr(format(ACCESS_LOG_COLOUR, 0).data, " 2001:db8::7 "));
    client = id = SLICE("");
}

static void test_what_is_unknown(void **state)
{
    (void)state;
    exchange_reset(&exchange);
    exchange.response.status = 400;
    assert_string_equal(format(ACCESS_LOG_JSON, 10).data,
                        "{\"time\":\"2026-01-31T08:49:37.123Z\",\"peer\":null,\"method\":null,\"target\":null,"
                        "\"status\":400,\"bytes\":10,\"ms\":null,\"version\":null}\n");
    assert_string_equal(format(ACCESS_LOG_COLOUR, 10).data,
                        "\033[2m08:49:37\033[0m \033[33m400\033[0m -          10 B    - ms  -                -\n");
    exchange.begun_ms = now_ms + 1; /* a clock that has not been read since */
    assert_non_null(strstr(format(ACCESS_LOG_JSON, 0).data, "\"ms\":null"));
}

static void test_methods(void **state)
{
    (void)state;
    static const struct slice methods[] = {
        SLICE_INIT("GET"), SLICE_INIT("get"), SLICE_INIT("GE"), SLICE_INIT("GETS"),
        SLICE_INIT("PUT"), SLICE_INIT("HEAD"), SLICE_INIT("G"), SLICE_INIT("OPTIONS"),
    };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "\"192.0.2.1\",\"method\":\"%s\",\"target\":\"/\"", methods[i].data);
        begin(methods[i], SLICE("/"));
        assert_non_null(strstr(format(ACCESS_LOG_JSON, 0).data, expected));
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const uint64_t numbers[] = { 0, 9, 10, 99, 100, 101, 200, 999, 1000, 1024, 9999, 10000, 65536, 4294967296 };
    begin(SLICE("GET"), SLICE("/"));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char expected[128];
        unsigned long long number = numbers[i];
        snprintf(expected, sizeof expected, ",\"status\":%u,\"bytes\":%llu,\"ms\":%llu,", (unsigned)(number % 1200),
                 number, number % 4000);
        exchange.response.status = (unsigned)(number % 1200);
        exchange.begun_ms = now_ms - number % 4000;
        assert_non_null(strstr(format(ACCESS_LOG_JSON, number).data, expected));
    }
}

/* The ring is nearly full: as soon as one byte is missing the line is none, and nothing is touched behind its room. */
static void test_less_room_than_a_line_takes(void **state)
{
    (void)state;
    static const struct slice values[] = { SLICE_INIT("/plain/and/longer/than/a/block"), SLICE_INIT("/short"),
                                           SLICE_INIT("/with\"escapes\x01\xff") };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        begin(SLICE("PUT"), values[i]);
        add_field(FIELD_USER_AGENT, values[i]);
        size_t needed = format(ACCESS_LOG_JSON, 12345).size;
        for (size_t room = 0; room <= needed; room++) {
            struct writer w = writer_on(line, room);
            struct access_entry entry = { &exchange, 12345, client, id, now_ms, stamp };
            memset(line, '#', sizeof line);
            access_line_json(&w, &entry);
            assert_int_equal(w.overflowed, room < needed);
            assert_int_equal(line[room], '#');
        }
    }
}

/* The scan for what needs an escape, against the writer which looks at every byte: each size, each place, each kind. */
static void test_escapes_are_found_wherever_they_stand(void **state)
{
    (void)state;
    static const char specials[] = { '"', '\\', 0x1f, '\n', 0x7f, (char)0x80, (char)0xff, '\0', ' ', '~', '!', 'x' };
    for (size_t size = 1; size < 70; size++) {
        for (size_t at = 0; at < size; at++) {
            for (size_t kind = 0; kind < sizeof specials; kind++) {
                char text[70], expected[512];
                memset(text, 'a', size);
                text[at] = specials[kind];
                struct writer w = writer_on(expected, sizeof expected);
                writer_put(&w, SLICE("\"target\":\""));
                writer_json(&w, slice_make(text, size));
                writer_put(&w, SLICE("\",\"status\""));
                begin(SLICE("GET"), slice_make(text, size));
                struct slice made = format(ACCESS_LOG_JSON, 0);
                assert_non_null(memmem(made.data, made.size, expected, writer_used(&w)));
            }
        }
    }
}

static void test_no_peer_can_forge_a_line(void **state)
{
    (void)state;
    static const struct {
        struct slice text, json, shown;
    } rows[] = {
        { SLICE_INIT("/\",\"status\":200}\n{\"time\":\""), SLICE_INIT("/\\\",\\\"status\\\":200}\\n{\\\"time\\\":\\\""),
          SLICE_INIT("/\",\"status\":200}\\x0a{\"time\":\"") },
        { SLICE_INIT("\033[2J\r\b"), SLICE_INIT("\\u001b[2J\\r\\b"), SLICE_INIT("\\x1b[2J\\x0d\\x08") },
        { SLICE_INIT("a\0b\x7f"), SLICE_INIT("a\\u0000b\\u007f"), SLICE_INIT("a\\x00b\\x7f") },
        { SLICE_INIT("\xc2\x9b" "31m"), SLICE_INIT("\\u009b31m"), SLICE_INIT("\\xc2\\x9b31m") },
        { SLICE_INIT("a\xc2\x80\xc2\x9f\xc2\xa0"), SLICE_INIT("a\\u0080\\u009f\xc2\xa0"), SLICE_INIT("a\\xc2\\x80") },
        { SLICE_INIT("\x9b" "31m"), SLICE_INIT("\xef\xbf\xbd" "31m"), SLICE_INIT("\\x9b31m") },
        { SLICE_INIT("\xe2\x80\xae" "fdp"), SLICE_INIT("\xe2\x80\xae" "fdp"), SLICE_INIT("\\xe2\\x80\\xaefdp") },
        { SLICE_INIT("end\xc2"), SLICE_INIT("end\xef\xbf\xbd"), SLICE_INIT("end\\xc2") },
        { SLICE_INIT("C:\\x1b"), SLICE_INIT("C:\\\\x1b"), SLICE_INIT("C:\\x5cx1b") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice text = rows[i].text;
        begin(text, text);
        exchange.request.peer = text;
        add_field(FIELD_REFERER, text);
        add_field(FIELD_USER_AGENT, text);
        struct slice made = format(ACCESS_LOG_JSON, 0);
        expect_one_line(made, ACCESS_LOG_JSON);
        static const char *const keys[] = { "peer", "method", "target", "referer", "agent" };
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            char expected[256];
            int size = snprintf(expected, sizeof expected, "\"%s\":\"%.*s\"", keys[k], (int)rows[i].json.size,
                                rows[i].json.data);
            assert_non_null(memmem(made.data, made.size, expected, (size_t)size));
        }
        made = format(ACCESS_LOG_COLOUR, 0);
        expect_one_line(made, ACCESS_LOG_COLOUR);
        assert_non_null(memmem(made.data, made.size, rows[i].shown.data, rows[i].shown.size));
    }
    for (unsigned c = 0; c < 256; c++) {
        char text[] = { 'a', (char)c, (char)c, 'b' };
        begin(slice_make(text, sizeof text), slice_make(text, sizeof text));
        expect_one_line(format(ACCESS_LOG_JSON, 0), ACCESS_LOG_JSON);
        expect_one_line(format(ACCESS_LOG_COLOUR, 0), ACCESS_LOG_COLOUR);
    }
}

static void test_long_values_are_cut(void **state)
{
    (void)state;
    static char text[2 * ACCESS_VALUE_MAX];
    memset(text, 'x', sizeof text);
    begin(SLICE("GET"), slice_make(text, ACCESS_VALUE_MAX));
    assert_null(strstr(format(ACCESS_LOG_JSON, 0).data, "..."));
    begin(SLICE("GET"), slice_make(text, ACCESS_VALUE_MAX + 1));
    assert_non_null(strstr(format(ACCESS_LOG_JSON, 0).data, "xxx...\",\"status\":200"));
    begin(slice_make(text, 16), slice_make(text, 256));
    assert_null(strstr(format(ACCESS_LOG_COLOUR, 0).data, "..."));
    begin(slice_make(text, 17), slice_make(text, 257));
    assert_non_null(strstr(format(ACCESS_LOG_COLOUR, 0).data, " xxxxxxxxxxxxxxxx..."));
    assert_non_null(strstr(format(ACCESS_LOG_COLOUR, 0).data, "xxx...\n"));

    static const char worst[] = { 0x01, (char)0xff, '"', 0x7f };
    for (size_t i = 0; i < sizeof worst; i++) { /* the longest line that there can be fits */
        memset(text, worst[i], sizeof text);
        struct slice value = slice_make(text, sizeof text);
        begin(value, value);
        exchange.request.peer = slice_make(text, 100);
        exchange.begun_ms = 1;
        add_field(FIELD_REFERER, value);
        add_field(FIELD_USER_AGENT, value);
        expect_one_line(format(ACCESS_LOG_JSON, UINT64_MAX), ACCESS_LOG_JSON);
        expect_one_line(format(ACCESS_LOG_COLOUR, UINT64_MAX), ACCESS_LOG_COLOUR);
    }
}

static void test_lines_for_a_terminal(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *colour;
    } statuses[] = { { 0, "\033[0m000" }, { 101, "\033[0m101" }, { 200, "\033[32m200" }, { 206, "\033[32m206" },
                     { 304, "\033[36m304" }, { 404, "\033[33m404" }, { 503, "\033[31m503" }, { 599, "\033[31m599" },
                     { 600, "\033[0m600" } };
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = { { 0, "     0 B" }, { 999, "   999 B" }, { 1000, "  1.0 kB" },
                  { 1099, "  1.0 kB" }, { 1100, "  1.1 kB" }, { 999999, "999.9 kB" },
                  { 1000000, "  1.0 MB" }, { 2500000000, "  2.5 GB" }, { UINT64_MAX, " 18.4 EB" } };
    begin(SLICE("GET"), SLICE("/hello"));
    assert_string_equal(format(ACCESS_LOG_COLOUR, 1536).data,
                        "\033[2m08:49:37\033[0m \033[32m200\033[0m GET      1.5 kB   12 ms  192.0.2.1        /hello\n");
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        exchange.response.status = statuses[i].status;
        assert_non_null(strstr(format(ACCESS_LOG_COLOUR, 0).data, statuses[i].colour));
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_non_null(strstr(format(ACCESS_LOG_COLOUR, sizes[i].bytes).data, sizes[i].text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_lines),
        cmocka_unit_test(test_what_was_spoken),
        cmocka_unit_test(test_who_is_behind_a_proxy),
        cmocka_unit_test(test_what_is_unknown),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_less_room_than_a_line_takes),
        cmocka_unit_test(test_escapes_are_found_wherever_they_stand),
        cmocka_unit_test(test_no_peer_can_forge_a_line),
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_lines_for_a_terminal),
    };
    static struct pages pages;
    pages_init(&pages, 0);
    exchange_init(&exchange, &pages, 0, gone);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
