/* A server that the program drives itself: that its descriptor tells of everything there is to do, that it ends, that
 * several live in one loop, and that nobody waits for a loop which nobody runs. Meant to be run in a build with
 * -Db_sanitize=thread, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/timerfd.h>
#include <time.h>

#include "api_fixture.h"
#include "scratch.h"

static struct notes notes = NOTES_INIT;

static bool timerfd_fails;

int __real_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags)
{
    if (!timerfd_fails)
        return __real_timerfd_create(clock, flags);
    errno = EMFILE;
    return -1;
}

static bool sendfile_breaks;
static unsigned sendfiles_broken;

/* As the kernel does where nobody reads any more. */
ssize_t __real_sendfile64(int out, int in, off64_t *at, size_t size);
ssize_t __wrap_sendfile64(int out, int in, off64_t *at, size_t size);
ssize_t __wrap_sendfile64(int out, int in, off64_t *at, size_t size)
{
    if (!sendfile_breaks)
        return __real_sendfile64(out, in, at, size);
    sendfiles_broken++;
    raise(SIGPIPE);
    errno = EPIPE;
    return -1;
}

static rh_server *make(rh_options options)
{
    options.listen = "127.0.0.1:0";
    options.embedded = true;
    options.background = 1;
    options.log = note;
    options.log_user = &notes;
    rh_server *server = rh_server_new(options);
    assert_non_null(server);
    return server;
}

static void hello(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "hello");
}

static rh_server *begin(rh_options options)
{
    rh_server *server = make(options);
    add_route(server, "GET /hello", hello, NULL);
    start_server(server);
    return server;
}

static bool readable(int fd, int wait_ms)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    return poll(&poll_fd, 1, wait_ms) == 1;
}

/* Runs what there is, as long as the descriptor says so. */
static void run_all(rh_server *server)
{
    while (readable(rh_fd(server), 0))
        assert_int_equal(rh_poll(server, 0), 1);
}

static int send_request(rh_server *server, const char *path)
{
    char request[256];
    int fd = client_connect(server);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
    client_send(fd, request);
    return fd;
}

/* The loop runs only when its descriptor is readable; that is enough. */
static void drive_until_answered(rh_server *server, int fd)
{
    char byte;
    for (int i = 0; i < PATIENCE_S * 100 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0; i++)
        if (readable(rh_fd(server), 10))
            assert_int_equal(rh_poll(server, 0), 1);
}

static struct reply *drive(rh_server *server, const char *path)
{
    static struct reply reply;
    int fd = send_request(server, path);
    drive_until_answered(server, fd);
    run_all(server);
    client_read(fd, &reply);
    return &reply;
}

static void the_descriptor_tells_of_connections(void **state)
{
    (void)state;
    rh_server *server = begin((rh_options){ 0 });
    run_all(server);
    assert_false(readable(rh_fd(server), 0));
    for (int i = 0; i < 3; i++) {
        struct reply *reply = drive(server, "/hello");
        assert_int_equal(reply->status, 200);
        assert_string_equal(reply->body, "hello");
    }
    rh_server_free(server);
}

static void mark(void *user)
{
    *(bool *)user = true;
}

/* Set between two turns, sooner than what the timer of the kernel was set for. */
static void the_descriptor_tells_of_timers(void **state)
{
    (void)state;
    rh_server *server = begin((rh_options){ 0 });
    run_all(server);
    for (uint32_t ms = 30; ms > 0; ms /= 2) {
        bool late = false, soon = false;
        rh_timer timer = rh_after(rh_loop_at(server, 0), 60000, mark, &late);
        rh_after(rh_loop_at(server, 0), ms, mark, &soon);
        while (!soon) {
            assert_true(readable(rh_fd(server), PATIENCE_S * 1000));
            assert_int_equal(rh_poll(server, 0), 1);
        }
        assert_false(late);
        rh_timer_stop(timer);
    }
    rh_server_free(server);
}

/* The server's own deadlines, too: a connection that says nothing is closed. */
static void the_descriptor_tells_of_deadlines(void **state)
{
    (void)state;
    rh_server *server = begin((rh_options){ .head_timeout_ms = 50 });
    int fd = client_connect(server);
    char byte;
    ssize_t got;
    while ((got = recv(fd, &byte, 1, MSG_DONTWAIT)) < 0) {
        assert_true(readable(rh_fd(server), PATIENCE_S * 1000));
        assert_int_equal(rh_poll(server, 0), 1);
    }
    assert_int_equal(got, 0);
    close(fd);
    rh_server_free(server);
}

static rh_request *kept;

static void keep(rh_request *request, void *user)
{
    (void)user;
    rh_defer(request);
    kept = request;
}

static void in_background(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "worked");
}

