/* JSON by a format: every conversion, numbers at their edges, and a process whose locale writes a decimal comma.
 *
 * Such a locale is rarely installed where tests run, so snprintf and strtod are made to behave as in one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "rawhttp.h"

static const char *point = "."; /* the locale's decimal point */

int __wrap_snprintf(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int __wrap_snprintf(char *out, size_t size, const char *format, ...)
{
    char plain[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(plain, sizeof plain, format, arguments);
    va_end(arguments);

    struct writer w = writer_on(out, size);
    for (const char *at = plain; *at; at++)
        writer_text(&w, *at == '.' ? point : (char[]){ *at, '\0' });
    int written = (int)writer_used(&w);
    writer_byte(&w, '\0');
    assert_false(w.overflowed);
    return written;
}

double __real_strtod(const char *text, char **end);
double __wrap_strtod(const char *text, char **end);
double __wrap_strtod(const char *text, char **end)
{
    char plain[64];
    struct writer w = writer_on(plain, sizeof plain);
    const char *at = strstr(text, point);
    if (at) {
        writer_bytes(&w, text, (size_t)(at - text));
        writer_byte(&w, '.');
        text = at + strlen(point);
    }
    writer_text(&w, text);
    writer_byte(&w, '\0');
    return __real_strtod(plain, end);
}

static int start(void **state)
{
    (void)state;
    point = ".";
    return 0;
}

static char buffer[1024];

static bool write_json(struct writer *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool known = json_format(w, format, &arguments);
    va_end(arguments);
    return known;
}

/* What the format makes of the arguments, as a C string. */
static const char *json(const char *format, ...)
{
    struct writer w = writer_on(buffer, sizeof buffer);
    va_list arguments;
    va_start(arguments, format);
    bool known = json_format(&w, format, &arguments);
    va_end(arguments);
    writer_byte(&w, '\0');
    assert_true(known);
    assert_false(w.overflowed);
    return buffer;
}

static void copies_literal_text(void **state)
{
    (void)state;
    assert_string_equal(json(""), "");
    assert_string_equal(json("{\"a\": [1, null]}"), "{\"a\": [1, null]}");
    assert_string_equal(json("%%"), "%");
    assert_string_equal(json("\"100%%\", %d%%", 5), "\"100%\", 5%");
}

/* "%d" at every place of a text of bytes that differ from a percent sign by one bit, or by one. The format is a block
 * of its own, the room exactly enough or one byte less: reading or writing beyond them is seen. */
static void finds_conversions_anywhere(void **state)
{
    enum { SIZE = 20 };
    static const char near[] = "$&\xA5\x24\x26\xFF\x01\x21";
    (void)state;
    for (size_t at = 0; at <= SIZE; at++) {
        char *format = malloc(SIZE + 3), *room = malloc(SIZE + 1), expected[SIZE + 1];
        for (size_t i = 0; i <= SIZE; i++)
            expected[i] = i == at ? '7' : near[i % (sizeof near - 1)];
        memcpy(format, expected, at);
        memcpy(format + at, "%d", 2);
        memcpy(format + at + 2, expected + at + 1, SIZE - at);
        format[SIZE + 2] = '\0';

        struct writer w = writer_on(room, sizeof expected);
        assert_true(write_json(&w, format, 7));
        assert_false(w.overflowed);
        assert_int_equal(writer_used(&w), sizeof expected);
        assert_memory_equal(room, expected, sizeof expected);
        w = writer_on(room + 1, sizeof expected - 1);
        assert_true(write_json(&w, format, 7));
        assert_true(w.overflowed);
        free(room);
        free(format);
    }
}

static void writes_strings(void **state)
{
    struct slice absent = { NULL, 0 };
    const char *none = NULL;
    (void)state;
    assert_string_equal(json("%s", "Ada"), "\"Ada\"");
    assert_string_equal(json("%s", ""), "\"\"");
    assert_string_equal(json("%s", none), "null");
    assert_string_equal(json("%s", "a\"b\\c\n\x01\xFF"), "\"a\\\"b\\\\c\\n\\u0001\xEF\xBF\xBD\"");
    assert_string_equal(json("%s", "100%s"), "\"100%s\""); /* values are no formats */
    assert_string_equal(json("%S", SLICE("a\0b")), "\"a\\u0000b\"");
    assert_string_equal(json("%S", SLICE("")), "\"\"");
    assert_string_equal(json("%S", absent), "null");
    assert_string_equal(json("[%S,%d,%S]", slice_make("abcdef", 3), 1, slice_make("xyz", 1)), "[\"abc\",1,\"x\"]");
}

static void takes_public_slices(void **state)
{
    rh_slice name = { "Grace", 5 }, absent = { NULL, 0 };
    (void)state;
    _Static_assert(sizeof(rh_slice) == sizeof(struct slice), "");
    _Static_assert(offsetof(rh_slice, data) == offsetof(struct slice, data), "");
    _Static_assert(offsetof(rh_slice, size) == offsetof(struct slice, size), "");
    assert_string_equal(json("{\"name\":%S,\"more\":%S,\"json\":%J}", name, absent, name),
                        "{\"name\":\"Grace\",\"more\":null,\"json\":Grace}");
    /* also where the argument registers are full and they travel on the stack */
    assert_string_equal(json("%d%d%d%d%d%d%S%d%S%J", 1, 2, 3, 4, 5, 6, name, 7, name, name),
                        "123456\"Grace\"7\"Grace\"Grace");
}

static void writes_integers(void **state)
{
    (void)state;
    assert_string_equal(json("[%d,%d,%d,%d]", 0, -1, INT_MAX, INT_MIN), "[0,-1,2147483647,-2147483648]");
    assert_string_equal(json("[%u,%u]", 0u, UINT_MAX), "[0,4294967295]");
    assert_string_equal(json("[%ld,%ld]", LONG_MIN, LONG_MAX), "[-9223372036854775808,9223372036854775807]");
    assert_string_equal(json("[%lu,%lu]", 0ul, ULONG_MAX), "[0,18446744073709551615]");
    assert_string_equal(json("[%lld,%lld]", LLONG_MIN, LLONG_MAX), "[-9223372036854775808,9223372036854775807]");
    assert_string_equal(json("[%llu,%llu]", 0ull, ULLONG_MAX), "[0,18446744073709551615]");
    assert_string_equal(json("[%zu,%zu]", (size_t)0, SIZE_MAX), "[0,18446744073709551615]");
    assert_string_equal(json("%d%u%ld%lu%lld%llu%zu", -1, 2u, -3l, 4ul, -5ll, 6ull, (size_t)7), "-12-34-567");
}

static void writes_truth_and_made_json(void **state)
{
    struct slice absent = { NULL, 0 };
    const char *none = NULL;
    (void)state;
    assert_string_equal(json("[%b,%b,%b]", 0, 1, -7), "[false,true,true]");
    assert_string_equal(json("%j", "{\"a\":[]}"), "{\"a\":[]}");
    assert_string_equal(json("%j", none), "null");
    assert_string_equal(json("%J", slice_make("[1,2]]]", 5)), "[1,2]");
    assert_string_equal(json("%J", absent), "null");
    assert_string_equal(json("%J", SLICE("")), "");
}

static const struct {
    double value;
    const char *json;
} doubles[] = {
    { 0.0, "0" },
    { -0.0, "-0" },
    { 1.0, "1" },
    { -1.5, "-1.5" },
    { 0.1, "0.1" },
    { 0.1 + 0.2, "0.30000000000000004" },     /* 17 digits */
    { 1.0 / 3, "0.3333333333333333" },        /* 16 */
    { 3.141592653589793, "3.141592653589793" },
    { 123456789012345.0, "123456789012345" },
    { 9007199254740993.0, "9007199254740992" },
    { 1e15, "1e+15" },
    { 1e100, "1e+100" },
    { 1e-7, "1e-07" },
    { 1.25e-7, "1.25e-07" },
    { 5e-324, "4.94065645841247e-324" },
    { DBL_MAX, "1.7976931348623157e+308" },
    { DBL_MIN, "2.2250738585072014e-308" },
    { -DBL_MAX, "-1.7976931348623157e+308" },
    { NAN, "null" },
    { INFINITY, "null" },
    { -INFINITY, "null" },
};

static void writes_doubles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++)
        assert_string_equal(json("%f", doubles[i].value), doubles[i].json);
    assert_string_equal(json("[%f,%d,%f]", 0.5, 7, 2.5f), "[0.5,7,2.5]");
}

