/* Which rule a path finds: the first one, whole, whether by the table or in the row; and what it makes of a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "serve/rules.h"

static void must_add(struct rules *rules, struct rule_spec spec)
{
    char why[WHY_SIZE] = "";
    if (!rules_add(rules, &spec, (struct why){ why, sizeof why }))
        fail_msg("%s", why);
}

static struct rules *made(const char *const *paths, const bool *unless_page)
{
    struct rules *rules = rules_new();
    assert_non_null(rules);
    for (size_t i = 0; paths[i]; i++)
        must_add(rules, (struct rule_spec){ .path = slice_text(paths[i]),
                                            .unless_page = unless_page && unless_page[i] });
    return rules;
}

static int place_of(const struct rules *rules, const char *path, bool page)
{
    struct rule_match match;
    const struct rule *rule = rules_find(rules, slice_text(path), page, &match);
    if (!rule)
        return -1;
    assert_ptr_equal(match.rule, rule);
    assert_int_equal(match.values.count, rule->path->param_count);
    return (int)rule->place;
}

static void test_without_rules_nothing_is_found(void **state)
{
    (void)state;
    struct rule_match match;
    assert_null(rules_find(NULL, SLICE("/"), false, &match));
    struct rules *rules = rules_new();
    assert_null(rules_find(rules, SLICE("/"), false, &match));
    assert_null(rules_find(rules, SLICE(""), true, &match));
    rules_free(rules);
}

static void test_the_first_decides(void **state)
{
    static const char *const paths[] = { "/a/x", "/a/{n}", "/b", "*.js", "/a/*", "/a", "/c.css", "/*", NULL };
    static const struct {
        const char *path;
        int place;
    } rows[] = {
        { "/a/x", 0 }, { "/a/y", 1 }, { "/a/y.js", 1 }, { "/b", 2 }, { "/b.js", 3 }, { "/a/y/z.js", 3 }, { "/a/", 4 },
        { "/a/y/z", 4 }, { "/a", 5 }, { "/c.css", 6 }, { "/", 7 }, { "/whatever/it/is", 7 }, { "", -1 },
    };
    (void)state;
    struct rules *rules = made(paths, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(place_of(rules, rows[i].path, i % 2), rows[i].place);
    rules_free(rules);
}

static void test_a_pattern_before_a_path_of_its_own(void **state)
{
    static const char *const paths[] = { "/a/{n...}", "/b", NULL };
    (void)state;
    struct rules *rules = made(paths, NULL);
    assert_int_equal(place_of(rules, "/b", false), 1);
    assert_int_equal(place_of(rules, "/a/", false), 0);
    assert_int_equal(place_of(rules, "/c", false), -1);
    rules_free(rules);
}

static void test_rules_for_no_page(void **state)
{
    static const char *const paths[] = { "/a", "/b/*", "/a", "/b/c", "/c", "/d", "/*", NULL };
    static const bool unless_page[] = { true, true, false, false, true, false, true };
    static const struct {
        const char *path;
        int no_page, page;
    } rows[] = {
        { "/a", 0, 2 }, { "/b/c", 1, 3 }, { "/b/d", 1, -1 }, { "/c", 4, -1 }, { "/d", 5, 5 }, { "/e", 6, -1 },
    };
    (void)state;
    struct rules *rules = made(paths, unless_page);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(place_of(rules, rows[i].path, false), rows[i].no_page);
        assert_int_equal(place_of(rules, rows[i].path, true), rows[i].page);
    }
    rules_free(rules);
}

static void test_values_lie_in_the_path(void **state)
{
    static const char *const paths[] = { "/x/{a}/y", "/{a}/{b}/{c...}", NULL };
    (void)state;
    struct rules *rules = made(paths, NULL);
    struct slice path = SLICE("/x/1/z");
    struct rule_match match;
    assert_non_null(rules_find(rules, path, false, &match));
    assert_int_equal(match.rule->place, 1);
    assert_int_equal(match.values.count, 3);
    assert_ptr_equal(match.values.at[0].data, path.data + 1);
    assert_int_equal(match.values.at[0].size, 1);
    assert_ptr_equal(match.values.at[2].data, path.data + 5);
    assert_ptr_equal(match.path.data, path.data);
    rules_free(rules);
}

static void test_many(void **state)
{
    (void)state;
    struct rules *rules = rules_new();
    char path[64];
    for (unsigned i = 0; i < 600; i++) {
        snprintf(path, sizeof path, i % 3 == 0 ? "/%u" : i % 3 == 1 ? "/%u/*" : "/%u/{x}/y", i);
        must_add(rules, (struct rule_spec){ .path = slice_text(path) });
    }
    for (unsigned i = 0; i < 600; i++) {
        snprintf(path, sizeof path, i % 3 == 0 ? "/%u" : "/%u/x/y", i);
        assert_int_equal(place_of(rules, path, false), i);
    }
    assert_int_equal(place_of(rules, "/600", false), -1);
    rules_free(rules);
}

/* ---- What it makes of a request ---- */

