// A program in C++ against the public header, in what C++17 has: see tools/check_languages.
#include <rawhttp.h>

#include <string>

namespace {

void hello(rh_request *request, void *user)
{
    auto *name = static_cast<std::string *>(user);
    rh_cookie_options cookie{};
    cookie.name = "seen";
    cookie.value = "1";
    rh_set_cookie(request, cookie);
    rh_json(request, "{\"hello\":%s}", name->c_str());
}

int begin(rh_server *server, const char *settings, void **user)
{
    auto *name = new std::string(settings);
    *user = name;
    return rh_route(server, "GET /hello", hello, name);
}

void end(void *user)
{
    delete static_cast<std::string *>(user);
}

} // namespace

const rh_module rawhttp_module = { RH_ABI, sizeof(rh_module), "program", "1.0", begin, end };

int main()
{
    rh_options options{};
    options.listen = "127.0.0.1:0";
    options.log = rh_log_stderr;
    rh_server *server = rh_server_new(options);
    rh_rule rule{};
    rule.path = "/old";
    rule.redirect = "/hello";
    rh_host_options host{};
    host.rules = &rule;
    host.rule_count = 1;
    void *user = nullptr;
    bool good = rawhttp_module.begin(server, "world", &user) == 0 && rh_host(server, &host) == 0 &&
                rh_start(server) == 0 && rh_port(server) != 0;
    rh_server_free(server);
    rawhttp_module.end(user);
    return good ? 0 : 1;
}
