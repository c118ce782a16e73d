/* Slices: comparing, cutting, trimming and reading numbers, at every edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static const struct slice absent = { NULL, 0 };

static void makes_slices(void **state)
{
    (void)state;
    assert_int_equal(SLICE("a\0b").size, 3);
    assert_int_equal(SLICE("").size, 0);
    assert_int_equal(slice_text("abc").size, 3);
    assert_int_equal(slice_text("").size, 0);
    assert_non_null(slice_text("").data);
    assert_null(slice_text(NULL).data);
    assert_int_equal(slice_text(NULL).size, 0);
    struct slice s = slice_make("abc", 2);
    assert_int_equal(s.size, 2);
    static const struct slice table[] = { SLICE_INIT("GET"), SLICE_INIT("") };
    assert_int_equal(table[0].size, 3);
    assert_int_equal(table[1].size, 0);
}

static void cuts(void **state)
{
    (void)state;
    struct slice whole = SLICE("abcdef");
    assert_true(slice_equal(slice_part(whole, 0, 6), whole));
    assert_true(slice_equal(slice_part(whole, 2, 4), SLICE("cd")));
    assert_int_equal(slice_part(whole, 6, 6).size, 0);
    assert_true(slice_equal(slice_skip(whole, 0), whole));
    assert_true(slice_equal(slice_skip(whole, 4), SLICE("ef")));
    assert_int_equal(slice_skip(whole, 6).size, 0);
}

static void compares(void **state)
{
    static const struct {
        struct slice a, b;
        bool equal, nocase, starts, ends;
    } cases[] = {
        { SLICE_INIT(""), SLICE_INIT(""), true, true, true, true },
        { SLICE_INIT("abc"), SLICE_INIT("abc"), true, true, true, true },
        { SLICE_INIT("abc"), SLICE_INIT("ABC"), false, true, false, false },
        { SLICE_INIT("abc"), SLICE_INIT("abd"), false, false, false, false },
        { SLICE_INIT("abc"), SLICE_INIT("xbc"), false, false, false, false },
        { SLICE_INIT("abcd"), SLICE_INIT("abc"), false, false, true, false },
        { SLICE_INIT("zabc"), SLICE_INIT("abc"), false, false, false, true },
        { SLICE_INIT("abc"), SLICE_INIT("abcd"), false, false, false, false },
        { SLICE_INIT("abc"), SLICE_INIT(""), false, false, true, true },
        { SLICE_INIT(""), SLICE_INIT("a"), false, false, false, false },
        { SLICE_INIT("a\0b"), SLICE_INIT("a\0c"), false, false, false, false },
        { SLICE_INIT("[]"), SLICE_INIT("{}"), false, false, false, false },     /* 0x20 apart, but no letters */
        { SLICE_INIT("@`"), SLICE_INIT("`@"), false, false, false, false },
        { SLICE_INIT("\xC9"), SLICE_INIT("\xE9"), false, false, false, false }, /* Latin-1 letters are none here */
        { SLICE_INIT("AZ"), SLICE_INIT("az"), false, true, false, false },
        { { NULL, 0 }, SLICE_INIT(""), true, true, true, true },
        { SLICE_INIT("a"), { NULL, 0 }, false, false, true, true },
        { { NULL, 0 }, { NULL, 0 }, true, true, true, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(slice_equal(cases[i].a, cases[i].b), cases[i].equal);
        assert_int_equal(slice_equal(cases[i].b, cases[i].a), cases[i].equal);
        assert_int_equal(slice_equal_nocase(cases[i].a, cases[i].b), cases[i].nocase);
        assert_int_equal(slice_equal_nocase(cases[i].b, cases[i].a), cases[i].nocase);
        assert_int_equal(slice_starts(cases[i].a, cases[i].b), cases[i].starts);
        assert_int_equal(slice_ends(cases[i].a, cases[i].b), cases[i].ends);
    }
}

static void lowers_letters_alone(void **state)
{
    (void)state;
    for (int c = -128; c < 128; c++) {
        int expected = c >= 'A' && c <= 'Z' ? c + 32 : c;
        assert_int_equal(ascii_lower((char)c), (char)expected);
    }
}

