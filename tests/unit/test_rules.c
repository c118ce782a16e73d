/* Rules as they are added: what becomes of one, which are refused for what is in them or for their company, and that
 * running out of memory leaves all as it was. Which rule a path finds: test_rules_find.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "serve/rule_field.h"
#include "serve/rules.h"

/* ---- What becomes of a rule ---- */

#define TEXT(literal) SLICE_INIT(literal)

static struct rules *fresh(void)
{
    struct rules *rules = rules_new();
    assert_non_null(rules);
    return rules;
}

static void must_add(struct rules *rules, const struct rule_spec *spec)
{
    char why[WHY_SIZE] = "";
    if (!rules_add(rules, spec, (struct why){ why, sizeof why }))
        fail_msg("%s", why);
}

static void test_a_rule_is_copied_whole(void **state)
{
    (void)state;
    char path[] = "/a/{x}", redirect[] = "/b/{x}", caching[] = "no-store", cors[] = "https://a", file[] = "/etc/users";
    char header[] = "X-A: b";
    struct slice headers[] = { slice_text(header), SLICE("X-A:") };
    struct rule_spec spec = { slice_text(path), slice_text(redirect), { NULL, 0 }, 308, slice_text(caching), headers, 2,
                              slice_text(cors), slice_text(file), true };
    struct rules *rules = fresh();
    must_add(rules, &spec);
    memset(path, '#', sizeof path);
    memset(redirect, '#', sizeof redirect);
    memset(caching, '#', sizeof caching);
    memset(cors, '#', sizeof cors);
    memset(file, '#', sizeof file);
    memset(header, '#', sizeof header);

    assert_int_equal(rules_count(rules), 1);
    const struct rule *rule = rules_at(rules, 0);
    assert_true(slice_equal(rule->path->text, SLICE("/a/{x}")));
    assert_int_equal(rule->action, RULE_REDIRECT);
    assert_int_equal(rule->status, 308);
    assert_int_equal(rule->place, 0);
    assert_true(rule->unless_page);
    assert_true(slice_equal(rule->target, SLICE("/b/{x}")));
    assert_true(slice_equal(rule->cache_control, SLICE("no-store")));
    assert_true(slice_equal(rule->basic_auth, SLICE("/etc/users")));
    assert_true(slice_equal(rule->cors.origins, SLICE("https://a")));
    assert_int_equal(rule->cors.count, 1);
    assert_int_equal(rule->field_count, 2);
    assert_true(slice_equal(rule->fields[0].name, SLICE("X-A")));
    assert_true(slice_equal(rule->fields[0].value, SLICE("b")));
    assert_true(slice_equal(rule->fields[1].name, SLICE("X-A")));
    assert_int_equal(rule->fields[1].value.size, 0);
    rules_free(rules);
}

static void test_what_is_absent_stays_so(void **state)
{
    (void)state;
    struct rules *rules = fresh();
    must_add(rules, &(struct rule_spec){ .path = TEXT("/a") });
    const struct rule *rule = rules_at(rules, 0);
    assert_int_equal(rule->action, RULE_PASS);
    assert_int_equal(rule->status, 0);
    assert_false(rule->unless_page);
    assert_null(rule->target.data);
    assert_null(rule->cache_control.data);
    assert_null(rule->basic_auth.data);
    assert_int_equal(rule->cors.count, 0);
    assert_int_equal(rule->field_count, 0);

    must_add(rules, &(struct rule_spec){ .path = TEXT("/b"), .cache_control = TEXT("") });
    rule = rules_at(rules, 1);
    assert_non_null(rule->cache_control.data);
    assert_int_equal(rule->cache_control.size, 0);
    rules_free(rules);
}

