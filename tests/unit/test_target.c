/* Request targets: the four forms, what each may hold, and which method may have which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/fields.h"
#include "http/target.h"

static void parses_origin_form(void **state)
{
    static const struct {
        const char *raw, *path, *query; /* query NULL: there is none */
        bool plain;
    } rows[] = {
        { "/", "/", NULL, true },
        { "/index.html", "/index.html", NULL, true },
        { "/a/b/c?x=1&y=2", "/a/b/c", "x=1&y=2", true },
        { "/?", "/", "", true },
        { "/??", "/", "?", true },
        { "/a?/../b", "/a", "/../b", true },
        { "//", "//", NULL, true },
        { "//a//", "//a//", NULL, true },
        { "/.well-known/x", "/.well-known/x", NULL, true },
        { "/...", "/...", NULL, true },
        { "/..a", "/..a", NULL, true },
        { "/a.", "/a.", NULL, true },
        { "/a../b", "/a../b", NULL, true },
        { "/a..", "/a..", NULL, true },
        { "/.", "/.", NULL, false },
        { "/..", "/..", NULL, false },
        { "/./", "/./", NULL, false },
        { "/a/./b", "/a/./b", NULL, false },
        { "/a/../b", "/a/../b", NULL, false },
        { "/.a/..", "/.a/..", NULL, false },
        { "/..a/.?q", "/..a/.", "q", false },
        { "/%41", "/%41", NULL, false },
        { "/%2e", "/%2e", NULL, false },
        { "/a%ffb", "/a%ffb", NULL, false },
        { "/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@", NULL, true },
        { "/|[]^", "/|[]^", NULL, true },
        { "/?`{|}[]\\^'/?:@", "/", "`{|}[]\\^'/?:@", true },
        { "/?%", "/", "%", true }, /* escapes in a query are query_decode's */
        { "/?%zz", "/", "%zz", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct target target;
        if (!target_parse(&target, slice_text(rows[i].raw), METHOD_GET))
            fail_msg("%s was refused", rows[i].raw);
        assert_int_equal(target.form, TARGET_ORIGIN);
        assert_true(slice_equal(target.path, slice_text(rows[i].path)));
        assert_int_equal(target.has_query, rows[i].query != NULL);
        assert_true(slice_equal(target.query, slice_text(rows[i].query)));
        assert_int_equal(target.authority.size, 0);
        if (target.plain != rows[i].plain)
            fail_msg("%s: plain is %d", rows[i].raw, target.plain);
    }
}

/* In every place of a path or a query, each byte is accepted or refused as the classes say. */
static void checks_every_byte(void **state)
{
    static const char path_only[] = "-_~!$&'()*+,;=:@/|[]^.", query_too[] = "`{}\\%";
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool in_path = alnum || c == '?' || (c && strchr(path_only, c));
        bool in_query = in_path || (c && strchr(query_too, c));
        for (size_t at = 1; at < 6; at++) {
            char path[6] = "/uvwxy", query[8] = "/?uvwxy"; /* no hexadecimal digits: "%" fails */
            struct target target;
            path[at] = (char)c;
            query[at + 1] = (char)c;
            assert_int_equal(target_parse(&target, slice_make(path, 6), METHOD_GET), in_path);
            assert_int_equal(target_parse(&target, slice_make(query, 7), METHOD_GET), in_query);
        }
    }
}

