/* A whole server with an https listener, beside one without, and clients of OpenSSL's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "server/server.h"
#include "tls_client.h"

static void answer(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, rh_scheme(request).data[4] == 's' ? "secure" : "plain");
}

static rh_server *make(const char *listen)
{
    rh_server *server = rh_server_new((rh_options){ .listen = listen, .workers = 2, .https_redirect = "off" });
    assert_int_equal(rh_route(server, "GET /", answer, NULL), 0);
    return server;
}

static struct tls_context *make_context(void)
{
    struct tls_pair pair;
    struct why nobody = { NULL, 0 };
    assert_true(tls_self_signed(&pair, nobody));
    struct tls_certificate certificate = { .chain.bytes = slice_text(pair.chain), .key.bytes = slice_text(pair.key) };
    struct tls_tickets *tickets = tls_tickets_new();
    struct tls_context *context = tls_context_new(&(struct tls_settings){ .certificates = &certificate,
        .certificate_count = 1, .tickets = tickets }, nobody);
    assert_non_null(context);
    tls_tickets_unref(tickets);
    tls_pair_free(&pair);
    return context;
}

static int connect_to(unsigned port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void ask_both(rh_server *server)
{
    char reply[1024] = "";
    int plain = connect_to(address_port(&server->config.listen[0]));
    struct tls_client client = tls_client_make(connect_to(address_port(&server->config.listen[1])));
    assert_int_equal(tls_client_shake(&client), 0);
    tls_client_say(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n");
    tls_client_hear(&client, reply, sizeof reply - 1);
    assert_true(strncmp(reply, "HTTP/1.1 200 ", 13) == 0);
    assert_non_null(strstr(reply, "\r\n\r\nsecureHTTP/1.1 200 "));
    assert_true(slice_ends(slice_text(reply), SLICE("\r\n\r\nsecure")));
    assert_true(SSL_get_shutdown(client.ssl) & SSL_RECEIVED_SHUTDOWN); /* a close_notify: nobody has cut it */
    tls_client_free(&client);
    memset(reply, 0, sizeof reply);
    assert_int_equal(send(plain, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
    assert_true(recv(plain, reply, sizeof reply - 1, MSG_WAITALL) > 0);
    assert_true(slice_ends(slice_text(reply), SLICE("\r\n\r\nplain")));
    close(plain);
}

static void serves_both_beside_one_another(void **state)
{
    rh_server *server = make("127.0.0.1:0 https://127.0.0.1:0");
    (void)state;
    tls_slot_publish(&server->tls, make_context(), NULL);
    assert_int_equal(rh_start(server), 0);
    ask_both(server);
    tls_slot_publish(&server->tls, make_context(), server->store.qsbr);
    ask_both(server);
    rh_server_free(server);
}

static void needs_a_certificate(void **state)
{
    rh_server *server = make("127.0.0.1:0 https://127.0.0.1:0");
    (void)state;
    assert_int_equal(rh_start(server), -1);
    assert_non_null(strstr(rh_error(server), "needs a certificate"));
    rh_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_both_beside_one_another),
        cmocka_unit_test(needs_a_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
