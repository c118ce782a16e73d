/* What _redirects and _headers have in common: their lines, and how their paths become a rule's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "serve/hosted.h"
#include "told.h"

static void test_which_files_they_are(void **state)
{
    (void)state;
    assert_true(hosted_is(SLICE("/_redirects")));
    assert_true(hosted_is(SLICE("/_headers")));
    static const char *const others[] = { "", "/", "/_header", "/_headers/", "/a/_headers", "_headers", "/_Headers" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(hosted_is(slice_text(others[i])));
}

/* The lines given, each with its number. */
static void check_lines(struct slice text, const char *wanted, const char *told_wanted)
{
    static struct told told;
    char lines[512];
    struct writer w = writer_on(lines, sizeof lines);
    struct hosted file;
    struct slice line;
    char *copy = malloc(text.size + 1);
    memcpy(copy, text.data, text.size);
    hosted_begin(&file, "_file", slice_make(copy, text.size), told_begin(&told));
    while (hosted_next(&file, &line)) {
        writer_uint(&w, file.line);
        writer_byte(&w, '[');
        writer_put(&w, line);
        writer_byte(&w, ']');
    }
    assert_false(hosted_next(&file, &line));
    free(copy);
    if (!slice_equal(writer_slice(&w), slice_text(wanted)))
        fail_msg("%s is not %.*s", wanted, (int)writer_used(&w), lines);
    assert_string_equal(told_text(&told), told_wanted);
}

static void test_lines(void **state)
{
    (void)state;
    check_lines(SLICE(""), "", "");
    check_lines(SLICE("\n\n \t\n"), "", "");
    check_lines(SLICE("a"), "1[a]", "");
    check_lines(SLICE("a\n"), "1[a]", "");
    check_lines(SLICE("a\r\n b c \r\n\r\nd"), "1[a]2[b c]4[d]", "");
    check_lines(SLICE("# x\n  # y\na # z\n"), "3[a # z]", "");
    check_lines(SLICE("\xef\xbb\xbf/a\n\xef\xbb\xbf/b"), "1[/a]2[\xef\xbb\xbf/b]", "");
    check_lines(SLICE("a\0b\nc\rd\ne\x7f\nf\tg"), "4[f\tg]",
                "_file:1: there is a control character in the line\n"
                "_file:2: there is a control character in the line\n"
                "_file:3: there is a control character in the line\n");
}

static void test_the_size_of_a_line_at_its_edge(void **state)
{
    static char text[HOSTED_LINE_MAX + 2];
    static struct told told;
    struct hosted file;
    struct slice line;
    (void)state;
    memset(text, 'a', sizeof text);
    text[HOSTED_LINE_MAX] = '\n';
    hosted_begin(&file, "_file", slice_make(text, HOSTED_LINE_MAX + 1), told_begin(&told));
    assert_true(hosted_next(&file, &line));
    assert_int_equal(line.size, HOSTED_LINE_MAX);
    text[HOSTED_LINE_MAX] = 'a';
    text[HOSTED_LINE_MAX + 1] = '\n';
    hosted_begin(&file, "_file", slice_make(text, HOSTED_LINE_MAX + 2), told_begin(&told));
    assert_false(hosted_next(&file, &line));
    assert_string_equal(told_text(&told), "_file:1: the line is longer than 2000 bytes\n");
}

static void test_the_size_of_a_file_at_its_edge(void **state)
{
    static struct told told;
    struct hosted file;
    struct slice line;
    unsigned count = 0;
    (void)state;
    char *text = malloc(HOSTED_SIZE_MAX + 1);
    for (size_t i = 0; i < HOSTED_SIZE_MAX; i++)
        text[i] = i % 1024 == 1023 ? '\n' : 'a';
    text[HOSTED_SIZE_MAX] = 'b';
    hosted_begin(&file, "_file", slice_make(text, HOSTED_SIZE_MAX), told_begin(&told));
    while (hosted_next(&file, &line))
        count++;
    assert_int_equal(count, 1024);
    assert_string_equal(told_text(&told), "");

    text[HOSTED_SIZE_MAX - 1] = 'a'; /* the line goes beyond the end, so it is not whole */
    hosted_begin(&file, "_file", slice_make(text, HOSTED_SIZE_MAX + 1), told_begin(&told));
    for (count = 0; hosted_next(&file, &line);)
        count++;
    assert_int_equal(count, 1023);
    assert_string_equal(told_text(&told), "_file: it is larger than 1048576 bytes; what is beyond is not read\n");

    memset(text, 'a', HOSTED_SIZE_MAX + 1);
    hosted_begin(&file, "_file", slice_make(text, HOSTED_SIZE_MAX + 1), told_begin(&told));
    assert_false(hosted_next(&file, &line));
    free(text);
}

static void test_not_every_fault_is_told(void **state)
{
    static struct told told;
    struct hosted file;
    struct slice line;
    (void)state;
    for (unsigned faults = HOSTED_TOLD_MAX; faults <= HOSTED_TOLD_MAX + 2; faults += 2) {
        hosted_begin(&file, "_file", SLICE("a"), told_begin(&told));
        assert_true(hosted_next(&file, &line));
        for (unsigned i = 0; i < faults; i++)
            hosted_tell(&file, "%u", i);
        assert_false(hosted_next(&file, &line));
        const char *text = told_text(&told);
        assert_non_null(strstr(text, "_file:1: 19\n"));
        assert_null(strstr(text, "_file:1: 20\n"));
        const char *more = strstr(text, "more");
        assert_int_equal(more != NULL, faults > HOSTED_TOLD_MAX);
        if (more)
            assert_non_null(strstr(text, "_file: 2 more lines are wrong and skipped\n"));
    }
}

