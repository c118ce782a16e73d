/* Where rules lead: which targets are refused and why, and what they become with values in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "serve/rule_target.h"

typedef bool check_target(struct slice text, const struct rule_path *rule_path, struct why why);

struct refusal {
    const char *path, *text, *why;
};

static void check_refusals(const struct refusal *rows, size_t count, check_target *check)
{
    for (size_t i = 0; i < count; i++) {
        char why[WHY_SIZE] = "";
        struct rule_path *path = rule_path_new(slice_text(rows[i].path), (struct why){ why, sizeof why });
        assert_non_null(path);
        assert_false(check(slice_text(rows[i].text), path, (struct why){ why, sizeof why }));
        assert_string_equal(why, rows[i].why);
        free(path);
    }
}

#define NO_PATH "/a: it redirects to a path, which begins with /, or to a URL, which begins with https://"
#define CHOOSES "what a client asks for must not choose the host that it is redirected to; name the host"

static void test_bad_locations_are_explained(void **state)
{
    static const struct refusal rows[] = {
        { "/a", "", NO_PATH },
        { "/a", "b", NO_PATH },
        { "/a", "mailto:b", NO_PATH },
        { "/a", "//b/c", "/a: another host is redirected to with its scheme; write https://b/c" },
        { "/a", "ftp://b/", "/a: it redirects to ftp://, but only https:// and http:// can be redirected to" },
        { "/a", "javascript://%0Aalert(1)",
          "/a: it redirects to javascript://, but only https:// and http:// can be redirected to" },
        { "/a", "https:///b", "/a: there is no valid host in https://" },
        { "/a", "https://u@b/", "/a: there is no valid host in https://u@b" },
        { "/a", "https://b:x/", "/a: there is no valid host in https://b:x" },
        { "/a/{x}", "https://{x}/", "/a/{x}: " CHOOSES },
        { "/a/{x}", "https://{x}.example?y", "/a/{x}: " CHOOSES },
        { "/a/{x}", "{x}://b/", "/a/{x}: it redirects to {x}://, but only https:// and http:// can be redirected to" },
        { "/a", "/b c", "/a: in where it redirects to a space is written %20" },
        { "/a", "/b\r\nX: y", "/a: in where it redirects to a space is written %20" },
        { "/a", "/b\r\nX:y", "/a: what it leads to has a control character or a backslash in it" },
        { "/a", "/b\x7f", "/a: what it leads to has a control character or a backslash in it" },
        { "/a", "/\\b", "/a: what it leads to has a control character or a backslash in it" },
        { "/a", "/\xff", "/a: what it leads to is not valid UTF-8" },
        { "/a", "/100%", "/a: in where it redirects to a percent sign is written %25" },
        { "/a", "/%20%2", "/a: in where it redirects to a percent sign is written %25" },
        { "/a", "/%zz", "/a: in where it redirects to a percent sign is written %25" },
        { "/a", "/{x}", "/a: there is no {x} in it, but in what it leads to" },
        { "/a/{x}", "/{y}", "/a/{x}: there is no {y} in it, but in what it leads to" },
        { "/a/{x}", "/{}", "/a/{x}: there is no {} in it, but in what it leads to" },
        { "/a/{x}", "/b?c={y}", "/a/{x}: there is no {y} in it, but in what it leads to" },
        { "/a/{x}", "/b#{y}", "/a/{x}: there is no {y} in it, but in what it leads to" },
        { "/a/*", "/b/{rest}", "/a/*: the star has no name; for {rest} write {rest...} in its place, as a whole "
                               "segment" },
        { "/a/{x}/*", "/b/{}", "/a/{x}/*: the star has no name; for {} write {...} in its place, as a whole segment" },
        { "/a/{x...}", "/b/{x...}", "/a/{x...}: in what it leads to write {x}, without the dots" },
        { "/a/{x}", "/{x", "/a/{x}: in what it leads to a brace is not closed" },
        { "/a/{x}", "/x}", "/a/{x}: in what it leads to a brace is closed that was not opened" },
        { "/a/{x}", "/{x}}", "/a/{x}: in what it leads to a brace is closed that was not opened" },
    };
    (void)state;
    check_refusals(rows, sizeof rows / sizeof rows[0], rule_target_check_location);
}

#define RESOLVED "/a: a rewrite leads to a path that is resolved: without two slashes side by side, . and .."

static void test_bad_paths_are_explained(void **state)
{
    static const struct refusal rows[] = {
        { "/a", "", "/a: a rewrite leads to a path, which begins with /" },
        { "/a", "index.html", "/a: a rewrite leads to a path, which begins with /" },
        { "/a", "https://b/", "/a: a rewrite leads to a path of this host; to send the client elsewhere write a "
                              "redirect" },
        { "/a", "/b?c", "/a: a rewrite leads to a path alone, so there is no ? or # in it" },
        { "/a", "/b#c", "/a: a rewrite leads to a path alone, so there is no ? or # in it" },
        { "/a", "/b%20c", "/a: a rewrite's path is not encoded; for %20 write the character that it stands for" },
        { "/a", "//b", RESOLVED },
        { "/a", "/b//c", RESOLVED },
        { "/a", "/b/../c", RESOLVED },
        { "/a", "/b/..", RESOLVED },
        { "/a", "/./b", RESOLVED },
        { "/a", "/b\\c", "/a: what it leads to has a control character or a backslash in it" },
        { "/a", "/b\n", "/a: what it leads to has a control character or a backslash in it" },
        { "/a", "/\xc0\xaf", "/a: what it leads to is not valid UTF-8" },
        { "/a", "/{x}", "/a: there is no {x} in it, but in what it leads to" },
    };
    (void)state;
    check_refusals(rows, sizeof rows / sizeof rows[0], rule_target_check_path);
}

static void test_the_size_at_its_edge(void **state)
{
    static char text[RULE_TARGET_SIZE_MAX + 1];
    struct why why = { NULL, 0 };
    (void)state;
    memset(text, 'a', sizeof text);
    text[0] = '/';
    struct rule_path *path = rule_path_new(SLICE("/a"), why);
    assert_true(rule_target_check_location(slice_make(text, RULE_TARGET_SIZE_MAX), path, why));
    assert_false(rule_target_check_location(slice_make(text, RULE_TARGET_SIZE_MAX + 1), path, why));
    assert_true(rule_target_check_path(slice_make(text, RULE_TARGET_SIZE_MAX), path, why));
    assert_false(rule_target_check_path(slice_make(text, RULE_TARGET_SIZE_MAX + 1), path, why));
    free(path);
}

struct filling {
    const char *rule, *text, *path, *query, *result; /* query NULL: the request has none */
};

