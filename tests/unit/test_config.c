/* Options to configuration: each default, each range at its edges, addresses, what the machine has to give, and no
 * memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/memory_limit.h"
#include "server/config.h"

static int cpus;                  /* -1: cannot be told */
static struct rlimit descriptors; /* rlim_max 0: cannot be told */
static uint64_t memory;          /* that there is */
static int copies_left;           /* strdup fails after so many */

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    assert_int_equal(pid, 0);
    if (cpus < 0)
        return -1;
    CPU_ZERO_S(size, set);
    for (int i = 0; i < cpus; i++)
        CPU_SET_S((unsigned)i, size, set);
    return 0;
}

int __wrap_getrlimit64(__rlimit_resource_t resource, struct rlimit *limit);
int __wrap_getrlimit64(__rlimit_resource_t resource, struct rlimit *limit)
{
    assert_int_equal(resource, RLIMIT_NOFILE);
    *limit = descriptors;
    return descriptors.rlim_max == 0 ? -1 : 0;
}

uint64_t __wrap_memory_limit(void);
uint64_t __wrap_memory_limit(void)
{
    return memory;
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return copies_left-- > 0 ? __real_strdup(text) : NULL;
}

static int start(void **state)
{
    (void)state;
    cpus = 3;
    descriptors = (struct rlimit){ 1024, 4096 };
    memory = UINT64_C(8) << 30;
    copies_left = 1000;
    return 0;
}

/* Config for these options; the caller ends it. */
static struct config make(rh_options options)
{
    struct config config;
    char why[CONFIG_WHY_SIZE];
    if (!config_init(&config, &options, why))
        fail_msg("%s", why);
    assert_string_equal(why, "");
    return config;
}

/* The reason why they are refused. */
static const char *refusal(rh_options options)
{
    static char why[CONFIG_WHY_SIZE];
    struct config config;
    assert_false(config_init(&config, &options, why));
    config_fini(&config);
    return why;
}

