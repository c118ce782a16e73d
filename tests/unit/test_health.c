/* The client of --health: URLs, statuses, and every way in which a server can answer or fail to. */
#include "main/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static void good_urls(void **state)
{
    static const struct {
        const char *url;
        unsigned addresses;
        const char *first, *authority, *path; /* first: host and port in words of inet_ntop */
    } cases[] = {
        { "http://127.0.0.1:8080/", 1, "127.0.0.1 8080", "127.0.0.1:8080", "/" },
        { "http://127.0.0.1", 1, "127.0.0.1 80", "127.0.0.1", "" },
        { "HTTP://127.0.0.1:65535/a/b?c=d#e", 1, "127.0.0.1 65535", "127.0.0.1:65535", "/a/b?c=d" },
        { "http://10.0.0.1:1?q", 1, "10.0.0.1 1", "10.0.0.1:1", "?q" },
        { "http://[::1]:8080/x", 1, "::1 8080", "[::1]:8080", "/x" },
        { "http://[2001:db8::1]", 1, "2001:db8::1 80", "[2001:db8::1]", "" },
        { "http://localhost:81/", 2, "127.0.0.1 81", "localhost:81", "/" },
        { "http://LocalHost#x", 2, "127.0.0.1 80", "LocalHost", "" },
        { "unix:/run/a.sock", 1, "/run/a.sock", "localhost", "/" },
        { "unix:/run/a.sock:/page?x#y", 1, "/run/a.sock", "localhost", "/page?x" },
        { "unix:/run/a:b.sock", 1, "/run/a:b.sock", "localhost", "/" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct health_target target;
        char host[INET6_ADDRSTRLEN], first[200];
        const char *problem = health_parse_url(cases[i].url, &target);
        if (problem)
            fail_msg("%s: %s", cases[i].url, problem);
        assert_int_equal(target.address_count, cases[i].addresses);
        const union health_address *address = &target.addresses[0];
        if (address->any.sa_family == AF_INET)
            snprintf(first, sizeof first, "%s %u", inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host),
                     ntohs(address->v4.sin_port));
        else if (address->any.sa_family == AF_INET6)
            snprintf(first, sizeof first, "%s %u", inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host),
                     ntohs(address->v6.sin6_port));
        else
            snprintf(first, sizeof first, "%s", address->local.sun_path);
        assert_string_equal(first, cases[i].first);
        assert_int_equal(target.authority_size, strlen(cases[i].authority));
        assert_memory_equal(target.authority, cases[i].authority, strlen(cases[i].authority));
        assert_int_equal(target.path_size, strlen(cases[i].path));
        assert_memory_equal(target.path, cases[i].path, strlen(cases[i].path));
    }
}

