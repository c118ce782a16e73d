/* Which requests are sent to https, and where there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/https_redirect.h"
#include "made_fields.h"

static void test_what_can_be_written(void **state)
{
    static const struct {
        const char *text;
        struct https_redirect redirect;
    } rows[] = {
        { "auto", { HTTPS_REDIRECT_AUTO, 0 } },     { "off", { HTTPS_REDIRECT_OFF, 0 } },
        { "1", { HTTPS_REDIRECT_PORT, 1 } },        { "443", { HTTPS_REDIRECT_PORT, 443 } },
        { "65535", { HTTPS_REDIRECT_PORT, 65535 } },
    };
    static const char *const wrong[] = { "", "0", "65536", "Auto", "on", ":443", "-1", "443 " };
    (void)state;
    struct https_redirect got;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(https_redirect_parse(slice_text(rows[i].text), &got, (struct why){ NULL, 0 }));
        assert_int_equal(got.kind, rows[i].redirect.kind);
        assert_int_equal(got.port, rows[i].redirect.port);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char why[WHY_SIZE] = "";
        assert_false(https_redirect_parse(slice_text(wrong[i]), &got, (struct why){ why, sizeof why }));
        assert_non_null(strstr(why, "write auto, off, or the port to which https goes"));
    }
}

static struct request make(struct slice target, struct fields *fields)
{
    struct request request = { .method = METHOD_GET };
    assert_true(target_parse(&request.target, target, METHOD_GET));
    request.fields = *fields;
    return request;
}

static void test_location(void **state)
{
    static const struct {
        const char *host, *target;
        unsigned port;
        const char *location;
    } rows[] = {
        { "example.org", "/", 443, "https://example.org/" },
        { "example.org:80", "/a/b%20c", 443, "https://example.org/a/b%20c" },
        { "example.org:8080", "/?", 8443, "https://example.org:8443/?" },
        { "example.org:", "/x?a=b&c=//", 443, "https://example.org/x?a=b&c=//" },
        { "192.0.2.1:80", "//evil.example/", 1, "https://192.0.2.1:1//evil.example/" },
        { "[::1]", "/", 443, "https://[::1]/" },
        { "[2001:db8::1]:8080", "/../a", 65535, "https://[2001:db8::1]:65535/../a" },
        { "other.example", "http://example.org:80/a?b", 443, "https://example.org/a?b" },
        { "other.example", "http://example.org", 443, "https://example.org/" },
        { NULL, "/", 443, NULL },
        { "", "/", 443, NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[128] = "", text[256];
        struct fields fields;
        if (rows[i].host)
            snprintf(line, sizeof line, "Host: %s", rows[i].host);
        made_fields(&fields, line);
        struct request request = make(slice_text(rows[i].target), &fields);
        size_t room = https_redirect_room(&request);
        assert_true(room <= sizeof text);
        struct writer w = writer_on(text, room);
        bool written = https_redirect_write(&request, rows[i].port, &w);
        assert_int_equal(written, rows[i].location != NULL);
        assert_false(w.overflowed);
        struct slice expected = slice_text(rows[i].location ? rows[i].location : "");
        assert_true(slice_equal(writer_slice(&w), expected));
    }
}

static void test_what_it_is_for(void **state)
{
    static const struct {
        const char *path;
        bool applies;
    } rows[] = {
        { "/", true },
        { "/.well-known/acme-challenge/token", false },
        { "/.well-known/acme-challenge/", false },
        { "/.well-known/acme-challenge", true },
        { "/.well-known/security.txt", true },
        { "/x/.well-known/acme-challenge/token", true },
    };
    struct request request = { .target = { .form = TARGET_ORIGIN } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        request.path = slice_text(rows[i].path);
        assert_int_equal(https_redirect_applies(&request), rows[i].applies);
    }
    request.target.form = TARGET_ASTERISK;
    request.path = SLICE("");
    assert_false(https_redirect_applies(&request));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_be_written),
        cmocka_unit_test(test_location),
        cmocka_unit_test(test_what_it_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
