/* The path of a rule: which are accepted, what is said of the others, what matches, what is covered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/writer.h"
#include "serve/rule_path.h"

static bool malloc_fails;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return malloc_fails ? NULL : __real_malloc(size);
}

/* From memory of its own size, so that reading beyond it is noticed, and gone before the path is used. */
static struct rule_path *make(struct slice text, char *why)
{
    char *copy = __real_malloc(text.size + (text.size == 0));
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    struct rule_path *made = rule_path_new(slice_make(copy, text.size), (struct why){ why, why ? WHY_SIZE : 0 });
    free(copy);
    return made;
}

static void test_bad_paths_are_explained(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "there is no path; write / for that of the first page" },
        { "about", "about: a path begins with a slash; write /about" },
        { "{name}", "{name}: a path begins with a slash; write /{name}" },
        { "*", "*: write /* for every path, or *.js for all that end so" },
        { "/a/*/b", "/a/*/b: a star takes all that is beneath, slashes too, so nothing but a name's ending follows it; "
                    "for one segment write {name}" },
        { "*/b", "*/b: a star takes all that is beneath, slashes too, so nothing but a name's ending follows it; "
                 "for one segment write {name}" },
        { "/*/*", "/*/*: there is more than one star; write {name} for one segment" },
        { "/**", "/**: there is more than one star; write {name} for one segment" },
        { "/{a}/*/*", "/{a}/*/*: there is more than one star; write {name} for one segment" },
        { "/{a}/x*", "/{a}/x*: beside {name} a star stands alone at the end, behind a slash" },
        { "/{a}/*.js", "/{a}/*.js: beside {name} a star stands alone at the end, behind a slash" },
        { "/*/{a}", "/*/{a}: beside {name} a star stands alone at the end, behind a slash" },
        { "/{a...}/*", "/{a...}/*: {a...} takes all the rest, so it comes last" },
        { "/{a*}", "/{a*}: a parameter has a name of letters, digits, _ and -; write for example {id} or {rest...}" },
        { "/a?b", "/a?b: a pattern is of the path alone; it ends before the ?" },
        { "/a%2fb", "/a%2fb: %2f is compared with the decoded path; write the character that it stands for" },
        { "/a/../b", "/a/../b: the segments . and .. are resolved before a path is looked up; leave them out" },
        { "//a", "//a: there are two slashes side by side; write one" },
        { "/a\nb", "/a?b: there is a control character in the path" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[WHY_SIZE] = "";
        assert_null(make(slice_text(rows[i].text), why));
        assert_string_equal(why, rows[i].why);
    }
}

static void test_the_size_at_its_edge(void **state)
{
    char text[RULE_PATH_SIZE_MAX + 1], why[WHY_SIZE] = "";
    (void)state;
    memset(text, 'a', sizeof text);
    text[0] = '/';
    struct rule_path *path = make(slice_make(text, RULE_PATH_SIZE_MAX), why);
    assert_non_null(path);
    free(path);
    assert_null(make(slice_make(text, RULE_PATH_SIZE_MAX + 1), why));
    assert_non_null(strstr(why, "the path is longer than 1024 bytes"));
    assert_null(make(slice_make(text, RULE_PATH_SIZE_MAX + 1), NULL));
}

static void test_no_memory(void **state)
{
    char why[WHY_SIZE] = "";
    (void)state;
    malloc_fails = true;
    struct rule_path *path = make(SLICE("/a"), why);
    malloc_fails = false;
    assert_null(path);
    assert_string_equal(why, "there is no memory for another rule");
}

