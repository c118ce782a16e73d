/* A program around one module, for where it is to run without rawhttpd: linked with users.c it is the example users.
 *
 *     ./dev build && build/examples/users users.db examples/site
 *
 * The first argument are the module's settings, the second is a folder of pages, if there are any. */
#include <pthread.h>
#include <rawhttp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* The library leaves signals to the program. Blocked before there is any other thread, so that all inherit that, Ctrl+C
 * and SIGTERM wait for serve() below. */
static sigset_t block_ends(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    return ends;
}

/* Until told to end; what has been asked until then is still answered, unless one is told twice. */
static void serve(rh_server *server, const sigset_t *ends)
{
    int number;
    fprintf(stderr, "%s: serving http://localhost:%u/; Ctrl+C stops\n", rawhttp_module.name, rh_port(server));
    sigwait(ends, &number);
    pthread_sigmask(SIG_UNBLOCK, ends, NULL);
    rh_drain(server);
    rh_wait(server);
}

int main(int count, char **words)
{
    const char *listen = getenv("LISTEN");
    const sigset_t ends = block_ends();
    void *user = NULL;
    rh_server *server = rh_server_new((rh_options){ .listen = listen ? listen : "localhost:8080",
                                                    .root = count > 2 ? words[2] : NULL, .access_log = "-",
                                                    .log = rh_log_stderr });
    bool started = rawhttp_module.begin(server, count > 1 ? words[1] : "", &user) == 0 && rh_start(server) == 0;
    if (started)
        serve(server, &ends);
    else
        fprintf(stderr, "%s: %s\n", rawhttp_module.name, rh_error(server));
    rh_server_free(server);
    if (rawhttp_module.end != NULL)
        rawhttp_module.end(user);
    return started ? 0 : 1;
}
