/* So many requests from each client, and 429 (RFC 6585 4) beyond that. Who is one client is decided here, how tokens
 * are counted in buckets.h.
 *
 * There are no RateLimit fields: what they mean is not settled by an RFC yet. */
#include "server/buckets.h"
#include "server/client.h"
#include "server/middleware.h"
#include "server/sized.h"

#include <stdio.h>

enum { REQUESTS_MAX = 1000000, SECONDS_MAX = 24 * 3600, CLIENTS_DEFAULT = 64 * 1024, PREFIX_SIZE = 8 };

static const uint64_t second_us = 1000000;

/* A network of IPv6 has at least 64 bits of addresses (RFC 4291 2.5.4), so whoever has one has all of them. */
static struct slice owner_of(const struct ip *ip)
{
    return slice_make((const char *)ip->at, ip_is_v4(ip) ? sizeof ip->at : PREFIX_SIZE);
}

static void handle(rh_request *request, void *user)
{
    const struct exchange *exchange = (const struct exchange *)request;
    uint64_t now_us = exchange_worker(exchange)->host.clock->now_ms * 1000;
    struct ip ip;
    struct slice owner = client_ip(exchange, &ip) ? owner_of(&ip) : SLICE("unix");
    uint64_t wait_us = buckets_take(user, owner, now_us);
    char seconds[24];
    if (wait_us == 0) {
        rh_next(request);
        return;
    }
    snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)((wait_us + second_us - 1) / second_us));
    rh_set(request, "Retry-After", seconds);
    rh_fail(request, 429, NULL);
}

static void let_go(void *user)
{
    buckets_free(user);
}

/* False: it has been told. */
static bool check(rh_server *server, const char *prefix, const rh_rate_limit_options *options)
{
    const struct {
        const char *name;
        uint32_t value, least, most;
    } ranges[] = {
        { "requests", options->requests, 1, REQUESTS_MAX }, { "per_s", options->per_s, 1, SECONDS_MAX },
        { "burst", options->burst, 1, REQUESTS_MAX },       { "clients", options->clients, BUCKETS_MIN, BUCKETS_MAX },
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most)
            return server_fail(server, "the rate limit for %s: %s is %u; choose a number from %u to %u",
                               prefix ? prefix : "", ranges[i].name, ranges[i].value, ranges[i].least, ranges[i].most);
    return true;
}

int rh_rate_limit_add(rh_server *server, const char *prefix, const rh_rate_limit_options *given, size_t given_size)
{
    rh_rate_limit_options options;
    if (server == NULL || server_was_started(server, "rh_use_rate_limit") ||
        !sized_take(server, &options, sizeof options, given, given_size))
        return -1;
    options.per_s = options.per_s ? options.per_s : 1;
    options.burst = options.burst ? options.burst : options.requests;
    options.clients = options.clients ? options.clients : CLIENTS_DEFAULT;
    if (!check(server, prefix, &options))
        return -1;
    struct buckets *buckets = buckets_new(options.clients, (struct bucket_rate){
        .interval_us = options.per_s * second_us / options.requests, .burst = options.burst });
    if (buckets != NULL)
        return middleware_add(server, prefix, &(struct middleware){ .handler = handle, .user = buckets,
                                                                     .free = let_go });
    server_fail(server, "the rate limit for %s: no memory or no random numbers", prefix ? prefix : "");
    return -1;
}