static void parses_other_forms(void **state)
{
    static const struct {
        const char *raw;
        enum method method;
        enum target_form form;
        const char *authority, *path, *query;
        bool plain;
    } rows[] = {
        { "http://h/", METHOD_GET, TARGET_ABSOLUTE, "h", "/", NULL, true },
        { "https://h/a/b?c", METHOD_GET, TARGET_ABSOLUTE, "h", "/a/b", "c", true },
        { "HTTP://h.example:8080/a", METHOD_POST, TARGET_ABSOLUTE, "h.example:8080", "/a", NULL, true },
        { "hTTps://[::1]:443/..", METHOD_GET, TARGET_ABSOLUTE, "[::1]:443", "/..", NULL, false },
        { "http://h", METHOD_GET, TARGET_ABSOLUTE, "h", "/", NULL, true },
        { "http://h?x=1", METHOD_GET, TARGET_ABSOLUTE, "h", "/", "x=1", true },
        { "http://h?/a", METHOD_OPTIONS, TARGET_ABSOLUTE, "h", "/", "/a", true },
        { "http://h/", METHOD_OPTIONS, TARGET_ABSOLUTE, "h", "/", NULL, true },
        { "http://h", METHOD_OPTIONS, TARGET_ASTERISK, "h", "", NULL, false },
        { "http://h:80", METHOD_OTHER, TARGET_ABSOLUTE, "h:80", "/", NULL, true },
        { "*", METHOD_OPTIONS, TARGET_ASTERISK, "", "", NULL, false },
        { "/", METHOD_OPTIONS, TARGET_ORIGIN, "", "/", NULL, true },
        { "h:1", METHOD_CONNECT, TARGET_AUTHORITY, "h:1", "", NULL, false },
        { "192.0.2.1:443", METHOD_CONNECT, TARGET_AUTHORITY, "192.0.2.1:443", "", NULL, false },
        { "[2001:db8::1]:65535", METHOD_CONNECT, TARGET_AUTHORITY, "[2001:db8::1]:65535", "", NULL, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct target target;
        if (!target_parse(&target, slice_text(rows[i].raw), rows[i].method))
            fail_msg("%s was refused", rows[i].raw);
        assert_int_equal(target.form, rows[i].form);
        assert_true(slice_equal(target.authority, slice_text(rows[i].authority)));
        assert_true(slice_equal(target.path, slice_text(rows[i].path)));
        assert_true(slice_equal(target.query, slice_text(rows[i].query)));
        assert_int_equal(target.has_query, rows[i].query != NULL);
        assert_int_equal(target.plain, rows[i].plain);
    }
}

static void refuses(void **state)
{
    static const struct {
        const char *raw;
        enum method method;
    } rows[] = {
        { "", METHOD_GET },
        { "", METHOD_CONNECT },
        { "a", METHOD_GET },
        { "index.html", METHOD_GET },
        { "?a", METHOD_GET },
        { "*", METHOD_GET }, /* RFC 9112 3.2.4: only for OPTIONS */
        { "*", METHOD_OTHER },
        { "*", METHOD_CONNECT },
        { "**", METHOD_OPTIONS },
        { "*/", METHOD_OPTIONS },
        { "/a#b", METHOD_GET },
        { "/a?b#c", METHOD_GET },
        { "/%", METHOD_GET },
        { "/%4", METHOD_GET },
        { "/%4?1", METHOD_GET },
        { "/%g1", METHOD_GET },
        { "/%1g", METHOD_GET },
        { "/a%", METHOD_GET },
        { "/a\\b", METHOD_GET },
        { "/%%41", METHOD_GET },
        { "http://", METHOD_GET },
        { "http:///a", METHOD_GET },
        { "http://?a", METHOD_GET },
        { "http:/h/", METHOD_GET },
        { "http:h", METHOD_GET },
        { "http", METHOD_GET },
        { "ftp://h/", METHOD_GET },
        { "httpx://h/", METHOD_GET },
        { "http://u@h/", METHOD_GET },
        { "http://u:p@h/", METHOD_GET },
        { "http://h:x/", METHOD_GET },
        { "http://h:65536/", METHOD_GET },
        { "http://h/a b", METHOD_GET },
        { "http://h/#", METHOD_GET },
        { "http://h#", METHOD_GET },
        { "http://h?<", METHOD_GET },
        { "http://h/%x", METHOD_GET },
        { "http://h h/", METHOD_GET },
        { "http://h\\a/", METHOD_GET },
        { "h:1", METHOD_GET }, /* authority-form is CONNECT's alone */
        { "/", METHOD_CONNECT },
        { "http://h/", METHOD_CONNECT },
        { "http://h:80", METHOD_CONNECT },
        { "h", METHOD_CONNECT }, /* RFC 9110 9.3.6: with a port */
        { "h:", METHOD_CONNECT },
        { "80", METHOD_CONNECT },
        { ":80", METHOD_CONNECT },
        { "[::1]", METHOD_CONNECT },
        { "[::80", METHOD_CONNECT },
        { "192.0.2.1", METHOD_CONNECT },
        { "h:65536", METHOD_CONNECT },
        { "u@h:80", METHOD_CONNECT },
        { "h:80/", METHOD_CONNECT },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct target target;
        if (target_parse(&target, slice_text(rows[i].raw), rows[i].method))
            fail_msg("%s was taken", rows[i].raw);
    }
}

/* Whatever of the front of a target somebody has looked at already, it comes to the same. */
static void goes_on_behind_what_was_seen(void **state)
{
    static const char *const rows[] = {
        "/", "/ab.c/.d", "/a../b?c=%41", "/a/%41/.?", "/ab/../c", "/ab#", "/ab?#", "/a.%4",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice raw = slice_text(rows[i]);
        struct target whole, rest;
        bool valid = target_parse(&whole, raw, METHOD_GET);
        for (size_t seen = 0; seen <= raw.size; seen++) {
            assert_int_equal(target_parse_from(&rest, raw, METHOD_GET, seen), valid);
            if (valid) {
                assert_int_equal(rest.plain, whole.plain);
                assert_int_equal(rest.has_query, whole.has_query);
                assert_true(slice_equal(rest.path, whole.path) && slice_equal(rest.query, whole.query));
            }
            bool plain = seen < raw.size && (raw.data[seen] == '.' ? raw.data[seen - 1] != '/'
                                                                   : char_is(raw.data[seen], CHAR_PATH));
            if (!plain)
                break;
        }
    }
}

static void takes_a_plain_path_as_it_is(void **state)
{
    struct target whole, plain;
    struct slice path = SLICE("/ab/c.html");
    (void)state;
    memset(&plain, 0xFF, sizeof plain);
    assert_true(target_parse(&whole, path, METHOD_GET));
    target_set_plain(&plain, path);
    assert_int_equal(plain.form, whole.form);
    assert_int_equal(plain.plain, whole.plain);
    assert_int_equal(plain.has_query, whole.has_query);
    assert_true(slice_equal(plain.path, whole.path));
    assert_true(plain.query.data == NULL && plain.query.size == 0);
    assert_true(plain.authority.data == NULL && plain.authority.size == 0);
}

/* The slices lie in what was sent, so that they can be moved along with it. */
static void points_into_the_raw_target(void **state)
{
    static const char raw[] = "http://h:1/a?b";
    struct target target;
    (void)state;
    assert_true(target_parse(&target, SLICE("http://h:1/a?b"), METHOD_GET));
    assert_true(target_parse(&target, slice_make(raw, sizeof raw - 1), METHOD_GET));
    assert_ptr_equal(target.authority.data, raw + 7);
    assert_ptr_equal(target.path.data, raw + 10);
    assert_ptr_equal(target.query.data, raw + 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_origin_form),
        cmocka_unit_test(checks_every_byte),
        cmocka_unit_test(parses_other_forms),
        cmocka_unit_test(refuses),
        cmocka_unit_test(goes_on_behind_what_was_seen),
        cmocka_unit_test(takes_a_plain_path_as_it_is),
        cmocka_unit_test(points_into_the_raw_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
