/* The text that libconfuse gets: what stands in it for each form of the syntax, every mistake that is found on the way,
 * and that its lines are those of the file. */
#include "main/config_text.h"
#include "main/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char *prepare(const char *text, struct problems *problems)
{
    struct config_keys keys;
    *problems = (struct problems){ .count = 0 };
    config_keys_init(&keys);
    char *prepared = config_text_prepare(slice_text(text), &keys, problems);
    assert_non_null(prepared);
    return prepared;
}

static void what_is_taken(void **state)
{
    static const struct {
        const char *text, *prepared;
    } cases[] = {
        { "", "" },
        { "\n \t\r\n", "\n\n" },
        { "# only this", "" },
        { "root = \"a\"", " root = \"1:a\"" },
        { "root=a", " root = \"1:a\"" },
        { "\nroot\n=\n\"a\" # b\n", "\n root\n =\n \"4:a\"\n" },
        { "\"root\" = \"a # b\"", " root = \"1:a # b\"" },
        { "root = \"\"", " root = \"1:\"" },
        { "root = \"a\\\"b\\\\c\"", " root = \"1:a\\\"b\\\\c\"" },
        { "root = \"${HOME}$\"", " root = \"1:\\${HOME}\\$\"" },
        { "root = C:\\www$", " root = \"1:C:\\\\www\\$\"" },
        { "root = \xc3\xa9", " root = \"1:\xc3\xa9\"" },
        { "listen = {}", " listen = { }" },
        { "listen = {\":80\", # a\n\":81\"}", " listen = { \"1::80\" ,\n \"2::81\" }" },
        { "rule /* {}", " rule \"1:/*\" { }" },
        { "rule \"/a\" { status = 404 }", " rule \"1:/a\" { status = \"1:404\" }" },
        { "host a { rule b { } root = c } rule d { }",
          " host \"1:a\" { rule \"1:b\" { } root = \"1:c\" } rule \"1:d\" { }" },
        { "host a { root = x } host b { root = x } root = x",
          " host \"1:a\" { root = \"1:x\" } host \"1:b\" { root = \"1:x\" } root = \"1:x\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problems problems;
        char *prepared = prepare(cases[i].text, &problems);
        assert_string_equal(prepared, cases[i].prepared);
        assert_false(problems_any(&problems));
        free(prepared);
    }
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *text, *prepared, *problem;
        unsigned line;
    } cases[] = {
        { "\nrot = a\nroot = b", "\n\n root = \"3:b\"", "unknown key rot; did you mean root?", 2 },
        { "xyzzy = {a, b} root = b", " root = \"1:b\"", "unknown key xyzzy", 1 },
        { "xyzzy a { b { c = {d} } } root = b", " root = \"1:b\"", "unknown key xyzzy", 1 },
        { "xyzzy { a = b } root = b", " root = \"1:b\"", "unknown key xyzzy", 1 },
        { "xyzzy { a b c = d , { } = } root = b", " root = \"1:b\"", "unknown key xyzzy", 1 },
        { "xyzzy a root = b", " root = \"1:b\"", "unknown key xyzzy", 1 },
        { "xyzzy , = , a root = b", " root = \"1:b\"", "unknown key xyzzy", 1 },
        { "host a { xyzzy } root = b", " host \"1:a\" { } root = \"1:b\"", "unknown key xyzzy", 1 },
        { "xyzzy", "", "unknown key xyzzy", 1 },
        { "xyzzy {", "", "unknown key xyzzy", 1 },
        { "cache-size = 1", "", "unknown key cache-size; did you mean cache_size?", 1 },
        { "max_memory = 1", "", "unknown key max_memory; did you mean buffer_memory?", 1 },
        { "location / {}", "", "unknown key location; did you mean rule?", 1 },
        { "config = a", "", "unknown key config", 1 },
        { "status = 404", "", "unknown key status; it belongs into rule \"/path\" { ... }", 1 },
        { "rule a { root = b }", " rule \"1:a\" { }",
          "unknown key root; it belongs at the top of the file, outside of host, rule, module and certificate", 1 },
        { "host a { status = 1 }", " host \"1:a\" { }",
          "unknown key status; it belongs into rule \"/path\" { ... }", 1 },
        { "host a { host b { } }", " host \"1:a\" { }",
          "unknown key host; it belongs at the top of the file, outside of host, rule, module and certificate", 1 },
        { "module a { root = b }", " module \"1:a\" { }",
          "unknown key root; it belongs at the top of the file, outside of host, rule, module and certificate", 1 },
        { "settings = a", "", "unknown key settings; it belongs into module \"file\" { ... }", 1 },
        { "plugin a { }", "", "unknown key plugin; did you mean module?", 1 },
        { "module a { settings = b settings = c }", " module \"1:a\" { settings = \"1:b\" }",
          "settings stands here a second time, after line 1", 1 },
        { "root = a\n\nroot = b", " root = \"1:a\"\n\n", "root stands here a second time, after line 1", 3 },
        { "rule a { cors = b\ncors = b }", " rule \"1:a\" { cors = \"1:b\"\n }",
          "cors stands here a second time, after line 1", 2 },
        { "root = a; list = true", " root = \"1:a\" list = \"1:true\"",
          "\";\" has no meaning here; a statement ends by itself", 1 },
        { "root = 'a \"b'", " root = \"1:a \\\"b\"", "a text stands in double quotes: \"a \"b\"", 1 },
        { "root = \"a\nlist = true", " root = \"1:a\"\n list = \"2:true\"",
          "the text that begins here has no closing quote in its line", 1 },
        { "root = \"a", " root = \"1:a\"", "the text that begins here has no closing quote in its line", 1 },
        { "root = \"a\\", " root = \"1:a\\\\\"", "\"\\\" in a text goes before a quote or another \"\\\" only", 1 },
        { "root = \"a\\n\"", " root = \"1:a\\\\n\"", "\"\\\" in a text goes before a quote or another \"\\\" only", 1 },
        { "root = \"a\tb\"", " root = \"1:ab\"", "a control character (0x09) in a text", 1 },
        { "root = \"a\rb\"", " root = \"1:ab\"", "a control character (0x0d) in a text", 1 },
        { "\x01root = a\x7f", " root = \"1:a\"", "a control character (0x01)", 1 },
        { "\nhost a {\n rule b {\n}", "\n host \"2:a\" {\n rule \"3:b\" {\n } }",
          "the \"{\" in this line is never closed", 2 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problems problems;
        char *prepared = prepare(cases[i].text, &problems);
        assert_string_equal(prepared, cases[i].prepared);
        assert_in_range(problems.count, 1, 2);
        assert_string_equal(problems.at[0].text, cases[i].problem);
        assert_int_equal(problems.at[0].line, cases[i].line);
        problems_fini(&problems);
        free(prepared);
    }
}

/* What is wrong about these libconfuse says, so it has to see it. */
static void what_is_left_to_libconfuse(void **state)
{
    static const struct {
        const char *text, *prepared;
    } cases[] = {
        { "root", " root" },
        { "root \"a\"", " root \"1:a\"" },
        { "root { a = b", " root { \"1:a\" = \"1:b\"" },
        { "root a { b", " root \"1:a\" { \"1:b\"" },
        { "rule = a", " rule = \"1:a\"" },
        { "root = , a", " root = , \"1:a\"" },
        { "root = {a = b}", " root = { \"1:a\" = \"1:b\" }" },
        { "}", " }" },
        { "= a", " = \"1:a\"" },
        { "rule a } root", " rule \"1:a\" } \"1:root\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problems problems;
        char *prepared = prepare(cases[i].text, &problems);
        assert_string_equal(prepared, cases[i].prepared);
        assert_false(problems_any(&problems));
        free(prepared);
    }
}

static void everything_has_an_end(void **state)
{
    struct problems problems;
    size_t size = (CONFIG_PARTS_MAX + 2) * strlen("rule a{}\n");
    char *text = malloc(size + 1), *prepared;
    (void)state;
    for (size_t i = 0; i < CONFIG_PARTS_MAX + 2; i++)
        memcpy(text + i * 9, "rule a{}\n", 10);
    prepared = prepare(text, &problems);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.at[0].line, CONFIG_PARTS_MAX + 1);
    assert_string_equal(problems.at[0].text, "more than 4096 hosts and rules");
    problems_fini(&problems);
    free(prepared);

    memset(text, ';', size);
    prepared = prepare(text, &problems);
    assert_int_equal(problems.count, PROBLEMS_MAX);
    assert_int_equal(problems.dropped, size - PROBLEMS_MAX);
    problems_fini(&problems);
    free(prepared);

    memset(text, '{', size); /* no depth costs anything */
    memcpy(text, "x y ", 4);
    prepared = prepare(text, &problems);
    assert_string_equal(prepared, "");
    problems_fini(&problems);
    free(prepared);
    free(text);
}

static void values_and_their_lines(void **state)
{
    unsigned line;
    (void)state;
    assert_string_equal(config_text_value("12:34:a", &line), "34:a");
    assert_int_equal(line, 12);
    assert_string_equal(config_text_value("1:", &line), "");
}

static void keys_are_well_made(void **state)
{
    struct config_keys keys;
    (void)state;
    config_keys_init(&keys);
    for (unsigned section = 0; section < CONFIG_SECTIONS; section++) {
        unsigned count = keys.sections[section].count;
        assert_in_range(count, 1, CONFIG_KEYS_MAX);
        for (unsigned i = 0; i < count; i++) {
            const struct config_key *key = &keys.sections[section].keys[i];
            assert_ptr_equal(config_keys_find(&keys, section, key->name, strlen(key->name)), key);
            assert_true(!key->also || (key->also[0] == ' ' && key->also[strlen(key->also) - 1] == ' '));
            assert_string_equal(key->name, key->name + strspn(key->name, "-"));
        }
    }
    assert_null(config_keys_find(&keys, CONFIG_TOP, "help", 4));
    assert_null(config_keys_find(&keys, CONFIG_TOP, "roo", 3));
    assert_null(config_keys_find(&keys, CONFIG_TOP, "", 0));
}

static void problems_stand_in_the_order_of_their_lines(void **state)
{
    struct problems problems = { .count = 0 };
    (void)state;
    assert_false(problems_any(&problems));
    static const unsigned lines[] = { 3, 1, 3, 0, 2 };
    for (unsigned i = 0; i < 5; i++)
        assert_false(problems_add(&problems, lines[i], "%u", i));
    assert_true(problems_any(&problems));
    char order[6] = "";
    for (unsigned i = 0; i < problems.count; i++)
        strcat(order, problems.at[i].text);
    assert_string_equal(order, "31402");
    problems_fini(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(what_is_left_to_libconfuse),
        cmocka_unit_test(everything_has_an_end),
        cmocka_unit_test(values_and_their_lines),
        cmocka_unit_test(keys_are_well_made),
        cmocka_unit_test(problems_stand_in_the_order_of_their_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
