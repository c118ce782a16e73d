/* The public calls that register routes. */
#include "server/sized.h"

#include <stdlib.h>

enum { STREAMED_BODY_MAX = 1 << 30 };

static const uint64_t body_most = 1ull << 60;

static bool check(rh_server *server, const rh_route_options *options)
{
    if (options->pattern == NULL)
        return server_fail(server, "a route without a pattern; it begins with a method, as in \"GET /path\"");
    if (options->handler == NULL)
        return server_fail(server, "%s: it has no handler", options->pattern);
    if (options->body_max > body_most)
        return server_fail(server, "%s: body_max is beyond what a body can have", options->pattern);
    return true;
}

static int add(rh_server *server, const rh_route_options *options)
{
    char why[256] = "out of memory";
    size_t size = strlen(options->pattern) + 1;
    struct route *route = malloc(sizeof *route + size);
    if (route == NULL || router_add(server->router, options->pattern, route, why, sizeof why) != ROUTER_OK) {
        free(route);
        server_fail(server, "%s", why);
        return -1;
    }
    *route = (struct route){ .next = server->routes, .handler = options->handler, .user = options->user,
                             .body_max = options->body_max, .stream = options->stream };
    memcpy(route->pattern, options->pattern, size);
    if (route->stream && route->body_max == 0)
        route->body_max = STREAMED_BODY_MAX;
    server->routes = route;
    return 0;
}

int rh_route_add(rh_server *server, const rh_route_options *given, size_t size)
{
    rh_route_options options;
    if (server == NULL || server->router == NULL)
        return -1;
    if (!sized_take(server, &options, sizeof options, given, size))
        return -1;
    if (server_was_started(server, options.pattern) || !check(server, &options))
        return -1;
    return add(server, &options);
}

int rh_route(rh_server *server, const char *pattern, rh_handler *handler, void *user)
{
    return rh_route_with(server, (rh_route_options){ .pattern = pattern, .handler = handler, .user = user });
}
