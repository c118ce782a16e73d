/* The smallest server: one route.
 *
 *     ./dev build && build/examples/hello            then open http://localhost:8080/hello
 */
#include <rawhttp.h>

static void hello(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "Hello, world!\n");
}

int main(void)
{
    rh_server *server = rh_server_new((rh_options){ .listen = "localhost:8080", .log = rh_log_stderr });
    rh_route(server, "GET /hello", hello, NULL);
    int status = rh_run(server);
    rh_server_free(server);
    return status;
}
