/* _headers: which fields the page of a path has, and what is told of lines that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "serve/headers.h"
#include "told.h"

static struct told told;
static struct header_set set;

/* From memory that is gone before the headers are used. */
static struct headers *parsed(const char *text, const char *told_wanted)
{
    size_t size = strlen(text);
    char *copy = __real_malloc(size + 1);
    memcpy(copy, text, size);
    struct headers *headers = headers_parse(slice_make(copy, size), told_begin(&told));
    free(copy);
    assert_string_equal(told_text(&told), told_wanted);
    return headers;
}

static void check(const struct headers *headers, const char *path, const char *wanted)
{
    char text[1024];
    struct writer w = writer_on(text, sizeof text);
    assert_true(headers_find(headers, slice_text(path), &set));
    for (unsigned i = 0; i < set.count; i++) {
        writer_text(&w, set.at[i].value.data ? "" : "!");
        writer_put(&w, set.at[i].name);
        writer_byte(&w, '=');
        writer_put(&w, set.at[i].value);
        writer_byte(&w, '\n');
    }
    if (!slice_equal(writer_slice(&w), slice_text(wanted)))
        fail_msg("%s: %s is not %.*s", path, wanted, (int)writer_used(&w), text);
}

static void test_which_fields_a_path_has(void **state)
{
    (void)state;
    struct headers *headers = parsed("# all\n"
                                     "/*\n"
                                     "  X-Frame-Options: DENY\n"
                                     "  X-A: 1\n"
                                     "\n"
                                     "/assets/*.js\r\n"
                                     "  Cache-Control: public\r\n"
                                     "  cache-control: max-age=60\n"
                                     "/docs/:chapter/open.html\n"
                                     "\t! x-frame-options\n"
                                     "X-A: 2 # not a comment\n"
                                     "/docs/one/open.html\n"
                                     "  X-Frame-Options: SAMEORIGIN\n"
                                     "/empty\n",
                                     "");
    check(headers, "/", "X-Frame-Options=DENY\nX-A=1\n");
    check(headers, "/empty", "X-Frame-Options=DENY\nX-A=1\n");
    check(headers, "/assets/a/b.js", "X-Frame-Options=DENY\nX-A=1\nCache-Control=public, max-age=60\n");
    check(headers, "/docs/two/open.html", "X-A=1, 2 # not a comment\n!x-frame-options=\n");
    check(headers, "/docs/one/open.html", "X-A=1, 2 # not a comment\nx-frame-options=SAMEORIGIN\n");
    headers_free(headers);
}