static void test_what_it_is_made_of(void **state)
{
    static const struct {
        const char *text;
        enum rule_path_kind kind;
        const char *prefix, *suffix;
        unsigned param_count;
    } rows[] = {
        { "/", RULE_PATH_EXACT, "/", "", 0 },
        { "/about.html", RULE_PATH_EXACT, "/about.html", "", 0 },
        { "/*", RULE_PATH_STAR, "/", "", 0 },
        { "/assets/*", RULE_PATH_STAR, "/assets/", "", 0 },
        { "/assets*", RULE_PATH_STAR, "/assets", "", 0 },
        { "/assets/*.js", RULE_PATH_STAR, "/assets/", ".js", 0 },
        { "*.js", RULE_PATH_STAR, "", ".js", 0 },
        { "/old/{rest...}", RULE_PATH_SEGMENTS, "/old/", "", 1 },
        { "/old/{a}/x/{b}", RULE_PATH_SEGMENTS, "/old/", "", 2 },
        { "/{a}/*", RULE_PATH_SEGMENTS, "/", "", 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rule_path *path = make(slice_text(rows[i].text), NULL);
        assert_non_null(path);
        assert_int_equal(path->kind, rows[i].kind);
        assert_true(slice_equal(path->text, slice_text(rows[i].text)));
        assert_true(slice_equal(path->prefix, slice_text(rows[i].prefix)));
        assert_true(slice_equal(path->suffix, slice_text(rows[i].suffix)));
        assert_int_equal(path->param_count, rows[i].param_count);
        free(path);
    }
}

static void test_parameters_have_their_places(void **state)
{
    (void)state;
    struct rule_path *path = make(SLICE("/a/{x}/{y}/b/{z...}"), NULL);
    assert_int_equal(rule_path_param(path, SLICE("x")), 0);
    assert_int_equal(rule_path_param(path, SLICE("y")), 1);
    assert_int_equal(rule_path_param(path, SLICE("z")), 2);
    assert_int_equal(rule_path_param(path, SLICE("a")), -1);
    assert_int_equal(rule_path_param(path, SLICE("")), -1);
    free(path);
    path = make(SLICE("/{x}/*"), NULL);
    assert_int_equal(rule_path_param(path, SLICE("x")), 0);
    assert_int_equal(rule_path_param(path, SLICE("")), -1);
    free(path);
}

static void test_matches(void **state)
{
    static const struct {
        const char *text, *path, *values; /* NULL: no match; else the values, each with a ';' behind it */
    } rows[] = {
        { "/", "/", "" }, { "/", "/a", NULL }, { "/", "", NULL },
        { "/about", "/about", "" }, { "/about", "/about/", NULL }, { "/about", "/abou", NULL },
        { "/about", "/About", NULL },
        { "/*", "/", "" }, { "/*", "/a/b/c", "" }, { "/*", "", NULL },
        { "/assets/*", "/assets/", "" }, { "/assets/*", "/assets/a/b.js", "" }, { "/assets/*", "/assets", NULL },
        { "/assets/*", "/assetsx/", NULL }, { "/assets/*", "/a", NULL },
        { "/assets*", "/assets", "" }, { "/assets*", "/assets2/x", "" },
        { "*.js", "/a.js", "" }, { "*.js", "/a/b/c.min.js", "" }, { "*.js", "/.js", "" }, { "*.js", "/a.js/", NULL },
        { "*.js", "/a.jsx", NULL }, { "*.js", "/js", NULL },
        { "/a/*.js", "/a/b/c.js", "" }, { "/a/*.js", "/a/.js", "" }, { "/a/*.js", "/b/c.js", NULL },
        { "/ab*ba", "/aba", NULL }, { "/ab*ba", "/abba", "" },
        { "/old/{name}/x", "/old/y/x", "y;" }, { "/old/{name}/x", "/old//x", NULL },
        { "/old/{name}/x", "/old/y/z/x", NULL }, { "/old/{name}/x", "/old/y/x/", NULL },
        { "/old/{name}/x", "/old/y", NULL }, { "/old/{name}/x", "/old/y/", NULL }, { "/old/{name}/x", "/old", NULL },
        { "/old/{name}/x", "/olx/y/x", NULL },
        { "/{a}/{b}", "/x/y", "x;y;" }, { "/{a}/{b}", "/x/", NULL }, { "/{a}/{b}", "/x", NULL },
        { "/{a}/", "/x/", "x;" }, { "/{a}/", "/x", NULL },
        { "/old/{rest...}", "/old/", ";" }, { "/old/{rest...}", "/old/a", "a;" },
        { "/old/{rest...}", "/old//a/b/", "/a/b/;" }, { "/old/{rest...}", "/old", NULL },
        { "/{rest...}", "/", ";" }, { "/{rest...}", "", NULL },
        { "/{a}/*", "/x/", "x;" }, { "/{a}/*", "/x/y/z", "x;" }, { "/{a}/*", "/x", NULL },
        { "/u/{id}/{rest...}", "/u/7/a/b", "7;a/b;" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rule_path *rule_path = make(slice_text(rows[i].text), NULL);
        struct slice path = slice_text(rows[i].path);
        struct rule_values values;
        char text[64];
        struct writer w = writer_on(text, sizeof text);
        bool matched = rule_path_match(rule_path, path, &values);
        for (unsigned k = 0; k < values.count; k++) {
            writer_put(&w, values.at[k]);
            writer_byte(&w, ';');
        }
        if (matched != (rows[i].values != NULL) ||
            (matched && !slice_equal(writer_slice(&w), slice_text(rows[i].values))))
            fail_msg("%s, %s: %d, %.*s", rows[i].text, rows[i].path, matched, (int)writer_used(&w), text);
        if (matched) {
            assert_int_equal(values.count, rule_path->param_count);
            assert_int_equal((rule_path_first(path) ^ rule_path->first) & rule_path->mask, 0);
        }
        free(rule_path);
    }
}

static void test_the_first_bytes_tell_most_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *path;
        bool may;
    } rows[] = {
        { "/assets/*", "/assets/x", true }, { "/assets/*", "/assetz/x", false }, { "/assets/*", "/", false },
        { "/a*", "/a", true }, { "/a*", "/abcdefghijk", true }, { "/a*", "/b", false }, { "*.js", "/whatever", true },
        { "/longer-than-eight/*", "/longer-also", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rule_path *path = make(slice_text(rows[i].text), NULL);
        bool may = ((rule_path_first(slice_text(rows[i].path)) ^ path->first) & path->mask) == 0;
        assert_int_equal(may, rows[i].may);
        free(path);
    }
    assert_int_equal(rule_path_first(SLICE("")), 0);
}

static void test_covers(void **state)
{
    static const struct {
        const char *one, *other;
        bool covers;
    } rows[] = {
        { "/a", "/a", true }, { "/a", "/b", false }, { "/a", "/a*", false }, { "/a", "/{x}", false },
        { "/*", "/", true }, { "/*", "/a", true }, { "/*", "/{x}/y", true }, { "/*", "/a/*", true },
        { "/*", "*.js", true }, { "/*", "/*", true }, { "/*", "/{x...}", true },
        { "/{x...}", "/a", true }, { "/{x...}", "*.js", true }, { "/{x...}", "/*", true },
        { "/a/*", "/a/b", true }, { "/a/*", "/a/", true }, { "/a/*", "/a", false }, { "/a/*", "/a/{x}/y", true },
        { "/a/*", "/a/*.js", true }, { "/a/*", "/a/b/*", true }, { "/a/*", "/*", false }, { "/a/*", "*.js", false },
        { "/a/*", "/{x}/b", false }, { "/a/*", "/a/{x...}", true }, { "/a/{x...}", "/a/*", true },
        { "/a/{x...}", "/a/b", true }, { "/a/{x...}", "/a", false },
        { "*.js", "/a.js", true }, { "*.js", "/a.css", false }, { "*.js", "/a/*.js", true },
        { "*.js", "*.min.js", true },
        { "*.js", "/a/*", false }, { "*.js", "/{x}", false }, { "*.min.js", "*.js", false },
        { "/a/*.js", "*.js", false }, { "/a/*.js", "/a/b/*.js", true },
        { "/{x}", "/a", true }, { "/{x}", "/", false }, { "/{x}", "/{y}", true }, { "/{x}", "/{y}/", false },
        { "/{x}/", "/{y}", false }, { "/{x}/b", "/a/{y}", false }, { "/{x}/{y}", "/a/{y}", true },
        { "/a/{y}", "/{x}/{y}", false }, { "/{x}/b", "/{y}/b", true }, { "/{x}/b", "/{y}/c", false },
        { "/{x}/{y...}", "/{x}/", true }, { "/{x}/{y...}", "/{x}/{y}/{z}", true }, { "/{x}/*", "/{x}/{y...}", true },
        { "/{x}/{y}", "/{x}/{y...}", false }, { "/{x}/{y}", "/{x}/*", false }, { "/{x}/{y}", "/{x}", false },
        { "/{x}/{y}", "/{x}/", false }, { "/{x}/*", "/a/*", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rule_path *one = make(slice_text(rows[i].one), NULL), *other = make(slice_text(rows[i].other), NULL);
        if (rule_path_covers(one, other) != rows[i].covers)
            fail_msg("%s covers %s: %d", rows[i].one, rows[i].other, !rows[i].covers);
        free(one);
        free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_paths_are_explained),
        cmocka_unit_test(test_the_size_at_its_edge),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_what_it_is_made_of),
        cmocka_unit_test(test_parameters_have_their_places),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_the_first_bytes_tell_most_apart),
        cmocka_unit_test(test_covers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