static void bad_urls(void **state)
{
    static const struct {
        const char *url, *word;
    } cases[] = {
        { "", "http://" },
        { "localhost:8080", "http://" },
        { "https://localhost/", "http alone" },
        { "http:/localhost", "http://" },
        { "http://", "host" },
        { "http:///x", "host" },
        { "http://example.com/", "host" },
        { "http://user@127.0.0.1/", "host" },
        { "http://::1/", "host" },
        { "http://[::1", "host" },
        { "http://[127.0.0.1]/", "host" },
        { "http://[::1]x/", "host" },
        { "http://1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:80/", "host" },
        { "http://127.0.0.1:/", "port" },
        { "http://127.0.0.1:0/", "port" },
        { "http://127.0.0.1:65536/", "port" },
        { "http://127.0.0.1:123456/", "port" },
        { "http://127.0.0.1:8o/", "port" },
        { "http://127.0.0.1:+80/", "port" },
        { "http://127.0.0.1/a b", "character" },
        { "http://127.0.0.1/a\r\nX: y", "character" },
        { "http://127.0.0.1/\x7f", "character" },
        { "http://127.0.0.1/\xc3\xa4", "character" },
        { "unix:", "slash" },
        { "unix:a.sock", "slash" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct health_target target;
        const char *problem = health_parse_url(cases[i].url, &target);
        if (!problem || !strstr(problem, cases[i].word))
            fail_msg("%s: %s", cases[i].url, problem ? problem : "was taken");
    }
}

static void long_urls(void **state)
{
    struct health_target target;
    char url[HEALTH_URL_MAX + 2];
    size_t room = sizeof target.addresses[0].local.sun_path;
    (void)state;
    memset(url, 'a', sizeof url);
    memcpy(url, "unix:/", 6);
    url[5 + room - 1] = '\0';
    assert_null(health_parse_url(url, &target));
    url[5 + room - 1] = 'a';
    url[5 + room] = '\0';
    assert_string_equal(health_parse_url(url, &target), "the path of the unix socket is too long");
    url[5 + room] = 'a';
    memcpy(url, "http://[::1]/", 13);
    url[HEALTH_URL_MAX] = '\0';
    assert_null(health_parse_url(url, &target));
    url[HEALTH_URL_MAX] = 'a';
    url[HEALTH_URL_MAX + 1] = '\0';
    assert_string_equal(health_parse_url(url, &target), "the URL is too long");
}

static const struct {
    const char *answer;
    int status;
} answers[] = {
    { "HTTP/1.1 200 OK\r\n", 200 },
    { "HTTP/1.0 404 Not Found\r\n", 404 },
    { "HTTP/1.1 204 \r\n\r\n", 204 },
    { "HTTP/1.1 302\r\n", 302 },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", 200 },
    { "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 x\r\n\r\nHTTP/1.1 503 No\r\n", 503 },
    { "HTTP/2.0 200 OK\r\n", -1 },
    { "HTTP/1.x 200 OK\r\n", -1 },
    { "HTTP/1.1  200 OK\r\n", -1 },
    { "HTTP/1.1 2000 OK\r\n", -1 },
    { "HTTP/1.1 200\nOK\r\n", -1 },
    { "HTTP/1.1 2x0 OK\r\n", -1 },
    { "HTTP/1.1 099 OK\r\n", -1 },
    { "HTTP/1.1 000 OK\r\n", -1 },
    { "SSH-2.0-OpenSSH\r\n", -1 },
    { "http/1.1 200 OK\r\n", -1 },
    { "HTTP/1.1 100 Continue\r\n\r\nnonsense", -1 },
};

/* At every length the verdict is either open or already the final one. */
static void statuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        size_t size = strlen(answers[i].answer);
        if (health_status(answers[i].answer, size) != answers[i].status)
            fail_msg("%s: %d", answers[i].answer, health_status(answers[i].answer, size));
        for (size_t cut = 0; cut < size; cut++) {
            char *part = malloc(cut + 1); /* of its own, so that reading beyond it is found */
            memcpy(part, answers[i].answer, cut);
            int status = health_status(part, cut);
            assert_true(status == 0 || status == answers[i].status);
            free(part);
        }
    }
    assert_int_equal(health_status("HTTP/1.1 200", 12), 0);
    assert_int_equal(health_status("HTTP/1.1 100 Continue\r\n", 23), 0);
}

/* ---- A server that answers one connection with given bytes --------------------------------------------------- */

enum manner { AT_ONCE, BYTE_BY_BYTE, SILENT };

struct stub {
    int listener;
    const char *answer;
    enum manner manner;
    unsigned port;
    pthread_t thread;
    char request[8192];
};

static void read_request(struct stub *stub, int fd)
{
    size_t used = 0;
    while (used < sizeof stub->request - 1 && !strstr(stub->request, "\r\n\r\n")) {
        ssize_t got = recv(fd, stub->request + used, sizeof stub->request - 1 - used, 0);
        if (got <= 0)
            return;
        used += (size_t)got;
        stub->request[used] = '\0';
    }
}

static void *answer_one(void *user)
{
    struct stub *stub = user;
    char rest;
    int fd = accept(stub->listener, NULL, NULL);
    if (fd < 0)
        return NULL;
    read_request(stub, fd);
    if (stub->manner == AT_ONCE)
        send(fd, stub->answer, strlen(stub->answer), MSG_NOSIGNAL);
    for (const char *at = stub->answer; stub->manner == BYTE_BY_BYTE && *at; at++) {
        if (send(fd, at, 1, MSG_NOSIGNAL) != 1)
            break;
        usleep(2000);
    }
    if (stub->manner == SILENT)
        (void)!recv(fd, &rest, 1, 0); /* until the client gives up */
    close(fd);
    return NULL;
}

