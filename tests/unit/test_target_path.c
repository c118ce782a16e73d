/* Paths into their normal spelling, with all that has to be refused on the way; queries taken apart and decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/target.h"

/* Into a block of exactly the promised size, so that one byte too many is caught by the sanitizer. */
static bool normalise(struct slice path, char *text)
{
    size_t size = 0;
    char *out = malloc(path.size ? path.size : 1);
    bool valid = target_normalise(path, out, &size);
    if (valid) {
        assert_true(size <= path.size);
        memcpy(text, out, size);
        text[size] = '\0';
    }
    free(out);
    return valid;
}

static void normalises(void **state)
{
    static const struct {
        const char *path, *normal;
    } rows[] = {
        { "/", "/" },
        { "/a", "/a" },
        { "/a/", "/a/" },
        { "//", "//" },
        { "//a", "//a" },
        { "/a//b", "/a//b" },
        { "/a%20b", "/a b" },
        { "/%41%7e", "/A~" },
        { "/%C3%A4", "/\xC3\xA4" },
        { "/\xC3\xA4", "/\xC3\xA4" },
        { "/%25", "/%" },
        { "/%2541", "/%41" }, /* once, not twice */
        { "/%252e%252e/", "/%2e%2e/" },
        { "/a%3Fb%23c", "/a?b#c" },
        { "/a+b", "/a+b" },
        { "/.", "/" },
        { "/./", "/" },
        { "/./a", "/a" },
        { "/a/.", "/a/" },
        { "/a/./", "/a/" },
        { "/a/./b", "/a/b" },
        { "/a/..", "/" },
        { "/a/../", "/" },
        { "/a/../b", "/b" },
        { "/a/b/..", "/a/" },
        { "/a/b/../../c", "/c" },
        { "/a/b/../c/./d/..", "/a/c/" },
        { "//..", "/" },
        { "//../a", "/a" },
        { "/a//..", "/a/" },
        { "/a//../..", "/" },
        { "/a/..//b", "//b" },
        { "/%2e", "/" },
        { "/a/%2e%2E/b", "/b" },
        { "/a/.%2e", "/" },
        { "/...", "/..." },
        { "/..a", "/..a" },
        { "/a../b", "/a../b" },
        { "/.a/.b", "/.a/.b" },
        { "/a/.../b", "/a/.../b" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64] = "";
        if (!normalise(slice_text(rows[i].path), text))
            fail_msg("%s was refused", rows[i].path);
        if (strcmp(text, rows[i].normal) != 0)
            fail_msg("%s became %s", rows[i].path, text);
    }
}

static void refuses(void **state)
{
    static const char *const paths[] = {
        "/%2E%2e/a", "", "a", "./a", "%2Fa", "/..", "/../", "/../a", "/./..", "/a/../..", "/a/../../a",
        "/a/%2e%2e/%2e%2e", "/..%00", "/a%00", "/%00", "/a%2Fb", "/a%2fb", "/..%2f..", "/a%5Cb", "/a%5cb", "/a\\b",
        "/..\\a", "/%", "/%4", "/%x4", "/%4x", "/%C3", "/%C3/%A4",
        "/%C0%AF", /* overlong "/" */
        "/%C0%AE%C0%AE/", /* overlong ".." */
        "/%E0%80%AF", "/%F0%80%80%AF",
        "/%ED%A0%80", /* a surrogate */
        "/%F4%90%80%80", "/%FF", "/%80",
    };
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char text[64] = "";
        if (normalise(slice_text(paths[i]), text))
            fail_msg("%s became %s", paths[i], text);
    }
}

static void refuses_a_raw_nul(void **state)
{
    char text[8];
    (void)state;
    assert_false(normalise(SLICE("/a\0b"), text));
}

/* Every escape of one byte: itself, but for those that would change the meaning or are not UTF-8 alone. */
static void decodes_every_escape(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char path[8], text[8] = "";
        snprintf(path, sizeof path, "/a%%%02Xb", c);
        bool expected = c != 0 && c != '/' && c != '\\' && c < 0x80;
        assert_int_equal(normalise(slice_text(path), text), expected);
        if (expected) {
            const char normal[] = { '/', 'a', (char)c, 'b', '\0' };
            assert_string_equal(text, normal);
        }
    }
}

