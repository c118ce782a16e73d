/* What a program says about a host: read into a virtual host, refused with a line that says what to write, or given up
 * where memory ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failing_memory.h"
#include "server/host_options.h"

static struct store store;
static char text[WHY_SIZE];

static bool read_into(struct vhost *vhost, const rh_host_options *options)
{
    text[0] = '\0';
    return host_options_read(vhost, options, sizeof(rh_rule), (struct why){ text, sizeof text });
}

static struct vhost *make(void)
{
    struct vhost *vhost = vhost_new(&store);
    assert_non_null(vhost);
    return vhost;
}

static bool same(struct slice slice, const char *expected)
{
    return slice_equal(slice, slice_text(expected));
}

/* ---- What is right ------------------------------------------------------------------------------------------ */

static void nothing_said(void **state)
{
    struct vhost *vhost = make();
    (void)state;
    assert_true(read_into(vhost, &(rh_host_options){ .names = NULL }));
    assert_null(vhost->names);
    assert_null(vhost->fallback);
    assert_null(vhost->config.root);
    assert_null(vhost->rules);
    assert_null(vhost->config.rules);
    assert_false(vhost->config.lists);
    assert_int_equal(vhost->config.type_count, 0);
    assert_int_equal(vhost->config.error_page_count, 0);
    vhost_free(vhost);
}

/* The program's memory is overwritten afterwards: everything has been copied. */
static void everything_said_is_copied(void **state)
{
    char names[] = "a.example", root[] = "/srv", fallback[] = "/app.html", type[] = ".mjs   text/javascript",
         second[] = "x application/x", other[] = "599 /b", path[] = "/a",
         header[] = "X-A: b";
    const char *types[] = { type, second, NULL }, *pages[] = { "404 /lost.html", other, NULL },
               *headers[] = { header, NULL };
    const rh_rule rules[] = { { .path = path, .headers = headers, .cache_control = "" },
                              { .path = "*.js", .cors = "*" } };
    struct vhost *vhost = make();
    (void)state;
    assert_true(read_into(vhost, &(rh_host_options){ .names = names, .root = root, .fallback = fallback, .list = true,
        .rules = rules, .rule_count = 2, .types = types, .error_pages = pages }));
    char *const copied[] = { names, root, fallback, type, second, other, path, header };
    for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++)
        memset(copied[i], '!', strlen(copied[i]));

    const struct site_config *config = &vhost->config;
    assert_string_equal(vhost->names, "a.example");
    assert_string_equal(config->root, "/srv");
    assert_string_equal(vhost->fallback, "/app.html");
    assert_true(config->lists);
    assert_int_equal(config->type_count, 2);
    assert_true(same(config->types[0].ending, "mjs") && same(config->types[0].type, "text/javascript"));
    assert_true(same(config->types[1].ending, "x") && same(config->types[1].type, "application/x"));
    assert_int_equal(config->error_page_count, 2);
    assert_int_equal(config->error_pages[0].status, 404);
    assert_true(same(config->error_pages[0].path, "/lost.html"));
    assert_int_equal(config->error_pages[1].status, 599);
    assert_true(same(config->error_pages[1].path, "/b"));

    assert_ptr_equal(config->rules, vhost->rules);
    assert_int_equal(rules_count(vhost->rules), 2);
    const struct rule *rule = rules_at(vhost->rules, 0);
    assert_true(same(rule->path->text, "/a"));
    assert_int_equal(rule->field_count, 1);
    assert_true(same(rule->fields[0].name, "X-A") && same(rule->fields[0].value, "b"));
    assert_non_null(rule->cache_control.data);
    assert_int_equal(rule->cache_control.size, 0);
    assert_null(rule->basic_auth.data);
    assert_true(rules_at(vhost->rules, 1)->cors.any);
    assert_null(rules_at(vhost->rules, 1)->cache_control.data);
    vhost_free(vhost);
}

