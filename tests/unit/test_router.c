/* The router: which patterns are accepted, what is said of the others, and which route a path finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "serve/router.h"

/* ---- Running out of memory ---- */

static long allocations_left = -1; /* -1: without end */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool allowed(void)
{
    if (allocations_left < 0)
        return true;
    return allocations_left > 0 && allocations_left-- > 0;
}

void *__wrap_malloc(size_t size)
{
    return allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allowed() ? __real_calloc(count, size) : NULL;
}

/* ---- Patterns ---- */

static enum router_error add(struct router *router, const char *pattern)
{
    char why[512];
    return router_add(router, pattern, (void *)pattern, why, sizeof why);
}

/* `count` segments of `text`. */
static char *repeat(const char *method, const char *text, unsigned count, bool numbered)
{
    static char pattern[4096];
    int used = snprintf(pattern, sizeof pattern, "%s ", method);
    for (unsigned i = 0; i < count; i++)
        used += snprintf(pattern + used, sizeof pattern - (size_t)used, numbered ? "/{%s%u}" : "/%s", text, i);
    return pattern;
}

#define NAME_RULE "a parameter has a name of letters, digits, _ and -; write for example {id} or {rest...}"

static void test_bad_patterns_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *why;
    } rows[] = {
        { "", "a pattern begins with a method; write for example GET /hello" },
        { "/hello", "/hello: a pattern begins with a method; write for example GET /hello" },
        { " /hello", " /hello: a pattern begins with a method; write for example GET /hello" },
        { "get /hello", "get /hello: get is not a method that the server knows; write for example GET or POST, "
                        "in capital letters" },
        { "BREW /tea", "BREW /tea: BREW is not a method that the server knows; write for example GET or POST, "
                       "in capital letters" },
        { "CONNECT /a", "CONNECT /a: a CONNECT request has no path, so no route can answer it" },
        { "GET", "GET: the path begins with a slash; write for example GET /hello" },
        { "GET ", "GET : the path begins with a slash; write for example GET /hello" },
        { "PUT hello", "PUT hello: the path begins with a slash; write for example PUT /hello" },
        { "GET *", "GET *: the path begins with a slash; write for example GET /hello" },
        { "GET /a\nb", "GET /a?b: there is a control character in the path" },
        { "GET /a\x7f", "GET /a?: there is a control character in the path" },
        { "GET /a\\b", "GET /a\\b: no path has a backslash in it; segments are separated by /" },
        { "GET /a?b=c", "GET /a?b=c: a pattern is of the path alone; it ends before the ?" },
        { "GET /a#b", "GET /a#b: a pattern is of the path alone; it ends before the #" },
        { "GET /a%20b", "GET /a%20b: %20 is compared with the decoded path; write the character that it stands for" },
        { "GET /a ", "GET /a : there is a space at the end" },
        { "GET /\xff", "GET /\xff: the path is not valid UTF-8" },
        { "GET /\xc0\xaf", "GET /\xc0\xaf: the path is not valid UTF-8" },
        { "GET //", "GET //: there are two slashes side by side; write one" },
        { "GET /a//b", "GET /a//b: there are two slashes side by side; write one" },
        { "GET /a/./b", "GET /a/./b: the segments . and .. are resolved before a path is looked up; leave them out" },
        { "GET /a/..", "GET /a/..: the segments . and .. are resolved before a path is looked up; leave them out" },
        { "GET /users/{id", "GET /users/{id: a brace is not closed; write {id}" },
        { "GET /users/{", "GET /users/{: a brace is not closed; write {}" },
        { "GET /users/{id/x", "GET /users/{id/x: a brace is not closed; write {id}" },
        { "GET /users/{id}.json", "GET /users/{id}.json: a parameter is a whole segment; write {id}" },
        { "GET /users/{a}{b}", "GET /users/{a}{b}: a parameter is a whole segment; write {a}" },
        { "GET /users/u{id}", "GET /users/u{id}: a parameter is a whole segment; write a slash before the brace" },
        { "GET /users/id}", "GET /users/id}: a brace is closed that was not opened; write for example {id}" },
        { "GET /{}", "GET /{}: " NAME_RULE },
        { "GET /{...}", "GET /{...}: " NAME_RULE },
        { "GET /{a b}", "GET /{a b}: " NAME_RULE },
        { "GET /{a..}", "GET /{a..}: " NAME_RULE },
        { "GET /{a}/{b}/{a}", "GET /{a}/{b}/{a}: two parameters are called {a}; give them different names" },
        { "GET /{a}/{a...}", "GET /{a}/{a...}: two parameters are called {a}; give them different names" },
        { "GET /{r...}/", "GET /{r...}/: {r...} takes all the rest, so it comes last" },
        { "GET /{r...}/a", "GET /{r...}/a: {r...} takes all the rest, so it comes last" },
    };
    struct router *router = router_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[512] = "";
        assert_int_equal(router_add(router, rows[i].pattern, router, why, sizeof why), ROUTER_BAD_PATTERN);
        assert_string_equal(why, rows[i].why);
    }
    assert_true(router_empty(router));
    router_free(router);
}

