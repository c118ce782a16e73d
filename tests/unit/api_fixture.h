/* A server under test, made with the public header alone, and a client that asks it. What goes wrong in a handler must
 * show in its response: a test can fail only on its own thread. */
#ifndef TESTS_UNIT_API_FIXTURE_H
#define TESTS_UNIT_API_FIXTURE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rawhttp.h"

enum { PATIENCE_S = 20, REPLY_MAX = 1 << 20 };

/* What servers say, from any thread. */
struct notes {
    pthread_mutex_t lock;
    char lines[8192];
};

#define NOTES_INIT { .lock = PTHREAD_MUTEX_INITIALIZER }

static inline void note(void *user, enum rh_log_level level, const char *line)
{
    struct notes *notes = user;
    (void)level;
    pthread_mutex_lock(&notes->lock);
    size_t used = strlen(notes->lines);
    snprintf(notes->lines + used, sizeof notes->lines - used, "%s\n", line);
    pthread_mutex_unlock(&notes->lock);
}

static inline bool noted(struct notes *notes, const char *text)
{
    pthread_mutex_lock(&notes->lock);
    bool found = strstr(notes->lines, text) != NULL;
    pthread_mutex_unlock(&notes->lock);
    return found;
}

static inline unsigned noted_times(struct notes *notes, const char *text)
{
    unsigned times = 0;
    pthread_mutex_lock(&notes->lock);
    for (const char *at = notes->lines; (at = strstr(at, text)) != NULL; at++)
        times++;
    pthread_mutex_unlock(&notes->lock);
    return times;
}

/* A server on a free port of the loopback; not started. With one worker what the handler of one request leaves behind
 * is there for that of the next one to see; with several it has to be handed over. */
static inline rh_server *make_server_of(unsigned workers, struct notes *notes)
{
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = workers, .background = 2,
                                                    .body_max = 1000, .log = notes ? note : NULL, .log_user = notes });
    assert_non_null(server);
    return server;
}

static inline rh_server *make_server(struct notes *notes)
{
    return make_server_of(2, notes);
}

static inline void add_route(rh_server *server, const char *pattern, rh_handler *handler, void *user)
{
    if (rh_route(server, pattern, handler, user) != 0)
        fail_msg("%s", rh_error(server));
}

enum { STREAM_MAX = 1 << 24 };

/* A route whose handler takes the body as it comes. */
static inline void add_stream(rh_server *server, const char *pattern, rh_handler *handler, void *user)
{
    rh_route_options options = { .pattern = pattern, .handler = handler, .user = user, .stream = true,
                                 .body_max = STREAM_MAX };
    if (rh_route_with(server, options) != 0)
        fail_msg("%s", rh_error(server));
}

struct api_route {
    const char *pattern;
    rh_handler *handler;
    const char *user;
};

static inline void add_routes(rh_server *server, const struct api_route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_route(server, routes[i].pattern, routes[i].handler, (void *)routes[i].user);
}

static inline void start_server(rh_server *server)
{
    if (rh_start(server) != 0)
        fail_msg("%s", rh_error(server));
    assert_in_range(rh_port(server), 1, 65535);
}

static inline int client_connect(const rh_server *server)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)rh_port(server)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct timeval patience = { .tv_sec = PATIENCE_S };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
    return fd;
}

static inline void client_send(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Closes with a reset, as if the client had died. */
static inline void client_reset(int fd)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(fd);
}

struct reply {
    int status;
    char *head, *body; /* C strings; the body as it came, in chunks where it was chunked */
    size_t body_size;
    char bytes[REPLY_MAX + 1];
};

/* Everything until the server closes; empty where it said nothing. */
static inline void client_read(int fd, struct reply *reply)
{
    size_t used = 0;
    for (ssize_t got; (got = recv(fd, reply->bytes + used, REPLY_MAX - used, 0)) > 0;)
        used += (size_t)got;
    reply->bytes[used] = '\0';
    close(fd);
    char *end = strstr(reply->bytes, "\r\n\r\n");
    reply->head = reply->bytes;
    reply->body = end ? end + 4 : reply->bytes + used;
    reply->body_size = used - (size_t)(reply->body - reply->bytes);
    if (end)
        end[2] = '\0';
    reply->status = strncmp(reply->head, "HTTP/1.1 ", 9) == 0 ? atoi(reply->head + 9) : 0;
}

/* "GET /path" and further lines of the head, each with its CRLF, to the answer. Valid until the next one. */
static inline struct reply *ask_with(const rh_server *server, const char *line, const char *fields, const char *body)
{
    static struct reply reply;
    char request[16384];
    snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n%s", line, fields, body);
    int fd = client_connect(server);
    client_send(fd, request);
    client_read(fd, &reply);
    return &reply;
}

static inline struct reply *ask(const rh_server *server, const char *line)
{
    return ask_with(server, line, "", "");
}

/* Fails unless that is the answer. */
static inline void expect(const rh_server *server, const char *line, int status, const char *body)
{
    struct reply *reply = ask(server, line);
    if (reply->status != status || strcmp(reply->body, body) != 0)
        fail_msg("%s: %d \"%s\"\n%s", line, reply->status, reply->body, reply->head);
}

static inline bool has_line(const struct reply *reply, const char *line)
{
    const char *found = strstr(reply->head, line);
    return found && found > reply->head && found[-1] == '\n' && strncmp(found + strlen(line), "\r\n", 2) == 0;
}

#endif
