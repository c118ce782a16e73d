/* A server's life by the public header alone, in every order that it allows; what the server says when it cannot begin;
 * and what it serves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "api_fixture.h"

static void hello(rh_request *request, void *user)
{
    rh_text(request, user ? user : "hello");
}

static rh_server *started(void)
{
    rh_server *server = make_server(NULL);
    add_route(server, "GET /", hello, NULL);
    start_server(server);
    return server;
}

/* ---- What cannot begin --------------------------------------------------------------------------------------- */

static void calls_accept_no_server(void **state)
{
    (void)state;
    assert_int_equal(rh_route(NULL, "GET /", hello, NULL), -1);
    assert_int_equal(rh_start(NULL), -1);
    assert_int_equal(rh_run(NULL), 1);
    rh_wait(NULL);
    rh_drain(NULL);
    rh_stop(NULL);
    rh_server_free(NULL);
    assert_string_equal(rh_error(NULL), "out of memory");
    assert_int_equal(rh_port(NULL), 0);
    rh_log_write(NULL, RH_LOG_ERROR, "nobody hears %d", 1);
    assert_int_equal(rh_site(NULL).pages, 0);
}

static void note_level(void *user, enum rh_log_level level, const char *line)
{
    char text[64];
    snprintf(text, sizeof text, "%u %s", (unsigned)level, line);
    note(user, level, text);
}

static void programs_write_to_the_log(void **state)
{
    struct notes notes = NOTES_INIT;
    rh_server *server = rh_server_new((rh_options){ .log = note_level, .log_user = &notes });
    (void)state;
    rh_log_write(server, RH_LOG_ERROR, "%s: %d", "users", 1);
    rh_log_write(server, RH_LOG_DEBUG, "two\nlines");
    rh_log_write(server, (enum rh_log_level)4, "what");
    rh_log_write(server, (enum rh_log_level)-1, "what");
    assert_string_equal(notes.lines, "0 users: 1\n3 two\\x0alines\n0 what\n0 what\n");
    rh_server_free(server);
}

/* The server that fails, says why, also to its log, and is freed. */
static void expect_failure(rh_options options, const char *why)
{
    struct notes notes = NOTES_INIT;
    options.log = note;
    options.log_user = &notes;
    rh_server *server = rh_server_new(options);
    assert_int_equal(rh_start(server), -1);
    if (!strstr(rh_error(server), why))
        fail_msg("\"%s\" is not in \"%s\"", why, rh_error(server));
    assert_true(noted(&notes, why));
    assert_int_equal(rh_start(server), -1);
    assert_int_equal(rh_run(server), 1);
    rh_wait(server);
    rh_server_free(server);
}

static void says_what_is_wrong(void **state)
{
    rh_server *other = started();
    char taken[64], folder[] = "/tmp/rawhttp-test-XXXXXX", file[64];
    (void)state;
    snprintf(taken, sizeof taken, "127.0.0.1:%u", rh_port(other));
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/file", folder);
    close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));

    expect_failure((rh_options){ .workers = 100000 }, "workers is 100000; choose a number from 1 to 256");
    expect_failure((rh_options){ .listen = "example.org:80" }, "\"example.org:80\" is not an address to listen on");
    expect_failure((rh_options){ .listen = taken }, "it is in use");
    expect_failure((rh_options){ .listen = "127.0.0.1:0", .root = "/nonexistent" }, "cannot serve /nonexistent");
    expect_failure((rh_options){ .listen = "127.0.0.1:0", .root = file }, "name a folder");
    expect_failure((rh_options){ .listen = "127.0.0.1:0", .access_log = "/nonexistent/log" },
                   "cannot write the access log /nonexistent/log");
    expect_failure((rh_options){ .listen = "unix:/nonexistent/socket" }, "unix:/nonexistent/socket");

    unlink(file);
    rmdir(folder);
    rh_server_free(other);
}

