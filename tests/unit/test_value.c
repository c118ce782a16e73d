/* Numbers, sizes and times as people write them, and back. */
#include "main/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

typedef bool parse(const char *text, uint64_t *value);

static const struct {
    parse *parse;
    const char *text;
    uint64_t value;
} good[] = {
    { value_number, "0", 0 },
    { value_number, "007", 7 },
    { value_number, "18446744073709551615", UINT64_MAX },
    { value_size, "1", 1 },
    { value_size, "1B", 1 },
    { value_size, "64k", 64 << 10 },
    { value_size, "64KB", 64 << 10 },
    { value_size, "64KiB", 64 << 10 },
    { value_size, "256M", 256 << 20 },
    { value_size, "2mib", 2 << 20 },
    { value_size, "4G", UINT64_C(4) << 30 },
    { value_size, "1TiB", UINT64_C(1) << 40 },
    { value_size, "16777215T", UINT64_C(16777215) << 40 },
    { value_time, "10", 10000 },
    { value_time, "500ms", 500 },
    { value_time, "10s", 10000 },
    { value_time, "2m", 120000 },
    { value_time, "24h", 86400000 },
    { value_time, "0ms", 0 },
};

static const struct {
    parse *parse;
    const char *text;
} bad[] = {
    { value_number, "" },      { value_number, " 1" },    { value_number, "1 " },     { value_number, "-1" },
    { value_number, "+1" },    { value_number, "1K" },    { value_number, "0x10" },   { value_number, "1.5" },
    { value_number, "18446744073709551616" },             { value_number, "\t1" },    { value_number, "/" },
    { value_number, ":" },     { value_size, "K" },       { value_size, "1 K" },      { value_size, "1Kb/s" },
    { value_size, "1E" },      { value_size, "16777216T" }, { value_size, "1s" },     { value_time, "1K" },
    { value_time, "s" },       { value_time, "1.5s" },    { value_time, "1d" },       { value_time, "10 s" },
    { value_time, "18446744073709551615" },
};

static void true_and_false(void **state)
{
    static const struct {
        const char *text;
        int value; /* -1: neither */
    } cases[] = {
        { "true", 1 }, { "Yes", 1 }, { "ON", 1 },    { "1", 1 },  { "false", 0 }, { "no", 0 },     { "off", 0 },
        { "0", 0 },    { "", -1 },   { "truee", -1 }, { "2", -1 }, { " yes", -1 }, { "enable", -1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool value = cases[i].value == 0;
        assert_int_equal(value_bool(cases[i].text, &value), cases[i].value >= 0);
        if (cases[i].value >= 0)
            assert_int_equal(value, cases[i].value);
    }
}

static void good_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t value = 42;
        if (!good[i].parse(good[i].text, &value))
            fail_msg("\"%s\" was refused", good[i].text);
        assert_int_equal(value, good[i].value);
    }
}

static void bad_is_refused_and_leaves_the_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t value = 42;
        if (bad[i].parse(bad[i].text, &value))
            fail_msg("\"%s\" was taken", bad[i].text);
        assert_int_equal(value, 42);
    }
}

static void sizes_are_written(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        { 0, "0 bytes" },
        { 1, "1 byte" },
        { 1023, "1023 bytes" },
        { 1024, "1 KiB" },
        { 1536, "1.5 KiB" },
        { 1 << 20, "1 MiB" },
        { 4718592, "4.5 MiB" },
        { (UINT64_C(3) << 30) + (100 << 20), "3.1 GiB" },
        { UINT64_C(64) << 40, "64 TiB" },
        { UINT64_MAX, "16777216.0 TiB" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[VALUE_TEXT_SIZE];
        assert_string_equal(value_size_text(cases[i].bytes, out), cases[i].text);
    }
}

static void exact_ones_can_be_read_back(void **state)
{
    static const struct {
        const char *(*write)(uint64_t value, char out[static VALUE_TEXT_SIZE]);
        parse *parse;
        uint64_t value;
        const char *text;
    } cases[] = {
        { value_size_exact_text, value_size, 0, "0" },
        { value_size_exact_text, value_size, 1, "1" },
        { value_size_exact_text, value_size, 65535, "65535" },
        { value_size_exact_text, value_size, 65536, "64K" },
        { value_size_exact_text, value_size, 1 << 20, "1M" },
        { value_size_exact_text, value_size, UINT64_C(3) << 39, "1536G" },
        { value_size_exact_text, value_size, UINT64_C(64) << 40, "64T" },
        { value_time_exact_text, value_time, 0, "0" },
        { value_time_exact_text, value_time, 1, "1ms" },
        { value_time_exact_text, value_time, 1500, "1500ms" },
        { value_time_exact_text, value_time, 90000, "90s" },
        { value_time_exact_text, value_time, 120000, "2m" },
        { value_time_exact_text, value_time, 86400000, "24h" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[VALUE_TEXT_SIZE];
        uint64_t value;
        assert_string_equal(cases[i].write(cases[i].value, out), cases[i].text);
        assert_true(cases[i].parse(out, &value));
        assert_int_equal(value, cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(true_and_false),
        cmocka_unit_test(good_is_read),
        cmocka_unit_test(bad_is_refused_and_leaves_the_value),
        cmocka_unit_test(sizes_are_written),
        cmocka_unit_test(exact_ones_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
