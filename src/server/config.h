/* The options of a server, checked and with every default filled in. A plain struct: nothing is opened or started
 * here. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "http/hsts.h"
#include "http/https_redirect.h"
#include "http/networks.h"
#include "http/session.h"
#include "net/listen.h"
#include "rawhttp.h"
#include "server/vhost.h"

/* Addresses are counted as sockets: "localhost" is two. */
enum { CONFIG_LISTEN_MAX = 16, CONFIG_WORKERS_MAX = 256, CONFIG_WHY_SIZE = 512 };

struct config {
    struct address listen[CONFIG_LISTEN_MAX];
    bool same_port[CONFIG_LISTEN_MAX]; /* as the one before, where that got any free port */
    unsigned listen_count;
    char *root;       /* NULL: no pages */
    char *access_log; /* NULL: none */
    unsigned workers, background;
    uint64_t cache_bytes;
    const struct eviction_policy *cache_policy;
    bool encodes;
    enum vhost_watch watch;
    uint64_t buffer_memory;   /* of all workers together, as is the next */
    uint32_t connections_max;
    struct session_limits limits;
    uint32_t handshake_timeout_ms;
    uint32_t head_timeout_ms, body_timeout_ms, idle_timeout_ms, send_timeout_ms, quiet_timeout_ms, drain_timeout_ms,
        body_rate_min;
    bool server_field;
    bool http2;
    bool embedded;
    struct networks trusted;  /* proxies */
    struct https_redirect https_redirect;
    size_t hsts_size;         /* 0: none */
    char hsts[HSTS_VALUE_MAX];
};

/* False: `why` says which option is wrong and what to write instead; `config` is safe to config_fini all the same. */
bool config_init(struct config *config, const rh_options *options, char why[CONFIG_WHY_SIZE]);
void config_fini(struct config *config);

#endif
