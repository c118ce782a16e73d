/* The hosts of a server: made as the program names them, loaded when it starts, found by the name that a request is
 * for. */
#include "server/host_options.h"
#include "server/guard.h"
#include "server/sized.h"

#include <errno.h>
#include <stdlib.h>

enum { WARM_MS = 2000 /* pages are read before the first request for so long; a small site is in memory by then */ };

static struct vhost *add(rh_server *server)
{
    struct vhost **vhosts = reallocarray(server->vhosts, server->vhost_count + 1, sizeof *vhosts);
    if (vhosts == NULL)
        return NULL;
    server->vhosts = vhosts;
    struct vhost *vhost = vhost_new(&server->store);
    if (vhost != NULL)
        vhosts[server->vhost_count++] = vhost;
    return vhost;
}

bool hosts_begin(rh_server *server)
{
    struct vhost *vhost = add(server);
    if (vhost != NULL)
        vhost->config.root = server->config.root;
    return vhost != NULL;
}

/* The default host is there from the beginning; here it learns what it does. */
static struct vhost *host_for(rh_server *server, const rh_host_options *options)
{
    return options->names == NULL || options->names[0] == '\0' ? server->vhosts[0] : add(server);
}

int rh_host_add(rh_server *server, const rh_host_options *options, size_t options_size, size_t rule_size)
{
    rh_host_options known;
    char text[WHY_SIZE] = "out of memory";
    if (server == NULL || server->vhost_count == 0 || server_was_started(server, "rh_host"))
        return -1;
    if (!sized_take(server, &known, sizeof known, options, options_size))
        return -1;
    struct vhost *vhost = host_for(server, &known);
    if (vhost == server->vhosts[0] && known.root == NULL)
        known.root = vhost->config.root;
    if (vhost != NULL && host_options_read(vhost, &known, rule_size, (struct why){ text, sizeof text })) {
        server->ruled |= vhost->rules != NULL;
        return 0;
    }
    server_fail(server, "%s", text);
    return -1;
}

/* A default host without anything to serve is there for routes only, where others have names: what is nobody's is
 * refused then (RFC 9110 15.5.20). */
static bool refuses_strangers(const rh_server *server)
{
    const struct vhost *first = server->vhosts[0];
    return server->vhost_count > 1 && first->config.root == NULL && first->rules == NULL;
}

static bool make_table(rh_server *server)
{
    struct slice *names = calloc(server->vhost_count, sizeof *names);
    char text[WHY_SIZE] = "out of memory";
    size_t first = server->first_found = refuses_strangers(server) ? 1 : 0;
    for (size_t i = 0; names != NULL && i < server->vhost_count; i++)
        names[i] = server->vhosts[i]->names ? slice_text(server->vhosts[i]->names) : SLICE("");
    bool made = names != NULL && hosts_new(&server->hosts, names + first, server->vhost_count - first,
                                           (struct why){ text, sizeof text });
    free(names);
    return made || server_fail(server, "%s", text);
}

static bool load(rh_server *server, struct vhost *vhost)
{
    char text[WHY_SIZE] = "";
    if (!guards_new(&vhost->guards, server->guard_pool, vhost->rules, (struct why){ text, sizeof text }))
        return server_fail(server, "%s", text);
    if (!vhost_load(vhost))
        return server_fail(server, "cannot serve %s: %s; name a folder that this user may read",
                           vhost->config.root ? vhost->config.root : "(no pages)", strerror(errno));
    return true;
}

bool hosts_load(rh_server *server)
{
    if (!make_table(server))
        return false;
    for (size_t i = 0; i < server->vhost_count; i++)
        if (!load(server, server->vhosts[i]))
            return false;
    return true;
}

void hosts_warm(rh_server *server)
{
    for (size_t i = 0; i < server->vhost_count; i++)
        vhost_warm(server->vhosts[i], server->config.workers, WARM_MS);
}

bool hosts_follow(rh_server *server)
{
    for (size_t i = 0; i < server->vhost_count; i++)
        if (!vhost_follow(server->vhosts[i], server->config.watch))
            return server_fail(server, "cannot follow %s: %s", server->vhosts[i]->config.root, strerror(errno));
    return true;
}

void hosts_stop(rh_server *server)
{
    for (size_t i = 0; i < server->vhost_count; i++)
        vhost_stop(server->vhosts[i]);
}

void hosts_end(rh_server *server)
{
    for (size_t i = 0; i < server->vhost_count; i++)
        vhost_free(server->vhosts[i]);
    free(server->vhosts);
    server->vhosts = NULL;
    server->vhost_count = 0;
    hosts_free(server->hosts);
}

struct vhost *vhost_search(const struct exchange *exchange)
{
    const rh_server *server = exchange_worker(exchange)->server;
    const struct request *request = &exchange->request;
    bool absolute = request->target.form == TARGET_ABSOLUTE;
    struct slice authority = absolute ? request->target.authority : fields_get(&request->fields, FIELD_HOST);
    int place = hosts_find(server->hosts, authority);
    return place < 0 ? NULL : server->vhosts[server->first_found + (size_t)place];
}

rh_site_info rh_site(const rh_server *server)
{
    rh_site_info info = { 0 };
    for (size_t i = 0; server != NULL && i < server->vhost_count; i++) {
        struct site_stats stats = vhost_stats(server->vhosts[i]);
        info.pages += stats.pages;
        info.pages_in_memory += stats.pages_in_memory;
        info.bytes += stats.bytes;
        info.bytes_in_memory += stats.bytes_in_memory;
    }
    return info;
}
