/* What handlers get of queries, forms and cookies, and what becomes of cookies that they set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "http/exchange.h"

static struct notes notes = NOTES_INIT;
static rh_server *server;

typedef bool pairs_next(rh_request *request, size_t *at, rh_slice *name, rh_slice *value);

static bool cookie_next_of(rh_request *request, size_t *at, rh_slice *name, rh_slice *value)
{
    return rh_cookie_next(request, at, name, value);
}

/* All pairs, and the first of the name "a". */
static void answer_pairs(rh_request *request, rh_slice first, pairs_next *next)
{
    rh_slice name, value;
    size_t at = 0;
    rh_json_add(request, "%S", first);
    while (next(request, &at, &name, &value))
        rh_json_add(request, " %S=%S", name, value);
    if (next(request, &at, &name, &value))
        rh_json_add(request, " again");
    rh_json_send(request);
}

static void answer_query(rh_request *request, void *user)
{
    (void)user;
    answer_pairs(request, rh_query(request, "a"), rh_query_next);
}

static void answer_form(rh_request *request, void *user)
{
    (void)user;
    answer_pairs(request, rh_form(request, "a"), rh_form_next);
}

static void answer_cookies(rh_request *request, void *user)
{
    (void)user;
    answer_pairs(request, rh_cookie(request, "a"), cookie_next_of);
}

static const struct {
    const char *text, *seen;
} pairs[] = {
    { "", "null" },
    { "b=1", "null \"b\"=\"1\"" },
    { "a=1", "\"1\" \"a\"=\"1\"" },
    { "a=1&a=2&&b=3&a=", "\"1\" \"a\"=\"1\" \"a\"=\"2\" \"b\"=\"3\" \"a\"=\"\"" },
    { "a", "\"\" \"a\"=\"\"" },
    { "=x&a", "\"\" \"\"=\"x\" \"a\"=\"\"" },
    { "%61=a+b%20c", "\"a b c\" \"a\"=\"a b c\"" },
    { "a=%C3%A4", "\"\xc3\xa4\" \"a\"=\"\xc3\xa4\"" },
    { "a=%FF", "\"\xef\xbf\xbd\" \"a\"=\"\xef\xbf\xbd\"" },
    { "%zz=1&a=2", "\"2\" null=\"1\" \"a\"=\"2\"" },
    { "a=%zz&a=2", "null \"a\"=null \"a\"=\"2\"" },
    { "ab=1&A=2&%41=3&a%20=4", "null \"ab\"=\"1\" \"A\"=\"2\" \"A\"=\"3\" \"a \"=\"4\"" },
};

static void gives_pairs_of_queries_and_forms(void **state)
{
    char line[128], length[128];
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        snprintf(line, sizeof line, "GET /query?%s", pairs[i].text);
        assert_string_equal(ask(server, line)->body, pairs[i].seen);
        snprintf(length, sizeof length, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n",
                 strlen(pairs[i].text));
        assert_string_equal(ask_with(server, "POST /form", length, pairs[i].text)->body, pairs[i].seen);
    }
}

static void reads_a_form_where_there_is_one(void **state)
{
    static const struct {
        const char *type;
        bool form;
    } rows[] = {
        { "application/x-www-form-urlencoded", true },
        { "Application/X-WWW-Form-Urlencoded ; charset=utf-8", true },
        { "application/x-www-form-urlencoded;", true },
        { "application/x-www-form-urlencoded2", false },
        { "text/plain", false },
        { "multipart/form-data; boundary=a", false },
        { "", false },
    };
    char fields[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(fields, sizeof fields, "Content-Type: %s\r\nContent-Length: 3\r\n", rows[i].type);
        assert_string_equal(ask_with(server, "POST /form", fields, "a=1")->body,
                            rows[i].form ? "\"1\" \"a\"=\"1\"" : "null");
    }
    assert_string_equal(ask_with(server, "POST /form", "Content-Length: 3\r\n", "a=1")->body, "null");
    assert_string_equal(ask_with(server, "POST /form", "", "")->body, "null");
}