static void test_how_values_are_merged(void **state)
{
    static const struct {
        const char *lines, *wanted;
    } rows[] = {
        { "X: a\nX: b\nx: c", "X=a, b, c\n" },
        { "X: a\nY: b\nX: c", "X=a, c\nY=b\n" },
        { "X:\nX: a", "X=a\n" },
        { "X: a\nX:", "X=a\n" },
        { "X:\nX:", "X=\n" },
        { "Set-Cookie: a=b\nset-cookie: c=d\nSet-Cookie: e", "Set-Cookie=a=b\nset-cookie=c=d\nSet-Cookie=e\n" },
        { "Set-Cookie: a=b\nSet-Cookie: c=d\n! set-cookie", "!set-cookie=\n" },
        { "Content-Type: text/plain\nContent-Type: text/css", "Content-Type=text/css\n" },
        { "! X", "!X=\n" },
        { "!X\n!  x", "!x=\n" },
        { "X: a\n! X\nX: b\nX: c", "X=b, c\n" },
        { "A: a\nX: b\nC: c\n! X", "A=a\nC=c\n!X=\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "/a\n%s", rows[i].lines);
        struct headers *headers = parsed(text, "");
        check(headers, "/a", rows[i].wanted);
        check(headers, "/b", "");
        headers_free(headers);
    }
}

static void test_faults_are_told_and_skipped(void **state)
{
    static const struct {
        const char *line, *told;
    } rows[] = {
        { "X", "X: a field is a name and a value; write for example X-Frame-Options: DENY" },
        { "!", "a field has a name; write for example X-Frame-Options: DENY" },
        { "! X: y", "X: y: a field's name has no spaces and no marks but a few such as - and _" },
        { "! ETag", "ETag: it follows from the file that is sent, so the server writes it itself" },
        { "Connection: close", "Connection: it says how the message is sent, which the server decides" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256], wanted[512];
        snprintf(text, sizeof text, "/a\n A: 1\n %s\n B: 2", rows[i].line);
        snprintf(wanted, sizeof wanted, "_headers:3: %s\n", rows[i].told);
        struct headers *headers = parsed(text, wanted);
        check(headers, "/a", "A=1\nB=2\n");
        headers_free(headers);
    }
}

static void test_the_fields_of_a_bad_path_go_with_it(void **state)
{
    (void)state;
    struct headers *headers = parsed("X: 0\n/a\n X: 1\n/:a.html\n X: 2\n bad\n/{b}\n X: 3\nhttps://c.example/\n X: 4\n"
                                     "http://c.example/\n X: 4\n"
                                     "/a/*/b\n X: 5\n/d\n X: 6\n",
                                     "_headers:1: X: 0: there is no path above it\n"
                                     "_headers:4: :a.html: a placeholder is a whole segment; write :a\n"
                                     "_headers:7: /{b}: a brace or an encoded star cannot be written in a path\n"
                                     "_headers:9: https://c.example/: a path begins with /; the file holds for one "
                                     "host, "
                                     "and does not name it\n"
                                     "_headers:11: http://c.example/: a path begins with /; the file holds for one "
                                     "host, and does not name it\n"
                                     "_headers:13: /a/*/b: a star takes all that is beneath, slashes too, so nothing "
                                     "but a "
                                     "name's ending follows it; for one segment write {name}\n");
    check(headers, "/a", "X=1\n");
    check(headers, "/d", "X=6\n");
    headers_free(headers);
}

static void test_a_file_without_fields_is_none(void **state)
{
    (void)state;
    assert_null(parsed("", ""));
    assert_null(parsed("/a\n/b\n", ""));
    assert_null(parsed("X: y", "_headers:1: X: y: there is no path above it\n"));
    check(NULL, "/a", "");
    headers_free(NULL);
}

static void test_numbers_at_their_edge(void **state)
{
    static char text[HEADERS_LINES_MAX * 16 + 64];
    struct writer w = writer_on(text, sizeof text);
    (void)state;
    for (unsigned i = 0; i <= HEADERS_BLOCKS_MAX; i++) {
        writer_text(&w, "/a*\n X");
        writer_uint(&w, i);
        writer_text(&w, ": y\n");
    }
    writer_byte(&w, '\0');
    struct headers *headers = parsed(text, "_headers:401: /a*: there are 200 paths above it, and no more than that\n");
    assert_false(headers_find(headers, SLICE("/a"), &set));
    assert_int_equal(set.count, HEADERS_SET_MAX);
    headers_free(headers);

    w = writer_on(text, sizeof text);
    writer_text(&w, "/a\n");
    for (unsigned i = 0; i <= HEADERS_LINES_MAX; i++)
        writer_text(&w, "X: y\n");
    writer_byte(&w, '\0');
    headers = parsed(text, "_headers:2002: X: y: there are 2000 fields above it, and no more than that\n");
    assert_false(headers_find(headers, SLICE("/a"), &set));
    assert_int_equal(set.count, 1);
    headers_free(headers);
}

static void test_joining_keeps_to_its_room(void **state)
{
    static char text[8192];
    struct writer w = writer_on(text, sizeof text);
    (void)state;
    writer_text(&w, "/a\n");
    for (unsigned i = 0; i < 4; i++) {
        writer_text(&w, "X: ");
        for (unsigned k = 0; k < 1500; k++)
            writer_byte(&w, (char)('a' + i));
        writer_byte(&w, '\n');
    }
    writer_byte(&w, '\0');
    struct headers *headers = parsed(text, ""); /* 3002, then 4504 more bytes have room, then 6006 have not */
    assert_false(headers_find(headers, SLICE("/a"), &set));
    assert_int_equal(set.at[0].value.size, 4504);
    assert_int_equal(set.used, 7506);
    headers_free(headers);
}

static void test_a_file_beyond_the_limit_is_cut(void **state)
{
    (void)state;
    size_t size = (1 << 20) + 100;
    char *text = malloc(size);
    memset(text, '\n', size);
    memcpy(text, "/a\n X: 1\n", 9);
    memcpy(text + size - 6, " Y: 2\n", 6);
    struct headers *headers = headers_parse(slice_make(text, size), told_begin(&told));
    free(text);
    assert_string_equal(told_text(&told), "_headers: it is larger than 1048576 bytes; what is beyond is not read\n");
    check(headers, "/a", "X=1\n");
    headers_free(headers);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (long left = 0;; left++) {
        allocations_left = left;
        struct headers *headers = headers_parse(SLICE("/a\n X: 1\n/b\n Y: 2\n"), told_begin(&told));
        allocations_left = -1;
        const char *text = told_text(&told);
        headers_free(headers);
        if (*text == '\0')
            break;
        assert_non_null(strstr(text, "there is no memory for "));
        assert_true(left < 8);
    }
}

static void test_paths_that_are_alike(void **state)
{
    static const struct {
        const char *a, *b;
        bool alike;
    } rows[] = {
        { "/x", "/x", true }, { "/x", "/y", true }, { "/docs/x", "/docs/y", true }, { "/docs/x", "/docs", false },
        { "/x", "/about", false }, { "/about", "/about.html", false }, { "/about", "/other", false },
        { "/docs/about", "/docs/x", true },
    };
    (void)state;
    struct headers *headers = parsed("/*\n  X-A: 1\n/docs/*\n  X-B: 1\n/about\n  X-C: 1\n/other\n  X-C: 1\n", "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(headers_alike(headers, slice_text(rows[i].a), slice_text(rows[i].b)), rows[i].alike);
        assert_int_equal(headers_alike(headers, slice_text(rows[i].b), slice_text(rows[i].a)), rows[i].alike);
    }
    assert_true(headers_alike(NULL, SLICE("/a"), SLICE("/b")));
    headers_free(headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_fields_a_path_has),
        cmocka_unit_test(test_paths_that_are_alike),
        cmocka_unit_test(test_how_values_are_merged),
        cmocka_unit_test(test_faults_are_told_and_skipped),
        cmocka_unit_test(test_the_fields_of_a_bad_path_go_with_it),
        cmocka_unit_test(test_a_file_without_fields_is_none),
        cmocka_unit_test(test_numbers_at_their_edge),
        cmocka_unit_test(test_joining_keeps_to_its_room),
        cmocka_unit_test(test_a_file_beyond_the_limit_is_cut),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