static void test_words(void **state)
{
    (void)state;
    struct slice line = SLICE(" /a\t b#c  # d /e"), word;
    assert_true(hosted_word(&line, &word));
    assert_true(slice_equal(word, SLICE("/a")));
    assert_true(hosted_word(&line, &word));
    assert_true(slice_equal(word, SLICE("b#c")));
    assert_false(hosted_word(&line, &word));
    assert_false(hosted_word(&line, &word));
    line = SLICE("  ");
    assert_false(hosted_word(&line, &word));
}

static void test_paths(void **state)
{
    static const struct {
        const char *path, *rule, *why;
    } rows[] = {
        { "/", "/", NULL },
        { "/a/b.html", "/a/b.html", NULL },
        { "/a/", "/a/", NULL },
        { "/*", "/{splat...}", NULL },
        { "/a/*", "/a/{splat...}", NULL },
        { "/a/*.js", "/a/*.js", NULL },
        { "/a*", "/a*", NULL },
        { "/*/b", "/*/b", NULL }, /* refused by the rule */
        { "/:year/:m_2/x", "/{year}/{m_2}/x", NULL },
        { "/:a/*", "/{a}/{splat...}", NULL },
        { "/a:b/:1/:/x:", "/a:b/:1/:/x:", NULL },
        { "/a%20b/gr%C3%BC%C3%9Fe", "/a b/gr\xc3\xbc\xc3\x9f" "e", NULL },
        { "/a/./b/../c", "/a/c", NULL },
        { "/:name.html", NULL, ":name.html: a placeholder is a whole segment; write :name" },
        { "/:a-:b", NULL, ":a-:b: a placeholder is a whole segment; write :a" },
        { "", NULL, "a path begins with /; the file holds for one host, and does not name it" },
        { "a", NULL, "a: a path begins with /; the file holds for one host, and does not name it" },
        { "https://a/b", NULL, "https://a/b: a path begins with /; the file holds for one host, and does not name it" },
        { "/a/../../b", NULL, "/a/../../b: no request has such a path" },
        { "/a%2Fb", NULL, "/a%2Fb: no request has such a path" },
        { "/a%", NULL, "/a%: no request has such a path" },
        { "/%ff", NULL, "/%ff: no request has such a path" },
        { "/{a}", NULL, "/{a}: a brace or an encoded star cannot be written in a path" },
        { "/a%7D", NULL, "/a%7D: a brace or an encoded star cannot be written in a path" },
        { "/%2A", NULL, "/%2A: a brace or an encoded star cannot be written in a path" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64], why[WHY_SIZE] = "";
        struct writer w = writer_on(text, sizeof text);
        bool good = hosted_path(slice_text(rows[i].path), &w, (struct why){ why, sizeof why });
        assert_int_equal(good, rows[i].rule != NULL);
        assert_string_equal(why, rows[i].why ? rows[i].why : "");
        if (good && !slice_equal(writer_slice(&w), slice_text(rows[i].rule)))
            fail_msg("%s is not %.*s", rows[i].rule, (int)writer_used(&w), text);
    }
}

static void test_a_path_longer_than_a_line(void **state)
{
    static char path[HOSTED_LINE_MAX + 1], text[sizeof path], why[WHY_SIZE];
    (void)state;
    memset(path, 'a', sizeof path);
    path[0] = '/';
    struct writer w = writer_on(text, sizeof text);
    assert_true(hosted_path(slice_make(path, HOSTED_LINE_MAX), &w, (struct why){ why, sizeof why }));
    assert_int_equal(writer_used(&w), HOSTED_LINE_MAX);
    assert_false(hosted_path(slice_make(path, sizeof path), &w, (struct why){ why, sizeof why }));
}

static void test_targets(void **state)
{
    static const struct {
        const char *target, *path, *wanted;
    } rows[] = {
        { "/new/:splat", "/old/{splat...}", "/new/{splat}" },
        { "https://h:8080/:splat?q=:splat", "/{splat...}", "https://h:8080/{splat}?q={splat}" },
        { "/:y-:m-:d.html", "/{y}/{m}/{d}", "/{y}-{m}-{d}.html" },
        { "/:a/:ab/:abc", "/x/{ab}", "/:a/{ab}/:abc" },
        { "/Help:Contents", "/{x}", "/Help:Contents" },
        { "/Help:Contents", "/", "/Help:Contents" },
        { "/:x_", "/{x}", "/:x_" },
        { ":x:", "/{x}", "{x}:" },
        { "/{x}", "/{x}", "/%7Bx%7D" },
        { "", "/{x}", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64];
        struct writer w = writer_on(text, sizeof text);
        hosted_target(slice_text(rows[i].target), slice_text(rows[i].path), &w);
        if (!slice_equal(writer_slice(&w), slice_text(rows[i].wanted)))
            fail_msg("%s is not %.*s", rows[i].wanted, (int)writer_used(&w), text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_files_they_are),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_the_size_of_a_line_at_its_edge),
        cmocka_unit_test(test_the_size_of_a_file_at_its_edge),
        cmocka_unit_test(test_not_every_fault_is_told),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_a_path_longer_than_a_line),
        cmocka_unit_test(test_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
