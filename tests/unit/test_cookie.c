/* Cookies: what is read from fields as browsers send them, what is written, and what is refused before a browser would
 * drop it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "http/cookie.h"

static void reads_pairs(void **state)
{
    static const struct {
        const char *field, *pairs; /* "name=value|" each */
    } rows[] = {
        { "", "" },
        { "a=b", "a=b|" },
        { "a=b; c=d", "a=b|c=d|" },
        { "a=b;c=d", "a=b|c=d|" },
        { "a=b;;  ; c=d;", "a=b|c=d|" },
        { " a = b \t;\tc = d ", "a=b|c=d|" },
        { "a=", "a=|" },
        { "=b", "=b|" },
        { "b", "=b|" },
        { "=", "=|" },
        { "a=b=c==", "a=b=c==|" },
        { "a=\"b c\"; d=e", "a=\"b c\"|d=e|" },
        { "a=\"b; c=d\"", "a=\"b|c=d\"|" },
        { "a=b, c=d", "a=b, c=d|" },
        { "A=1; a=2; A=3", "A=1|a=2|A=3|" },
        { "a=\xc3\xa4\x01", "a=\xc3\xa4\x01|" },
        { ";", "" },
        { "   ", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice rest = slice_text(rows[i].field), name, value;
        char text[128];
        struct writer w = writer_on(text, sizeof text - 1);
        while (cookie_next(&rest, &name, &value)) {
            writer_put(&w, name);
            writer_byte(&w, '=');
            writer_put(&w, value);
            writer_byte(&w, '|');
        }
        *w.at = '\0';
        assert_string_equal(text, rows[i].pairs);
        assert_int_equal(rest.size, 0);
    }
}

/* A cookie of C strings. */
struct row {
    const char *name, *value, *path, *domain;
    int64_t max_age_s;
    bool secure, http_only, partitioned;
    enum cookie_same_site same_site;
    const char *written; /* or why not */
};

static struct cookie cookie_of(const struct row *row)
{
    return (struct cookie){ slice_text(row->name), slice_text(row->value), slice_text(row->path),
                            slice_text(row->domain), row->max_age_s, row->secure, row->http_only, row->partitioned,
                            row->same_site };
}

