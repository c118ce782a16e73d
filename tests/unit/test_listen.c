/* Addresses read and listeners opened, on loopback and free ports only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/listen.h"

static void reads_addresses(void **state)
{
    static const struct {
        const char *text;
        unsigned count, port;
        int family;
    } cases[] = {
        { "127.0.0.1:8080", 1, 8080, AF_INET },
        { ":8080", 1, 8080, AF_INET6 },
        { "*:8080", 1, 8080, AF_INET6 },
        { "[::1]:8080", 1, 8080, AF_INET6 },
        { "[2001:db8::1]:1", 1, 1, AF_INET6 },
        { "localhost:8080", 2, 8080, AF_INET },
        { "LocalHost:0", 2, 0, AF_INET },
        { "0.0.0.0:65535", 1, 65535, AF_INET },
        { "unix:/tmp/x", 1, 0, AF_UNIX },
        { "unix:x", 1, 0, AF_UNIX },
        { "", 0, 0, 0 },
        { ":", 0, 0, 0 },
        { "8080", 0, 0, 0 },
        { ":65536", 0, 0, 0 },
        { ":80a", 0, 0, 0 },
        { ":-1", 0, 0, 0 },
        { ": 80", 0, 0, 0 },
        { "127.0.0.1", 0, 0, 0 },
        { "127.0.0.1:", 0, 0, 0 },
        { "127.0.0:80", 0, 0, 0 },
        { "256.0.0.1:80", 0, 0, 0 },
        { "::1:80", 0, 0, 0 },
        { "[::1]", 0, 0, 0 },
        { "[::g]:80", 0, 0, 0 },
        { "[127.0.0.1]:80", 0, 0, 0 },
        { "example.org:80", 0, 0, 0 },
        { "unix:", 0, 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address found[ADDRESS_EXPANDED_MAX];
        char why[LISTEN_WHY_SIZE] = "";
        unsigned count = address_parse(slice_text(cases[i].text), found, why);
        assert_int_equal(count, cases[i].count);
        if (count == 0) {
            assert_true(why[0] != '\0');
            continue;
        }
        assert_int_equal(found[0].name.any.sa_family, cases[i].family);
        assert_int_equal(address_port(&found[0]), cases[i].port);
    }
}

static void knows_what_is_spoken(void **state)
{
    static const struct {
        const char *text;
        unsigned count, port;
        bool secure;
    } cases[] = {
        { "https://:8443", 1, 8443, true },
        { "https://localhost:8443", 2, 8443, true },
        { "https://unix:/run/x", 1, 0, true },
        { "http://127.0.0.1:80", 1, 80, false },
        { "127.0.0.1:443", 1, 443, false },
        { "https://", 0, 0, false },
        { "https://:", 0, 0, false },
        { "https://http://:80", 0, 0, false },
        { "HTTPS://:80", 0, 0, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address found[ADDRESS_EXPANDED_MAX];
        char why[LISTEN_WHY_SIZE] = "";
        unsigned count = address_parse(slice_text(cases[i].text), found, why);
        assert_int_equal(count, cases[i].count);
        for (unsigned j = 0; j < count; j++) {
            assert_int_equal(address_port(&found[j]), cases[i].port);
            assert_int_equal(found[j].secure, cases[i].secure);
        }
    }
}

static void refuses_long_paths(void **state)
{
    char text[200], why[LISTEN_WHY_SIZE];
    struct address found[ADDRESS_EXPANDED_MAX];
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "unix:", 5);
    size_t most = sizeof found[0].name.local.sun_path - 1;
    assert_int_equal(address_parse(slice_make(text, 5 + most), found, why), 1);
    assert_int_equal(address_parse(slice_make(text, 5 + most + 1), found, why), 0);
    assert_non_null(strstr(why, "107"));
}

static struct address parse_one(const char *text)
{
    struct address found[ADDRESS_EXPANDED_MAX];
    char why[LISTEN_WHY_SIZE];
    assert_int_equal(address_parse(slice_text(text), found, why), 1);
    return found[0];
}

static void shares_a_port(void **state)
{
    struct address address = parse_one("127.0.0.1:0"), again;
    char why[LISTEN_WHY_SIZE];
    int fds[3], other[1];
    (void)state;
    assert_int_equal(listen_open(&address, fds, 3, why), 3);
    assert_true(address_port(&address) != 0);
    again = address;
    errno = 0;
    assert_int_equal(listen_open(&again, other, 1, why), 0);
    assert_int_equal(errno, EADDRINUSE);
    assert_non_null(strstr(why, "in use"));
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
    assert_int_equal(listen_open(&again, other, 1, why), 1);
    close(other[0]);
}

static int dial(const struct address *address)
{
    int fd = socket(address->name.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(fd, &address->name.any, address->size) != 0)
        assert_int_equal(errno, EINPROGRESS);
    return fd;
}

static bool connected(int fd, int ms)
{
    struct pollfd waiting = { .fd = fd, .events = POLLOUT };
    return poll(&waiting, 1, ms) == 1 && (waiting.revents & (POLLERR | POLLHUP)) == 0;
}

/* What has been begun can be accepted; what begins afterwards gets no answer, so that the client asks again. */
static void refuses_new_ones_only(void **state)
{
    struct address address = parse_one("127.0.0.1:0");
    char why[LISTEN_WHY_SIZE];
    int listener;
    (void)state;
    assert_int_equal(listen_open(&address, &listener, 1, why), 1);
    int early = dial(&address);
    assert_true(connected(early, 1000));
    listen_refuse_new(listener);
    int late = dial(&address);
    assert_false(connected(late, 200));
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    assert_int_equal(write(early, "x", 1), 1);
    close(accepted);
    close(early);
    close(late);
    close(listener);
}

