/* All of the public API in one server, for the tests of clients and memory that fail in the middle of it. It counts
 * what begins and what ends, and its exit status says whether the two agree.
 *
 *     everything FOLDER [WORKERS [DRAIN_MS [BUFFER_MEMORY]]]     FOLDER for uploads; WORKERS 0: embedded
 *
 * SIGTERM drains, SIGINT stops. */
#include "everything.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct everything all;

/* ---- Middleware --------------------------------------------------------------------------------------------- */

static void count_end(rh_request *request, const rh_end *end, void *user)
{
    (void)end;
    (void)user;
    rh_path(request);
    atomic_fetch_add(&all.requests_ended, 1);
}

static void count(rh_request *request, void *user)
{
    (void)user;
    if (rh_on_end(request, count_end, NULL))
        atomic_fetch_add(&all.requests, 1);
    rh_next(request);
    if (rh_answered(request) != 0)
        rh_set(request, "X-Counted", "yes");
}

static void pass_on(rh_request *request, void *user)
{
    (void)user;
    rh_attach(request, &all, &all);
    rh_next(request);
}

static void pass_on_late(rh_request *request, void *user)
{
    rh_background(request, pass_on, user);
}

/* ---- Answers at once ---------------------------------------------------------------------------------------- */

static void text(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "a text\n");
}

static void list(rh_request *request, void *user)
{
    (void)user;
    rh_compress(request);
    if (!rh_validate(request, "\"list\"", 1700000000))
        return;
    rh_json_object(request, NULL);
    rh_json_slice(request, "client", rh_client(request));
    rh_json_array(request, "list");
    for (int i = 0; i < 200; i++)
        rh_json_int(request, NULL, i);
    rh_json_end(request);
    rh_json_end(request);
    rh_json_send(request);
}

static void fields(rh_request *request, void *user)
{
    rh_slice name, value;
    size_t pairs = 0;
    (void)user;
    for (size_t at = 0; rh_cookie_next(request, &at, &name, &value);)
        pairs++;
    for (size_t at = 0; rh_query_next(request, &at, &name, &value);)
        pairs++;
    for (size_t at = 0; rh_form_next(request, &at, &name, &value);)
        pairs++;
    rh_set_cookie(request, (rh_cookie_options){ .name = "seen", .value = "yes", .http_only = true });
    rh_json(request, "{\"pairs\":%zu,\"name\":%S}", pairs, rh_form(request, "name"));
}

static void file(rh_request *request, void *path)
{
    rh_file(request, "text/plain", path);
}

static void descriptor(rh_request *request, void *path)
{
    rh_descriptor(request, NULL, open(path, O_RDONLY | O_CLOEXEC));
}

static void redirect(rh_request *request, void *user)
{
    (void)user;
    rh_redirect(request, 303, "/text");
}

static void prepared(rh_request *request, void *user)
{
    (void)user;
    rh_send(request, all.answer);
}

static void large(rh_request *request, void *user)
{
    (void)user;
    rh_bytes(request, "text/plain", all.large, sizeof all.large);
}

/* ---- Deferred ----------------------------------------------------------------------------------------------- */

static void work(rh_request *request, void *user)
{
    (void)user;
    usleep(1000);
    rh_text(request, rh_gone(request) ? "gone\n" : "worked\n");
}

static void background(rh_request *request, void *user)
{
    rh_background(request, work, user);
}

struct wait {
    rh_request *request;
    rh_timer timer;
    rh_watcher *watcher;
    int fd;
};

static void end_wait(struct wait *wait, const char *how)
{
    rh_request *request = wait->request;
    rh_timer_stop(wait->timer);
    rh_timer_stop(wait->timer); /* a second time does nothing */
    rh_watch_stop(wait->watcher);
    close(wait->fd);
    rh_text(request, how);
    rh_complete(request);
}

static void on_gone(void *user)
{
    atomic_fetch_add(&all.gone, 1);
    end_wait(user, "gone\n");
}

static void on_time(void *user)
{
    struct wait *wait = user;
    eventfd_write(wait->fd, 1);
}

static void on_ready(void *user, unsigned events)
{
    (void)events;
    end_wait(user, "waited\n");
}