static void test_cache_control_among_the_fields(void **state)
{
    (void)state;
    struct slice headers[] = { SLICE("X-A: b"), SLICE("cache-control: max-age=60") };
    struct rules *rules = fresh();
    must_add(rules, &(struct rule_spec){ .path = TEXT("/a"), .headers = headers, .header_count = 2 });
    assert_int_equal(rules_at(rules, 0)->field_count, 1);
    assert_true(slice_equal(rules_at(rules, 0)->cache_control, SLICE("max-age=60")));
    headers[1] = SLICE("Cache-Control:");
    must_add(rules, &(struct rule_spec){ .path = TEXT("/b"), .headers = headers, .header_count = 2 });
    assert_non_null(rules_at(rules, 1)->cache_control.data);
    assert_int_equal(rules_at(rules, 1)->cache_control.size, 0);
    rules_free(rules);
}

static void test_actions_and_statuses(void **state)
{
    static const struct {
        struct rule_spec spec;
        enum rule_action action;
        unsigned status; /* 0 where `why` */
        const char *why;
    } rows[] = {
        { { .redirect = TEXT("/b") }, RULE_REDIRECT, 301, NULL },
        { { .redirect = TEXT("/b"), .status = 301 }, RULE_REDIRECT, 301, NULL },
        { { .redirect = TEXT("/b"), .status = 302 }, RULE_REDIRECT, 302, NULL },
        { { .redirect = TEXT("/b"), .status = 303 }, RULE_REDIRECT, 303, NULL },
        { { .redirect = TEXT("/b"), .status = 307 }, RULE_REDIRECT, 307, NULL },
        { { .redirect = TEXT("/b"), .status = 308 }, RULE_REDIRECT, 308, NULL },
        { { .redirect = TEXT("/b"), .status = 300 }, RULE_REDIRECT, 0,
          "/a: 300 is not a redirect's status; write 301, 302, 303, 307 or 308" },
        { { .redirect = TEXT("/b"), .status = 200 }, RULE_REDIRECT, 0,
          "/a: 200 is not a redirect's status; write 301, 302, 303, 307 or 308" },
        { { .redirect = TEXT("/b"), .status = 404 }, RULE_REDIRECT, 0,
          "/a: 404 is not a redirect's status; write 301, 302, 303, 307 or 308" },
        { { .redirect = TEXT("/b"), .status = 65837 }, RULE_REDIRECT, 0,
          "/a: 65837 is not a redirect's status; write 301, 302, 303, 307 or 308" },
        { { .redirect = TEXT("/b"), .rewrite = TEXT("/c") }, RULE_REDIRECT, 0,
          "/a: a path is redirected or rewritten, not both; remove one" },
        { { .redirect = TEXT("b") }, RULE_REDIRECT, 0,
          "/a: it redirects to a path, which begins with /, or to a URL, which begins with https://" },
        { { .redirect = TEXT("") }, RULE_REDIRECT, 0,
          "/a: it redirects to a path, which begins with /, or to a URL, which begins with https://" },
        { { .rewrite = TEXT("/b") }, RULE_REWRITE, 200, NULL },
        { { .rewrite = TEXT("/b"), .status = 200 }, RULE_REWRITE, 200, NULL },
        { { .rewrite = TEXT("/b"), .status = 404 }, RULE_REWRITE, 404, NULL },
        { { .rewrite = TEXT("/b"), .status = 301 }, RULE_REWRITE, 0,
          "/a: 301 is not a rewrite's status; write 200, or 403, 404, 410 or 451" },
        { { .rewrite = TEXT("b") }, RULE_REWRITE, 0, "/a: a rewrite leads to a path, which begins with /" },
        { { .status = 403 }, RULE_ERROR, 403, NULL },
        { { .status = 404 }, RULE_ERROR, 404, NULL },
        { { .status = 410 }, RULE_ERROR, 410, NULL },
        { { .status = 451 }, RULE_ERROR, 451, NULL },
        { { .status = 308 }, RULE_ERROR, 0, "/a: it does not say where to; write a redirect beside status 308" },
        { { .status = 200 }, RULE_ERROR, 0, "/a: 200 is not an error's status here; write 403, 404, 410 or 451" },
        { { .status = 500 }, RULE_ERROR, 0, "/a: 500 is not an error's status here; write 403, 404, 410 or 451" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[WHY_SIZE] = "";
        struct rules *rules = fresh();
        struct rule_spec spec = rows[i].spec;
        spec.path = SLICE("/a");
        assert_int_equal(rules_add(rules, &spec, (struct why){ why, sizeof why }), rows[i].why == NULL);
        assert_int_equal(rules_count(rules), rows[i].why == NULL);
        if (rows[i].why) {
            assert_string_equal(why, rows[i].why);
        } else {
            assert_int_equal(rules_at(rules, 0)->action, rows[i].action);
            assert_int_equal(rules_at(rules, 0)->status, rows[i].status);
        }
        rules_free(rules);
    }
}

/* ---- What is refused ---- */

static void refuses(struct rules *rules, struct rule_spec spec, const char *wanted)
{
    char why[WHY_SIZE] = "";
    size_t count = rules_count(rules);
    assert_false(rules_add(rules, &spec, (struct why){ why, sizeof why }));
    assert_string_equal(why, wanted);
    assert_int_equal(rules_count(rules), count);
}

static void test_bad_parts_are_explained(void **state)
{
    (void)state;
    struct rules *rules = fresh();
    refuses(rules, (struct rule_spec){ .path = TEXT("a") }, "a: a path begins with a slash; write /a");
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .cache_control = TEXT("a\nb") },
            "/a: its cache_control is not the value of a field; write for example max-age=3600");
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .cache_control = TEXT(" a") },
            "/a: its cache_control is not the value of a field; write for example max-age=3600");
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .cors = TEXT("app.example") },
            "/a: app.example: an origin is a scheme and a host; write for example https://app.example");
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .cors = TEXT("") },
            "/a: there is no origin; write for example https://app.example, or * for all");
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .basic_auth = TEXT("") },
            "/a: basic_auth names no file; write the path of one with name:hash lines");
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .basic_auth = TEXT("a\0b") },
            "/a: the name of a file has no NUL in it");
    static char big[RULE_FIELD_SIZE_MAX + 1];
    memset(big, 'a', sizeof big);
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .cache_control = slice_make(big, sizeof big) },
            "/a: its cache_control is not the value of a field; write for example max-age=3600");
    rules_free(rules);
}

