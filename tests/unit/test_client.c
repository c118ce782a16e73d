/* Whose request it is, as handlers are told: the peer's, unless that is a proxy whose word counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "http/exchange.h"

static void answer_client(rh_request *request, void *user)
{
    (void)user;
    rh_json(request, "%S %S %S", rh_peer(request), rh_client(request), rh_scheme(request));
}

static void starve(rh_request *request, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    (void)user;
    exchange->arena.at = exchange->arena.end;
    exchange->arena.ceiling = exchange->arena.used;
    if (rh_client(request).data == NULL)
        rh_empty(request);
}

static rh_server *start(const char *listen, const char *trusted)
{
    rh_server *server = rh_server_new((rh_options){ .listen = listen, .trusted_proxies = trusted, .workers = 1 });
    add_route(server, "GET /", answer_client, NULL);
    add_route(server, "GET /starve", starve, NULL);
    if (rh_start(server) != 0)
        fail_msg("%s", rh_error(server));
    return server;
}

static void believes_those_who_are_trusted(void **state)
{
    static const struct {
        const char *trusted, *fields, *seen;
    } rows[] = {
        { NULL, "", "\"127.0.0.1\" \"127.0.0.1\" \"http\"" },
        { NULL, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", "\"127.0.0.1\" \"127.0.0.1\" \"http\"" },
        { "192.0.2.7 unix", "Forwarded: for=192.0.2.1;proto=https\r\n", "\"127.0.0.1\" \"127.0.0.1\" \"http\"" },
        { "loopback", "", "\"127.0.0.1\" \"127.0.0.1\" \"http\"" },
        { "loopback", "X-Forwarded-For: 192.0.2.1\r\n", "\"127.0.0.1\" \"192.0.2.1\" \"http\"" },
        { "loopback", "Forwarded: for=\"[2001:DB8::1]\";proto=https\r\n", "\"127.0.0.1\" \"2001:db8::1\" \"https\"" },
        { "loopback", "X-Forwarded-For: 192.0.2.1, 192.0.2.7\r\n", "\"127.0.0.1\" \"192.0.2.7\" \"http\"" },
        { "127.0.0.1 192.0.2.7", "X-Forwarded-For: 192.0.2.1, 192.0.2.7\r\n",
          "\"127.0.0.1\" \"192.0.2.1\" \"http\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rh_server *server = start("127.0.0.1:0", rows[i].trusted);
        assert_string_equal(ask_with(server, "GET /", rows[i].fields, "")->body, rows[i].seen);
        rh_server_free(server);
    }
}

static void survives_without_memory(void **state)
{
    rh_server *server = start("127.0.0.1:0", "loopback");
    (void)state;
    assert_int_equal(ask_with(server, "GET /starve", "X-Forwarded-For: 192.0.2.1\r\n", "")->status, 204);
    rh_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(believes_those_who_are_trusted),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
