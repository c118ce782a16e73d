/* What a handler is told of its request, asked for over a real connection, and what the server answers without one:
 * HEAD, OPTIONS, 405, 404, 501 and 413. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"

static rh_server *server;

static void tell(rh_request *request, void *user)
{
    rh_json(request, "[%s,%S,%S,%S,%S,%S,%S,%S]", user, rh_method(request), rh_path(request), rh_query_raw(request),
            rh_body(request), rh_peer(request), rh_field(request, "x-here"), rh_field(request, "x-absent"));
}

static void tell_parameters(rh_request *request, void *user)
{
    (void)user;
    rh_json(request, "[%S,%S,%S]", rh_param(request, "id"), rh_param(request, "rest"), rh_param(request, "absent"));
}

static void tell_query(rh_request *request, void *user)
{
    (void)user;
    rh_json(request, "[%S,%S,%S]", rh_query(request, "a"), rh_query(request, "b c"), rh_query(request, "absent"));
}

static void tells_the_request(void **state)
{
    (void)state;
    struct reply *reply = ask_with(server, "POST /te%6cl/../tell?q=%20", "X-HERE: yes\r\nContent-Length: 4\r\n",
                                   "body");
    assert_int_equal(reply->status, 200);
    assert_true(has_line(reply, "Content-Type: application/json"));
    assert_string_equal(reply->body, "[\"mine\",\"POST\",\"/tell\",\"q=%20\",\"body\",\"127.0.0.1\",\"yes\",null]");
    expect(server, "GET /tell", 200, "[\"mine\",\"GET\",\"/tell\",null,null,\"127.0.0.1\",null,null]");
}

static void tells_parameters(void **state)
{
    (void)state;
    expect(server, "GET /users/42", 200, "[\"42\",null,null]");
    expect(server, "GET /users/a%20b", 200, "[\"a b\",null,null]");
    expect(server, "GET /users/%41/./files/x/y", 200, "[\"A\",\"x/y\",null]");
    expect(server, "GET /users/7/files/", 200, "[\"7\",\"\",null]");
    expect(server, "GET /users/me", 200, "[\"literal\",\"GET\",\"/users/me\",null,null,\"127.0.0.1\",null,null]");
}

static void tells_the_query(void **state)
{
    (void)state;
    expect(server, "GET /query", 200, "[null,null,null]");
    expect(server, "GET /query?a=1&a=2&b+c=%C3%A4", 200, "[\"1\",\"\xC3\xA4\",null]");
    expect(server, "GET /query?a&b%20c=", 200, "[\"\",\"\",null]");
    expect(server, "GET /query?aa=1&=2&&a=x+y%2B", 200, "[\"x y+\",null,null]");
}

static void reads_numbers(void **state)
{
    static const struct {
        const char *text;
        bool is_uint, is_int;
        uint64_t whole;
        int64_t sized;
    } rows[] = {
        { "0", true, true, 0, 0 },
        { "007", true, true, 7, 7 },
        { "-1", false, true, 0, -1 },
        { "-0", false, true, 0, 0 },
        { "9223372036854775807", true, true, INT64_MAX, INT64_MAX },
        { "9223372036854775808", true, false, UINT64_C(1) << 63, 0 },
        { "-9223372036854775808", false, true, 0, INT64_MIN },
        { "-9223372036854775809", false, false, 0, 0 },
        { "18446744073709551615", true, false, UINT64_MAX, 0 },
        { "18446744073709551616", false, false, 0, 0 },
        { "", false, false, 0, 0 },
        { "-", false, false, 0, 0 },
        { "--1", false, false, 0, 0 },
        { "+1", false, false, 0, 0 },
        { " 1", false, false, 0, 0 },
        { "1x", false, false, 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rh_slice slice = { rows[i].text, strlen(rows[i].text) };
        uint64_t whole = 99;
        int64_t sized = 99;
        assert_int_equal(rh_slice_uint(slice, &whole), rows[i].is_uint);
        assert_true(whole == (rows[i].is_uint ? rows[i].whole : 99));
        assert_int_equal(rh_slice_int(slice, &sized), rows[i].is_int);
        assert_true(sized == (rows[i].is_int ? rows[i].sized : 99));
    }
    assert_true(rh_slice_is((rh_slice){ "abc", 2 }, "ab"));
    assert_false(rh_slice_is((rh_slice){ "abc", 3 }, "ab"));
    assert_true(rh_slice_is((rh_slice){ NULL, 0 }, ""));
}

static void texts_have_no_controls(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool is_text;
    } rows[] = {
        { NULL, 0, true },     { "", 0, true },          { "a\tb\r\nc ~", 8, true },
        { "gr\xc3\xbc", 4, true }, { "a\0b", 3, false },    { "\x1f", 1, false },
        { "\x7f", 1, false },  { "\x1b[1m", 4, false },  { "\xc3", 1, false },
        { "a\x80", 2, false }, { "\xc0\x80", 2, false }, { "\xed\xa0\x80", 3, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(rh_slice_is_text((rh_slice){ rows[i].bytes, rows[i].size }), rows[i].is_text);
}

/* ---- What comes by itself --------------------------------------------------------------------------------------- */

static void answer_text(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "Hello\n");
}

static void answers_head_options_and_405(void **state)
{
    (void)state;
    struct reply *reply = ask(server, "HEAD /text");
    assert_int_equal(reply->status, 200);
    assert_true(has_line(reply, "Content-Length: 6"));
    assert_int_equal(reply->body_size, 0);
    reply = ask(server, "OPTIONS /text");
    assert_int_equal(reply->status, 204);
    assert_true(has_line(reply, "Allow: GET, HEAD, OPTIONS"));
    assert_null(strstr(reply->head, "Content-Length"));
    reply = ask(server, "DELETE /tell");
    assert_int_equal(reply->status, 405);
    assert_true(has_line(reply, "Allow: GET, HEAD, POST, OPTIONS"));
    assert_int_equal(ask(server, "GET /nothing")->status, 404);
    assert_int_equal(ask(server, "BREW /text")->status, 501);
}

static void refuses_too_large_a_body(void **state)
{
    char body[1002];
    (void)state;
    memset(body, 'x', sizeof body);
    body[1000] = '\0';
    assert_int_equal(ask_with(server, "POST /tell", "Content-Length: 1000\r\n", body)->status, 200);
    assert_int_equal(ask_with(server, "POST /tell", "Content-Length: 1001\r\n", "")->status, 413);
}

/* ---- One server for all of them ------------------------------------------------------------------------------ */

static const struct api_route routes[] = {
    { "GET /tell", tell, "mine" },
    { "POST /tell", tell, "mine" },
    { "GET /users/{id}", tell_parameters, NULL },
    { "GET /users/me", tell, "literal" },
    { "GET /users/{id}/files/{rest...}", tell_parameters, NULL },
    { "GET /query", tell_query, NULL },
    { "GET /text", answer_text, NULL },
};

static int start(void **state)
{
    (void)state;
    server = make_server(NULL);
    add_routes(server, routes, sizeof routes / sizeof routes[0]);
    start_server(server);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rh_server_free(server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_request),
        cmocka_unit_test(tells_parameters),
        cmocka_unit_test(tells_the_query),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(texts_have_no_controls),
        cmocka_unit_test(answers_head_options_and_405),
        cmocka_unit_test(refuses_too_large_a_body),
    };
    return cmocka_run_group_tests(tests, start, end);
}
