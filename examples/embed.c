/* A server inside a program that has a loop of its own, here epoll: beside its standard input, a timer and signals, all
 * on one thread, so that handlers use what the program has without a lock.
 *
 *     ./dev build && build/examples/embed
 *
 * Type lines, and ask for the last one, or for the next one, which is awaited:
 *
 *     curl http://localhost:8080/last
 *     curl http://localhost:8080/next
 */
#include <rawhttp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { WAITING_MAX = 1000 };

struct program {
    rh_server *server;
    int timer_fd, signal_fd;
    char input[1024], last[1024]; /* the line that is coming in, and the last whole one */
    size_t input_size, last_size;
    unsigned long long seconds;   /* since it began */
    rh_request *waiting[WAITING_MAX];
    size_t waiting_count;
};

static void last_line(rh_request *request, void *user)
{
    const struct program *program = user;
    rh_slice line = { program->last, program->last_size };
    rh_json(request, "{\"line\":%S,\"seconds\":%llu}\n", line, program->seconds);
}

static void next_line(rh_request *request, void *user)
{
    struct program *program = user;
    if (program->waiting_count == WAITING_MAX) {
        rh_fail(request, 503, "too many are waiting already");
        return;
    }
    rh_defer(request);
    program->waiting[program->waiting_count++] = request;
}

/* Answers all that wait, or only those whose clients have gone, who then need not be there any longer. */
static void answer_waiting(struct program *program, bool all)
{
    size_t kept = 0;
    for (size_t i = 0; i < program->waiting_count; i++) {
        rh_request *request = program->waiting[i];
        if (!all && !rh_gone(request)) {
            program->waiting[kept++] = request;
            continue;
        }
        last_line(request, program);
        rh_complete(request);
    }
    program->waiting_count = kept;
}

static void take_line(struct program *program, const char *end)
{
    size_t size = (size_t)(end - program->input);
    memcpy(program->last, program->input, size);
    program->last_size = size;
    program->input_size -= size + 1;
    memmove(program->input, end + 1, program->input_size);
    answer_waiting(program, true);
}

/* A line that is too long is taken in pieces. False: there will be no more. */
static bool read_input(struct program *program)
{
    ssize_t got = read(STDIN_FILENO, program->input + program->input_size,
                       sizeof program->input - program->input_size - 1);
    if (got <= 0)
        return false;
    program->input_size += (size_t)got;
    if (program->input_size == sizeof program->input - 1)
        program->input[program->input_size++] = '\n';
    for (char *end; (end = memchr(program->input, '\n', program->input_size)) != NULL;)
        take_line(program, end);
    return true;
}

static void tick(struct program *program)
{
    uint64_t times = 0;
    if (read(program->timer_fd, &times, sizeof times) == sizeof times)
        program->seconds += times;
    answer_waiting(program, false);
}

/* The loop. Ctrl+C and SIGTERM drain the server; who still waits for a line gets the last one. */
static void run(struct program *program, int loop_fd)
{
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(loop_fd, &event, 1, -1) != 1)
            continue;
        if (event.data.fd == rh_fd(program->server) && rh_poll(program->server, 0) != 1)
            return;
        if (event.data.fd == STDIN_FILENO && !read_input(program))
            epoll_ctl(loop_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
        if (event.data.fd == program->timer_fd)
            tick(program);
        if (event.data.fd == program->signal_fd) {
            epoll_ctl(loop_fd, EPOLL_CTL_DEL, program->signal_fd, NULL);
            rh_drain(program->server);
            answer_waiting(program, true);
        }
    }
}

int main(void)
{
    static struct program program;
    const char *listen = getenv("LISTEN");
    const struct itimerspec each_second = { .it_interval.tv_sec = 1, .it_value.tv_sec = 1 };
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); /* they come as something to read */
    program.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    program.signal_fd = signalfd(-1, &ends, SFD_CLOEXEC);
    timerfd_settime(program.timer_fd, 0, &each_second, NULL);
    program.server = rh_server_new((rh_options){
        .listen = listen ? listen : "localhost:8080", .embedded = true, .log = rh_log_stderr });
    rh_route(program.server, "GET /last", last_line, &program);
    rh_route(program.server, "GET /next", next_line, &program);
    if (rh_start(program.server) != 0)
        return 1;
    fprintf(stderr, "embed: serving http://localhost:%u/last and /next; Ctrl+C stops\n", rh_port(program.server));
    int loop_fd = epoll_create1(EPOLL_CLOEXEC);
    const int fds[] = { rh_fd(program.server), program.timer_fd, program.signal_fd, STDIN_FILENO };
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) /* the last one may be a file, which cannot be watched */
        epoll_ctl(loop_fd, EPOLL_CTL_ADD, fds[i], &(struct epoll_event){ .events = EPOLLIN, .data.fd = fds[i] });
    run(&program, loop_fd);
    rh_server_free(program.server);
    return 0;
}