static void to_background(rh_request *request, void *user)
{
    rh_background(request, in_background, user);
}

static void the_descriptor_tells_of_answers(void **state)
{
    (void)state;
    rh_server *server = make((rh_options){ 0 });
    add_route(server, "GET /keep", keep, NULL);
    add_route(server, "GET /work", to_background, NULL);
    start_server(server);
    static struct reply reply;
    int fd = send_request(server, "/keep");
    kept = NULL;
    while (kept == NULL)
        assert_int_equal(rh_poll(server, 20), 1);
    run_all(server);
    rh_text(kept, "kept");
    rh_complete(kept);
    assert_true(readable(rh_fd(server), 0));
    assert_int_equal(rh_poll(server, 0), 1);
    client_read(fd, &reply);
    assert_string_equal(reply.body, "kept");
    assert_string_equal(drive(server, "/work")->body, "worked");
    rh_server_free(server);
}

static void waits_no_longer_than_told(void **state)
{
    (void)state;
    rh_server *server = begin((rh_options){ 0 });
    run_all(server);
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < 20; i++)
        assert_int_equal(rh_poll(server, 1), 1);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_in_range(end.tv_sec - begin.tv_sec, 0, PATIENCE_S);
    rh_server_free(server);
}

/* ---- The end ---- */

static void ends_when_told(void **state)
{
    static void (*const ends[])(rh_server *server) = { rh_drain, rh_stop };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rh_server *server = begin((rh_options){ 0 });
        int fd = send_request(server, "/hello");
        drive_until_answered(server, fd);
        ends[i](server);
        int alive = 1;
        while (alive == 1) {
            assert_true(readable(rh_fd(server), PATIENCE_S * 1000));
            alive = rh_poll(server, 0);
        }
        assert_int_equal(alive, 0);
        assert_int_equal(rh_poll(server, -1), 0);
        close(fd);
        struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)rh_port(server)),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), -1); /* nobody listens */
        close(fd);
        rh_wait(server);
        rh_server_free(server);
    }
}

static void stop_from_within(rh_request *request, void *user)
{
    rh_text(request, "bye");
    rh_drain(*(rh_server **)user);
}

/* rh_run and rh_wait drive it themselves. */
static void waiting_drives_it(void **state)
{
    static struct reply reply;
    (void)state;
    for (int running = 0; running < 2; running++) {
        rh_server *server = make((rh_options){ 0 });
        add_route(server, "GET /bye", stop_from_within, &server);
        start_server(server);
        int fd = send_request(server, "/bye");
        if (running)
            assert_int_equal(rh_run(server), 0);
        else
            rh_wait(server);
        client_read(fd, &reply);
        assert_string_equal(reply.body, "bye");
        rh_server_free(server);
    }
}

static unsigned gone_count;

static void complete_it(void *user)
{
    gone_count++;
    rh_complete(user);
}

static void keep_until_gone(rh_request *request, void *user)
{
    keep(request, user);
    assert(rh_on_gone(request, complete_it, request));
}

/* On one thread, where nobody else could complete it. */
static void freeing_tells_of_what_is_deferred(void **state)
{
    (void)state;
    rh_server *server = make((rh_options){ 0 });
    add_route(server, "GET /keep", keep_until_gone, NULL);
    start_server(server);
    kept = NULL;
    gone_count = 0;
    int fd = send_request(server, "/keep");
    while (kept == NULL)
        assert_int_equal(rh_poll(server, 20), 1);
    rh_server_free(server);
    assert_int_equal(gone_count, 1);
    close(fd);
}

/* ---- Several ---- */

static void several_live_in_one_loop(void **state)
{
    enum { COUNT = 3 };
    static struct reply reply;
    rh_server *servers[COUNT];
    int clients[COUNT], epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        servers[i] = begin((rh_options){ 0 });
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
        assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, rh_fd(servers[i]), &event), 0);
        clients[i] = send_request(servers[i], "/hello");
    }
    struct epoll_event event;
    for (int idle = 0; idle < 3;) {
        int count = epoll_wait(epoll_fd, &event, 1, 100);
        idle = count == 0 ? idle + 1 : 0;
        if (count == 1)
            assert_int_equal(rh_poll(servers[event.data.u32], 0), 1);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        client_read(clients[i], &reply);
        assert_string_equal(reply.body, "hello");
        rh_server_free(servers[i]);
    }
    close(epoll_fd);
}

/* ---- What others publish ---- */

static bool serves(rh_server *server, const char *text)
{
    return strcmp(drive(server, "/page.txt")->body, text) == 0;
}

