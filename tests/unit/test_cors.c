/* CORS: which origins can be named, and which fields each kind of request gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/writer.h"
#include "http/cors.h"
#include "made_fields.h"

static void test_bad_origins_are_explained(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "there is no origin; write for example https://app.example, or * for all" },
        { " \t ", "there is no origin; write for example https://app.example, or * for all" },
        { "null", "null: that is what pages without an origin send, of anybody; name the origins, or write * for all" },
        { "https://a.example null",
          "null: that is what pages without an origin send, of anybody; name the origins, or write * for all" },
        { "https://App.example", "https://App.example: browsers send an origin in small letters; write it so" },
        { "app.example", "app.example: an origin is a scheme and a host; write for example https://app.example" },
        { "://a", "://a: an origin is a scheme and a host; write for example https://app.example" },
        { "1x://a", "1x://a: an origin is a scheme and a host; write for example https://app.example" },
        { "a_b://a", "a_b://a: an origin is a scheme and a host; write for example https://app.example" },
        { "a|://a", "a|://a: an origin is a scheme and a host; write for example https://app.example" },
        { "https:/a", "https:/a: an origin is a scheme and a host; write for example https://app.example" },
        { "https://a, https://b", "https://a,: origins are separated by spaces; leave out the comma" },
        { "https://*.example", "https://*.example: an origin has no star in it; name each of them, or write * alone "
                               "for all" },
        { "https://a/", "https://a/: an origin ends before the path; leave out the / and what follows" },
        { "https://", "https://: there is no valid host in it; write for example https://app.example" },
        { "https://a:", "https://a:: there is no valid host in it; write for example https://app.example" },
        { "https://a:70000", "https://a:70000: there is no valid host in it; write for example https://app.example" },
        { "https://a?b", "https://a?b: there is no valid host in it; write for example https://app.example" },
        { "https://u@a", "https://u@a: there is no valid host in it; write for example https://app.example" },
        { "https://a:443", "https://a:443: browsers leave out the usual port; leave it out, too" },
        { "http://a:80", "http://a:80: browsers leave out the usual port; leave it out, too" },
        { "* https://a", "*: it stands for all origins, so it stands alone" },
        { "https://a *", "*: it stands for all origins, so it stands alone" },
        { "* *", "*: it stands for all origins, so it stands alone" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[WHY_SIZE] = "";
        struct cors cors;
        assert_false(cors_parse(&cors, slice_text(rows[i].text), (struct why){ why, sizeof why }));
        assert_string_equal(why, rows[i].why);
    }
}

static void test_good_origins_are_counted(void **state)
{
    static const struct {
        const char *text;
        unsigned count;
        bool any, constant;
    } rows[] = {
        { "*", 1, true, true },
        { " * ", 1, true, true },
        { "https://app.example", 1, false, true },
        { "\thttp://localhost:3000 ", 1, false, true },
        { "https://a  https://b\thttps://c", 3, false, false },
        { "http://[::1]:8080", 1, false, true },
        { "http://a:443 https://a:80 http://a:8080", 3, false, false },
        { "capacitor://localhost web+x.y-z://a", 2, false, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cors cors;
        assert_true(cors_parse(&cors, slice_text(rows[i].text), (struct why){ NULL, 0 }));
        assert_int_equal(cors.count, rows[i].count);
        assert_int_equal(cors.any, rows[i].any);
        assert_int_equal(cors_constant(&cors), rows[i].constant);
    }
}

static void test_the_number_at_its_edge(void **state)
{
    char text[1024], why[WHY_SIZE];
    struct writer w = writer_on(text, sizeof text);
    struct cors cors;
    (void)state;
    for (unsigned i = 0; i < CORS_ORIGINS_MAX; i++) {
        writer_text(&w, "https://a");
        writer_uint(&w, i);
        writer_byte(&w, ' ');
    }
    assert_true(cors_parse(&cors, writer_slice(&w), (struct why){ why, sizeof why }));
    assert_int_equal(cors.count, CORS_ORIGINS_MAX);
    writer_text(&w, "https://b");
    assert_false(cors_parse(&cors, writer_slice(&w), (struct why){ why, sizeof why }));
    assert_string_equal(why, "https://b: there are more than 32 origins");
}

static void check_fields(const struct cors_fields *fields, const char *wanted)
{
    char text[2048];
    struct writer w = writer_on(text, sizeof text);
    for (unsigned i = 0; i < fields->count; i++) {
        writer_put(&w, fields->at[i].name);
        writer_text(&w, ": ");
        writer_put(&w, fields->at[i].value);
        writer_byte(&w, '\n');
    }
    if (!slice_equal(writer_slice(&w), slice_text(wanted)))
        fail_msg("%.*s is not %s", (int)writer_used(&w), text, wanted);
}

static void test_actual_requests(void **state)
{
    static const struct {
        const char *origins, *origin, *fields;
    } rows[] = {
        { "*", NULL, "Access-Control-Allow-Origin: *\n" },
        { "*", "https://any.example", "Access-Control-Allow-Origin: *\n" },
        { "https://a", NULL, "Access-Control-Allow-Origin: https://a\n" },
        { "https://a", "https://a", "Access-Control-Allow-Origin: https://a\n" },
        { " https://a ", "https://b", "Access-Control-Allow-Origin: https://a\n" },
        { "https://a https://b", NULL, "Vary: Origin\n" },
        { "https://a https://b", "", "Vary: Origin\n" },
        { "https://a https://b", "https://b", "Vary: Origin\nAccess-Control-Allow-Origin: https://b\n" },
        { "https://a https://b", "https://B", "Vary: Origin\n" },
        { "https://a https://b", "https://", "Vary: Origin\n" },
        { "https://a https://b", "https://a https://b", "Vary: Origin\n" },
        { "https://a https://b", "null", "Vary: Origin\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cors cors;
        struct cors_fields fields;
        assert_true(cors_parse(&cors, slice_text(rows[i].origins), (struct why){ NULL, 0 }));
        cors_actual(&cors, slice_text(rows[i].origin), &fields);
        check_fields(&fields, rows[i].fields);
    }
    struct cors none = { .count = 0 };
    struct cors_fields fields;
    cors_actual(&none, SLICE("https://a"), &fields);
    assert_int_equal(fields.count, 0);
}

static void test_what_a_preflight_is(void **state)
{
    static const struct {
        enum method method;
        const char *head;
        bool preflight;
    } rows[] = {
        { METHOD_OPTIONS, "Origin: https://a\nAccess-Control-Request-Method: PUT", true },
        { METHOD_OPTIONS, "ACCESS-CONTROL-REQUEST-METHOD: PUT\norigin: null", true },
        { METHOD_OPTIONS, "Origin: https://a", false },
        { METHOD_OPTIONS, "Access-Control-Request-Method: PUT", false },
        { METHOD_OPTIONS, "", false },
        { METHOD_GET, "Origin: https://a\nAccess-Control-Request-Method: PUT", false },
    };
    (void)state;
    static struct request request;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        request.method = rows[i].method;
        made_fields(&request.fields, rows[i].head);
        assert_int_equal(cors_is_preflight(&request), rows[i].preflight);
    }
}

#define ASKS "Access-Control-Request-Method: GET\nOrigin: "
#define ALLOWS "Access-Control-Allow-Origin: https://a\nAccess-Control-Allow-Methods: GET, HEAD, OPTIONS\n"

static void test_preflights(void **state)
{
    static const struct {
        const char *origins, *head, *fields;
    } rows[] = {
        { "https://a", ASKS "https://a", ALLOWS "Access-Control-Max-Age: 7200\n" },
        { "*", ASKS "https://x", "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: GET, HEAD, OPTIONS\n"
                                 "Access-Control-Max-Age: 7200\n" },
        { "https://a", ASKS "https://b", "Access-Control-Allow-Origin: https://a\n" },
        { "https://a https://b", ASKS "https://c", "Vary: Origin\n" },
        { "https://b https://a", ASKS "https://a", "Vary: Origin\n" ALLOWS "Access-Control-Max-Age: 7200\n" },
        { "https://a", ASKS "https://a\nAccess-Control-Request-Headers: content-type,x-a",
          ALLOWS "Access-Control-Allow-Headers: content-type,x-a\nAccess-Control-Max-Age: 7200\n" },
        { "https://a", ASKS "https://a\nAccess-Control-Request-Headers: authorization",
          ALLOWS "Access-Control-Allow-Headers: authorization\nAccess-Control-Max-Age: 7200\n" },
        { "https://a", ASKS "https://a\nAccess-Control-Request-Headers: ", ALLOWS "Access-Control-Max-Age: 7200\n" },
        { "https://a", ASKS "https://a\nAccess-Control-Request-Headers: , ,", ALLOWS "Access-Control-Max-Age: 7200\n" },
        { "https://a", ASKS "https://a\nAccess-Control-Request-Headers: a b", ALLOWS "Access-Control-Max-Age: 7200\n" },
        { "https://a", ASKS "https://a\nAccess-Control-Request-Headers: x, \"y\"",
          ALLOWS "Access-Control-Max-Age: 7200\n" },
    };
    (void)state;
    static struct request request = { .method = METHOD_OPTIONS };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cors cors;
        struct cors_fields fields;
        made_fields(&request.fields, rows[i].head);
        assert_true(cors_is_preflight(&request));
        assert_true(cors_parse(&cors, slice_text(rows[i].origins), (struct why){ NULL, 0 }));
        unsigned methods = method_bit(METHOD_GET) | method_bit(METHOD_HEAD) | method_bit(METHOD_OPTIONS);
        cors_preflight(&cors, &request, methods, &fields);
        check_fields(&fields, rows[i].fields);
    }
}

/* What a program can say beside the origins. */
static void test_all_that_can_be_said(void **state)
{
    static const struct {
        const char *origins, *origin, *actual, *preflight;
    } rows[] = {
        { "https://a", "https://a",
          "Access-Control-Allow-Origin: https://a\nAccess-Control-Allow-Credentials: true\n"
          "Access-Control-Expose-Headers: X-Total\n",
          "Access-Control-Allow-Origin: https://a\nAccess-Control-Allow-Credentials: true\n"
          "Access-Control-Allow-Methods: GET\nAccess-Control-Allow-Headers: X-Key\nAccess-Control-Max-Age: 5\n" },
        { "https://a", "https://c",
          "Access-Control-Allow-Origin: https://a\nAccess-Control-Allow-Credentials: true\n",
          "Access-Control-Allow-Origin: https://a\nAccess-Control-Allow-Credentials: true\n" },
        { "https://a https://b", "https://b",
          "Vary: Origin\nAccess-Control-Allow-Origin: https://b\nAccess-Control-Allow-Credentials: true\n"
          "Access-Control-Expose-Headers: X-Total\n",
          "Vary: Origin\nAccess-Control-Allow-Origin: https://b\nAccess-Control-Allow-Credentials: true\n"
          "Access-Control-Allow-Methods: GET\nAccess-Control-Allow-Headers: X-Key\nAccess-Control-Max-Age: 5\n" },
        { "https://a https://b", "https://c", "Vary: Origin\n", "Vary: Origin\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request request = { .method = METHOD_OPTIONS };
        struct cors_fields fields;
        struct cors cors;
        char text[256];
        snprintf(text, sizeof text, "Origin: %s\nAccess-Control-Request-Method: GET\n"
                                    "Access-Control-Request-Headers: x-key, x-other", rows[i].origin);
        made_fields(&request.fields, text);
        assert_true(cors_parse(&cors, slice_text(rows[i].origins), (struct why){ NULL, 0 }));
        cors.credentials = true;
        cors.headers = SLICE("X-Key");
        cors.exposed = SLICE("X-Total");
        cors.max_age_s = SLICE("5");
        cors_actual(&cors, slice_text(rows[i].origin), &fields);
        check_fields(&fields, rows[i].actual);
        cors_preflight(&cors, &request, method_bit(METHOD_GET), &fields);
        check_fields(&fields, rows[i].preflight);
    }
}

static void test_what_is_repeated_is_bounded(void **state)
{
    (void)state;
    static struct request request = { .method = METHOD_OPTIONS };
    struct cors cors;
    struct cors_fields fields;
    assert_true(cors_parse(&cors, SLICE("*"), (struct why){ NULL, 0 }));
    for (int size = CORS_ASKED_MAX; size <= CORS_ASKED_MAX + 1; size++) {
        char head[2048], names[CORS_ASKED_MAX + 1];
        memset(names, 'x', sizeof names);
        snprintf(head, sizeof head, ASKS "https://a\nAccess-Control-Request-Headers: %.*s", size, names);
        made_fields(&request.fields, head);
        cors_preflight(&cors, &request, method_bit(METHOD_GET), &fields);
        assert_int_equal(fields.count, size == CORS_ASKED_MAX ? 4 : 3);
    }
}

static void test_all_methods_have_room(void **state)
{
    (void)state;
    static struct request request = { .method = METHOD_OPTIONS };
    struct cors cors;
    struct cors_fields fields;
    made_fields(&request.fields, ASKS "https://a");
    assert_true(cors_parse(&cors, SLICE("*"), (struct why){ NULL, 0 }));
    cors_preflight(&cors, &request, ~0u, &fields);
    assert_true(slice_ends(fields.at[1].value, SLICE(", PATCH")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_origins_are_explained),
        cmocka_unit_test(test_good_origins_are_counted),
        cmocka_unit_test(test_the_number_at_its_edge),
        cmocka_unit_test(test_actual_requests),
        cmocka_unit_test(test_what_a_preflight_is),
        cmocka_unit_test(test_preflights),
        cmocka_unit_test(test_all_that_can_be_said),
        cmocka_unit_test(test_what_is_repeated_is_bounded),
        cmocka_unit_test(test_all_methods_have_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
