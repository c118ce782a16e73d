/* "rawhttpd --health URL": one GET over a plain socket, within a time. See health.h.
 *
 * The sockets do not block, and one timer, which is polled beside them, bounds the whole: a server that sends a byte
 * now and then gains no time by it. Reasons travel as errno. */
#include "main/health.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    ANSWER_SIZE = 16 * 1024,                  /* interim responses included */
    REQUEST_SIZE = HEALTH_URL_MAX * 2 + 200, /* target and authority are parts of the URL */
};

struct probe {
    int socket, timer;
};

/* Until the socket is ready. false: not in time, or no descriptor to wait with. */
static bool wait_ready(const struct probe *probe, short events)
{
    struct pollfd polled[] = { { .fd = probe->timer, .events = POLLIN }, { .fd = probe->socket, .events = events } };
    while (poll(polled, 2, -1) < 0)
        if (errno != EINTR)
            return false;
    errno = ETIMEDOUT;
    return polled[0].revents == 0;
}

/* Exactly: for a unix socket the kernel takes no more. */
static socklen_t measure(const union health_address *address)
{
    switch (address->any.sa_family) {
    case AF_INET:
        return sizeof address->v4;
    case AF_INET6:
        return sizeof address->v6;
    default:
        return sizeof address->local;
    }
}

static bool connect_to(const struct probe *probe, const union health_address *address)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (connect(probe->socket, &address->any, measure(address)) == 0)
        return true;
    if (errno != EINPROGRESS || !wait_ready(probe, POLLOUT))
        return false;
    if (getsockopt(probe->socket, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return false;
    errno = error;
    return error == 0;
}

static bool send_all(const struct probe *probe, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(probe->socket, data, size, MSG_NOSIGNAL);
        if (sent >= 0) {
            data += sent;
            size -= (size_t)sent;
        } else if (errno != EINTR && (errno != EAGAIN || !wait_ready(probe, POLLOUT))) {
            return false;
        }
    }
    return true;
}

/* The final status, or -1 with errno: EPROTO where it is not HTTP, ENODATA where the connection ended before. */
static int receive_status(const struct probe *probe)
{
    char answer[ANSWER_SIZE];
    size_t used = 0;
    int status = 0;
    while (status == 0 && used < sizeof answer) {
        ssize_t got = recv(probe->socket, answer + used, sizeof answer - used, 0);
        if (got > 0) {
            used += (size_t)got;
            status = health_status(answer, used);
        } else if (got == 0) {
            errno = ENODATA;
            return -1;
        } else if (errno != EINTR && (errno != EAGAIN || !wait_ready(probe, POLLIN))) {
            return -1;
        }
    }
    errno = EPROTO;
    return status > 0 ? status : -1;
}

static int ask(const struct probe *probe, const struct health_target *target)
{
    char request[REQUEST_SIZE];
    bool rooted = target->path_size > 0 && target->path[0] == '/';
    int size = snprintf(request, sizeof request,
                        "GET %s%.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: rawhttpd-health\r\nConnection: close\r\n\r\n",
                        rooted ? "" : "/", target->path_size, target->path, target->authority_size, target->authority);
    if (!send_all(probe, request, (size_t)size))
        return -1;
    return receive_status(probe);
}

/* Both loopbacks of localhost are one server to the person who asks: where one refuses the connection the other is
 * tried. The reason that is told is the first one's, unless the second got further. */
static int ask_any(int timer, const struct health_target *target)
{
    int error = 0, status = -1;
    bool connected = false;
    for (unsigned i = 0; i < target->address_count && !connected; i++) {
        const union health_address *address = &target->addresses[i];
        struct probe probe = { socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), timer };
        connected = probe.socket >= 0 && connect_to(&probe, address);
        if (connected)
            status = ask(&probe, target);
        if (connected || error == 0)
            error = errno;
        if (probe.socket >= 0)
            close(probe.socket);
    }
    errno = error;
    return status;
}

static int start_timer(unsigned timeout_ms)
{
    struct itimerspec once = { .it_value = { timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000 } };
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (timer >= 0)
        timerfd_settime(timer, 0, &once, NULL);
    return timer;
}

static void explain(int error, unsigned timeout_ms, char why[static HEALTH_WHY_SIZE])
{
    switch (error) {
    case ETIMEDOUT:
        snprintf(why, HEALTH_WHY_SIZE, "no answer within %g s", timeout_ms / 1000.0);
        break;
    case ECONNREFUSED:
    case ENOENT:
        snprintf(why, HEALTH_WHY_SIZE, "nothing listens there (%s)", strerror(error));
        break;
    case ENODATA:
        snprintf(why, HEALTH_WHY_SIZE, "the connection was closed without an answer");
        break;
    case EPROTO:
        snprintf(why, HEALTH_WHY_SIZE, "what answers there does not speak HTTP/1");
        break;
    default:
        snprintf(why, HEALTH_WHY_SIZE, "%s", strerror(error));
    }
}

bool health_check(const char *url, unsigned timeout_ms, char why[static HEALTH_WHY_SIZE])
{
    struct health_target target;
    const char *problem = health_parse_url(url, &target);
    if (problem) {
        snprintf(why, HEALTH_WHY_SIZE, "%s", problem);
        return false;
    }
    int timer = start_timer(timeout_ms);
    int status = timer < 0 ? -1 : ask_any(timer, &target);
    if (status < 0)
        explain(errno, timeout_ms, why);
    else if (status < 200 || status > 399)
        snprintf(why, HEALTH_WHY_SIZE, "the answer is %d", status);
    if (timer >= 0)
        close(timer);
    return status >= 200 && status <= 399;
}

/* RFC 9112 4: "HTTP/1.1 200 reason"; some servers leave out the space where there is no reason. */
static int parse_status_line(const char *data, size_t size)
{
    static const char shape[] = "HTTP/1.# ### "; /* # stands for a digit */
    int status = 0;
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        if (i == size)
            return 0;
        bool is_digit = data[i] >= '0' && data[i] <= '9';
        bool is_end = i == sizeof shape - 2 && data[i] == '\r';
        if (shape[i] == '#' ? !is_digit : data[i] != shape[i] && !is_end)
            return -1;
        if (i > 7 && is_digit)
            status = status * 10 + (data[i] - '0');
    }
    return status;
}

int health_status(const char *data, size_t size)
{
    for (;;) {
        int status = parse_status_line(data, size);
        if (status < 100)
            return status == 0 && size < 13 ? 0 : -1;
        if (status >= 200)
            return status;
        const char *end = memmem(data, size, "\r\n\r\n", 4);
        if (!end)
            return 0;
        size -= (size_t)(end + 4 - data);
        data = end + 4;
    }
}