static void start(struct stub *stub, struct sockaddr *name, socklen_t size)
{
    struct sockaddr_storage bound;
    socklen_t bound_size = sizeof bound;
    stub->request[0] = '\0';
    stub->listener = socket(name->sa_family, SOCK_STREAM, 0);
    assert_int_equal(bind(stub->listener, name, size), 0);
    assert_int_equal(listen(stub->listener, 5), 0);
    assert_int_equal(getsockname(stub->listener, (struct sockaddr *)&bound, &bound_size), 0);
    stub->port = bound.ss_family == AF_INET    ? ntohs(((struct sockaddr_in *)(void *)&bound)->sin_port)
                 : bound.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)(void *)&bound)->sin6_port)
                                               : 0;
    assert_int_equal(pthread_create(&stub->thread, NULL, answer_one, stub), 0);
}

static void start_v4(struct stub *stub)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    start(stub, (struct sockaddr *)&name, sizeof name);
}

static bool start_v6(struct stub *stub)
{
    struct sockaddr_in6 name = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool can = fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0;
    if (fd >= 0)
        close(fd);
    if (can)
        start(stub, (struct sockaddr *)&name, sizeof name);
    return can;
}

static void stop(struct stub *stub)
{
    shutdown(stub->listener, SHUT_RDWR);
    pthread_join(stub->thread, NULL);
    close(stub->listener);
}

/* A # in the address stands for the port. */
static void fill_port(char *out, size_t size, const char *address, unsigned port)
{
    int before = (int)strcspn(address, "#");
    if (address[before] == '#')
        snprintf(out, size, "%.*s%u%s", before, address, port, address + before + 1);
    else
        snprintf(out, size, "%s", address);
}

static void ask(struct stub *stub, const char *address, bool healthy, const char *word)
{
    char url[200], why[HEALTH_WHY_SIZE] = "";
    fill_port(url, sizeof url, address, stub->port);
    if (health_check(url, stub->manner == SILENT ? 50 : 5000, why) != healthy)
        fail_msg("%s, \"%s\": %s", url, stub->answer, healthy ? why : "healthy");
    if (!strstr(why, word))
        fail_msg("\"%s\": \"%s\" does not say \"%s\"", stub->answer, why, word);
    stop(stub);
}

static void verdicts(void **state)
{
    static const struct {
        const char *answer;
        bool healthy;
        const char *word;
        enum manner manner;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\n\r\n", true, "", AT_ONCE },
        { "HTTP/1.1 304 Not Modified\r\n\r\n", true, "", AT_ONCE },
        { "HTTP/1.1 399 x\r\n\r\n", true, "", AT_ONCE },
        { "HTTP/1.1 103 x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", true, "", BYTE_BY_BYTE },
        { "HTTP/1.1 404 Not Found\r\n\r\n", false, "404", AT_ONCE },
        { "HTTP/1.1 400 Bad Request\r\n\r\n", false, "400", AT_ONCE },
        { "HTTP/1.1 503 x\r\n\r\n", false, "503", BYTE_BY_BYTE },
        { "HTTP/1.1 101 Switching\r\n\r\n", false, "closed without an answer", AT_ONCE },
        { "", false, "closed without an answer", AT_ONCE },
        { "HTTP/1.1 20", false, "closed without an answer", AT_ONCE },
        { "SSH-2.0-x\r\n", false, "does not speak HTTP", AT_ONCE },
        { "", false, "no answer within 0.05 s", SILENT },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stub stub = { .answer = cases[i].answer, .manner = cases[i].manner };
        start_v4(&stub);
        ask(&stub, "http://127.0.0.1:#/", cases[i].healthy, cases[i].word);
    }
}