static void test_bad_fields_are_explained(void **state)
{
    (void)state;
    struct rules *rules = fresh();
    struct slice two[] = { SLICE("X: a"), SLICE("ETag: b") };
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .headers = two, .header_count = 2 },
            "/a: ETag: it follows from the file that is sent, so the server writes it itself");
    two[0] = two[1] = SLICE("Cache-Control: a");
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .headers = two, .header_count = 2 },
            "/a: its Cache-Control is said twice; remove one");
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .cache_control = TEXT(""), .headers = two,
                                       .header_count = 1 },
            "/a: its Cache-Control is said twice; remove one");
    two[0] = two[1] = SLICE("Content-Type: text/plain");
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .headers = two, .header_count = 2 },
            "/a: its Content-Type is said twice; remove one");
    two[0] = SLICE("access-control-allow-origin: *");
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .headers = two, .header_count = 1, .cors = TEXT("*") },
            "/a: cors says which origins may read it; remove that or access-control-allow-origin");
    must_add(rules, &(struct rule_spec){ .path = TEXT("/a"), .headers = two, .header_count = 2 });

    struct slice many[RULE_FIELDS_MAX + 1];
    for (unsigned i = 0; i <= RULE_FIELDS_MAX; i++)
        many[i] = SLICE("X: y");
    must_add(rules, &(struct rule_spec){ .path = TEXT("/b"), .headers = many, .header_count = RULE_FIELDS_MAX });
    refuses(rules, (struct rule_spec){ .path = TEXT("/c"), .headers = many, .header_count = RULE_FIELDS_MAX + 1 },
            "/c: it has more than 32 fields");
    rules_free(rules);
}

