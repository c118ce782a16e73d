/* The floor: what the kernel charges for a request, and nothing else. It answers with bytes it was given, of several
 * responses with one after the other, and reads nothing of what it receives: how many requests that was follows from
 * their size, which it is told. N threads, a listener each, edge-triggered epoll, one recv and one send per event, as a
 * server that parses would do it.
 *
 *     noparse --port 8080 --threads 1 --response FILE [--response FILE]... --request-size 67 [--close] */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECEIVE_SIZE = 16384, BATCH_SIZE = 256 * 1024, EVENTS = 256, BACKLOG = 4096, RESPONSES_MAX = 64 };

/* What all the threads share and none changes. */
struct canned {
    char *batch; /* the responses, repeated: that many can be sent in one go */
    size_t batch_size;
    size_t responses;
    size_t ends[RESPONSES_MAX + 1]; /* bytes of the first 0, 1, ... all of the responses */
    size_t request_size;
    size_t peers_max;
    uint16_t port;
    bool closes; /* after its response, as "Connection: close" says */
};

struct peer {
    uint64_t received, sent; /* bytes, ever */
};

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "noparse: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on(uint16_t port)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (fd < 0)
        fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* inherited by what is accepted */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0)
        fail("listen");
    return fd;
}

static void watch(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl");
}

static void accept_all(const struct canned *canned, int epoll, int listener, struct peer *peers)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0)
            return;
        if ((size_t)fd >= canned->peers_max) {
            close(fd);
            continue;
        }
        peers[fd] = (struct peer){ 0 };
        watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    }
}

/* False once the peer is gone. A read that does not fill the buffer has drained the socket. */
static bool receive(int fd, struct peer *peer)
{
    char in[RECEIVE_SIZE];
    ssize_t received;
    do {
        received = recv(fd, in, sizeof in, 0);
        if (received <= 0)
            return received < 0 && errno == EAGAIN;
        peer->received += (uint64_t)received;
    } while (received == sizeof in);
    return true;
}

/* False once the peer is gone, or has had what it asked for and is told so. */
static bool send_owed(const struct canned *canned, int fd, struct peer *peer)
{
    uint64_t requests = peer->received / canned->request_size;
    uint64_t owed = requests / canned->responses * canned->ends[canned->responses] +
                    canned->ends[requests % canned->responses];
    while (peer->sent < owed) {
        size_t at = peer->sent % canned->batch_size, size = canned->batch_size - at;
        uint64_t left = owed - peer->sent;
        ssize_t sent = send(fd, canned->batch + at, size < left ? size : left, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN;
        peer->sent += (uint64_t)sent;
    }
    return !canned->closes || owed == 0 || peer->received > requests * canned->request_size;
}

static void serve(const struct canned *canned, const struct epoll_event *event, struct peer *peer)
{
    int fd = event->data.fd;
    bool goes_on = !(event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
    if (goes_on && (event->events & EPOLLIN))
        goes_on = receive(fd, peer);
    if (!goes_on || !send_owed(canned, fd, peer))
        close(fd);
}

static void *run(void *user)
{
    const struct canned *canned = user;
    struct epoll_event events[EVENTS];
    int listener = listen_on(canned->port);
    int epoll = epoll_create1(0);
    struct peer *peers = calloc(canned->peers_max, sizeof *peers);
    if (epoll < 0 || !peers)
        fail("start");
    watch(epoll, listener, EPOLLIN);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        if (count < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(canned, epoll, listener, peers);
            else
                serve(canned, &events[i], &peers[events[i].data.fd]);
        }
    }
}

static void add_response(struct canned *canned, const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0)
        fail(path);
    errno = E2BIG;
    if (canned->responses == RESPONSES_MAX)
        fail(path);
    size_t size = (size_t)info.st_size;
    char *batch = realloc(canned->batch, canned->batch_size + size + 1);
    if (!batch || size == 0 || read(fd, batch + canned->batch_size, size) != info.st_size)
        fail(path);
    close(fd);
    canned->batch = batch;
    canned->batch_size += size;
    canned->ends[++canned->responses] = canned->batch_size;
}

static void repeat_responses(struct canned *canned)
{
    size_t size = canned->batch_size;
    size_t copies = size < BATCH_SIZE ? BATCH_SIZE / size : 1;
    canned->batch = realloc(canned->batch, copies * size);
    if (!canned->batch)
        fail("start");
    for (; canned->batch_size < copies * size; canned->batch_size += size)
        memcpy(canned->batch + canned->batch_size, canned->batch, size);
}

static unsigned parse(struct canned *canned, int count, char **arguments)
{
    static const struct option options[] = { { "port", required_argument, NULL, 'p' },
        { "threads", required_argument, NULL, 't' }, { "response", required_argument, NULL, 'r' },
        { "request-size", required_argument, NULL, 's' }, { "close", no_argument, NULL, 'c' }, { 0 } };
    unsigned threads = 1;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        switch (option) {
        case 'p': canned->port = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 't': threads = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'r': add_response(canned, optarg); break;
        case 's': canned->request_size = strtoul(optarg, NULL, 10); break;
        case 'c': canned->closes = true; break;
        default: exit(2);
        }
    }
    if (!canned->port || !threads || !canned->batch || !canned->request_size) {
        fputs("usage: noparse --port N --threads N --response FILE... --request-size N [--close]\n", stderr);
        exit(2);
    }
    repeat_responses(canned);
    return threads;
}

int main(int count, char **arguments)
{
    struct canned canned = { 0 };
    struct rlimit files;
    unsigned threads = parse(&canned, count, arguments);
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        fail("getrlimit");
    canned.peers_max = files.rlim_cur;
    for (unsigned i = 1; i < threads; i++) {
        pthread_t thread;
        errno = pthread_create(&thread, NULL, run, &canned);
        if (errno != 0)
            fail("pthread_create");
    }
    run(&canned);
}
