/* A server for the end-to-end tests which takes bodies whole and says how long they were: rawhttpd itself wants none.
 * Run: taker BUFFER_MEMORY */
#include <rawhttp.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void tell_length(rh_request *request, void *user)
{
    char text[32];
    (void)user;
    snprintf(text, sizeof text, "%zu", rh_body(request).size);
    rh_text(request, text);
}

int main(int count, char **arguments)
{
    int number;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL); /* before there are threads, which inherit it */

    rh_server *server = rh_server_new((rh_options){
        .listen = "127.0.0.1:0", .workers = 1, .log = rh_log_stderr,
        .buffer_memory = count > 1 ? strtoull(arguments[1], NULL, 10) : 0 });
    rh_route(server, "POST /", tell_length, NULL);
    int status = rh_start(server);
    if (status == 0) {
        fprintf(stderr, "taker: listening on http://127.0.0.1:%u/\n", rh_port(server));
        sigwait(&ends, &number);
        rh_drain(server);
        rh_wait(server);
    }
    rh_server_free(server);
    return status == 0 ? 0 : 1;
}
