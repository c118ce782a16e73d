/* Who comes in the clear and is sent to https, before routes, pages and middleware; and who is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"

static void answer(rh_request *request, void *user)
{
    rh_text(request, user);
}

static void refuse(rh_request *request, void *user)
{
    (void)user;
    rh_fail(request, 403, "middleware");
}

static rh_server *start(rh_options options)
{
    static const struct api_route routes[] = {
        { "GET /page", answer, "page" },
        { "POST /page", answer, "posted" },
        { "GET /.well-known/acme-challenge/{token}", answer, "challenge" },
    };
    options.workers = 1;
    rh_server *server = rh_server_new(options);
    add_routes(server, routes, sizeof routes / sizeof *routes);
    start_server(server);
    return server;
}

static void sends_all_methods_there(void **state)
{
    static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND" };
    rh_server *server = start((rh_options){ .listen = "127.0.0.1:0", .https_redirect = "8443" });
    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        char line[64];
        snprintf(line, sizeof line, "%s /page?q=1", methods[i]);
        const struct reply *reply = ask_with(server, line, "", "");
        assert_int_equal(reply->status, 308);
        assert_non_null(strstr(reply->head, "\r\nLocation: https://a:8443/page?q=1\r\n"));
    }
    assert_int_equal(ask_with(server, "GET /nothing", "", "")->status, 308);
    rh_server_free(server);
}

/* At once, and what comes of it is thrown away. */
static void sends_bodies_there(void **state)
{
    rh_server *server = start((rh_options){ .listen = "127.0.0.1:0", .https_redirect = "443" });
    (void)state;
    const struct reply *reply = ask_with(server, "POST /page", "Content-Length: 5\r\n", "hello");
    assert_int_equal(reply->status, 308);
    assert_non_null(strstr(reply->head, "\r\nLocation: https://a/page\r\n"));
    assert_non_null(strstr(reply->body, "<a href=\"https://a/page\">"));
    rh_server_free(server);
}

static void lets_challenges_through(void **state)
{
    rh_server *server = start((rh_options){ .listen = "127.0.0.1:0", .https_redirect = "443" });
    (void)state;
    assert_string_equal(ask_with(server, "GET /.well-known/acme-challenge/abc", "", "")->body, "challenge");
    assert_int_equal(ask_with(server, "GET /.well-known/acme-challenge/../../page", "", "")->status, 308);
    assert_int_equal(ask_with(server, "GET /%2ewell-known/acme-challenge/abc", "", "")->status, 200);
    assert_int_equal(ask_with(server, "OPTIONS *", "", "")->status, 204);
    rh_server_free(server);
}

static void is_before_middleware(void **state)
{
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .https_redirect = "443" });
    (void)state;
    assert_int_equal(rh_use(server, "/", refuse, NULL), 0);
    assert_int_equal(rh_start(server), 0);
    assert_int_equal(ask_with(server, "GET /page", "", "")->status, 308);
    assert_int_equal(ask_with(server, "GET /.well-known/acme-challenge/abc", "", "")->status, 403);
    rh_server_free(server);
}

static void leaves_others_alone(void **state)
{
    static const struct {
        const char *redirect, *trusted, *fields;
        int status;
    } rows[] = {
        { NULL, NULL, "", 200 }, /* there is no listener that speaks https */
        { "auto", NULL, "", 200 },
        { "off", NULL, "", 200 },
        { "443", NULL, "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n", 308 },
        { "443", "loopback", "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n", 200 },
        { "443", "loopback", "X-Forwarded-Proto: http\r\nX-Forwarded-For: 192.0.2.1\r\n", 308 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rh_server *server = start((rh_options){ .listen = "127.0.0.1:0", .https_redirect = rows[i].redirect,
                                                .trusted_proxies = rows[i].trusted });
        assert_int_equal(ask_with(server, "GET /page", rows[i].fields, "")->status, rows[i].status);
        rh_server_free(server);
    }
}

/* As HTTP/1.0 allows. */
static void needs_a_host(void **state)
{
    static struct reply reply;
    rh_server *server = start((rh_options){ .listen = "127.0.0.1:0", .https_redirect = "443" });
    (void)state;
    int fd = client_connect(server);
    client_send(fd, "GET /page HTTP/1.0\r\n\r\n");
    client_read(fd, &reply);
    assert_int_equal(reply.status, 400);
    assert_non_null(strstr(reply.body, "served by https"));
    rh_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_all_methods_there), cmocka_unit_test(sends_bodies_there),
        cmocka_unit_test(lets_challenges_through), cmocka_unit_test(is_before_middleware),
        cmocka_unit_test(leaves_others_alone),
        cmocka_unit_test(needs_a_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
