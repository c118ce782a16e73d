/* _redirects: what a file becomes, and what is told of lines that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "serve/redirects.h"
#include "told.h"

static struct told told;

static struct rules *parsed(const char *text, const char *told_wanted)
{
    struct rules *rules = redirects_parse(slice_text(text), told_begin(&told));
    assert_string_equal(told_text(&told), told_wanted);
    return rules;
}

static void test_lines_become_rules(void **state)
{
    static const struct {
        const char *line, *path;
        enum rule_action action;
        unsigned status;
        const char *target;
        bool unless_page;
    } rows[] = {
        { "/a /b", "/a", RULE_REDIRECT, 301, "/b", true },
        { "/a /b 301", "/a", RULE_REDIRECT, 301, "/b", true },
        { "/a\t\t/b  302 ", "/a", RULE_REDIRECT, 302, "/b", true },
        { "/a /b 303!", "/a", RULE_REDIRECT, 303, "/b", false },
        { "/a /b 307 # moved", "/a", RULE_REDIRECT, 307, "/b", true },
        { "/a /b#c 308", "/a", RULE_REDIRECT, 308, "/b#c", true },
        { "/a /b # c", "/a", RULE_REDIRECT, 301, "/b", true },
        { "/a https://b.example/?c=d", "/a", RULE_REDIRECT, 301, "https://b.example/?c=d", true },
        { "/a%20b /c%20d", "/a b", RULE_REDIRECT, 301, "/c%20d", true },
        { "/old/* /new/:splat", "/old/{splat...}", RULE_REDIRECT, 301, "/new/{splat}", true },
        { "/old* /new", "/old*", RULE_REDIRECT, 301, "/new", true },
        { "/news/:year/:slug /blog/:slug-:year.html 301!", "/news/{year}/{slug}", RULE_REDIRECT, 301,
          "/blog/{slug}-{year}.html", false },
        { "/a /b{c} 301", "/a", RULE_REDIRECT, 301, "/b%7Bc%7D", true },
        { "/* /index.html 200", "/{splat...}", RULE_REWRITE, 200, "/index.html", true },
        { "/a /b%20c/./d 200!", "/a", RULE_REWRITE, 200, "/b c/d", false },
        { "/a/* /b/:splat 200", "/a/{splat...}", RULE_REWRITE, 200, "/b/{splat}", true },
        { "/en/* /en/404.html 404", "/en/{splat...}", RULE_REWRITE, 404, "/en/404.html", true },
        { "/gone /gone.html 410", "/gone", RULE_REWRITE, 410, "/gone.html", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rules *rules = parsed(rows[i].line, "");
        assert_non_null(rules);
        assert_int_equal(rules_count(rules), 1);
        const struct rule *rule = rules_at(rules, 0);
        assert_true(slice_equal(rule->path->text, slice_text(rows[i].path)));
        assert_int_equal(rule->action, rows[i].action);
        assert_int_equal(rule->status, rows[i].status);
        assert_true(slice_equal(rule->target, slice_text(rows[i].target)));
        assert_int_equal(rule->unless_page, rows[i].unless_page);
        rules_free(rules);
    }
}

static void test_faults_are_told_and_skipped(void **state)
{
    static const struct {
        const char *line, *told;
    } rows[] = {
        { "/a", "/a: it does not say where to; write another path or URL behind it" },
        { "/a # /b", "/a: it does not say where to; write another path or URL behind it" },
        { "/a b", "b: the second word is a path, which begins with /, or a URL" },
        { "/a 404", "404: the second word is a path, which begins with /, or a URL" },
        { "/a id=:id /b 301", "id=:id: a condition is not understood, so the line is skipped" },
        { "/a /b 302 Country=at", "Country=at: a condition is not understood, so the line is skipped" },
        { "/a /b Language=de", "Language=de: a condition is not understood, so the line is skipped" },
        { "/a /b permanent", "permanent: the third word is a status; write for example 301, or 200!" },
        { "/a /b !", "!: the third word is a status; write for example 301, or 200!" },
        { "/a /b 30!1", "30!1: the third word is a status; write for example 301, or 200!" },
        { "/a /b 99", "99: the third word is a status; write for example 301, or 200!" },
        { "/a /b 1000", "1000: the third word is a status; write for example 301, or 200!" },
        { "/a /b 4294967597", "4294967597: the third word is a status; write for example 301, or 200!" },
        { "/a /b 301 /c", "/c: there is nothing behind the status" },
        { "/a /b 300", "/a: 300 is not a redirect's status; write 301, 302, 303, 307 or 308" },
        { "/a /b 500", "/a: 500 is not a rewrite's status; write 200, or 403, 404, 410 or 451" },
        { "a /b", "a: a path begins with /; the file holds for one host, and does not name it" },
        { "https://a.example/ /b", "https://a.example/: a path begins with /; the file holds for one host, and does "
                                   "not "
                                   "name it" },
        { "/a https://b.example/ 200", "/a: a rewrite leads to a path of this host; to send the client elsewhere "
                                       "write a "
                                       "redirect" },
        { "/a /b?c=d 200", "/a: a rewrite leads to a path alone, so there is no ? or # in it" },
        { "/a /b#c 200", "/a: a rewrite leads to a path alone, so there is no ? or # in it" },
        { "/a //b.example/", "/a: another host is redirected to with its scheme; write https://b.example/" },
        { "/a/* https://:splat/", "/a/{splat...}: what a client asks for must not choose the host that it is "
                                  "redirected "
                                  "to; name the host" },
        { "/a/*/b /c", "/a/*/b: a star takes all that is beneath, slashes too, so nothing but a name's ending follows "
                       "it; "
                       "for one segment write {name}" },
        { "/a?b=c /d", "/a?b=c: a pattern is of the path alone; it ends before the ?" },
        { "/:a/:a /b", "/{a}/{a}: two parameters are called {a}; give them different names" },
        { "/a /a 301!", "/a: it leads to /a, and from there in a circle, or on and on" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256], wanted[512];
        snprintf(text, sizeof text, "/first /x\n%s\n/last /y", rows[i].line);
        snprintf(wanted, sizeof wanted, "_redirects:2: %s\n", rows[i].told);
        struct rules *rules = parsed(text, wanted);
        assert_int_equal(rules_count(rules), 2);
        assert_true(slice_equal(rules_at(rules, 1)->path->text, SLICE("/last")));
        rules_free(rules);
    }
}

static void test_the_first_line_decides(void **state)
{
    (void)state;
    struct rules *rules = parsed("/blog/new /a 302!\n"
                                 "/blog/* /b/:splat 302!\n"
                                 "/blog/old /c\n"
                                 "/* /index.html 200\n"
                                 "/late /d\n",
                                 "_redirects:3: /blog/old: nothing gets to this rule, because /blog/{splat...} stands "
                                 "before it; put it above that one\n"
                                 "_redirects:5: /late: nothing gets to this rule, because /{splat...} stands before "
                                 "it; "
                                 "put it above that one\n");
    struct rule_match match;
    assert_int_equal(rules_find(rules, SLICE("/blog/new"), true, &match)->place, 0);
    assert_int_equal(rules_find(rules, SLICE("/blog/x"), true, &match)->place, 1);
    assert_int_equal(rules_find(rules, SLICE("/x"), false, &match)->place, 2);
    assert_null(rules_find(rules, SLICE("/x"), true, &match));
    rules_free(rules);
}

static void test_a_file_without_rules_is_none(void **state)
{
    (void)state;
    assert_null(parsed("", ""));
    assert_null(parsed("# nothing\n\n", ""));
    assert_null(parsed("/a", "_redirects:1: /a: it does not say where to; write another path or URL behind it\n"));
    assert_null(redirects_parse(SLICE("/a"), &(struct log){ NULL, NULL }));
}

static void test_no_memory(void **state)
{
    (void)state;
    for (long left = 0;; left++) {
        allocations_left = left;
        struct rules *rules = redirects_parse(SLICE("/a /x\n/b/* /y\n"), told_begin(&told));
        allocations_left = -1;
        bool whole = rules && rules_count(rules) == 2;
        rules_free(rules);
        if (whole)
            break;
        const char *text = told_text(&told);
        assert_non_null(strstr(text, left == 0 ? "_redirects: there is no memory for it"
                                               : ": there is no memory for another rule"));
    }
    assert_string_equal(told_text(&told), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_become_rules),
        cmocka_unit_test(test_faults_are_told_and_skipped),
        cmocka_unit_test(test_the_first_line_decides),
        cmocka_unit_test(test_a_file_without_rules_is_none),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
