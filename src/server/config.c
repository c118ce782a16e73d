/* Options to configuration: defaults, ranges, and what the machine has to give (CPUs, descriptors, memory). */
#include "server/config.h"

#include "base/memory_limit.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    KIB = 1024,
    DESCRIPTORS_KEPT = 64, /* for everything that is not a connection: listeners, logs, the program's own */
    DISCARD_MAX = 64 * KIB
};

#define BUFFER_MEMORY_MAX (1ull << 50)

struct range {
    const char *name;
    uint64_t value, least, most;
};

static bool within(const struct range *ranges, size_t count, char *why)
{
    for (size_t i = 0; i < count; i++) {
        const struct range *range = &ranges[i];
        if (range->value >= range->least && range->value <= range->most)
            continue;
        snprintf(why, CONFIG_WHY_SIZE, "%s is %llu; choose a number from %llu to %llu", range->name,
                 (unsigned long long)range->value, (unsigned long long)range->least, (unsigned long long)range->most);
        return false;
    }
    return true;
}

static unsigned usable_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > CONFIG_WORKERS_MAX ? CONFIG_WORKERS_MAX : (unsigned)count;
}

/* Files on their way out need descriptors too: a tenth is left to them. */
static uint32_t connections_from_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > 10000000)
        return 1000000;
    if (limit.rlim_cur < 2 * DESCRIPTORS_KEPT)
        return (uint32_t)limit.rlim_cur / 4 + 1;
    return (uint32_t)((limit.rlim_cur - DESCRIPTORS_KEPT) * 9 / 10);
}

/* What lets every worker take one body of the longest kind, which moves into a block of up to twice its size when it
 * has outgrown its own, and some heads and output beside it. */
static uint64_t buffer_memory_least(const struct config *config)
{
    return config->workers * (3 * config->limits.body_max + KIB * KIB);
}

/* A quarter of what there is. */
static uint64_t buffer_memory_from_limit(const struct config *config)
{
    uint64_t quarter = memory_limit() / 4, least = buffer_memory_least(config);
    if (quarter < least)
        return least;
    return quarter < BUFFER_MEMORY_MAX ? quarter : BUFFER_MEMORY_MAX;
}

static uint64_t or_else(uint64_t value, uint64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static uint32_t or_else32(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static bool add_address(struct config *config, struct slice text, char *why)
{
    struct address found[ADDRESS_EXPANDED_MAX];
    char reason[LISTEN_WHY_SIZE];
    unsigned count = address_parse(text, found, reason);
    if (count == 0) {
        snprintf(why, CONFIG_WHY_SIZE, "%s", reason);
        return false;
    }
    if (config->listen_count + count > CONFIG_LISTEN_MAX) {
        snprintf(why, CONFIG_WHY_SIZE, "more than %d addresses to listen on; use \":port\" for all interfaces",
                 CONFIG_LISTEN_MAX);
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        config->same_port[config->listen_count] = i > 0;
        config->listen[config->listen_count++] = found[i];
    }
    return true;
}

static bool read_addresses(struct config *config, const char *listen, char *why)
{
    struct slice rest = slice_text(listen ? listen : "127.0.0.1:8080");
    while (rest.size > 0) {
        size_t end = slice_find(rest, ' ');
        if (end > 0 && !add_address(config, slice_part(rest, 0, end), why))
            return false;
        rest = slice_skip(rest, end < rest.size ? end + 1 : end);
    }
    if (config->listen_count == 0)
        snprintf(why, CONFIG_WHY_SIZE,
                 "no address to listen on; write :8080, 127.0.0.1:8080, [::1]:8080 or unix:/path");
    return config->listen_count > 0;
}

static void fill_limits(struct config *config, const rh_options *options)
{
    config->limits.request_line_max = or_else32(options->request_line_max, 8 * KIB);
    config->limits.head_max = or_else32(options->head_max, 32 * KIB);
    config->limits.fields_max = or_else32(options->fields_max, 100);
    config->limits.body_max = or_else(options->body_max, 1024 * KIB);
    config->limits.discard_max = DISCARD_MAX;
    config->limits.pipelined_max = or_else32(options->pipelined_max, 64);
    config->handshake_timeout_ms = or_else32(options->handshake_timeout_ms, 10 * 1000);
    config->head_timeout_ms = or_else32(options->head_timeout_ms, 10 * 1000);
    config->body_timeout_ms = or_else32(options->body_timeout_ms, 30 * 1000);
    config->idle_timeout_ms = or_else32(options->idle_timeout_ms, 60 * 1000);
    config->send_timeout_ms = or_else32(options->send_timeout_ms, 60 * 1000);
    config->quiet_timeout_ms = or_else32(options->quiet_timeout_ms, 30 * 1000);
    config->drain_timeout_ms = or_else32(options->drain_timeout_ms, 30 * 1000);
    config->body_rate_min = options->body_rate_min == RH_OFF ? 0 : or_else32(options->body_rate_min, 500);
    config->limits.streams_max = or_else32(options->http2_streams_max, 128);
    config->limits.head_timeout_ms = config->head_timeout_ms;
    config->limits.body_timeout_ms = config->body_timeout_ms;
    config->limits.send_timeout_ms = config->send_timeout_ms;
    config->limits.quiet_timeout_ms = config->quiet_timeout_ms;
    config->limits.body_rate_min = config->body_rate_min;
}

static bool copy_text(char **copy, const char *text)
{
    *copy = text ? strdup(text) : NULL;
    return text == NULL || *copy != NULL;
}

static bool check_buffer_memory(const struct config *config, char *why)
{
    uint64_t least = buffer_memory_least(config);
    if (config->buffer_memory >= least)
        return true;
    snprintf(why, CONFIG_WHY_SIZE,
             "buffer_memory is %llu, too little for a body of body_max (%llu) in each of %u workers; "
             "choose at least %llu, fewer workers or a smaller body_max",
             (unsigned long long)config->buffer_memory, (unsigned long long)config->limits.body_max, config->workers,
             (unsigned long long)least);
    return false;
}

static bool check(const struct config *config, char *why)
{
    const uint64_t day_ms = 24ull * 3600 * 1000;
    const struct range ranges[] = {
        { "workers", config->workers, 1, config->embedded ? 1 : CONFIG_WORKERS_MAX },
        { "background", config->background, 1, 256 },
        { "request_line_max", config->limits.request_line_max, 64, FIELDS_HEAD_MAX },
        { "head_max", config->limits.head_max, 256, FIELDS_HEAD_MAX },
        { "fields_max", config->limits.fields_max, 1, FIELDS_MAX },
        { "body_max", config->limits.body_max, 1, 1ull << 40 },
        { "buffer_memory", config->buffer_memory, 1, BUFFER_MEMORY_MAX },
        { "pipelined_max", config->limits.pipelined_max, 1, 100000 },
        { "http2_streams_max", config->limits.streams_max, 1, 10000 },
        { "connections_max", config->connections_max, 1, 10000000 },
        { "handshake_timeout_ms", config->handshake_timeout_ms, 1, day_ms },
        { "head_timeout_ms", config->head_timeout_ms, 1, day_ms },
        { "body_timeout_ms", config->body_timeout_ms, 1, day_ms },
        { "idle_timeout_ms", config->idle_timeout_ms, 1, day_ms },
        { "send_timeout_ms", config->send_timeout_ms, 1, day_ms },
        { "quiet_timeout_ms", config->quiet_timeout_ms, 1, day_ms },
        { "drain_timeout_ms", config->drain_timeout_ms, 1, day_ms },
    };
    return within(ranges, sizeof ranges / sizeof ranges[0], why) && check_buffer_memory(config, why);
}

static bool read_watch(struct config *config, const char *watch)
{
    static const char *const names[] = { [VHOST_WATCH_AUTO] = "auto", [VHOST_WATCH_RESCAN] = "rescan",
                                         [VHOST_WATCH_OFF] = "off" };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(watch, names[i]) == 0) {
            config->watch = (enum vhost_watch)i;
            return true;
        }
    }
    return false;
}