static void pages_change_while_nobody_turns(void **state)
{
    struct scratch scratch;
    (void)state;
    scratch_open(&scratch);
    scratch_write(&scratch, "root/page.txt", "one");
    rh_server *server = begin((rh_options){ .root = scratch.root });
    assert_true(serves(server, "one"));
    for (int i = 0; i < 5; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d", i);
        scratch_write(&scratch, "root/page.txt", text);
        usleep(150000); /* a generation is published that no turn ends for */
    }
    scratch_write(&scratch, "root/page.txt", "last");
    bool seen = false;
    for (int i = 0; i < PATIENCE_S * 10 && !seen; i++) {
        seen = serves(server, "last");
        usleep(seen ? 0 : 100000);
    }
    assert_true(seen);
    scratch_write(&scratch, "root/page.txt", "never seen");
    usleep(150000);
    rh_server_free(server); /* without another turn */
    scratch_close(&scratch);
}

/* ---- Signals ---- */

static void a_broken_pipe_is_not_heard(void **state)
{
    struct scratch scratch;
    (void)state;
    scratch_open(&scratch);
    scratch_write(&scratch, "root/large.bin", "");
    int fd = openat(scratch.fd, "root/large.bin", O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, 64 << 20), 0);
    close(fd);
    rh_server *server = begin((rh_options){ .root = scratch.root, .cache_bytes = 1 });
    assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    sendfile_breaks = true;
    int client = send_request(server, "/large.bin");
    char byte;
    while (recv(client, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN)
        assert_int_equal(rh_poll(server, 20), 1);
    while (recv(client, &byte, 1, MSG_DONTWAIT) > 0)
        ;
    run_all(server);
    sendfile_breaks = false;
    close(client);
    assert_true(sendfiles_broken > 0);
    sigset_t pending;
    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
    pthread_sigmask(SIG_BLOCK, NULL, &pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0); /* nor is it blocked */
    rh_server_free(server);
    scratch_close(&scratch);
}

static void on_signal(int number)
{
    (void)number;
}

static void *interrupt(void *user)
{
    usleep(50000);
    pthread_kill(*(pthread_t *)user, SIGUSR1);
    return NULL;
}

static void a_signal_ends_the_waiting(void **state)
{
    pthread_t self = pthread_self(), other;
    (void)state;
    rh_server *server = begin((rh_options){ 0 });
    run_all(server);
    struct sigaction action = { .sa_handler = on_signal }, before;
    sigaction(SIGUSR1, &action, &before);
    assert_int_equal(pthread_create(&other, NULL, interrupt, &self), 0);
    assert_int_equal(rh_poll(server, -1), 1);
    pthread_join(other, NULL);
    sigaction(SIGUSR1, &before, NULL);
    rh_server_free(server);
}

/* ---- Mistakes ---- */

static void mistakes_are_told(void **state)
{
    (void)state;
    rh_server *server = make((rh_options){ .workers = 2 });
    assert_int_equal(rh_start(server), -1);
    assert_string_equal(rh_error(server), "workers is 2; choose a number from 1 to 1");
    assert_int_equal(rh_fd(server), -1);
    assert_int_equal(rh_poll(server, 0), -1);
    rh_server_free(server);

    server = make((rh_options){ .workers = 1 });
    assert_int_equal(rh_fd(server), -1); /* not started */
    assert_int_equal(rh_poll(server, 0), -1);
    rh_server_free(server);
    assert_int_equal(rh_fd(NULL), -1);
    assert_int_equal(rh_poll(NULL, 0), -1);

    server = make_server(&notes);
    start_server(server);
    assert_int_equal(rh_fd(server), -1); /* not embedded */
    assert_int_equal(rh_poll(server, 0), -1);
    rh_server_free(server);
}

static void without_a_timer_it_does_not_start(void **state)
{
    (void)state;
    rh_server *server = make((rh_options){ 0 });
    timerfd_fails = true;
    assert_int_equal(rh_start(server), -1);
    timerfd_fails = false;
    assert_non_null(strstr(rh_error(server), "cannot make a timer: "));
    assert_int_equal(rh_poll(server, 0), -1);
    assert_null(rh_loop_at(server, 0));
    rh_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_descriptor_tells_of_connections),
        cmocka_unit_test(the_descriptor_tells_of_timers),
        cmocka_unit_test(the_descriptor_tells_of_deadlines),
        cmocka_unit_test(the_descriptor_tells_of_answers),
        cmocka_unit_test(waits_no_longer_than_told),
        cmocka_unit_test(ends_when_told),
        cmocka_unit_test(waiting_drives_it),
        cmocka_unit_test(freeing_tells_of_what_is_deferred),
        cmocka_unit_test(several_live_in_one_loop),
        cmocka_unit_test(pages_change_while_nobody_turns),
        cmocka_unit_test(a_broken_pipe_is_not_heard),
        cmocka_unit_test(a_signal_ends_the_waiting),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(without_a_timer_it_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