static void doubles_round_trip(void **state)
{
    uint64_t bits = 88172645463325252;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        double value;
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        assert_true(__real_strtod(json("%f", value), NULL) == value);
    }
}

static void knows_no_locale(void **state)
{
    static const char *const points[] = { ",", "\xD9\xAB" }; /* German; Arabic: U+066B, two bytes */
    (void)state;
    for (size_t k = 0; k < sizeof points / sizeof points[0]; k++) {
        point = points[k];
        for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++)
            assert_string_equal(json("%f", doubles[i].value), doubles[i].json);
    }
    point = ".";
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8")) /* the real thing, where it is installed */
        return;
    point = localeconv()->decimal_point;
    assert_string_equal(json("%f", 1.5), "1.5");
    setlocale(LC_NUMERIC, "C");
}

static void stops_at_what_it_does_not_know(void **state)
{
    static const char *const formats[] = {
        "%", "%x", "%i", "%c", "%5d", "%-d", "%.2f", "%l", "%ll", "%llld", "%ls", "%lf", "%lld%",
        "%z", "%zd", "%hd", "% d",
    };
    char text[32];
    struct writer w = writer_on(text, sizeof text);
    (void)state;
    assert_false(write_json(&w, "[%d,%q,%d]", 1, 2, 3)); /* what stands before it is written, nothing after it */
    assert_true(slice_equal(writer_slice(&w), SLICE("[1,")));
    assert_false(w.overflowed);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        w = writer_on(text, sizeof text);
        if (write_json(&w, formats[i], 1ll))
            fail_msg("%s was taken", formats[i]);
    }
}

static void marks_what_does_not_fit(void **state)
{
    static const char whole[] = "{\"s\":\"a\\n\",\"d\":-12,\"f\":0.25,\"b\":true,\"j\":[]}";
    (void)state;
    for (size_t room = 0; room < sizeof whole; room++) {
        struct writer w = writer_on(buffer, room);
        assert_true(write_json(&w, "{\"s\":%s,\"d\":%d,\"f\":%f,\"b\":%b,\"j\":%j}", "a\n", -12, 0.25, 1, "[]"));
        assert_int_equal(w.overflowed, room < sizeof whole - 1);
        assert_true(writer_used(&w) <= room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(copies_literal_text, start),
        cmocka_unit_test_setup(finds_conversions_anywhere, start),
        cmocka_unit_test_setup(writes_strings, start),
        cmocka_unit_test_setup(takes_public_slices, start),
        cmocka_unit_test_setup(writes_integers, start),
        cmocka_unit_test_setup(writes_truth_and_made_json, start),
        cmocka_unit_test_setup(writes_doubles, start),
        cmocka_unit_test_setup(doubles_round_trip, start),
        cmocka_unit_test_setup(knows_no_locale, start),
        cmocka_unit_test_setup(stops_at_what_it_does_not_know, start),
        cmocka_unit_test_setup(marks_what_does_not_fit, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