/* More than the host has in itself. */
static void as_many_as_one_likes(void **state)
{
    enum { MANY = 2000 };
    static char texts[MANY][32];
    static const char *types[MANY + 1];
    struct vhost *vhost = make();
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "e%zu a/b%zu", i, i);
        types[i] = texts[i];
    }
    assert_true(read_into(vhost, &(rh_host_options){ .types = types }));
    assert_int_equal(vhost->config.type_count, MANY);
    assert_true(same(vhost->config.types[0].ending, "e0"));
    assert_true(same(vhost->config.types[MANY - 1].type, "a/b1999"));
    vhost_free(vhost);
}

/* ---- What is wrong ------------------------------------------------------------------------------------------ */

#define A_TYPE ": a type is an ending and a media type; write \"mjs text/javascript\""
#define A_PAGE ": an error page is a status and a path; write \"404 /lost.html\""
#define A_FALLBACK "a fallback is the path of a page; write \"/index.html\""

static void refuses(const rh_host_options *options, const char *why)
{
    struct vhost *vhost = make();
    assert_false(read_into(vhost, options));
    assert_string_equal(text, why);
    vhost_free(vhost);
}

static void mistakes_in_types(void **state)
{
    static const char *const wrong[] = { "mjs", "mjs ", " text/javascript", "mjs javascript", "mjs text/a\x01" };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char why[128];
        const char *types[] = { "a b/c", wrong[i], NULL };
        snprintf(why, sizeof why, "%s" A_TYPE, wrong[i]);
        for (char *c = why; *c; c++)
            *c = *c == '\x01' ? '?' : *c;
        refuses(&(rh_host_options){ .types = types }, why);
    }
    refuses(&(rh_host_options){ .types = (const char *const[]){ "", NULL } },
            "a type is an ending and a media type; write \"mjs text/javascript\"");
    refuses(&(rh_host_options){ .types = (const char *const[]){ ". text/plain", NULL } }, ". text/plain" A_TYPE);
    refuses(&(rh_host_options){ .types = (const char *const[]){ "a text/", NULL } }, "a text/" A_TYPE);
    refuses(&(rh_host_options){ .types = (const char *const[]){ "a /plain", NULL } }, "a /plain" A_TYPE);
}

static void mistakes_in_error_pages(void **state)
{
    static const char *const wrong[] = { "404", "404 ", "404 lost.html", " /lost.html", "40 /a", "4040 /a", "4x4 /a",
                                         "x04 /a", "399 /a", "600 /a", "000 /a", "-04 /a" };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char why[128];
        const char *pages[] = { "400 /", wrong[i], NULL };
        snprintf(why, sizeof why, "%s" A_PAGE, wrong[i]);
        refuses(&(rh_host_options){ .error_pages = pages }, why);
    }
}

static void mistakes_in_the_rest(void **state)
{
    const rh_rule without_path[] = { { .path = "/a" }, { .redirect = "/b" } };
    const rh_rule twice[] = { { .path = "/a" }, { .path = "/a" } };
    const rh_rule no_path = { .path = "a" };
    char why[WHY_SIZE];
    (void)state;
    refuses(&(rh_host_options){ .fallback = "index.html" }, "index.html: " A_FALLBACK);
    refuses(&(rh_host_options){ .fallback = "" }, A_FALLBACK);
    refuses(&(rh_host_options){ .rules = without_path, .rule_count = 2 },
            "a rule: it has no path; write one, such as \"/*\"");
    refuses(&(rh_host_options){ .rules = twice, .rule_count = 2 },
            "/a: there is a rule for it already; the first one decides, so remove one of them");

    struct rules *rules = rules_new(); /* what is wrong with a rule by itself is said as rules says it */
    assert_false(rules_add(rules, &(struct rule_spec){ .path = SLICE("a") }, (struct why){ why, sizeof why }));
    rules_free(rules);
    refuses(&(rh_host_options){ .rules = &no_path, .rule_count = 1 }, why);
}