static void replaces_stale_sockets_only(void **state)
{
    char path[64], text[80], why[LISTEN_WHY_SIZE];
    int first[2], second[1];
    (void)state;
    snprintf(path, sizeof path, "/tmp/rawhttp-test-%d.sock", (int)getpid());
    snprintf(text, sizeof text, "unix:%s", path);
    struct address address = parse_one(text);
    assert_int_equal(listen_open(&address, first, 2, why), 2);
    assert_int_equal(first[0], first[1]);
    assert_int_equal(listen_open(&address, second, 1, why), 0);
    assert_non_null(strstr(why, "in use"));
    close(first[0]); /* its server has gone without taking the file away */
    assert_int_equal(listen_open(&address, second, 1, why), 1);
    close(second[0]);
    listen_unlink(&address);
    assert_int_equal(access(path, F_OK), -1);

    FILE *file = fopen(path, "w"); /* somebody's file is not ours to take away */
    assert_non_null(file);
    fclose(file);
    assert_int_equal(listen_open(&address, second, 1, why), 0);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);

    struct address nowhere = parse_one("unix:/nowhere-at-all/x.sock");
    assert_int_equal(listen_open(&nowhere, second, 1, why), 0);
    assert_non_null(strstr(why, "its folder does not exist"));
}

static void explains_what_is_not_there(void **state)
{
    struct address address = parse_one("192.0.2.1:0");
    char why[LISTEN_WHY_SIZE];
    int fd;
    (void)state;
    assert_int_equal(listen_open(&address, &fd, 1, why), 0);
    assert_non_null(strstr(why, "192.0.2.1"));
    address.optional = true;
    assert_int_equal(listen_open(&address, &fd, 1, why), 0);
    assert_string_equal(why, "");
}

static void shows_peers(void **state)
{
    static const struct {
        const char *address, *text;
    } cases[] = {
        { "127.0.0.1:1", "127.0.0.1" },
        { "[2001:db8::1]:1", "2001:db8::1" },
        { "[::ffff:192.0.2.7]:1", "192.0.2.7" },
        { "[1111:2222:3333:4444:5555:6666:7777:8888]:1", "1111:2222:3333:4444:5555:6666:7777:8888" },
        { "unix:/tmp/x", "unix" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[39];
        struct address address = parse_one(cases[i].address);
        size_t size = address_peer_text(&address.name.any, out, sizeof out);
        assert_int_equal(size, strlen(cases[i].text));
        assert_memory_equal(out, cases[i].text, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_addresses),       cmocka_unit_test(refuses_long_paths),
        cmocka_unit_test(knows_what_is_spoken),
        cmocka_unit_test(shares_a_port),         cmocka_unit_test(refuses_new_ones_only),
        cmocka_unit_test(replaces_stale_sockets_only), cmocka_unit_test(explains_what_is_not_there),
        cmocka_unit_test(shows_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
