/* The life of a server through its public calls: in which order, and from how many threads, it may be ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api_fixture.h"

enum { WAITERS = 4 };

/* Ports of ::1 as if somebody else had them. */
static struct {
    unsigned taken;     /* as many of those that are asked for next */
    unsigned asked;     /* how often a port was asked for */
    unsigned port;      /* the last one */
    unsigned first;     /* the first one */
} six;

int __real_bind(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *name, socklen_t size)
{
    const struct sockaddr_in6 *v6 = (const void *)name;
    if (name->sa_family != AF_INET6 || !IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
        return __real_bind(fd, name, size);
    six.port = ntohs(v6->sin6_port);
    if (six.asked++ == 0)
        six.first = six.port;
    if (six.taken == 0)
        return __real_bind(fd, name, size);
    six.taken--;
    errno = EADDRINUSE;
    return -1;
}

static rh_server *make(void)
{
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 2 });
    assert_non_null(server);
    return server;
}

static void *wait_for(void *server)
{
    rh_wait(server);
    return NULL;
}

static void any_number_of_threads_may_wait(void **state)
{
    pthread_t waiters[WAITERS];
    rh_server *server = make();
    (void)state;
    assert_int_equal(rh_start(server), 0);
    for (unsigned i = 0; i < WAITERS; i++)
        assert_int_equal(pthread_create(&waiters[i], NULL, wait_for, server), 0);
    rh_stop(server);
    rh_wait(server);
    for (unsigned i = 0; i < WAITERS; i++)
        assert_int_equal(pthread_join(waiters[i], NULL), 0);
    rh_wait(server); /* and once more when all is over */
    rh_server_free(server);
}

static void stop_before_start_holds(void **state)
{
    rh_server *server = make();
    (void)state;
    rh_stop(server);
    rh_drain(server); /* takes nothing back */
    assert_int_equal(rh_run(server), 0);
    rh_server_free(server);
}

static void drain_before_start_holds(void **state)
{
    rh_server *server = make();
    (void)state;
    rh_drain(server);
    assert_int_equal(rh_run(server), 0);
    rh_server_free(server);
}

static void starts_once(void **state)
{
    rh_server *server = make();
    (void)state;
    assert_int_equal(rh_start(server), 0);
    assert_int_equal(rh_start(server), -1);
    rh_stop(server);
    rh_wait(server);
    assert_int_equal(rh_start(server), -1);
    rh_server_free(server);
}

static void never_started_is_freed(void **state)
{
    (void)state;
    rh_server *server = make();
    rh_wait(server);
    rh_server_free(server);
}

/* The mistake is told by rh_error, to the log, and by what rh_start and rh_run return. */
struct told {
    unsigned lines;
    char last[512];
};

static void hear(void *user, enum rh_log_level level, const char *line)
{
    struct told *told = user;
    told->lines += level == RH_LOG_ERROR;
    snprintf(told->last, sizeof told->last, "%s", line);
}

static void says_why_it_cannot_begin(void **state)
{
    static const struct {
        rh_options options;
        const char *why;
    } cases[] = {
        { { .listen = "nowhere" }, "nowhere" },
        { { .listen = " " }, "no address to listen on" },
        { { .listen = "127.0.0.1:0", .root = "/no/such/folder" }, "/no/such/folder" },
        { { .listen = "127.0.0.1:0", .access_log = "/no/such/folder/log" }, "/no/such/folder/log" },
        { { .listen = "unix:/no/such/folder/socket" }, "/no/such/folder/socket" },
        { { .listen = "127.0.0.1:0", .head_max = 1 }, "head_max" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct told told = { 0 };
        rh_options options = cases[i].options;
        options.log = hear;
        options.log_user = &told;
        rh_server *server = rh_server_new(options);
        assert_non_null(server);
        assert_int_equal(rh_start(server), -1);
        assert_int_equal(rh_run(server), 1);
        assert_non_null(strstr(rh_error(server), cases[i].why));
        assert_int_equal(told.lines, 1);
        assert_string_equal(told.last, rh_error(server));
        rh_wait(server);
        rh_server_free(server);
    }
}

static void handler(rh_request *request, void *user)
{
    (void)user;
    rh_empty(request);
}

static void bad_route_fails_the_start(void **state)
{
    rh_server *server = make();
    (void)state;
    assert_int_equal(rh_route(server, "GET no-slash", handler, NULL), -1);
    assert_string_not_equal(rh_error(server), "");
    assert_int_equal(rh_start(server), -1);
    rh_server_free(server);
}

static void address_in_use_is_told(void **state)
{
    char listen[32];
    rh_server *first = make();
    (void)state;
    assert_int_equal(rh_start(first), 0);
    snprintf(listen, sizeof listen, "127.0.0.1:%u", rh_port(first));
    rh_server *second = rh_server_new((rh_options){ .listen = listen });
    assert_int_equal(rh_start(second), -1);
    assert_non_null(strstr(rh_error(second), listen));
    rh_server_free(second);
    rh_server_free(first);
}

static bool listens(unsigned port)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    bool connected = connect(fd, (struct sockaddr *)&name, sizeof name) == 0;
    close(fd);
    return connected;
}