static void test_a_rule_that_is_never_reached_is_refused(void **state)
{
    (void)state;
    struct rules *rules = fresh();
    must_add(rules, &(struct rule_spec){ .path = TEXT("/a") });
    must_add(rules, &(struct rule_spec){ .path = TEXT("/assets/*") });
    must_add(rules, &(struct rule_spec){ .path = TEXT("*.js") });
    refuses(rules, (struct rule_spec){ .path = TEXT("/a") },
            "/a: there is a rule for it already; the first one decides, so remove one of them");
    refuses(rules, (struct rule_spec){ .path = TEXT("/assets/*") },
            "/assets/*: there is a rule for it already; the first one decides, so remove one of them");
    refuses(rules, (struct rule_spec){ .path = TEXT("/assets/x") },
            "/assets/x: nothing gets to this rule, because /assets/* stands before it; put it above that one");
    refuses(rules, (struct rule_spec){ .path = TEXT("/x/y.js") },
            "/x/y.js: nothing gets to this rule, because *.js stands before it; put it above that one");
    refuses(rules, (struct rule_spec){ .path = TEXT("/assets/{x}/y") },
            "/assets/{x}/y: nothing gets to this rule, because /assets/* stands before it; put it above that one");
    must_add(rules, &(struct rule_spec){ .path = TEXT("/*") });
    refuses(rules, (struct rule_spec){ .path = TEXT("*.css") },
            "*.css: nothing gets to this rule, because /* stands before it; put it above that one");
    rules_free(rules);
}

static void test_rules_for_no_page_hide_only_their_like(void **state)
{
    (void)state;
    struct rules *rules = fresh();
    must_add(rules, &(struct rule_spec){ .path = TEXT("/a"), .unless_page = true });
    must_add(rules, &(struct rule_spec){ .path = TEXT("/b/*"), .unless_page = true });
    refuses(rules, (struct rule_spec){ .path = TEXT("/a"), .unless_page = true },
            "/a: there is a rule for it already; the first one decides, so remove one of them");
    refuses(rules, (struct rule_spec){ .path = TEXT("/b/c/*"), .unless_page = true },
            "/b/c/*: nothing gets to this rule, because /b/* stands before it; put it above that one");
    must_add(rules, &(struct rule_spec){ .path = TEXT("/a") });
    must_add(rules, &(struct rule_spec){ .path = TEXT("/b/c/*") });
    must_add(rules, &(struct rule_spec){ .path = TEXT("/b/c") });
    refuses(rules, (struct rule_spec){ .path = TEXT("/a") },
            "/a: there is a rule for it already; the first one decides, so remove one of them");
    refuses(rules, (struct rule_spec){ .path = TEXT("/b/c/d"), .unless_page = true },
            "/b/c/d: nothing gets to this rule, because /b/* stands before it; put it above that one");
    rules_free(rules);
}

/* ---- Circles ---- */

#define CIRCLE ", and from there in a circle, or on and on"

