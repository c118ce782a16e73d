/* WebSockets of every kind, for the end-to-end tests. Run: sockets [WORKERS [QUIET_MS [DRAIN_MS]]]
 *
 *     /echo    sends back what comes           /plain    the same, never compressed
 *     /large   the same, up to 16 MiB          /topic    what comes goes to all who are here
 *     /flood   sends 64 KiB pieces while they are taken, again when `writable`, and notes how many were refused
 *     /close   closes with the code that comes as a text
 *     /state   not a WebSocket: JSON with how many are open, how they were closed, what was missed
 */
#include <rawhttp.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct state {
    rh_server *server;
    rh_topic *topic;
    atomic_int open, opened, closed, refused, writable, last_code;
};

enum { PIECE = 64 * 1024 };

static void opened(rh_socket *socket, void *user)
{
    struct state *state = user;
    (void)socket;
    atomic_fetch_add(&state->open, 1);
    atomic_fetch_add(&state->opened, 1);
}

static void closed(rh_socket *socket, void *user, unsigned code, rh_slice reason)
{
    struct state *state = user;
    (void)socket;
    (void)reason;
    atomic_fetch_sub(&state->open, 1);
    atomic_fetch_add(&state->closed, 1);
    atomic_store(&state->last_code, (int)code);
}

static void echo(rh_socket *socket, void *user, enum rh_message_kind kind, rh_slice bytes)
{
    (void)user;
    if (!rh_socket_send(socket, kind, bytes.data, bytes.size))
        rh_socket_close(socket, 1008, "it was not taken");
}

static void join(rh_socket *socket, void *user)
{
    struct state *state = user;
    opened(socket, user);
    rh_topic_join(state->topic, socket);
    rh_socket_send(socket, RH_TEXT, "joined", 6);
}

static void broadcast(rh_socket *socket, void *user, enum rh_message_kind kind, rh_slice bytes)
{
    struct state *state = user;
    if (rh_slice_is(bytes, "leave"))
        rh_topic_leave(state->topic, socket);
    else
        rh_topic_send(state->topic, kind, bytes.data, bytes.size);
}

static void pour(rh_socket *socket, struct state *state)
{
    static const char piece[PIECE] = { 1 };
    while (rh_socket_send(socket, RH_BINARY, piece, sizeof piece))
        continue;
    atomic_fetch_add(&state->refused, 1);
}

static void begin_flood(rh_socket *socket, void *user, enum rh_message_kind kind, rh_slice bytes)
{
    (void)kind;
    (void)bytes;
    pour(socket, user);
}

static void go_on(rh_socket *socket, void *user)
{
    struct state *state = user;
    if (atomic_fetch_add(&state->writable, 1) < 4)
        pour(socket, state);
    else
        rh_socket_close(socket, 1000, "enough");
}

static void close_with(rh_socket *socket, void *user, enum rh_message_kind kind, rh_slice bytes)
{
    uint64_t code = 0;
    (void)user;
    (void)kind;
    rh_slice_uint(bytes, &code);
    rh_socket_send(socket, RH_TEXT, "last", 4);
    rh_socket_close(socket, (unsigned)code, "as you wish");
    rh_socket_send(socket, RH_TEXT, "never", 5);
}

static const struct {
    const char *pattern;
    rh_websocket_options options;
} kinds[] = {
    { "GET /echo", { .opened = opened, .closed = closed, .message = echo, .protocols = "v1 v2" } },
    { "GET /plain", { .opened = opened, .closed = closed, .message = echo, .no_compression = true } },
    { "GET /large", { .opened = opened, .closed = closed, .message = echo, .message_max = 16 << 20 } },
    { "GET /topic", { .opened = join, .closed = closed, .message = broadcast } },
    { "GET /flood", { .opened = opened, .closed = closed, .message = begin_flood, .writable = go_on } },
    { "GET /close", { .opened = opened, .closed = closed, .message = close_with } },
};

static struct state state;

static void begin(rh_request *request, void *options)
{
    rh_websocket(request, options, &state);
}

static void show_state(rh_request *request, void *unused)
{
    (void)unused;
    rh_json(request, "{\"open\":%d,\"opened\":%d,\"closed\":%d,\"refused\":%d,\"writable\":%d,\"code\":%d,"
                     "\"members\":%zu,\"missed\":%llu}",
            atomic_load(&state.open), atomic_load(&state.opened), atomic_load(&state.closed),
            atomic_load(&state.refused), atomic_load(&state.writable), atomic_load(&state.last_code),
            rh_topic_members(state.topic), (unsigned long long)rh_topic_missed(state.topic));
}

int main(int count, char **words)
{
    int number;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL); /* before there are threads, which inherit it */
    rh_options options = { .listen = "127.0.0.1:0", .workers = count > 1 ? (unsigned)atoi(words[1]) : 2,
                           .quiet_timeout_ms = count > 2 ? (uint32_t)atoi(words[2]) : 0,
                           .drain_timeout_ms = count > 3 ? (uint32_t)atoi(words[3]) : 0, .log = rh_log_stderr };
    state.server = rh_server_new(options);
    state.topic = rh_topic_new(state.server, (rh_topic_options){ 0 });
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        rh_route(state.server, kinds[i].pattern, begin, (void *)&kinds[i].options);
    rh_route(state.server, "GET /state", show_state, NULL);
    if (rh_start(state.server) != 0)
        return 1;
    fprintf(stderr, "sockets: listening on http://127.0.0.1:%u/\n", rh_port(state.server));
    sigwait(&ends, &number);
    rh_drain(state.server);
    rh_wait(state.server);
    fprintf(stderr, "sockets: %d open at the end, %d closed, the last one with %d\n", atomic_load(&state.open),
            atomic_load(&state.closed), atomic_load(&state.last_code));
    rh_topic_free(state.topic);
    rh_server_free(state.server);
    return 0;
}
