/* A server for the end-to-end tests that tells clients who they have proved to be, and its own certificate's state.
 * Run: whoami CERTIFICATE KEY CLIENT_CA off|optional|required */
#include <rawhttp.h>

#include <signal.h>
#include <stdio.h>

static void tell_client(rh_request *request, void *user)
{
    (void)user;
    rh_json(request, "{\"subject\": %S, \"scheme\": %S}", rh_client_subject(request), rh_scheme(request));
}

static void tell_length(rh_request *request, void *user)
{
    (void)user;
    rh_json(request, "{\"bytes\": %d}", (int)rh_body(request).size);
}

static void tell_state(rh_request *request, void *user)
{
    rh_tls_info info = rh_tls_state(user);
    rh_json(request, "{\"certificates\": %d, \"taken\": %d, \"refused\": %d}", (int)info.certificates, (int)info.taken,
            (int)info.refused);
}

static rh_server *make_server(char **arguments)
{
    const rh_certificate certificate = { .chain = arguments[1], .key = arguments[2] };
    rh_server *server = rh_server_new((rh_options){ .listen = "https://127.0.0.1:0", .workers = 1,
                                                    .log = rh_log_stderr });
    rh_tls(server, &(rh_tls_options){ .certificates = &certificate, .certificate_count = 1,
                                      .client_ca = arguments[3], .client_certificate = arguments[4] });
    rh_route(server, "GET /", tell_client, NULL);
    rh_route(server, "POST /", tell_length, NULL);
    rh_route(server, "GET /state", tell_state, server);
    return server;
}

int main(int count, char **arguments)
{
    int number;
    sigset_t ends;
    if (count != 5)
        return 2;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL); /* before there are threads, which inherit it */
    rh_server *server = make_server(arguments);
    int status = rh_start(server);
    if (status == 0) {
        sigwait(&ends, &number);
        rh_drain(server);
        rh_wait(server);
    }
    rh_server_free(server);
    return status == 0 ? 0 : 1;
}