static void refuses_routes(void **state)
{
    static const struct {
        const char *pattern, *why;
        rh_handler *handler;
    } rows[] = {
        { "GET hello", "begins with a slash", hello },
        { "GET /", "GET /: it answers the same requests as GET /", hello },
        { "BREW /", "not a method", hello },
        { "", "begins with a method", hello },
        { NULL, "begins with a method", hello },
        { "GET /other", "it has no handler", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rh_server *server = make_server(NULL);
        assert_string_equal(rh_error(server), "");
        add_route(server, "GET /", hello, NULL);
        assert_int_equal(rh_route(server, rows[i].pattern, rows[i].handler, NULL), -1);
        char first[256];
        snprintf(first, sizeof first, "%s", rh_error(server));
        if (!strstr(first, rows[i].why))
            fail_msg("\"%s\" is not in \"%s\"", rows[i].why, first);
        assert_int_equal(rh_route(server, "nor this", hello, NULL), -1);
        assert_string_equal(rh_error(server), first); /* the first mistake */
        assert_int_equal(rh_start(server), -1);
        rh_server_free(server);
    }
}

static void takes_nothing_more_once_started(void **state)
{
    struct notes notes = NOTES_INIT;
    rh_server *server = make_server(&notes);
    (void)state;
    add_route(server, "GET /", hello, NULL);
    start_server(server);
    assert_int_equal(rh_start(server), -1);
    assert_true(noted(&notes, "rh_start: the server has been started already"));
    assert_int_equal(rh_route(server, "GET /more", hello, NULL), -1);
    assert_true(noted(&notes, "GET /more: the server has been started already"));
    assert_string_equal(rh_error(server), ""); /* and is well */
    expect(server, "GET /", 200, "hello");
    rh_stop(server);
    rh_wait(server);
    assert_int_equal(rh_start(server), -1);
    rh_server_free(server);
}

/* ---- Orders of its end ---------------------------------------------------------------------------------------- */

static void is_freed_whatever_was_done(void **state)
{
    (void)state;
    rh_server_free(rh_server_new((rh_options){ 0 })); /* never started */

    rh_server *server = started(); /* running */
    rh_server_free(server);

    server = started(); /* told and waited for, more than once */
    rh_drain(server);
    rh_stop(server);
    rh_drain(server); /* does not take the stop back */
    rh_wait(server);
    rh_wait(server);
    assert_int_equal(rh_run(server), 0);
    rh_stop(server);
    rh_server_free(server);
}

static void may_be_told_before_it_starts(void **state)
{
    static void (*const tell[])(rh_server *) = { rh_drain, rh_stop };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rh_server *server = make_server(NULL);
        tell[i](server);
        assert_int_equal(rh_run(server), 0); /* starts and ends at once */
        rh_server_free(server);
    }
}

static rh_server *signalled;

static void drain_signalled(int number)
{
    (void)number;
    rh_drain(signalled);
}

static void drains_from_a_signal_handler(void **state)
{
    struct sigaction action = { .sa_handler = drain_signalled }, before;
    (void)state;
    signalled = started();
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    errno = ENOTTY;
    raise(SIGUSR1);
    assert_int_equal(errno, ENOTTY);
    assert_int_equal(rh_run(signalled), 0);
    sigaction(SIGUSR1, &before, NULL);
    rh_server_free(signalled);
}

static void *run_it(void *server)
{
    return (void *)(intptr_t)rh_run(server);
}

/* rh_run waits on one thread while the others look at it, ask it and tell it. */
static void runs_while_others_look(void **state)
{
    pthread_t thread;
    void *status;
    rh_server *server = started();
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, run_it, server), 0);
    expect(server, "GET /", 200, "hello");
    assert_string_equal(rh_error(server), "");
    assert_int_equal(rh_site(server).pages, 0);
    rh_drain(server);
    pthread_join(thread, &status);
    assert_int_equal((intptr_t)status, 0);
    rh_server_free(server);
}

static void accepts_no_more_once_drained(void **state)
{
    rh_server *server = started();
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)rh_port(server)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    (void)state;
    rh_drain(server);
    rh_wait(server);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
    rh_server_free(server);
}

/* ---- What it serves ------------------------------------------------------------------------------------------- */