static void test_redirects_that_never_end_are_refused(void **state)
{
    static const struct {
        struct slice before[2][2], rule[2];
        const char *why; /* NULL: it is none */
    } rows[] = {
        { .rule = { TEXT("/a"), TEXT("/a") }, .why = "/a: it leads to /a" CIRCLE },
        { .rule = { TEXT("/a"), TEXT("/%61?b#c") }, .why = "/a: it leads to /%61?b#c" CIRCLE },
        { .rule = { TEXT("/a"), TEXT("/b/../a") }, .why = "/a: it leads to /b/../a" CIRCLE },
        { .rule = { TEXT("/*"), TEXT("/index.html") }, .why = "/*: it leads to /index.html" CIRCLE },
        { .rule = { TEXT("/blog/*"), TEXT("/blog/") }, .why = "/blog/*: it leads to /blog/" CIRCLE },
        { .rule = { TEXT("*.html"), TEXT("/a.html") }, .why = "*.html: it leads to /a.html" CIRCLE },
        { .rule = { TEXT("/{x}"), TEXT("/{x}") }, .why = "/{x}: it leads to /{x}" CIRCLE },
        { .rule = { TEXT("/{x}"), TEXT("/b") }, .why = "/{x}: it leads to /b" CIRCLE },
        { .rule = { TEXT("/{x...}"), TEXT("/b/{x}") }, .why = "/{x...}: it leads to /b/{x}" CIRCLE },
        { .rule = { TEXT("/a/{x...}"), TEXT("/a/{x}/{x}") }, .why = "/a/{x...}: it leads to /a/{x}/{x}" CIRCLE },
        { .before = { { TEXT("/a"), TEXT("/b") } }, .rule = { TEXT("/b"), TEXT("/a") },
          .why = "/b: it leads to /a" CIRCLE },
        { .before = { { TEXT("/en/{x...}"), TEXT("/de/{x}") }, { TEXT("/de/{x...}"), TEXT("/fr/{x}") } },
          .rule = { TEXT("/fr/{y...}"), TEXT("/en/{y}?again") },
          .why = "/fr/{y...}: it leads to /en/{y}?again" CIRCLE },
        { .rule = { TEXT("/blog/*"), TEXT("/blog") } },
        { .rule = { TEXT("/a"), TEXT("https://b.example/a") } },
        { .rule = { TEXT("/*"), TEXT("https://b.example/") } },
        { .rule = { TEXT("/a"), TEXT("/%2e%2e/b") } },
        { .rule = { TEXT("/old/{x...}"), TEXT("/{x}") } },
        { .rule = { TEXT("/{x}"), TEXT("/{x}/") } },
        { .rule = { TEXT("/{x}"), TEXT("/b/{x}") } },
        { .before = { { TEXT("/a"), TEXT("/b") } }, .rule = { TEXT("/b"), TEXT("/c") } },
        { .before = { { TEXT("/a/value"), TEXT("/c") } }, .rule = { TEXT("/{x}/{y}"), TEXT("/a/{y}") } },
        { .before = { { TEXT("/index.html"), TEXT("") } }, .rule = { TEXT("/*"), TEXT("/index.html") } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rules *rules = fresh();
        for (unsigned k = 0; k < 2 && rows[i].before[k][0].size > 0; k++) {
            struct rule_spec spec = { .path = rows[i].before[k][0] };
            if (rows[i].before[k][1].size > 0)
                spec.redirect = rows[i].before[k][1];
            must_add(rules, &spec);
        }
        struct rule_spec spec = { .path = rows[i].rule[0], .redirect = rows[i].rule[1] };
        if (rows[i].why)
            refuses(rules, spec, rows[i].why);
        else
            must_add(rules, &spec);
        rules_free(rules);
    }
}

static void test_a_target_that_grows_is_refused(void **state)
{
    (void)state;
    static char target[1200];
    memset(target, 'b', sizeof target);
    memcpy(target, "/a/", 3);
    memcpy(target + sizeof target - 4, "/{x}", 4);
    struct rules *rules = fresh();
    char why[WHY_SIZE] = "";
    struct rule_spec spec = { .path = TEXT("/a/{x...}"), .redirect = slice_make(target, sizeof target) };
    assert_false(rules_add(rules, &spec, (struct why){ why, sizeof why }));
    assert_int_equal(rules_count(rules), 0);
    rules_free(rules);
}

static void test_a_page_breaks_a_circle(void **state)
{
    (void)state;
    struct rules *rules = fresh();
    must_add(rules, &(struct rule_spec){ .path = TEXT("/*"), .redirect = TEXT("/index.html"), .unless_page = true });
    must_add(rules, &(struct rule_spec){ .path = TEXT("/a"), .redirect = TEXT("/b"), .status = 302 });
    must_add(rules, &(struct rule_spec){ .path = TEXT("/b/*"), .redirect = TEXT("/c") });
    rules_free(rules);
}

static void test_long_chains_at_their_edge(void **state)
{
    (void)state;
    struct rules *rules = fresh();
    char path[32], target[32], why[WHY_SIZE] = "";
    for (unsigned i = 0; i <= RULES_HOPS_MAX; i++) {
        snprintf(path, sizeof path, "/%u", i);
        snprintf(target, sizeof target, i == 0 ? "/end" : "/%u", i - 1);
        struct rule_spec spec = { .path = slice_text(path), .redirect = slice_text(target) };
        assert_int_equal(rules_add(rules, &spec, (struct why){ why, sizeof why }), i < RULES_HOPS_MAX);
    }
    assert_string_equal(why, "/20: it leads to /19" CIRCLE);
    rules_free(rules);
}

/* ---- Limits and memory ---- */

static void test_the_number_of_rules_at_its_edge(void **state)
{
    (void)state;
    struct rules *rules = fresh();
    char path[32];
    for (unsigned i = 0; i < RULES_MAX; i++) {
        snprintf(path, sizeof path, i < RULES_PATTERNS_MAX ? "/%u/*" : "/%u", i);
        if (i == RULES_PATTERNS_MAX)
            refuses(rules, (struct rule_spec){ .path = TEXT("/x/*") },
                    "/x/*: there are 1000 rules with a star or a {name} before it, and no more than that");
        must_add(rules, &(struct rule_spec){ .path = slice_text(path) });
    }
    refuses(rules, (struct rule_spec){ .path = TEXT("/x") },
            "/x: there are 10000 rules before it, and no more than that");
    rules_free(rules);
}

static void test_no_memory(void **state)
{
    (void)state;
    allocations_left = 0;
    assert_null(rules_new());
    allocations_left = -1;
    rules_free(NULL);

    struct rules *rules = fresh();
    char path[32];
    for (unsigned i = 0; i < 40; i++) {
        char why[WHY_SIZE] = "";
        struct rule_match match;
        snprintf(path, sizeof path, i % 2 ? "/%u/{x}" : "/%u", i);
        struct rule_spec spec = { .path = slice_text(path), .cache_control = TEXT("no-store") };
        for (long left = 0;; left++) {
            allocations_left = left;
            bool added = rules_add(rules, &spec, (struct why){ why, sizeof why });
            allocations_left = -1;
            if (added)
                break;
            assert_string_equal(why, "there is no memory for another rule");
            assert_int_equal(rules_count(rules), i);
            assert_null(rules_search(rules, slice_text(i % 2 ? "/39/x" : path), false, &match));
        }
        assert_non_null(rules_search(rules, SLICE("/0"), false, &match));
        assert_int_equal(rules_count(rules), i + 1);
    }
    rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rule_is_copied_whole),
        cmocka_unit_test(test_what_is_absent_stays_so),
        cmocka_unit_test(test_cache_control_among_the_fields),
        cmocka_unit_test(test_actions_and_statuses),
        cmocka_unit_test(test_bad_parts_are_explained),
        cmocka_unit_test(test_bad_fields_are_explained),
        cmocka_unit_test(test_a_rule_that_is_never_reached_is_refused),
        cmocka_unit_test(test_rules_for_no_page_hide_only_their_like),
        cmocka_unit_test(test_redirects_that_never_end_are_refused),
        cmocka_unit_test(test_a_target_that_grows_is_refused),
        cmocka_unit_test(test_a_page_breaks_a_circle),
        cmocka_unit_test(test_long_chains_at_their_edge),
        cmocka_unit_test(test_the_number_of_rules_at_its_edge),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