static void check_location(const struct rules *rules, const char *path, const char *query, const char *wanted)
{
    struct rule_match match;
    struct target request = { .has_query = query != NULL, .query = slice_text(query) };
    const struct rule *rule = rules_find(rules, slice_text(path), false, &match);
    assert_non_null(rule);
    assert_int_equal(rule->action, RULE_REDIRECT);
    size_t room = rules_room(&match, request.query);
    char *text = malloc(room + 1);
    struct writer w = writer_on(text, room + 1);
    writer_byte(&w, '#'); /* a writer that has been used before */
    bool leads_elsewhere = rules_location(&match, &request, &w);
    assert_false(w.overflowed);
    assert_int_equal(leads_elsewhere, wanted != NULL);
    if (wanted && !slice_equal(slice_skip(writer_slice(&w), 1), slice_text(wanted)))
        fail_msg("%s is not %.*s", wanted, (int)writer_used(&w), text);
    free(text);
}

static void test_locations(void **state)
{
    (void)state;
    struct rules *rules = rules_new();
    must_add(rules, (struct rule_spec){ .path = SLICE("/old/{x...}"), .redirect = SLICE("/new/{x}") });
    must_add(rules, (struct rule_spec){ .path = SLICE("/here/*"), .redirect = SLICE("/here/there"),
                                        .unless_page = true });
    must_add(rules, (struct rule_spec){ .path = SLICE("/q/{x}"), .redirect = SLICE("https://b.example/?q={x}") });
    check_location(rules, "/old/a b", "c", "/new/a%20b?c");
    check_location(rules, "/q/a&b", "c", "https://b.example/?q=a%26b&c");
    check_location(rules, "/here/x", NULL, "/here/there");
    check_location(rules, "/here/there", NULL, NULL);
    check_location(rules, "/here/there", "c", NULL);
    rules_free(rules);
}

static void test_rewritten_paths(void **state)
{
    (void)state;
    struct rules *rules = rules_new();
    must_add(rules, (struct rule_spec){ .path = SLICE("/v1/{x...}"), .rewrite = SLICE("/docs/{x}.html") });
    struct rule_match match;
    char text[64];
    struct writer w = writer_on(text, sizeof text);
    assert_non_null(rules_find(rules, SLICE("/v1/a b/\xc3\xbc"), false, &match));
    assert_true(rules_room(&match, SLICE("")) <= sizeof text);
    rules_rewritten(&match, &w);
    assert_true(slice_equal(writer_slice(&w), SLICE("/docs/a b/\xc3\xbc.html")));
    rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_rules_nothing_is_found),
        cmocka_unit_test(test_the_first_decides),
        cmocka_unit_test(test_a_pattern_before_a_path_of_its_own),
        cmocka_unit_test(test_rules_for_no_page),
        cmocka_unit_test(test_values_lie_in_the_path),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_locations),
        cmocka_unit_test(test_rewritten_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