static void a_trickle_gains_no_time(void **state)
{
    struct stub stub = { .manner = BYTE_BY_BYTE };
    char url[100], answer[600] = "HTTP/1.1 100 ", why[HEALTH_WHY_SIZE] = ""; /* takes more than a second to send */
    (void)state;
    memset(answer + strlen(answer), 'x', sizeof answer - strlen(answer) - 1);
    stub.answer = answer;
    start_v4(&stub);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", stub.port);
    assert_false(health_check(url, 40, why));
    assert_string_equal(why, "no answer within 0.04 s");
    stop(&stub);
}

static void endless_interim_responses_are_no_answer(void **state)
{
    struct stub stub = { .manner = AT_ONCE };
    static char answer[40 * 1024];
    (void)state;
    for (size_t used = 0; used < sizeof answer - 40; used = strlen(answer))
        strcpy(answer + used, "HTTP/1.1 100 Continue\r\n\r\n");
    stub.answer = answer;
    start_v4(&stub);
    ask(&stub, "http://127.0.0.1:#/", false, "does not speak HTTP");
}

static void requests(void **state)
{
    static const struct {
        const char *url, *line;
    } cases[] = {
        { "http://127.0.0.1:#", "GET / HTTP/1.1\r\nHost: 127.0.0.1:" },
        { "http://127.0.0.1:#/a?b#c", "GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:" },
        { "http://localhost:#?b", "GET /?b HTTP/1.1\r\nHost: localhost:" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stub stub = { .answer = "HTTP/1.1 200 OK\r\n\r\n" };
        start_v4(&stub);
        ask(&stub, cases[i].url, true, "");
        assert_memory_equal(stub.request, cases[i].line, strlen(cases[i].line));
        assert_non_null(strstr(stub.request, "\r\nConnection: close\r\n"));
    }
}

static void other_families(void **state)
{
    struct stub stub = { .answer = "HTTP/1.1 200 OK\r\n\r\n" };
    char folder[] = "/tmp/test_health_XXXXXX", url[200];
    (void)state;
    if (start_v6(&stub))
        ask(&stub, "http://[::1]:#/", true, "");
    if (start_v6(&stub)) /* the IPv4 loopback refuses, so the other one is tried */
        ask(&stub, "http://localhost:#/", true, "");
    assert_non_null(mkdtemp(folder));
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    snprintf(name.sun_path, sizeof name.sun_path, "%s/s", folder);
    start(&stub, (struct sockaddr *)&name, sizeof name);
    snprintf(url, sizeof url, "unix:%s:/page", name.sun_path);
    ask(&stub, url, true, "");
    assert_memory_equal(stub.request, "GET /page HTTP/1.1\r\nHost: localhost\r\n", 37);
    unlink(name.sun_path);
    rmdir(folder);
}

static void nobody_there(void **state)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof name;
    char url[100], why[HEALTH_WHY_SIZE] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound, so that the port is ours, but not listening */
    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    snprintf(url, sizeof url, "http://localhost:%u/", ntohs(name.sin_port));
    assert_false(health_check(url, 5000, why));
    assert_string_equal(why, "nothing listens there (Connection refused)");
    close(fd);
    assert_false(health_check("unix:/nonexistent/socket", 5000, why));
    assert_string_equal(why, "nothing listens there (No such file or directory)");
    assert_false(health_check("unix:/etc/passwd/x", 5000, why));
    assert_string_equal(why, "Not a directory");
    assert_false(health_check("ftp://localhost/", 5000, why));
    assert_string_equal(why, "the URL begins with neither http:// nor unix:");
    assert_false(health_check("HTTPS://localhost/", 5000, why));
    assert_string_equal(why, "it is asked by http alone; beside https a server can have --listen unix:/path, and be "
                             "asked there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_urls),
        cmocka_unit_test(bad_urls),
        cmocka_unit_test(long_urls),
        cmocka_unit_test(statuses),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(a_trickle_gains_no_time),
        cmocka_unit_test(endless_interim_responses_are_no_answer),
        cmocka_unit_test(requests),
        cmocka_unit_test(other_families),
        cmocka_unit_test(nobody_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