/* A timer that makes a descriptor readable, a watcher that completes. */
static void wait_for(rh_request *request, void *user)
{
    struct wait *wait = rh_memory(request, sizeof *wait);
    rh_loop *loop = rh_loop_of(request);
    (void)user;
    if (wait != NULL)
        *wait = (struct wait){ .request = request, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (wait != NULL)
        wait->watcher = rh_watch(loop, wait->fd, RH_READABLE, on_ready, wait);
    if (wait != NULL)
        wait->timer = rh_every(loop, 20, on_time, wait);
    if (wait == NULL || wait->watcher == NULL || wait->timer.loop == NULL) {
        if (wait != NULL) {
            rh_timer_stop(wait->timer);
            rh_watch_stop(wait->watcher);
            close(wait->fd);
        }
        rh_fail(request, 503, NULL);
        return;
    }
    rh_defer(request);
    rh_on_gone(request, on_gone, wait);
}

/* ---- Bodies ------------------------------------------------------------------------------------------------- */

static void sleep_for(rh_request *request, void *user)
{
    (void)request;
    usleep(1000 * (useconds_t)(uintptr_t)user);
}

static void take(rh_request *request, void *user, rh_slice piece, bool last)
{
    atomic_fetch_add(&all.received, piece.size);
    if (last)
        rh_json(request, "{\"received\":true}");
    else if (user != NULL)
        rh_background(request, sleep_for, user);
}

/* ?ms=: how long each piece takes. */
static void receive(rh_request *request, void *user)
{
    uint64_t ms = 0;
    (void)user;
    rh_slice_uint(rh_query(request, "ms"), &ms);
    rh_receive(request, take, (void *)(uintptr_t)ms);
}

static void part(rh_request *request, void *user, const rh_part *part)
{
    (void)user;
    if (rh_slice_is(part->name, "slow"))
        rh_background(request, sleep_for, (void *)(uintptr_t)1);
}

static void part_data(rh_request *request, void *user, rh_slice piece)
{
    (void)user;
    atomic_fetch_add(&all.received, piece.size);
    if (piece.size > PIECE)
        rh_background(request, sleep_for, (void *)(uintptr_t)1);
}

static void part_end(rh_request *request, void *user)
{
    rh_background(request, sleep_for, user);
}

static void form_done(rh_request *request, void *user)
{
    rh_background(request, work, user);
}

static void parts(rh_request *request, void *user)
{
    (void)user;
    rh_multipart(request, (rh_multipart_options){ .part = part, .data = part_data, .end = part_end,
                                                  .done = form_done });
}

static void uploads_done(rh_request *request, void *user, rh_upload *first)
{
    size_t files = 0, count = 0;
    (void)user;
    for (; first != NULL; first = first->next, count++)
        files += first->path != NULL;
    rh_json(request, "{\"files\":%zu,\"parts\":%zu}", files, count);
}

static void uploads(rh_request *request, void *folder)
{
    rh_uploads(request, (rh_uploads_options){ .folder = folder, .done = uploads_done, .file_max = 4 << 20 });
}

/* ---- WebSockets --------------------------------------------------------------------------------------------- */

static void socket_opened(rh_socket *socket, void *user)
{
    (void)user;
    rh_topic_join(all.topic, socket);
}

static void socket_message(rh_socket *socket, void *user, enum rh_message_kind kind, rh_slice bytes)
{
    (void)user;
    rh_socket_send(socket, kind, bytes.data, bytes.size);
    rh_topic_send(all.topic, kind, bytes.data, bytes.size);
    if (rh_slice_is(bytes, "close"))
        rh_socket_close(socket, 3000, "as you wish");
}

static void socket_closed(rh_socket *socket, void *user, unsigned code, rh_slice reason)
{
    (void)socket;
    (void)user;
    (void)code;
    (void)reason;
    atomic_fetch_add(&all.sockets_closed, 1);
}

static void websocket(rh_request *request, void *user)
{
    static const rh_websocket_options options = { .opened = socket_opened, .message = socket_message,
                                                  .closed = socket_closed };
    if (rh_websocket(request, &options, user))
        atomic_fetch_add(&all.sockets, 1);
}

/* ---- The whole ---------------------------------------------------------------------------------------------- */

static void show_state(rh_request *request, void *user)
{
    (void)user;
    rh_json_object(request, NULL);
    rh_json_int(request, "requests", atomic_load(&all.requests));
    rh_json_int(request, "requests_ended", atomic_load(&all.requests_ended));
    rh_json_int(request, "pipes", atomic_load(&all.pipes));
    rh_json_int(request, "pipes_closed", atomic_load(&all.pipes_closed));
    rh_json_int(request, "sockets", atomic_load(&all.sockets));
    rh_json_int(request, "sockets_closed", atomic_load(&all.sockets_closed));
    rh_json_int(request, "streams", atomic_load(&all.streams));
    rh_json_int(request, "streams_done", atomic_load(&all.streams_done));
    rh_json_int(request, "writers", atomic_load(&all.writers));
    rh_json_int(request, "gone", atomic_load(&all.gone));
    rh_json_uint(request, "members", rh_topic_members(all.topic));
    rh_json_uint(request, "received", atomic_load(&all.received));
    rh_json_end(request);
    rh_json_send(request);
}

static void set_up(const char *folder)
{
    static const char *const fields_of_answer[] = { "Cache-Control: no-cache", NULL };
    static char self[] = "/proc/self/exe";
    static const struct {
        const char *pattern;
        rh_handler *handler;
        void *user;
    } routes[] = {
        { "GET /text", text, NULL }, { "GET /api/list", list, NULL }, { "GET /fields", fields, NULL },
        { "POST /fields", fields, NULL }, { "GET /file", file, self },
        { "GET /descriptor", descriptor, self }, { "GET /redirect", redirect, NULL },
        { "GET /prepared", prepared, NULL }, { "GET /large", large, NULL }, { "GET /late/text", text, NULL },
        { "GET /stream", stream, NULL }, { "GET /broken", broken_stream, NULL }, { "GET /pipe", open_pipe, NULL },
        { "GET /events", events, NULL }, { "GET /topic", topic_events, NULL }, { "GET /background", background, NULL },
        { "GET /wait", wait_for, NULL }, { "GET /ws", websocket, NULL }, { "GET /late/ws", websocket, NULL },
        { "GET /state", show_state, NULL },
    };
    const rh_route_options streams[] = {
        { .pattern = "POST /receive", .handler = receive, .stream = true, .body_max = UINT64_C(64) << 30 },
        { .pattern = "POST /late/receive", .handler = receive, .stream = true },
        { .pattern = "POST /parts", .handler = parts, .stream = true },
        { .pattern = "POST /uploads", .handler = uploads, .user = (void *)folder, .stream = true },
        { .pattern = "GET /streamed/ws", .handler = websocket, .stream = true },
    };
    memset(all.large, 'l', sizeof all.large);
    all.answer = rh_answer_new(200, "text/plain", "prepared\n", 9, fields_of_answer);
    all.topic = rh_topic_new(all.server, (rh_topic_options){ 0 });
    rh_use(all.server, "/", count, NULL);
    rh_use_request_id(all.server, "/", (rh_request_id_options){ .trust = true });
    rh_use_cors(all.server, "/api/", (rh_cors_options){ .origins = "https://app.example" });
    rh_use_rate_limit(all.server, "/api/", (rh_rate_limit_options){ .requests = 1000000, .clients = 64 });
    rh_use(all.server, "/late/", pass_on_late, NULL);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        rh_route(all.server, routes[i].pattern, routes[i].handler, routes[i].user);
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
        rh_route_with(all.server, streams[i]);
}

/* All that has begun has ended. */
static int settle(void)
{
    const char *wrong = atomic_load(&all.requests) != atomic_load(&all.requests_ended)    ? "requests"
                        : atomic_load(&all.pipes) != atomic_load(&all.pipes_closed)       ? "pipes"
                        : atomic_load(&all.sockets) != atomic_load(&all.sockets_closed)   ? "sockets"
                        : atomic_load(&all.streams) != atomic_load(&all.streams_done)     ? "streams"
                                                                                          : NULL;
    if (wrong != NULL)
        fprintf(stderr, "everything: what has begun has not ended once: %s\n", wrong);
    while (atomic_load(&all.writers) > 0) /* of pipes that the server has outlived */
        usleep(1000);
    return wrong == NULL ? 0 : 1;
}

static void end_server(int number)
{
    if (number == SIGTERM)
        rh_drain(all.server);
    else
        rh_stop(all.server);
}

static unsigned long long number_of(int count, char **words, int at)
{
    return count > at ? strtoull(words[at], NULL, 10) : 0;
}

int main(int count, char **words)
{
    int number = 0;
    sigset_t ends;
    bool embedded = count > 2 && strcmp(words[2], "0") == 0;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL); /* before there are threads, which inherit it */
    signal(SIGTERM, end_server);
    signal(SIGINT, end_server);
    all.server = rh_server_new((rh_options){
        .listen = "127.0.0.1:0", .log = rh_log_stderr, .trusted_proxies = "loopback", .embedded = embedded,
        .workers = (unsigned)number_of(count, words, 2), .drain_timeout_ms = (uint32_t)number_of(count, words, 3),
        .buffer_memory = number_of(count, words, 4) });
    set_up(count > 1 ? words[1] : "/tmp");
    if (rh_start(all.server) != 0) {
        fprintf(stderr, "everything: %s\n", rh_error(all.server));
        return 1;
    }
    fprintf(stderr, "everything: listening on http://127.0.0.1:%u/\n", rh_port(all.server));
    if (embedded) {
        sigprocmask(SIG_UNBLOCK, &ends, NULL);
        rh_run(all.server);
    } else {
        sigwait(&ends, &number);
    }
    if (!embedded)
        end_server(number);
    rh_wait(all.server); /* from now on no handler uses the topic */
    rh_topic_free(all.topic);
    rh_server_free(all.server);
    rh_answer_free(all.answer);
    return settle();
}