static void has_the_defaults_of_the_header(void **state)
{
    struct config config = make((rh_options){ 0 });
    (void)state;
    assert_null(config.root);
    assert_null(config.access_log);
    assert_int_equal(config.workers, 3);
    assert_int_equal(config.background, 4);
    assert_int_equal(config.cache_bytes, 256 << 20);
    assert_int_equal(config.buffer_memory, UINT64_C(2) << 30);
    assert_int_equal(config.limits.request_line_max, 8192);
    assert_int_equal(config.limits.head_max, 32768);
    assert_int_equal(config.limits.fields_max, 100);
    assert_int_equal(config.limits.body_max, 1 << 20);
    assert_int_equal(config.limits.pipelined_max, 64);
    assert_int_equal(config.limits.streams_max, 128);
    assert_true(config.http2);
    assert_int_equal(config.head_timeout_ms, 10000);
    assert_int_equal(config.body_timeout_ms, 30000);
    assert_int_equal(config.body_rate_min, 500);
    assert_int_equal(config.idle_timeout_ms, 60000);
    assert_int_equal(config.send_timeout_ms, 60000);
    assert_int_equal(config.handshake_timeout_ms, 10000);
    assert_int_equal(config.drain_timeout_ms, 30000);
    assert_true(config.server_field);
    assert_int_equal(config.trusted.count, 0);
    assert_false(config.trusted.unix_peers);
    assert_int_equal(config.https_redirect.kind, HTTPS_REDIRECT_AUTO);
    assert_int_equal(config.hsts_size, 0);
    assert_int_equal(config.listen_count, 1);
    assert_int_equal(address_port(&config.listen[0]), 8080);
    assert_int_equal(config.listen[0].name.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    config_fini(&config);
}

static void takes_what_is_given(void **state)
{
    char root[] = "pages", log[] = "-";
    struct config config = make((rh_options){
        .listen = "127.0.0.1:1", .root = root, .access_log = log, .workers = 2, .background = 5, .cache_bytes = 1,
        .buffer_memory = 123456789,
        .request_line_max = 100, .head_max = 300, .fields_max = 7, .body_max = 9, .head_timeout_ms = 11,
        .body_timeout_ms = 12, .body_rate_min = 13, .idle_timeout_ms = 14, .send_timeout_ms = 15,
        .handshake_timeout_ms = 19, .drain_timeout_ms = 16, .pipelined_max = 17,
        .http2_streams_max = 27, .no_http2 = true, .connections_max = 18, .no_server_field = true,
        .trusted_proxies = "unix private", .https_redirect = "8443", .hsts = "60 includeSubDomains" });
    (void)state;
    root[0] = log[0] = 'x'; /* strings are copied */
    assert_int_equal(config.trusted.count, 4);
    assert_true(config.trusted.unix_peers);
    assert_int_equal(config.https_redirect.port, 8443);
    assert_true(slice_equal(slice_make(config.hsts, config.hsts_size), SLICE("max-age=60; includeSubDomains")));
    assert_string_equal(config.root, "pages");
    assert_string_equal(config.access_log, "-");
    assert_int_equal(config.workers, 2);
    assert_int_equal(config.background, 5);
    assert_int_equal(config.cache_bytes, 1);
    assert_int_equal(config.buffer_memory, 123456789);
    assert_int_equal(config.limits.request_line_max, 100);
    assert_int_equal(config.limits.head_max, 300);
    assert_int_equal(config.limits.fields_max, 7);
    assert_int_equal(config.limits.body_max, 9);
    assert_int_equal(config.head_timeout_ms, 11);
    assert_int_equal(config.body_timeout_ms, 12);
    assert_int_equal(config.body_rate_min, 13);
    assert_int_equal(config.idle_timeout_ms, 14);
    assert_int_equal(config.send_timeout_ms, 15);
    assert_int_equal(config.drain_timeout_ms, 16);
    assert_int_equal(config.handshake_timeout_ms, 19);
    assert_int_equal(config.limits.pipelined_max, 17);
    assert_int_equal(config.limits.streams_max, 27);
    assert_false(config.http2);
    assert_int_equal(config.connections_max, 18);
    assert_false(config.server_field);
    config_fini(&config);
}

static void turns_the_rate_off(void **state)
{
    struct config config = make((rh_options){ .body_rate_min = RH_OFF });
    (void)state;
    assert_int_equal(config.body_rate_min, 0);
    config_fini(&config);
}

static void knows_the_range_of_each_number(void **state)
{
    static const struct {
        const char *name;
        size_t offset, width;
        uint64_t least, most; /* 0 is the default, so a least of 1 cannot be gone below */
    } rows[] = {
#define NUMBER(name) #name, offsetof(rh_options, name), sizeof((rh_options *)0)->name
        { NUMBER(workers), 1, 256 },
        { NUMBER(background), 1, 256 },
        { NUMBER(request_line_max), 64, 65535 },
        { NUMBER(head_max), 256, 65535 },
        { NUMBER(fields_max), 1, 250 },
        { NUMBER(body_max), 1, UINT64_C(1) << 40 },
        { NUMBER(head_timeout_ms), 1, 86400000 },
        { NUMBER(body_timeout_ms), 1, 86400000 },
        { NUMBER(idle_timeout_ms), 1, 86400000 },
        { NUMBER(send_timeout_ms), 1, 86400000 },
        { NUMBER(drain_timeout_ms), 1, 86400000 },
        { NUMBER(handshake_timeout_ms), 1, 86400000 },
        { NUMBER(pipelined_max), 1, 100000 },
        { NUMBER(http2_streams_max), 1, 10000 },
        { NUMBER(connections_max), 1, 10000000 },
#undef NUMBER
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint64_t values[] = { rows[i].least - 1, rows[i].least, rows[i].most, rows[i].most + 1 };
        for (size_t k = 0; k < 4; k++) {
            rh_options options = { 0 };
            memcpy((char *)&options + rows[i].offset, &values[k], rows[i].width); /* little-endian, as this is run */
            if (k == 1 || k == 2 || values[k] == 0) {
                struct config config = make(options);
                config_fini(&config);
                continue;
            }
            const char *why = refusal(options);
            char start_of_it[64];
            snprintf(start_of_it, sizeof start_of_it, "%s is %llu; choose", rows[i].name,
                     (unsigned long long)values[k]);
            if (strncmp(why, start_of_it, strlen(start_of_it)) != 0)
                fail_msg("%s", why);
        }
    }
}

static void asks_the_machine_for_workers(void **state)
{
    static const struct {
        int cpus;
        unsigned workers;
    } rows[] = { { 1, 1 }, { 2, 2 }, { 256, 256 }, { 300, 256 }, { 0, 1 }, { -1, 1 } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cpus = rows[i].cpus;
        struct config config = make((rh_options){ 0 });
        assert_int_equal(config.workers, rows[i].workers);
        config_fini(&config);
    }
}

static void asks_the_machine_for_connections(void **state)
{
    static const struct {
        rlim_t now, most;
        uint32_t connections;
    } rows[] = {
        { 1024, 4096, 864 },     { 128, 128, 57 },           { 127, 127, 32 },
        { 0, 1, 1 },             { 1, 1, 1 },                { 1000064, 1000064, 900000 },
        { RLIM_INFINITY, RLIM_INFINITY, 1000000 },           { 10000001, 10000001, 1000000 },
        { 1024, 0, 1000000 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        descriptors = (struct rlimit){ rows[i].now, rows[i].most };
        struct config config = make((rh_options){ 0 });
        assert_int_equal(config.connections_max, rows[i].connections);
        config_fini(&config);
    }
}

/* Never less than what every worker needs for one body, nor more than may be given. */
static void asks_the_machine_for_memory(void **state)
{
    static const struct {
        uint64_t memory, body_max, buffer_memory;
    } rows[] = {
        { 1 << 30, 0, 1 << 28 },       { 48 << 20, 0, 12 << 20 },     { (48 << 20) + 4, 0, (12 << 20) + 1 },
        { (48 << 20) - 4, 0, 12 << 20 }, { 0, 0, 12 << 20 },          { UINT64_MAX, 0, UINT64_C(1) << 50 },
        { 0, 1, 3 * (3 + (1 << 20)) }, { 1 << 30, 1 << 30, 3 * ((UINT64_C(3) << 30) + (1 << 20)) },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memory = rows[i].memory;
        struct config config = make((rh_options){ .body_max = rows[i].body_max });
        assert_int_equal(config.buffer_memory, rows[i].buffer_memory);
        config_fini(&config);
    }
}

static void wants_memory_for_a_body_in_each_worker(void **state)
{
    const uint64_t least = 3 * (3000 + (1 << 20));
    (void)state;
    struct config config = make((rh_options){ .body_max = 1000, .buffer_memory = least });
    config_fini(&config);
    assert_string_equal(refusal((rh_options){ .body_max = 1000, .buffer_memory = least - 1 }),
                        "buffer_memory is 3154727, too little for a body of body_max (1000) in each of 3 workers; "
                        "choose at least 3154728, fewer workers or a smaller body_max");
    config = make((rh_options){ .buffer_memory = UINT64_C(1) << 50 });
    config_fini(&config);
    assert_non_null(strstr(refusal((rh_options){ .buffer_memory = (UINT64_C(1) << 50) + 1 }),
                           "buffer_memory is 1125899906842625; choose"));
}

static void reads_several_addresses(void **state)
{
    struct config config = make((rh_options){ .listen = "  127.0.0.1:1  localhost:0 unix:/tmp/x " });
    (void)state;
    assert_int_equal(config.listen_count, 4);
    assert_int_equal(address_port(&config.listen[0]), 1);
    assert_false(config.same_port[0]);
    assert_false(config.same_port[1]);
    assert_true(config.same_port[2]); /* both loopbacks are to get the same one */
    assert_int_equal(config.listen[2].name.any.sa_family, AF_INET6);
    assert_false(config.same_port[3]);
    assert_string_equal(config.listen[3].name.local.sun_path, "/tmp/x");
    config_fini(&config);
}

/* `count` times `address`, separated by spaces. */
static char *repeat(const char *address, unsigned count)
{
    static char text[512];
    text[0] = '\0';
    for (unsigned i = 0; i < count; i++)
        strcat(strcat(text, address), " ");
    return text;
}

static void counts_addresses_as_sockets(void **state)
{
    (void)state;
    struct config config = make((rh_options){ .listen = repeat("127.0.0.1:0", 16) });
    assert_int_equal(config.listen_count, 16);
    config_fini(&config);
    config = make((rh_options){ .listen = repeat("localhost:0", 8) });
    assert_int_equal(config.listen_count, 16);
    config_fini(&config);
    assert_non_null(strstr(refusal((rh_options){ .listen = repeat("127.0.0.1:0", 17) }), "more than 16"));
    assert_non_null(strstr(refusal((rh_options){ .listen = repeat("localhost:0", 9) }), "more than 16"));
}

static void refuses_addresses_that_are_none(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal((rh_options){ .listen = "" }), "no address to listen on"));
    assert_non_null(strstr(refusal((rh_options){ .trusted_proxies = "loopback 10.0.0.0/40" }),
                           "trusted_proxies: 10.0.0.0/40: behind the slash stands"));
    assert_string_equal(refusal((rh_options){ .https_redirect = "yes" }),
                        "https_redirect: yes: write auto, off, or the port to which https goes");
    assert_string_equal(refusal((rh_options){ .hsts = "" }),
                        "hsts: there are no seconds; write for example 31536000, which is a year");
    assert_non_null(strstr(refusal((rh_options){ .listen = "   " }), "no address to listen on"));
    assert_non_null(strstr(refusal((rh_options){ .listen = ":1 example.org:80" }), "\"example.org:80\" is not"));
}

static void survives_a_lack_of_memory(void **state)
{
    (void)state;
    for (int copies = 0; copies < 2; copies++) {
        copies_left = copies;
        assert_string_equal(refusal((rh_options){ .root = "a", .access_log = "b" }), "out of memory");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(has_the_defaults_of_the_header, start),
        cmocka_unit_test_setup(takes_what_is_given, start),
        cmocka_unit_test_setup(turns_the_rate_off, start),
        cmocka_unit_test_setup(knows_the_range_of_each_number, start),
        cmocka_unit_test_setup(asks_the_machine_for_workers, start),
        cmocka_unit_test_setup(asks_the_machine_for_connections, start),
        cmocka_unit_test_setup(asks_the_machine_for_memory, start),
        cmocka_unit_test_setup(wants_memory_for_a_body_in_each_worker, start),
        cmocka_unit_test_setup(reads_several_addresses, start),
        cmocka_unit_test_setup(counts_addresses_as_sockets, start),
        cmocka_unit_test_setup(refuses_addresses_that_are_none, start),
        cmocka_unit_test_setup(survives_a_lack_of_memory, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