static void writes_what_browsers_take(void **state)
{
    static const struct row rows[] = {
        { "a", "b", .written = "a=b; Path=/; SameSite=Lax" },
        { "a", NULL, .written = "a=; Path=/; SameSite=Lax" },
        { "a", "!#$%&'()*+-./:<=>?@[]^_`{|}~", .written = "a=!#$%&'()*+-./:<=>?@[]^_`{|}~; Path=/; SameSite=Lax" },
        { "a", "b", "/x y", "example.org", 60, true, true, true, COOKIE_STRICT,
          "a=b; Path=/x y; Domain=example.org; Max-Age=60; Secure; HttpOnly; SameSite=Strict; Partitioned" },
        { "a", "b", .max_age_s = -1, .written = "a=b; Path=/; Max-Age=0; SameSite=Lax" },
        { "a", "b", .max_age_s = INT64_MIN, .written = "a=b; Path=/; Max-Age=0; SameSite=Lax" },
        { "a", "b", .max_age_s = INT64_MAX, .written = "a=b; Path=/; Max-Age=9223372036854775807; SameSite=Lax" },
        { "a", "b", .secure = true, .same_site = COOKIE_NONE, .written = "a=b; Path=/; Secure; SameSite=None" },
        { "__Host-a", "b", .secure = true, .written = "__Host-a=b; Path=/; Secure; SameSite=Lax" },
        { "__Host-a", "b", "/", .secure = true, .written = "__Host-a=b; Path=/; Secure; SameSite=Lax" },
        { "__Secure-a", "b", "/x", "a-1.B", .secure = true,
          .written = "__Secure-a=b; Path=/x; Domain=a-1.B; Secure; SameSite=Lax" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cookie cookie = cookie_of(&rows[i]);
        char why[WHY_SIZE], text[256];
        if (!cookie_valid(&cookie, (struct why){ why, sizeof why }))
            fail_msg("%s: %s", rows[i].name, why);
        struct writer w = writer_on(text, cookie_room(&cookie));
        cookie_write(&w, &cookie);
        assert_false(w.overflowed);
        *w.at = '\0';
        assert_string_equal(text, rows[i].written);
    }
}

static void refuses_what_browsers_drop(void **state)
{
    static const struct row rows[] = {
        { NULL, "b", .written = "is a token" },
        { "", "b", .written = "is a token" },
        { "a b", "b", .written = "a b: the name of a cookie is a token" },
        { "a=", "b", .written = "is a token" },
        { "a;", "b", .written = "is a token" },
        { "\xc3\xa4", "b", .written = "is a token" },
        { "a", "b c", .written = "value is ASCII" },
        { "a", "b;c", .written = "value is ASCII" },
        { "a", "b,c", .written = "value is ASCII" },
        { "a", "\"b\"", .written = "value is ASCII" },
        { "a", "b\\", .written = "value is ASCII" },
        { "a", "b\r\nX: y", .written = "value is ASCII" },
        { "a", "b\x7f", .written = "value is ASCII" },
        { "a", "\xc3\xa4", .written = "value is ASCII" },
        { "a", "b", "", .written = "path begins with a slash" },
        { "a", "b", "x", .written = "path begins with a slash" },
        { "a", "b", "/;Domain=x", .written = "path begins with a slash" },
        { "a", "b", "/\n", .written = "path begins with a slash" },
        { "a", "b", "/\xc3\xa4", .written = "path begins with a slash" },
        { "a", "b", "/x ", .written = "path begins with a slash" },
        { "a", "b", .domain = "", .written = "domain is a name" },
        { "a", "b", .domain = ".example.org", .written = "domain is a name" },
        { "a", "b", .domain = "example.org.", .written = "domain is a name" },
        { "a", "b", .domain = "-a", .written = "domain is a name" },
        { "a", "b", .domain = "a;b", .written = "domain is a name" },
        { "a", "b", .domain = "a:80", .written = "domain is a name" },
        { "a", "b", .same_site = COOKIE_NONE, .written = "for all sites is secure" },
        { "a", "b", .same_site = (enum cookie_same_site)3, .written = "no such SameSite" },
        { "a", "b", .partitioned = true, .written = "a partitioned cookie is secure" },
        { "__Secure-a", "b", .written = "of this name is secure" },
        { "__sEcure-a", "b", .written = "of this name is secure" },
        { "__Host-a", "b", .written = "of this name is secure" },
        { "__HOST-a", "b", "/x", .secure = true, .written = "path \"/\" and no domain" },
        { "__Host-a", "b", .domain = "a", .secure = true, .written = "path \"/\" and no domain" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cookie cookie = cookie_of(&rows[i]);
        char why[WHY_SIZE] = "";
        if (cookie_valid(&cookie, (struct why){ why, sizeof why }) || strstr(why, rows[i].written) == NULL)
            fail_msg("%zu: \"%s\" is not in \"%s\"", i, rows[i].written, why);
    }
}

static void has_limits(void **state)
{
    static char value[COOKIE_PAIR_MAX + 1], path[COOKIE_ATTRIBUTE_MAX + 1], domain[COOKIE_ATTRIBUTE_MAX + 1];
    struct why nobody = { NULL, 0 };
    struct cookie cookie = { .name = SLICE("a"), .value = slice_make(value, COOKIE_PAIR_MAX - 1),
                             .path = slice_make(path, COOKIE_ATTRIBUTE_MAX),
                             .domain = slice_make(domain, COOKIE_ATTRIBUTE_MAX) };
    (void)state;
    memset(value, 'v', sizeof value);
    memset(path, '/', sizeof path);
    memset(domain, 'd', sizeof domain);
    assert_true(cookie_valid(&cookie, nobody));
    cookie.value.size++;
    assert_false(cookie_valid(&cookie, nobody));
    cookie.value.size--;
    cookie.path.size++;
    assert_false(cookie_valid(&cookie, nobody));
    cookie.path.size--;
    cookie.domain.size++;
    assert_false(cookie_valid(&cookie, nobody));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pairs),
        cmocka_unit_test(writes_what_browsers_take),
        cmocka_unit_test(refuses_what_browsers_drop),
        cmocka_unit_test(has_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