static void check_filling(const struct filling *row, bool rewrite)
{
    char why[WHY_SIZE] = "";
    struct rule_path *path = rule_path_new(slice_text(row->rule), (struct why){ why, sizeof why });
    struct rule_values values;
    struct target request = { .has_query = row->query != NULL, .query = slice_text(row->query) };
    assert_non_null(path);
    bool good = (rewrite ? rule_target_check_path : rule_target_check_location)(slice_text(row->text), path,
                                                                                 (struct why){ why, sizeof why });
    if (!good)
        fail_msg("%s", why);
    assert_true(rule_path_match(path, slice_text(row->path), &values));

    struct rule_target target = { slice_text(row->text), path, &values };
    size_t room = rule_target_room(&target, request.query);
    char *result = malloc(room);
    struct writer w = writer_on(result, room);
    if (rewrite)
        rule_target_path(&target, &w);
    else
        rule_target_location(&target, &request, &w);
    assert_false(w.overflowed);
    if (!slice_equal(writer_slice(&w), slice_text(row->result)))
        fail_msg("%s is not %.*s", row->result, (int)writer_used(&w), result);
    free(result);
    free(path);
}

static void test_locations(void **state)
{
    static const struct filling rows[] = {
        { "/a", "/b", "/a", NULL, "/b" },
        { "/a", "/b", "/a", "x=1", "/b?x=1" },
        { "/a", "/b", "/a", "", "/b?" },
        { "/a", "/b?", "/a", NULL, "/b?" },
        { "/a", "/b?", "/a", "x=1", "/b?x=1" },
        { "/a", "/b?y=2", "/a", NULL, "/b?y=2" },
        { "/a", "/b?y=2", "/a", "", "/b?y=2" },
        { "/a", "/b?y=2", "/a", "x=1", "/b?y=2&x=1" },
        { "/a", "/b#part", "/a", "x=1", "/b?x=1#part" },
        { "/a", "/b?y#part?no", "/a", "x", "/b?y&x#part?no" },
        { "/a", "/b#", "/a", NULL, "/b#" },
        { "/a", "/b#c#d", "/a", NULL, "/b#c%23d" },
        { "/a", "/b?c?d", "/a", NULL, "/b?c?d" },
        { "/a", "https://b.example", "/a", "x", "https://b.example?x" },
        { "/a", "HTTP://[::1]:8080/c", "/a", NULL, "HTTP://[::1]:8080/c" },
        { "/a", "https://b.example/?u=https://c", "/a", NULL, "https://b.example/?u=https://c" },
        { "/a", "/b?u=https://c", "/a", NULL, "/b?u=https://c" },
        { "/a", "/gr\xc3\xbc\xc3\x9f%C3%9F/\"<^`|", "/a", NULL, "/gr%C3%BC%C3%9F%C3%9F/%22%3C%5E%60%7C" },
        { "/old/{x}", "/new/{x}", "/old/y", NULL, "/new/y" },
        { "/old/{x}", "/{x}-{x}.html", "/old/y", NULL, "/y-y.html" },
        { "/{y}/{m}/{d}", "/{d}{m}?y={y}#{m}", "/20/01/02", NULL, "/0201?y=20#01" },
        { "/old/{x}", "/new/{x}", "/old/a b%?#\xc3\xbc", NULL, "/new/a%20b%25%3F%23%C3%BC" },
        { "/old/{x}", "/new/{x}", "/old/\r\nX: y", NULL, "/new/%0D%0AX:%20y" },
        { "/old/{x}", "/new?q={x}", "/old/a&b=c+d", "r", "/new?q=a%26b%3Dc%2Bd&r" },
        { "/old/{x}", "/new#{x}", "/old/a#b", NULL, "/new#a%23b" },
        { "/old/{x...}", "/new/{x}", "/old/", NULL, "/new/" },
        { "/old/{x...}", "/new/{x}", "/old/a/b/", NULL, "/new/a/b/" },
        { "/old/{x...}", "/new/{x}", "/old//a", NULL, "/new//a" },
        { "/old/{x...}", "https://b.example/{x}", "/old/a", "q", "https://b.example/a?q" },
        { "/old/{x...}", "https://b.example/{x}", "/old//a", NULL, "https://b.example/a" },
        /* a value must not become a host */
        { "/old/{x...}", "/{x}", "/old/a", NULL, "/a" },
        { "/old/{x...}", "/{x}", "/old/", NULL, "/" },
        { "/old/{x...}", "/{x}", "/old//evil.example/", NULL, "/evil.example/" },
        { "/old/{x...}", "/{x}", "/old////evil.example", NULL, "/evil.example" },
        { "/old/{x...}", "/{x}", "/old//", NULL, "/" },
        { "/old/{x...}", "/{x}/b", "/old/", NULL, "/b" },
        { "/old/{x...}", "/{x}/{x}", "/old//", NULL, "/" },
        { "/old/{x...}", "/{x}/{x}", "/old//c", NULL, "/c//c" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_filling(&rows[i], false);
}

static void test_paths(void **state)
{
    static const struct filling rows[] = {
        { "/a", "/index.html", "/a", NULL, "/index.html" },
        { "/a", "/100%", "/a", NULL, "/100%" },
        { "/a", "/1%2g%g2", "/a", NULL, "/1%2g%g2" },
        { "/a", "/gr\xc3\xbc\xc3\x9f e", "/a", NULL, "/gr\xc3\xbc\xc3\x9f e" },
        { "/old/{x}", "/new/{x}.html", "/old/a b%?#", NULL, "/new/a b%?#.html" },
        { "/old/{x...}", "/{x}", "/old//a", NULL, "/a" },
        { "/old/{x...}", "/{x}", "/old/", NULL, "/" },
        { "/old/{x...}", "/v2/{x}", "/old/a//b", NULL, "/v2/a//b" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_filling(&rows[i], true);
}

static void test_which_path_a_location_names(void **state)
{
    static const struct {
        const char *location, *path;
        bool same;
    } rows[] = {
        { "/", "/", true }, { "/a", "/a", true }, { "/a?b", "/a", true }, { "/a#b", "/a", true },
        { "/a#b?c", "/a", true },
        { "/a%20b", "/a b", true }, { "/%C3%bc", "/\xc3\xbc", true }, { "/%61", "/a", true },
        { "/a%2", "/a%2", true },
        { "/a", "/ab", false }, { "/ab", "/a", false }, { "/a", "/b", false }, { "/a%20", "/a%20", false },
        { "https://h/a", "/a", false }, { "?b", "/", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(rule_target_names(slice_text(rows[i].location), slice_text(rows[i].path)), rows[i].same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_locations_are_explained),
        cmocka_unit_test(test_bad_paths_are_explained),
        cmocka_unit_test(test_the_size_at_its_edge),
        cmocka_unit_test(test_locations),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_which_path_a_location_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
