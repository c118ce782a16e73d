/* What bench.py measures for handlers: the smallest dynamic answer, by the library's public interface alone and linked
 * as any program would be. TERM drains, so that callgrind writes a whole dump.
 *
 *     handler 127.0.0.1:8080 WORKERS */
#include <rawhttp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void hello(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "Hello, world!\n");
}

int main(int count, char **arguments)
{
    sigset_t ends;
    int number;
    if (count != 3) {
        fputs("usage: handler ADDRESS WORKERS\n", stderr);
        return 2;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);

    rh_server *server = rh_server_new((rh_options){ .listen = arguments[1],
        .workers = (unsigned)strtoul(arguments[2], NULL, 10), .log = rh_log_stderr });
    rh_route(server, "GET /hello", hello, NULL);
    if (rh_start(server) != 0)
        return 1;
    sigwait(&ends, &number);
    rh_drain(server);
    rh_wait(server);
    rh_server_free(server);
    return 0;
}
