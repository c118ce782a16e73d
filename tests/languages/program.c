/* A program in C against the public header, as strict as the standard that it is compiled for: see
 * tools/check_languages. */
#include <rawhttp.h>
#include <stdio.h>

static void hello(rh_request *request, void *user)
{
    rh_cookie_options cookie = { .name = "seen", .value = "1" };
    (void)user;
    rh_set_cookie(request, cookie);
    rh_json(request, "{\"hello\":%s}", "world");
}

static int begin(rh_server *server, const char *settings, void **user)
{
    (void)settings;
    (void)user;
    return rh_route(server, "GET /hello", hello, NULL);
}

const rh_module rawhttp_module = { .abi = RH_ABI, .size = sizeof(rh_module), .name = "program", .begin = begin };

int main(void)
{
    rh_options options = { .listen = "127.0.0.1:0", .log = rh_log_stderr };
    rh_rate_limit_options limit = { .requests = 10 };
    rh_server *server = rh_server_new(options);
    void *user = NULL;
    int failed = rawhttp_module.begin(server, "", &user) != 0 || rh_use_rate_limit(server, "/", limit) != 0 ||
                 rh_start(server) != 0 || rh_port(server) == 0;
    rh_server_free(server);
    return failed;
}
