/* JSON and HTML as a handler answers with them: by one format, in many pieces, and by a format that is none. The
 * conversions themselves are in test_json.c and test_html.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "api_fixture.h"

static rh_server *server;

static void answer_json(rh_request *request, void *user)
{
    (void)user;
    rh_json(request, "{\"s\":%s,\"n\":%s,\"S\":%S,\"d\":%d,\"u\":%u,\"ld\":%ld,\"lu\":%lu,\"lld\":%lld,\"llu\":%llu,"
                     "\"zu\":%zu,\"f\":%f,\"nan\":%f,\"b\":[%b,%b],\"j\":%j,\"J\":%J,\"%%\":0}",
            "a\"\n", (const char *)NULL, (rh_slice){ "xy", 1 }, -1, 2u, -3l, 4ul, -5ll, 6ull, (size_t)7, 0.5, NAN, 1, 0,
            "[1]", (rh_slice){ "{}", 2 });
}

enum { LONG_JSON_SIZE = 108897 }; /* "[0,1,...,20000]" */

static void answer_long_json(rh_request *request, void *user)
{
    (void)user;
    rh_json_add(request, "[");
    for (int i = 0; i < 20000; i++)
        rh_json_add(request, "%d,", i);
    rh_json_add(request, "%d]", 20000);
    rh_json_send(request);
}

static void answer_bad_json(rh_request *request, void *user)
{
    (void)user;
    rh_json(request, "[%q]", 1);
}

static void answer_html(rh_request *request, void *user)
{
    (void)user;
    rh_html_add(request, "<ul>");
    for (int i = 0; i < 2000; i++)
        rh_html_add(request, "<li title=\"%s\">%S%d%h", "\"", (rh_slice){ "<b>", 2 }, i, "</li>");
    rh_html_add(request, "</ul>");
    rh_html_send(request);
    rh_html_send(request); /* another one does nothing */
}

static void answer_bad_html(rh_request *request, void *user)
{
    (void)user;
    rh_html_add(request, "<p>%j", "1");
    rh_html_send(request);
}

static void answers_with_json(void **state)
{
    (void)state;
    expect(server, "GET /json", 200,
           "{\"s\":\"a\\\"\\n\",\"n\":null,\"S\":\"x\",\"d\":-1,\"u\":2,\"ld\":-3,\"lu\":4,\"lld\":-5,\"llu\":6,"
           "\"zu\":7,\"f\":0.5,\"nan\":null,\"b\":[true,false],\"j\":[1],\"J\":{},\"%\":0}");
    struct reply *reply = ask(server, "GET /json/long");
    assert_int_equal(reply->body_size, LONG_JSON_SIZE);
    assert_string_equal(reply->body + reply->body_size - 12, "19999,20000]");
    assert_int_equal(ask(server, "GET /json/bad")->status, 500);
}

static void answers_with_html(void **state)
{
    static const char first[] = "<ul><li title=\"&quot;\">&lt;b0</li><li title=\"&quot;\">&lt;b1</li>";
    static const char last[] = "&lt;b1999</li></ul>";
    (void)state;
    struct reply *reply = ask(server, "GET /html");
    assert_int_equal(reply->status, 200);
    assert_true(has_line(reply, "Content-Type: text/html; charset=utf-8"));
    assert_memory_equal(reply->body, first, sizeof first - 1);
    assert_string_equal(reply->body + reply->body_size - (sizeof last - 1), last);
    assert_int_equal(ask(server, "GET /html/bad")->status, 500);
}

/* ---- One server for all of them ------------------------------------------------------------------------------ */

static const struct api_route routes[] = {
    { "GET /json", answer_json, NULL },
    { "GET /json/long", answer_long_json, NULL },
    { "GET /json/bad", answer_bad_json, NULL },
    { "GET /html", answer_html, NULL },
    { "GET /html/bad", answer_bad_html, NULL },
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
        cmocka_unit_test(answers_with_json),
        cmocka_unit_test(answers_with_html),
    };
    return cmocka_run_group_tests(tests, start, end);
}
