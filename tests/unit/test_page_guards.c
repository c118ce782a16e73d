/* Pages behind passwords, as a server answers for them: at every address, with and without a body, in memory and from
 * their files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "page_rules_fixture.h"

/* A page is not open at one door and closed at another. */
static void guards_at_every_address(void **state)
{
    static const char *const guarded[] = { "GET /secret", "GET /secret.html", "HEAD /secret", "GET /docs/",
                                           "GET /docs/index.html", "GET /docs", "OPTIONS /secret", "DELETE /docs/" };
    (void)state;
    serve(HOST({ .path = "/secret.html", .basic_auth = users }, { .path = "/docs/", .basic_auth = users }));
    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
        assert_memory_equal(value_of(get(guarded[i], "", 401), "WWW-Authenticate"), "Basic realm=", 12);
        get(guarded[i], password("anna:wrong"), 401);
    }
    for (int i = 0; i < 2; i++) {
        gets("GET /secret", password("anna:secret"), 200, "<p>secret");
        gets("GET /secret.html", password("berta:geheim"), 200, "<p>secret");
        gets("GET /docs/index.html", password("anna:secret"), 200, "<p>docs");
        gets("HEAD /docs/", password("anna:secret"), 200, "");
        has(get("GET /docs", password("anna:secret"), 301), "Location: /docs/");
        gets("GET /about", "", 200, "<p>about");
    }
}

/* Nor does a rewrite or the fallback open a door that is closed. */
static void other_ways_to_a_guarded_page(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/_redirects", "/way /secret.html 200\n");
    rh_host_options host = HOST({ .path = "/secret", .basic_auth = users }, { .path = "/there", .rewrite = "/secret" },
                                { .path = "/lost", .rewrite = "/secret", .status = 404 });
    host.fallback = "/secret";
    serve(host);
    for (int i = 0; i < 2; i++) {
        get("GET /way", "", 401);
        get("GET /there", "", 401);
        get("GET /lost", "", 401);
        get("GET /nothing", NAVIGATES, 401);
        gets("GET /way", password("anna:secret"), 200, "<p>secret");
        gets("GET /there", password("anna:secret"), 200, "<p>secret");
        gets("GET /lost", password("anna:secret"), 404, "<p>secret");
        gets("GET /nothing", NAVIGATES "Authorization: Basic YW5uYTpzZWNyZXQ=\r\n", 200, "<p>secret");
    }
}

static void listings_and_nothing_are_guarded(void **state)
{
    (void)state;
    rh_host_options host = HOST({ .path = "/list/*", .basic_auth = users, .headers = TEXTS("X-A: b") });
    host.list = true;
    host.fallback = "/index.html";
    serve(host);
    get("GET /list/", "", 401);
    get("GET /list/nothing", NAVIGATES, 401);
    struct reply *reply = get("GET /list/", password("anna:secret"), 200);
    assert_non_null(strstr(reply->body, "b.txt"));
    has(reply, "X-A: b");
    gets("GET /list/nothing", NAVIGATES "Authorization: Basic YW5uYTpzZWNyZXQ=\r\n", 200, "<p>home");
    gets("GET /list/b.txt", password("anna:secret"), 200, "b");
}

/* Before the body has come it is known that nobody may go in; with a password it waits for the body. */
static void bodies_at_a_guarded_path(void **state)
{
    char fields[512];
    (void)state;
    begin(HOST({ .path = "/secret", .basic_auth = users, .cors = "https://a.example" }));
    add_route(server, "PUT /secret", hello, NULL);
    start_server(server);
    assert_int_equal(ask_with(server, "POST /secret", "Content-Length: 4\r\n", "body")->status, 401);
    static const struct { const char *password; int status; } tries[] = {
        { "anna:secret", 405 }, { "anna:secret", 405 }, { "anna:wrong", 401 }, { "nobody:x", 401 },
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        snprintf(fields, sizeof fields, "%sContent-Length: 4\r\n", password(tries[i].password));
        struct reply *reply = ask_with(server, "POST /secret", fields, "body");
        if (reply->status != tries[i].status)
            fail_msg("%s: %d\n%s", tries[i].password, reply->status, reply->head);
        if (reply->status == 405) /* also after it has been checked in the background */
            has(reply, "Allow: GET, HEAD, PUT, OPTIONS");
        snprintf(fields, sizeof fields, "%sTransfer-Encoding: chunked\r\n", password(tries[i].password));
        assert_int_equal(ask_with(server, "POST /secret", fields, "4\r\nbody\r\n0\r\n\r\n")->status, tries[i].status);
    }
    snprintf(fields, sizeof fields, "%sContent-Length: 4\r\n", password("anna:secret"));
    struct reply *reply = ask_with(server, "GET /secret", fields, "body");
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body, "<p>secret");
}

/* The site's own word does not open what the configuration closes. */
static void redirects_of_a_guarded_site(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/_redirects", "/secret /elsewhere 302!\n/in /about.html 200\n/lost /lost.html 404!\n");
    serve(HOST({ .path = "/secret.html", .basic_auth = users }));
    get("GET /secret", "", 401);
    has(get("GET /secret", password("anna:secret"), 302), "Location: /elsewhere");
    gets("GET /in", "", 200, "<p>about");
    gets("GET /lost", "", 404, "<p>lost");
    get("GET /_redirects", "", 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWICE(guards_at_every_address),
        TEST(listings_and_nothing_are_guarded),
        TEST(other_ways_to_a_guarded_page),
        TWICE(bodies_at_a_guarded_path),
        TEST(redirects_of_a_guarded_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