static void test_good_patterns_are_accepted(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "GET /", "GET  /two-spaces", "POST /", "PUT /a", "DELETE /a", "PATCH /a", "OPTIONS /a", "TRACE /a", "HEAD /a",
        "GET /100%", "GET /100%2", "GET /100%zz", "GET /my file", "GET /gr\xc3\xbc\xc3\x9f", "GET /a/", "GET /...",
        "GET /.a",
        "GET /{a}", "GET /{A_b-9}/", "GET /{a...}", "GET /x/{a}/{b...}", "GET /{aa}/{a}",
    };
    struct router *router = router_new();
    assert_true(router_empty(router));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(add(router, rows[i]), ROUTER_OK);
        assert_false(router_empty(router));
    }
    router_free(router);
}

static void test_limits_at_their_edge(void **state)
{
    (void)state;
    struct router *router = router_new();
    char why[256];
    assert_int_equal(add(router, repeat("GET", "s", 32, false)), ROUTER_OK);
    assert_int_equal(router_add(router, repeat("GET", "s", 33, false), router, why, sizeof why), ROUTER_BAD_PATTERN);
    assert_non_null(strstr(why, "it has more than 32 segments"));
    assert_int_equal(add(router, repeat("GET", "p", 16, true)), ROUTER_OK);
    assert_int_equal(router_add(router, repeat("GET", "p", 17, true), router, why, sizeof why), ROUTER_BAD_PATTERN);
    assert_non_null(strstr(why, "it has more than 16 parameters"));
    router_free(router);
}

static void test_an_explanation_keeps_to_its_room(void **state)
{
    (void)state;
    struct router *router = router_new();
    char why[24];
    for (size_t size = 0; size < 20; size++) {
        memset(why, '#', sizeof why);
        assert_int_equal(router_add(router, "GET /a/{b", router, why, size), ROUTER_BAD_PATTERN);
        assert_int_equal(why[size], '#');
        if (size > 0)
            assert_int_equal(strlen(why), size - 1);
    }
    router_free(router);
}

static void test_conflicts_name_both(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool conflict;
    } rows[] = {
        { "GET /a", "GET /a", true },
        { "GET /a", "GET   /a", true },
        { "GET /a/{b}", "GET /a/{c}", true },
        { "GET /a/{b}/c", "GET /a/{x}/c", true },
        { "GET /a/{b...}", "GET /a/{c...}", true },
        { "GET /a", "HEAD /a", false },
        { "GET /a", "POST /a", false },
        { "GET /a", "GET /a/", false },
        { "GET /a/{b}", "GET /a/{b...}", false },
        { "GET /a/{b}", "GET /a/{b}/", false },
        { "GET /a/{b}", "GET /a/b", false },
        { "GET /a/{b}/c", "GET /a/{b}/d", false },
        { "GET /a/{b}", "POST /a/{c}", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct router *router = router_new();
        char why[256], expected[256];
        assert_int_equal(add(router, rows[i].first), ROUTER_OK);
        enum router_error error = router_add(router, rows[i].second, router, why, sizeof why);
        assert_int_equal(error, rows[i].conflict ? ROUTER_CONFLICT : ROUTER_OK);
        if (rows[i].conflict) {
            snprintf(expected, sizeof expected, "%s: it answers the same requests as %s, which is registered already; "
                     "remove one of them", rows[i].second, rows[i].first);
            assert_string_equal(why, expected);
        }
        router_free(router);
    }
}