static void failed_start_gives_its_addresses_back(void **state)
{
    char folder[] = "/tmp/rawhttp-test-XXXXXX", path[64], listen[256];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(listen, sizeof listen, "127.0.0.1:0 unix:%s unix:%s/none/socket", path, folder);
    rh_server *failed = rh_server_new((rh_options){ .listen = listen, .workers = 2 });
    assert_int_equal(rh_start(failed), -1);
    assert_non_null(strstr(rh_error(failed), "/none/socket"));
    assert_false(listens(rh_port(failed)));
    assert_int_equal(access(path, F_OK), -1);

    snprintf(listen, sizeof listen, "127.0.0.1:%u unix:%s", rh_port(failed), path);
    rh_server *next = rh_server_new((rh_options){ .listen = listen, .workers = 2 });
    assert_int_equal(rh_start(next), 0);
    rh_server_free(failed); /* takes away nothing of its successor's */
    assert_true(listens(rh_port(next)));
    assert_int_equal(access(path, F_OK), 0);
    rh_server_free(next);
    rmdir(folder);
}

static void tells_where_it_listens(void **state)
{
    static struct notes notes = NOTES_INIT;
    char folder[] = "/tmp/rawhttp-test-XXXXXX", listen[128], first[64], path[64], told[160];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(listen, sizeof listen, "127.0.0.1:0 unix:%s/socket 127.0.0.2:0", folder);
    rh_server *server = rh_server_new((rh_options){ .listen = listen, .workers = 2, .log = note, .log_user = &notes });
    assert_null(rh_address(NULL, 0));
    assert_null(rh_address(server, 0));
    assert_int_equal(rh_start(server), 0);
    snprintf(first, sizeof first, "127.0.0.1:%u", rh_port(server));
    snprintf(path, sizeof path, "unix:%s/socket", folder);
    assert_string_equal(rh_address(server, 0), first);
    assert_string_equal(rh_address(server, 1), path);
    assert_int_equal(strncmp(rh_address(server, 2), "127.0.0.2:", 10), 0);
    assert_string_not_equal(rh_address(server, 2), "127.0.0.2:0");
    assert_null(rh_address(server, 3));
    for (unsigned i = 0; i < 3; i++) {
        snprintf(told, sizeof told, "listening on %s\n", rh_address(server, i));
        assert_true(noted(&notes, told));
    }
    rh_server_free(server);
    rmdir(folder);
}

static void a_failed_start_listens_nowhere(void **state)
{
    static struct notes notes = NOTES_INIT;
    (void)state;
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0 unix:/none/such/socket", .workers = 1,
                                                    .log = note, .log_user = &notes });
    assert_int_equal(rh_start(server), -1);
    assert_null(rh_address(server, 0));
    assert_false(noted(&notes, "listening on"));
    rh_server_free(server);
}

static void localhost_gets_a_port_that_is_free_on_both(void **state)
{
    (void)state;
    memset(&six, 0, sizeof six);
    six.taken = 3;
    rh_server *server = rh_server_new((rh_options){ .listen = "localhost:0", .workers = 2 });
    assert_int_equal(rh_start(server), 0);
    assert_int_equal(six.taken, 0);
    assert_int_equal(six.port, rh_port(server));
    assert_true(listens(rh_port(server)));
    if (six.first != rh_port(server)) /* else it was chosen again, by chance */
        assert_false(listens(six.first));
    rh_server_free(server);
}

static void localhost_gives_up_at_last(void **state)
{
    char last[64];
    (void)state;
    memset(&six, 0, sizeof six);
    six.taken = 1000;
    rh_server *server = rh_server_new((rh_options){ .listen = "localhost:0", .workers = 2 });
    assert_int_equal(rh_start(server), -1);
    assert_in_range(six.asked, 2, 20);
    snprintf(last, sizeof last, "cannot listen on [::1]:%u: it is in use", six.port);
    assert_non_null(strstr(rh_error(server), last));
    rh_server_free(server);
}

/* A port that the program has chosen is not replaced by another. */
static void localhost_with_a_port_is_tried_once(void **state)
{
    char listen[32];
    rh_server *first = make();
    (void)state;
    assert_int_equal(rh_start(first), 0);
    snprintf(listen, sizeof listen, "localhost:%u", rh_port(first));
    rh_server_free(first);
    memset(&six, 0, sizeof six);
    six.taken = 1;
    rh_server *server = rh_server_new((rh_options){ .listen = listen });
    assert_int_equal(rh_start(server), -1);
    assert_int_equal(six.asked, 1);
    rh_server_free(server);
}

static void null_is_harmless(void **state)
{
    (void)state;
    rh_stop(NULL);
    rh_drain(NULL);
    rh_wait(NULL);
    rh_server_free(NULL);
    assert_int_equal(rh_start(NULL), -1);
    assert_int_equal(rh_run(NULL), 1);
    assert_string_equal(rh_error(NULL), "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_may_wait), cmocka_unit_test(stop_before_start_holds),
        cmocka_unit_test(drain_before_start_holds),       cmocka_unit_test(starts_once),
        cmocka_unit_test(never_started_is_freed),         cmocka_unit_test(says_why_it_cannot_begin),
        cmocka_unit_test(bad_route_fails_the_start),      cmocka_unit_test(address_in_use_is_told),
        cmocka_unit_test(failed_start_gives_its_addresses_back),
        cmocka_unit_test(tells_where_it_listens),
        cmocka_unit_test(a_failed_start_listens_nowhere),
        cmocka_unit_test(localhost_gets_a_port_that_is_free_on_both),
        cmocka_unit_test(localhost_gives_up_at_last),
        cmocka_unit_test(localhost_with_a_port_is_tried_once),
        cmocka_unit_test(null_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