static void trims(void **state)
{
    static const struct {
        const char *text, *trimmed;
    } cases[] = {
        { "", "" },         { " ", "" },           { " \t \t", "" },     { "a", "a" },
        { "  a", "a" },     { "a\t", "a" },        { "\t a b \t", "a b" }, { "\ra\n", "\ra\n" }, /* no OWS, those two */
        { "\va\f", "\va\f" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(slice_equal(slice_trim(slice_text(cases[i].text)), slice_text(cases[i].trimmed)));
    assert_int_equal(slice_trim(absent).size, 0);
}

static void finds(void **state)
{
    (void)state;
    assert_int_equal(slice_find(SLICE("abcabc"), 'a'), 0);
    assert_int_equal(slice_find(SLICE("abcabc"), 'c'), 2);
    assert_int_equal(slice_find(SLICE("abcabc"), 'x'), 6);
    assert_int_equal(slice_find(SLICE("ab\0c"), '\0'), 2);
    assert_int_equal(slice_find(SLICE("abc"), '\0'), 3); /* never beyond the end */
    assert_int_equal(slice_find(SLICE(""), 'a'), 0);
    assert_int_equal(slice_find(absent, 'a'), 0);
}

static void reads_numbers(void **state)
{
    static const struct {
        struct slice text;
        bool valid;
        uint64_t value;
    } cases[] = {
        { SLICE_INIT("0"), true, 0 },
        { SLICE_INIT("7"), true, 7 },
        { SLICE_INIT("000000000000000000000000000042"), true, 42 },
        { SLICE_INIT("18446744073709551615"), true, UINT64_MAX },
        { SLICE_INIT("18446744073709551609"), true, UINT64_MAX - 6 },
        { SLICE_INIT("18446744073709551616"), false, 0 },
        { SLICE_INIT("18446744073709551620"), false, 0 },
        { SLICE_INIT("18446744073709551625"), false, 0 },
        { SLICE_INIT("99999999999999999999"), false, 0 },
        { SLICE_INIT("184467440737095516150"), false, 0 },
        { SLICE_INIT(""), false, 0 },
        { SLICE_INIT("+1"), false, 0 },
        { SLICE_INIT("-1"), false, 0 },
        { SLICE_INIT(" 1"), false, 0 },
        { SLICE_INIT("1 "), false, 0 },
        { SLICE_INIT("1a"), false, 0 },
        { SLICE_INIT("0x1"), false, 0 },
        { SLICE_INIT("1\0"), false, 0 },
        { SLICE_INIT("/"), false, 0 },
        { SLICE_INIT(":"), false, 0 },
        { SLICE_INIT("\xB1"), false, 0 },
        { { NULL, 0 }, false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 12345;
        assert_int_equal(slice_uint(cases[i].text, &value), cases[i].valid);
        assert_int_equal(value, cases[i].valid ? cases[i].value : 12345); /* untouched where it is none */
    }
}

static void takes_words(void **state)
{
    static const struct {
        struct slice text;
        const char *words; /* each with a ';' behind it */
    } cases[] = {
        { { NULL, 0 }, "" },
        { SLICE_INIT(""), "" },
        { SLICE_INIT(" \t "), "" },
        { SLICE_INIT("one"), "one;" },
        { SLICE_INIT(" one\ttwo  three "), "one;two;three;" },
        { SLICE_INIT("a\nb\vc"), "a\nb\vc;" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32] = "";
        struct slice rest = cases[i].text, word;
        while (slice_word(&rest, &word)) {
            strncat(text, word.data, word.size);
            strcat(text, ";");
        }
        assert_string_equal(text, cases[i].words);
        assert_int_equal(word.size, 0);
        assert_int_equal(rest.size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_slices),         cmocka_unit_test(cuts),  cmocka_unit_test(compares),
        cmocka_unit_test(lowers_letters_alone), cmocka_unit_test(trims), cmocka_unit_test(finds),
        cmocka_unit_test(reads_numbers),        cmocka_unit_test(takes_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