/* Half of what the process may have is for other things. */
static uint64_t default_cache(void)
{
    uint64_t most = 256ull * KIB * KIB, half = memory_limit() / 2;
    return half < most ? half : most;
}

/* What is one word of a few. */
static bool read_names(struct config *config, const rh_options *options, char *why)
{
    const char *policy = options->cache_policy ? options->cache_policy : "sieve";
    const char *watch = options->watch ? options->watch : "auto";
    config->cache_policy = page_cache_policy_named(slice_text(policy));
    if (!config->cache_policy)
        snprintf(why, CONFIG_WHY_SIZE, "cache_policy is \"%s\"; write \"sieve\" or \"lru\"", policy);
    else if (!read_watch(config, watch))
        snprintf(why, CONFIG_WHY_SIZE, "watch is \"%s\"; write \"auto\", \"rescan\" or \"off\"", watch);
    else
        return true;
    return false;
}

static bool read_trusted(struct config *config, const rh_options *options, char *why)
{
    char reason[CONFIG_WHY_SIZE / 2] = "";
    if (networks_parse(&config->trusted, slice_text(options->trusted_proxies), (struct why){ reason, sizeof reason }))
        return true;
    snprintf(why, CONFIG_WHY_SIZE, "trusted_proxies: %s", reason);
    return false;
}

static bool read_https(struct config *config, const rh_options *options, char *why)
{
    const char *redirect = options->https_redirect ? options->https_redirect : "auto";
    char reason[CONFIG_WHY_SIZE / 2] = "";
    struct writer hsts = writer_on(config->hsts, sizeof config->hsts);
    if (!https_redirect_parse(slice_text(redirect), &config->https_redirect, (struct why){ reason, sizeof reason }))
        snprintf(why, CONFIG_WHY_SIZE, "https_redirect: %s", reason);
    else if (options->hsts && !hsts_parse(slice_text(options->hsts), &hsts, (struct why){ reason, sizeof reason }))
        snprintf(why, CONFIG_WHY_SIZE, "hsts: %s", reason);
    config->hsts_size = writer_used(&hsts);
    return why[0] == '\0';
}

bool config_init(struct config *config, const rh_options *options, char why[CONFIG_WHY_SIZE])
{
    memset(config, 0, sizeof *config);
    why[0] = '\0';
    config->embedded = options->embedded;
    config->workers = options->workers ? options->workers : options->embedded ? 1 : usable_cpus();
    config->background = options->background ? options->background : 4;
    config->cache_bytes = or_else(options->cache_bytes, default_cache());
    config->encodes = !options->no_encodings;
    config->connections_max = or_else32(options->connections_max, connections_from_limit());
    config->server_field = !options->no_server_field;
    config->http2 = !options->no_http2;
    fill_limits(config, options);
    config->buffer_memory = options->buffer_memory ? options->buffer_memory : buffer_memory_from_limit(config);
    if (!copy_text(&config->root, options->root) || !copy_text(&config->access_log, options->access_log)) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        return false;
    }
    return read_names(config, options, why) && read_trusted(config, options, why) &&
           read_https(config, options, why) && check(config, why) &&
           read_addresses(config, options->listen, why);
}

void config_fini(struct config *config)
{
    free(config->root);
    free(config->access_log);
    config->root = config->access_log = NULL;
}