/* ---- Finding ---- */

static const char *const routes[] = {
    "GET /",
    "GET /hello",
    "POST /hello",
    "GET /a/b/d",
    "GET /a/{x}/c",
    "POST /a/{x}/d",
    "GET /users/{id}",
    "DELETE /users/{id}",
    "POST /users/",
    "GET /users/{id}/posts/{post}",
    "GET /users/me",
    "PUT /users/{name}/",
    "GET /files/{rest...}",
    "GET /files/{name}",
    "GET /files/{name}/meta",
    "HEAD /files/{name}",
    "OPTIONS /own",
    "GET /own",
    "HEAD /only-head",
    "GET /deep/{a}/{b}/{c}/x",
    "GET /deep/{a}/{b}/{rest...}",
    "GET /deep/{a}/q/z",
    "PATCH /{any...}",
};

struct found {
    const char *method, *path;
    const char *route;  /* NULL: not found with this method */
    const char *params; /* "name=value;" each */
    const char *allow;  /* where the route is NULL: the methods; "": no route has this path */
};

/* PATCH /{any...} has every path, so it shows in every set of methods. */
static const struct found expected[] = {
    { "GET", "/", "GET /", "", NULL },
    { "GET", "/hello", "GET /hello", "", NULL },
    { "HEAD", "/hello", "GET /hello", "", NULL },
    { "POST", "/hello", "POST /hello", "", NULL },
    { "PUT", "/hello", NULL, "", "GET HEAD OPTIONS POST PATCH" },
    { "OPTIONS", "/hello", NULL, "", "GET HEAD OPTIONS POST PATCH" },
    { "PATCH", "/hello", "PATCH /{any...}", "any=hello;", NULL },
    { "GET", "/hello/", NULL, "", "PATCH OPTIONS" },
    { "GET", "/Hello", NULL, "", "PATCH OPTIONS" },
    { "GET", "/hell", NULL, "", "PATCH OPTIONS" },
    { "GET", "/a/b/d", "GET /a/b/d", "", NULL },
    { "GET", "/a/b/c", "GET /a/{x}/c", "x=b;", NULL },
    { "POST", "/a/b/d", "POST /a/{x}/d", "x=b;", NULL },
    { "PUT", "/a/b/d", NULL, "", "GET HEAD OPTIONS POST PATCH" },
    { "GET", "/a/z/d", NULL, "", "POST OPTIONS PATCH" },
    { "GET", "/users/7", "GET /users/{id}", "id=7;", NULL },
    { "HEAD", "/users/7", "GET /users/{id}", "id=7;", NULL },
    { "DELETE", "/users/7", "DELETE /users/{id}", "id=7;", NULL },
    { "GET", "/users/me", "GET /users/me", "", NULL },
    { "DELETE", "/users/me", "DELETE /users/{id}", "id=me;", NULL },
    { "GET", "/users/", NULL, "", "POST OPTIONS PATCH" },
    { "POST", "/users/", "POST /users/", "", NULL },
    { "PUT", "/users/x/", "PUT /users/{name}/", "name=x;", NULL },
    { "GET", "/users/7/posts/9", "GET /users/{id}/posts/{post}", "id=7;post=9;", NULL },
    { "GET", "/users//posts/9", NULL, "", "PATCH OPTIONS" },
    { "GET", "/users/7/posts/", NULL, "", "PATCH OPTIONS" },
    { "GET", "/users/me/posts/9", "GET /users/{id}/posts/{post}", "id=me;post=9;", NULL },
    { "GET", "/files", NULL, "", "PATCH OPTIONS" },
    { "GET", "/files/", "GET /files/{rest...}", "rest=;", NULL },
    { "GET", "/files/a", "GET /files/{name}", "name=a;", NULL },
    { "HEAD", "/files/a", "HEAD /files/{name}", "name=a;", NULL },
    { "GET", "/files/a/", "GET /files/{rest...}", "rest=a/;", NULL },
    { "GET", "/files/a/b//c", "GET /files/{rest...}", "rest=a/b//c;", NULL },
    { "GET", "/files/a/meta", "GET /files/{name}/meta", "name=a;", NULL },
    { "GET", "/files/a/meta/", "GET /files/{rest...}", "rest=a/meta/;", NULL },
    { "OPTIONS", "/own", "OPTIONS /own", "", NULL },
    { "HEAD", "/only-head", "HEAD /only-head", "", NULL },
    { "GET", "/only-head", NULL, "", "HEAD OPTIONS PATCH" },
    { "GET", "/deep/1/2/3/x", "GET /deep/{a}/{b}/{c}/x", "a=1;b=2;c=3;", NULL },
    { "GET", "/deep/1/2/3/y", "GET /deep/{a}/{b}/{rest...}", "a=1;b=2;rest=3/y;", NULL },
    { "GET", "/deep/1/q/z", "GET /deep/{a}/q/z", "a=1;", NULL },
    { "GET", "/deep/1/q/y", "GET /deep/{a}/{b}/{rest...}", "a=1;b=q;rest=y;", NULL },
    { "GET", "/deep/1/2", NULL, "", "PATCH OPTIONS" },
    { "GET", "*", NULL, "", "" },
    { "GET", "", NULL, "", "" },
    { "GET", "hello", NULL, "", "" },
};