/* ---- Older programs ----------------------------------------------------------------------------------------- */

static void rules_that_are_shorter(void **state)
{
    struct { const char *path; } rules[] = { { "/a" }, { "/b" } };
    struct vhost *vhost = make();
    (void)state;
    const rh_host_options options = { .rules = (const rh_rule *)rules, .rule_count = 2 };
    assert_true(host_options_read(vhost, &options, sizeof rules[0], (struct why){ text, sizeof text }));
    assert_int_equal(rules_count(vhost->rules), 2);
    assert_true(same(rules_at(vhost->rules, 1)->path->text, "/b"));
    assert_int_equal(rules_at(vhost->rules, 1)->action, RULE_PASS);
    vhost_free(vhost);
}

static void rules_that_are_longer(void **state)
{
    struct { rh_rule rule; const char *more[3]; } rules[] = { { .rule.path = "/a" }, { .rule.path = "/b" } };
    struct vhost *vhost = make();
    (void)state;
    const rh_host_options options = { .rules = &rules[0].rule, .rule_count = 2 };
    assert_true(host_options_read(vhost, &options, sizeof rules[0], (struct why){ text, sizeof text }));
    assert_true(same(rules_at(vhost->rules, 1)->path->text, "/b"));
    vhost_free(vhost);
}

/* ---- Memory that ends --------------------------------------------------------------------------------------- */

/* At each of the places where some is taken in turn. */
static void memory_that_ends(void **state)
{
    static char long_text[3000];
    memset(long_text, 'a', sizeof long_text - 1);
    const char *types[] = { "a b/c", NULL }, *pages[] = { "404 /a", NULL }, *headers[] = { "A: b", NULL };
    const rh_rule rules[] = { { .path = "/a", .headers = headers } };
    const rh_host_options options = { .names = long_text, .root = long_text, .fallback = "/a", .rules = rules,
                                      .rule_count = 1, .types = types, .error_pages = pages };
    bool done = false;
    (void)state;
    for (long granted = 0; !done; granted++) {
        struct vhost *vhost = make();
        allocations_left = granted;
        done = read_into(vhost, &options);
        allocations_left = -1;
        assert_true(done || strstr(text, "memory"));
        assert_true(granted < 100);
        assert_true(!done || granted > 4); /* two long texts, the rules, a rule's headers, the rule */
        vhost_free(vhost);
    }
}

/* Of one kind after another, so that each of them is the first which finds no room. */
static void memory_that_ends_for_each(void **state)
{
    static char type[3000] = "mjs text/", page[3000] = "404 /", path[3000] = "/";
    memset(type + 9, 'a', sizeof type - 10);
    memset(page + 5, 'a', sizeof page - 6);
    memset(path + 1, 'a', sizeof path - 2);
    const char *const one_type[] = { type, NULL }, *const one_page[] = { page, NULL };
    const char *many[400] = { NULL };
    for (size_t i = 0; i + 1 < sizeof many / sizeof many[0]; i++)
        many[i] = "404 /";
    const rh_host_options options[] = { { .names = path }, { .root = path }, { .fallback = path },
        { .types = one_type }, { .error_pages = one_page }, { .types = many }, { .error_pages = many } };
    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct vhost *vhost = make();
        allocations_left = 0;
        bool made = read_into(vhost, &options[i]);
        allocations_left = -1;
        assert_false(made);
        assert_string_equal(text, "out of memory");
        vhost_free(vhost);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said),
        cmocka_unit_test(everything_said_is_copied),
        cmocka_unit_test(as_many_as_one_likes),
        cmocka_unit_test(mistakes_in_types),
        cmocka_unit_test(mistakes_in_error_pages),
        cmocka_unit_test(mistakes_in_the_rest),
        cmocka_unit_test(rules_that_are_shorter),
        cmocka_unit_test(rules_that_are_longer),
        cmocka_unit_test(memory_that_ends),
        cmocka_unit_test(memory_that_ends_for_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