static void gives_cookies(void **state)
{
    static const struct {
        const char *fields, *seen;
    } rows[] = {
        { "", "null" },
        { "Cookie: a=1\r\n", "\"1\" \"a\"=\"1\"" },
        { "Cookie: b=1; a=2; a=3\r\n", "\"2\" \"b\"=\"1\" \"a\"=\"2\" \"a\"=\"3\"" },
        { "Cookie: b=1\r\nX: y\r\ncookie: a=2\r\nCOOKIE: \r\nCookie: c=3\r\n",
          "\"2\" \"b\"=\"1\" \"a\"=\"2\" \"c\"=\"3\"" },
        { "Cookie: A=1; a%20=2; a=%20+\r\n", "\"%20+\" \"A\"=\"1\" \"a%20\"=\"2\" \"a\"=\"%20+\"" },
        { "Cookie: ; ;\r\nCookie: a=x\r\n", "\"x\" \"a\"=\"x\"" },
        { "Cookie: a = 1 ;b=2,c=3;;d\r\n", "\"1\" \"a\"=\"1\" \"b\"=\"2,c=3\" \"\"=\"d\"" },
        { "Cookie: =x; a==y=\r\n", "\"=y=\" \"\"=\"x\" \"a\"=\"=y=\"" },
        { "Cookie: $Version=1; a=\xC3\xA4\r\n", "\"\xC3\xA4\" \"$Version\"=\"1\" \"a\"=\"\xC3\xA4\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(ask_with(server, "GET /cookies", rows[i].fields, "")->body, rows[i].seen);
}

static void set_cookies(rh_request *request, void *user)
{
    (void)user;
    bool good = rh_set_cookie(request, (rh_cookie_options){ .name = "a", .value = "1", .http_only = true });
    if (rh_query(request, "bad").data != NULL)
        good = rh_set_cookie(request, (rh_cookie_options){ .name = "b", .value = "1\n2" });
    else
        good = good && rh_set_cookie(request, (rh_cookie_options){ .name = "b", .same_site = RH_SAME_SITE_STRICT });
    rh_text(request, good ? "set" : "refused");
}

static void sets_cookies(void **state)
{
    (void)state;
    struct reply *reply = ask(server, "GET /set");
    assert_string_equal(reply->body, "set");
    assert_true(has_line(reply, "Set-Cookie: a=1; Path=/; HttpOnly; SameSite=Lax"));
    assert_true(has_line(reply, "Set-Cookie: b=; Path=/; SameSite=Strict"));
    reply = ask(server, "GET /set?bad");
    assert_int_equal(reply->status, 500);
    assert_null(strstr(reply->head, "Set-Cookie"));
    assert_true(noted(&notes, "handler of GET /set set a cookie that browsers would not take: b: a cookie's"));
}

/* A program that was built when there were fewer options. */
static void set_old_cookie(rh_request *request, void *user)
{
    rh_cookie_options options = { .name = "a", .value = "1", .same_site = RH_SAME_SITE_NONE };
    (void)user;
    rh_cookie_add(request, &options, offsetof(rh_cookie_options, same_site));
    rh_empty(request);
}

static void knows_older_options(void **state)
{
    (void)state;
    assert_true(has_line(ask(server, "GET /old"), "Set-Cookie: a=1; Path=/; SameSite=Lax"));
}

static void starve(rh_request *request, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    (void)user;
    exchange->arena.at = exchange->arena.end;
    exchange->arena.ceiling = exchange->arena.used;
    bool absent = rh_query(request, "a").data == NULL;
    bool refused = !rh_set_cookie(request, (rh_cookie_options){ .name = "a" });
    if (absent && refused)
        rh_empty(request);
}

static void survives_without_memory(void **state)
{
    (void)state;
    assert_int_equal(ask(server, "GET /starve?a=%20")->status, 500);
}

static int start(void **state)
{
    static const struct api_route routes[] = {
        { "GET /query", answer_query, NULL }, { "POST /form", answer_form, NULL },
        { "GET /cookies", answer_cookies, NULL }, { "GET /set", set_cookies, NULL },
        { "GET /old", set_old_cookie, NULL }, { "GET /starve", starve, NULL },
    };
    (void)state;
    server = make_server(&notes);
    add_routes(server, routes, sizeof routes / sizeof *routes);
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
        cmocka_unit_test(gives_pairs_of_queries_and_forms),
        cmocka_unit_test(reads_a_form_where_there_is_one),
        cmocka_unit_test(gives_cookies),
        cmocka_unit_test(sets_cookies),
        cmocka_unit_test(knows_older_options),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, start, end);
}