static struct router *fill(void)
{
    struct router *router = router_new();
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        assert_int_equal(add(router, routes[i]), ROUTER_OK);
    return router;
}

static unsigned mask(const char *allow)
{
    unsigned methods = 0;
    struct slice rest = slice_text(allow);
    while (rest.size > 0) {
        size_t size = slice_find(rest, ' ');
        methods |= method_bit(method_from(slice_part(rest, 0, size)));
        rest = slice_skip(rest, size < rest.size ? size + 1 : size);
    }
    return methods;
}

static void expect(const struct router *router, const struct found *row)
{
    struct router_match match;
    memset(&match, 0xa5, sizeof match);
    router_find(router, slice_text(row->path), method_from(slice_text(row->method)), &match);
    if (!row->route) {
        assert_null(match.target);
        assert_int_equal(match.methods, mask(row->allow));
        assert_int_equal(match.found, *row->allow != '\0');
        assert_int_equal(match.param_count, 0);
        return;
    }
    assert_true(match.found);
    assert_non_null(match.target);
    assert_string_equal(match.target, row->route);
    char params[256] = "";
    for (unsigned i = 0; i < match.param_count; i++) {
        const struct router_param *param = &match.params[i];
        size_t used = strlen(params);
        snprintf(params + used, sizeof params - used, "%.*s=%.*s;", (int)param->name.size, param->name.data,
                 (int)param->value.size, param->value.data);
        assert_true(param->value.data >= row->path && param->value.data <= row->path + strlen(row->path));
    }
    assert_string_equal(params, row->params);
}

static void test_finds(void **state)
{
    (void)state;
    struct router *router = fill();
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        expect(router, &expected[i]);
    router_free(router);
}