static void shares_a_process_with_others(void **state)
{
    rh_server *servers[3];
    const char *const texts[] = { "a", "b", "c" };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        servers[i] = make_server(NULL);
        add_route(servers[i], "GET /", hello, (void *)texts[i]);
        start_server(servers[i]);
    }
    rh_server_free(servers[1]);
    expect(servers[0], "GET /", 200, "a");
    expect(servers[2], "GET /", 200, "c");
    rh_server_free(servers[2]);
    rh_server_free(servers[0]);
}

static void listens_on_loopbacks_and_unix_sockets(void **state)
{
    char folder[] = "/tmp/rawhttp-test-XXXXXX", path[64], listen[128];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(listen, sizeof listen, "localhost:0 unix:%s", path);
    rh_server *server = rh_server_new((rh_options){ .listen = listen, .workers = 1 });
    add_route(server, "GET /", hello, NULL);
    start_server(server);
    expect(server, "GET /", 200, "hello");
    assert_int_equal(access(path, F_OK), 0);
    rh_server_free(server);
    assert_int_equal(access(path, F_OK), -1); /* taken away */

    snprintf(listen, sizeof listen, "unix:%s", path);
    server = rh_server_new((rh_options){ .listen = listen, .workers = 1 });
    assert_int_equal(rh_start(server), 0);
    assert_int_equal(rh_port(server), 0);
    rh_server_free(server);
    rmdir(folder);
}

static void serves_pages_beside_routes(void **state)
{
    char folder[] = "/tmp/rawhttp-test-XXXXXX", file[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/page.html", folder);
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "page", 4), 4);
    close(fd);
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .root = folder, .no_server_field = true });
    add_route(server, "POST /page", hello, NULL);
    start_server(server);
    assert_int_equal(rh_site(server).pages, 1);
    assert_int_equal(rh_site(server).bytes, 4);
    assert_int_equal(rh_site(server).bytes_in_memory, 4);
    expect(server, "GET /page", 200, "page");
    expect(server, "POST /page", 200, "hello");
    struct reply *reply = ask(server, "PUT /page");
    assert_int_equal(reply->status, 405);
    assert_true(has_line(reply, "Allow: GET, HEAD, POST, OPTIONS"));
    assert_null(strstr(reply->head, "Server:"));
    rh_server_free(server);
    unlink(file);
    rmdir(folder);
}

/* A program that was built with a header that ended earlier. */
static void takes_shorter_options(void **state)
{
    rh_options options = { .listen = "127.0.0.1:0", .workers = 1, .access_log = "/nonexistent/log" };
    (void)state;
    rh_server *server = rh_server_create(&options, offsetof(rh_options, access_log));
    start_server(server);
    rh_server_free(server);
}

static void logs_to_standard_error(void **state)
{
    int pipes[2], before = dup(STDERR_FILENO);
    char text[128];
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    rh_log_stderr(NULL, RH_LOG_WARN, "a line");
    dup2(before, STDERR_FILENO);
    close(before);
    close(pipes[1]);
    ssize_t size = read(pipes[0], text, sizeof text);
    close(pipes[0]);
    assert_int_equal(size, strlen("rawhttp: warning: a line\n"));
    assert_memory_equal(text, "rawhttp: warning: a line\n", (size_t)size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_accept_no_server),
        cmocka_unit_test(programs_write_to_the_log),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(refuses_routes),
        cmocka_unit_test(takes_nothing_more_once_started),
        cmocka_unit_test(is_freed_whatever_was_done),
        cmocka_unit_test(may_be_told_before_it_starts),
        cmocka_unit_test(drains_from_a_signal_handler),
        cmocka_unit_test(runs_while_others_look),
        cmocka_unit_test(accepts_no_more_once_drained),
        cmocka_unit_test(shares_a_process_with_others),
        cmocka_unit_test(listens_on_loopbacks_and_unix_sockets),
        cmocka_unit_test(serves_pages_beside_routes),
        cmocka_unit_test(takes_shorter_options),
        cmocka_unit_test(logs_to_standard_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