/* All paths of up to four segments out of a few: the outcome against a stack of segments. */
static void resolves_like_a_stack(void **state)
{
    static const char *const segments[] = { "", ".", "..", "a", "b.", "..." };
    enum { KINDS = 6, DEPTH = 4 };
    (void)state;
    for (unsigned number = 0; number < KINDS * KINDS * KINDS * KINDS; number++) {
        char path[32] = "", expected[32] = "", got[32] = "";
        const char *stack[DEPTH];
        unsigned height = 0, left = number;
        bool climbed = false, trailing = false;
        for (unsigned i = 0; i < DEPTH; i++, left /= KINDS) {
            const char *segment = segments[left % KINDS];
            strcat(strcat(path, "/"), segment);
            trailing = strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0;
            climbed |= height == 0 && strcmp(segment, "..") == 0;
            if (strcmp(segment, "..") == 0 && height > 0)
                height--;
            else if (!trailing)
                stack[height++] = segment;
        }
        for (unsigned i = 0; i < height; i++)
            strcat(strcat(expected, "/"), stack[i]);
        if (trailing)
            strcat(expected, "/");
        assert_int_equal(normalise(slice_text(path), got), !climbed);
        if (!climbed)
            assert_string_equal(got, expected);
    }
}

static void decodes_queries(void **state)
{
    static const struct {
        struct slice raw, decoded;
        bool valid;
    } rows[] = {
        { SLICE_INIT(""), SLICE_INIT(""), true },
        { SLICE_INIT("abc"), SLICE_INIT("abc"), true },
        { SLICE_INIT("a+b"), SLICE_INIT("a b"), true },
        { SLICE_INIT("a%2Bb"), SLICE_INIT("a+b"), true },
        { SLICE_INIT("%2f%5C%3d%26"), SLICE_INIT("/\\=&"), true },
        { SLICE_INIT("%00"), SLICE_INIT("\0"), true },
        { SLICE_INIT("%ff\xff"), SLICE_INIT("\xff\xff"), true },
        { SLICE_INIT("%2541"), SLICE_INIT("%41"), true },
        { SLICE_INIT("++"), SLICE_INIT("  "), true },
        { SLICE_INIT("%"), SLICE_INIT(""), false },
        { SLICE_INIT("a%4"), SLICE_INIT(""), false },
        { SLICE_INIT("%4+"), SLICE_INIT(""), false },
        { SLICE_INIT("%g0"), SLICE_INIT(""), false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[16];
        size_t size = 0;
        assert_int_equal(query_decode(rows[i].raw, out, &size), rows[i].valid);
        if (rows[i].valid)
            assert_true(slice_equal(slice_make(out, size), rows[i].decoded));
    }
}

static void takes_queries_apart(void **state)
{
    static const struct {
        const char *query, *pairs;
    } rows[] = {
        { "", "" },
        { "&", "" },
        { "&&&", "" },
        { "a", "[a|]" },
        { "a=", "[a|]" },
        { "=", "[|]" },
        { "=b", "[|b]" },
        { "a=b", "[a|b]" },
        { "a=b=c", "[a|b=c]" },
        { "a=1&b=2", "[a|1][b|2]" },
        { "&a=1&&b&", "[a|1][b|]" },
        { "a+b=%20&c;d=1", "[a+b|%20][c;d|1]" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice rest = slice_text(rows[i].query), name, value;
        char pairs[64] = "";
        size_t used = 0;
        while (query_next(&rest, &name, &value))
            used += (size_t)snprintf(pairs + used, sizeof pairs - used, "[%.*s|%.*s]", (int)name.size, name.data,
                                     (int)value.size, value.data);
        assert_string_equal(pairs, rows[i].pairs);
        assert_false(query_next(&rest, &name, &value));
    }
}

static void compares_decoded(void **state)
{
    static const struct {
        const char *raw, *text;
        bool same;
    } rows[] = {
        { "", "", true },         { "a", "a", true },       { "%61", "a", true },      { "a+b", "a b", true },
        { "a%2bb", "a+b", true }, { "a%20b", "a b", true }, { "a", "", false },        { "", "a", false },
        { "ab", "a", false },     { "a", "ab", false },     { "a%", "a%", false },     { "a%6", "a%6", false },
        { "a%zz", "a", false },   { "%2561", "%61", true }, { "%2561", "a", false },   { "%E4", "\xe4", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(query_is(slice_text(rows[i].raw), slice_text(rows[i].text)), rows[i].same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalises),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_a_raw_nul),
        cmocka_unit_test(decodes_every_escape),
        cmocka_unit_test(resolves_like_a_stack),
        cmocka_unit_test(decodes_queries),
        cmocka_unit_test(takes_queries_apart),
        cmocka_unit_test(compares_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