static void test_an_empty_router_finds_nothing(void **state)
{
    (void)state;
    struct router *router = router_new();
    static const struct found rows[] = { { "GET", "/", NULL, "", "" }, { "GET", "/a/b", NULL, "", "" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(router, &rows[i]);
    router_free(router);
    router_free(NULL);
}

/* A path may hold what a pattern cannot: bytes are compared, nothing is understood. */
static void test_paths_may_hold_anything(void **state)
{
    (void)state;
    struct router *router = router_new();
    assert_int_equal(add(router, "GET /{x}"), ROUTER_OK);
    struct router_match match;
    router_find(router, slice_make("/\0\xff", 3), METHOD_GET, &match);
    assert_non_null(match.target);
    assert_memory_equal(match.params[0].value.data, "\0\xff", 2);
    assert_int_equal(match.params[0].value.size, 2);
    router_find(router, SLICE("/x"), METHOD_OTHER, &match);
    assert_true(match.found);
    assert_null(match.target);
    router_free(router);
}

/* Every way of writing eight segments as literal or parameter: 256 patterns, and a path which all but match. */
static void test_backtracking_through_everything(void **state)
{
    (void)state;
    struct router *router = router_new();
    char pattern[128], why[256];
    for (unsigned way = 0; way < 256; way++) {
        int used = snprintf(pattern, sizeof pattern, "GET ");
        for (unsigned i = 0; i < 8; i++)
            used += snprintf(pattern + used, sizeof pattern - (size_t)used, way >> i & 1 ? "/{p%u}" : "/a", i);
        snprintf(pattern + used, sizeof pattern - (size_t)used, "/end");
        assert_int_equal(router_add(router, pattern, router, why, sizeof why), ROUTER_OK);
    }
    struct router_match match;
    router_find(router, SLICE("/a/a/a/a/a/a/a/a/no"), METHOD_GET, &match);
    assert_false(match.found);
    router_find(router, SLICE("/b/a/a/a/a/a/a/b/end"), METHOD_GET, &match);
    assert_ptr_equal(match.target, router);
    assert_int_equal(match.param_count, 2);
    router_free(router);
}

static void test_a_thousand_routes(void **state)
{
    (void)state;
    struct router *router = router_new();
    static char patterns[2000][48];
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(patterns[i], sizeof patterns[i], i % 2 ? "GET /r%u/{id}/x" : "GET /r%u", i);
        assert_int_equal(add(router, patterns[i]), ROUTER_OK);
    }
    for (unsigned i = 0; i < 2000; i++) {
        char path[48];
        struct router_match match;
        int size = snprintf(path, sizeof path, i % 2 ? "/r%u/value/x" : "/r%u", i);
        router_find(router, slice_make(path, (size_t)size), METHOD_GET, &match);
        assert_ptr_equal(match.target, patterns[i]);
        assert_int_equal(match.param_count, i % 2);
    }
    router_free(router);
}

/* The i-th allocation fails, for every i: what was there still works, and the pattern can be added later. */
static void test_no_memory(void **state)
{
    (void)state;
    for (long i = 0; i < 2; i++) {
        allocations_left = i;
        struct router *router = router_new();
        allocations_left = -1;
        assert_null(router);
    }
    static const char *const added[] = { "GET /new", "GET /new/{a}/b/{c}", "GET /new/{rest...}" };
    for (size_t n = 0; n < sizeof added / sizeof added[0]; n++) {
        enum router_error error = ROUTER_NO_MEMORY;
        for (long i = 0; error != ROUTER_OK; i++) {
            struct router *router = fill();
            char why[128];
            allocations_left = i;
            error = router_add(router, added[n], (void *)added[n], why, sizeof why);
            allocations_left = -1;
            if (error != ROUTER_OK) {
                assert_int_equal(error, ROUTER_NO_MEMORY);
                assert_string_equal(why, "there is no memory for another route");
                for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++)
                    expect(router, &expected[k]);
                assert_int_equal(add(router, added[n]), ROUTER_OK);
            }
            assert_int_equal(add(router, added[n]), ROUTER_CONFLICT);
            router_free(router);
            assert_true(i < 20);
        }
    }
    struct router *router = router_new();
    char why[64];
    allocations_left = 1; /* the route, but no node for it */
    assert_int_equal(router_add(router, "GET /{a}", router, why, sizeof why), ROUTER_NO_MEMORY);
    allocations_left = -1;
    assert_true(router_empty(router));
    router_free(router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_patterns_are_explained),
        cmocka_unit_test(test_good_patterns_are_accepted),
        cmocka_unit_test(test_limits_at_their_edge),
        cmocka_unit_test(test_an_explanation_keeps_to_its_room),
        cmocka_unit_test(test_conflicts_name_both),
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_an_empty_router_finds_nothing),
        cmocka_unit_test(test_paths_may_hold_anything),
        cmocka_unit_test(test_backtracking_through_everything),
        cmocka_unit_test(test_a_thousand_routes),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
