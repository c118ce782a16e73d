/* One rule, that of the path, is asked; routes belong to all hosts, and rules to one. See gate.h. */
#include "server/gate.h"

#include "server/guard.h"
#include "server/said.h"

static const struct rule *find_rule(const struct exchange *exchange, const struct vhost *vhost)
{
    struct rule_match match;
    return vhost ? rules_find(vhost->config.rules, exchange->request.path, true, &match) : NULL;
}

/* Those of all routes with this path, and of a page. */
static unsigned methods_of(const struct exchange *exchange)
{
    unsigned page = method_bit(METHOD_GET) | method_bit(METHOD_HEAD) | method_bit(METHOD_OPTIONS);
    struct router_match routes;
    router_find(exchange_worker(exchange)->server->router, exchange->request.path, METHOD_OTHER, &routes);
    return routes.found ? page | routes.methods : page;
}

/* A browser asks whether it may ask (CORS) without a password, and of a handler for OPTIONS it knows nothing. */
bool gate_admit(struct exchange *exchange, void (*go_on)(struct exchange *exchange))
{
    const struct vhost *vhost = vhost_of(exchange);
    const struct rule *rule = find_rule(exchange, vhost);
    if (rule && rule->cors.count > 0 && cors_is_preflight(&exchange->request)) {
        said_preflight(exchange, rule, methods_of(exchange));
        return false;
    }
    struct guard *guard = rule ? guards_find(vhost->guards, rule->basic_auth) : NULL;
    return !guard || guard_admit(exchange, guard, go_on);
}

bool gate_refuse(struct exchange *exchange)
{
    const struct vhost *vhost = vhost_of(exchange);
    const struct rule *rule = find_rule(exchange, vhost);
    struct guard *guard = rule ? guards_find(vhost->guards, rule->basic_auth) : NULL;
    return guard && guard_refuse(exchange, guard);
}
