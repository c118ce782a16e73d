/* Load for WebSocket echoes: each connection sends one masked text message, waits for its echo, compares it byte by
 * byte, and sends the next. One thread, epoll. It knows no more of RFC 6455 than that takes: messages under 126 bytes,
 * in one frame, without extensions.
 *
 *     ws_load PORT CONNECTIONS SECONDS MESSAGE [bare]
 *
 * One line of JSON tells how it went. With "bare" there is no handshake, for a server that only repeats bytes. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_MAX = 125, FRAME_MAX = 6 + MESSAGE_MAX, EVENTS = 256, PATIENCE_S = 10 };

struct load {
    char frame[FRAME_MAX], echo[FRAME_MAX]; /* what is sent, and what must come back */
    size_t frame_size, echo_size;
    uint64_t messages, wrong, failed;
    int epoll;
};

struct peer {
    int fd;
    size_t got; /* bytes of the echo */
};

/* The example of RFC 6455 section 1.3. */
static const char handshake[] = "GET /ws HTTP/1.1\r\nHost: www.example.com\r\n"
                                "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
static const char accepted[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "ws_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Masked, as every client must (section 5.3); always with the same mask, so that all the servers get the same bytes. */
static void make_frames(struct load *load, const char *message)
{
    static const unsigned char mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    size_t size = strlen(message);
    errno = EMSGSIZE;
    if (size > MESSAGE_MAX)
        fail("the message");
    memcpy(load->frame, (unsigned char[]){ 0x81, (unsigned char)(0x80 | size) }, 2);
    memcpy(load->frame + 2, mask, sizeof mask);
    for (size_t i = 0; i < size; i++)
        load->frame[6 + i] = (char)((unsigned char)message[i] ^ mask[i % 4]);
    memcpy(load->echo, (unsigned char[]){ 0x81, (unsigned char)size }, 2);
    memcpy(load->echo + 2, message, size);
    load->frame_size = 6 + size;
    load->echo_size = 2 + size;
}

static void shake_hands(int fd)
{
    char answer[2048];
    size_t got = 0;
    if (send(fd, handshake, sizeof handshake - 1, MSG_NOSIGNAL) < 0)
        fail("handshake");
    do { /* nothing comes behind its end before a message was sent */
        ssize_t received = recv(fd, answer + got, sizeof answer - 1 - got, 0);
        if (received <= 0)
            fail("handshake");
        got += (size_t)received;
        answer[got] = '\0';
    } while (strstr(answer, "\r\n\r\n") == NULL);
    errno = EPROTO;
    if (strncmp(answer, "HTTP/1.1 101 ", 13) != 0 || strstr(answer, accepted) == NULL)
        fail("handshake");
}

static int open_peer(uint16_t port, bool bare)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = { .tv_sec = PATIENCE_S };
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!bare)
        shake_hands(fd);
    return fd;
}

/* A peer that fails is not asked again, so that it cannot fail twice. */
static void give_up(struct load *load, struct peer *peer, uint64_t *counter)
{
    ++*counter;
    epoll_ctl(load->epoll, EPOLL_CTL_DEL, peer->fd, NULL);
}

static void send_message(struct load *load, struct peer *peer)
{
    peer->got = 0;
    if (send(peer->fd, load->frame, load->frame_size, MSG_NOSIGNAL) != (ssize_t)load->frame_size)
        give_up(load, peer, &load->failed);
}

static void take_echo(struct load *load, struct peer *peer)
{
    char piece[FRAME_MAX + 1]; /* one more than may come */
    ssize_t received = recv(peer->fd, piece, load->echo_size - peer->got + 1, MSG_DONTWAIT);
    if (received < 0 && errno == EAGAIN)
        return;
    if (received <= 0) {
        give_up(load, peer, &load->failed);
        return;
    }
    size_t size = (size_t)received;
    if (size > load->echo_size - peer->got || memcmp(piece, load->echo + peer->got, size) != 0) {
        give_up(load, peer, &load->wrong);
        return;
    }
    peer->got += size;
    if (peer->got == load->echo_size) {
        load->messages++;
        send_message(load, peer);
    }
}

static double run(struct load *load, struct peer *peers, size_t count, double seconds)
{
    struct epoll_event events[EVENTS];
    double start = now_s(), now = start;
    for (size_t i = 0; i < count; i++)
        send_message(load, &peers[i]);
    while (now - start < seconds) {
        int ready = epoll_wait(load->epoll, events, EVENTS, 100);
        for (int i = 0; i < ready; i++)
            take_echo(load, events[i].data.ptr);
        now = now_s();
    }
    return now - start;
}

int main(int count, char **words)
{
    struct load load = { .epoll = epoll_create1(0) };
    if (count != 5 && (count != 6 || strcmp(words[5], "bare") != 0)) {
        fputs("usage: ws_load PORT CONNECTIONS SECONDS MESSAGE [bare]\n", stderr);
        return 2;
    }
    size_t connections = strtoul(words[2], NULL, 10);
    struct peer *peers = calloc(connections, sizeof *peers);
    if (load.epoll < 0 || peers == NULL)
        fail("start");
    make_frames(&load, words[4]);
    for (size_t i = 0; i < connections; i++) {
        peers[i].fd = open_peer((uint16_t)strtoul(words[1], NULL, 10), count == 6);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &peers[i] };
        if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, peers[i].fd, &event) != 0)
            fail("epoll_ctl");
    }
    double seconds = run(&load, peers, connections, strtod(words[3], NULL));
    printf("{\"requests\": %llu, \"seconds\": %.6f, \"errors\": {\"wrong\": %llu, \"failed\": %llu}}\n",
           (unsigned long long)load.messages, seconds, (unsigned long long)load.wrong, (unsigned long long)load.failed);
    free(peers);
    return 0;
}
