// The same with the designated initialisers of C++20: see tools/check_languages.
#include <rawhttp.h>

static void hello(rh_request *request, void *)
{
    rh_set_cookie(request, { .name = "seen", .value = "1" });
    rh_text(request, "Hello, world!\n");
}

static int begin(rh_server *server, const char *, void **)
{
    return rh_route_with(server, { .pattern = "GET /hello", .handler = hello });
}

const rh_module rawhttp_module = { .abi = RH_ABI, .size = sizeof(rh_module), .name = "program", .begin = begin };

int main()
{
    rh_server *server = rh_server_new({ .listen = "127.0.0.1:0", .log = rh_log_stderr });
    void *user = nullptr;
    bool good = rawhttp_module.begin(server, "", &user) == 0 &&
                rh_use_rate_limit(server, "/", { .requests = 10, .burst = 50 }) == 0 && rh_start(server) == 0;
    rh_server_free(server);
    return good ? 0 : 1;
}
