/* Content that is written from elsewhere, and events: through the public header, from several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdatomic.h>

#include "api_fixture.h"

enum { LINES = 2000, LARGE = 16 << 20 };

/* Who writes into the pipe of a request, on a thread of its own. */
struct author {
    rh_pipe *pipe;
    pthread_t thread;
    void *(*run)(void *author);
    atomic_int begun, written, closed, drained, refused, released;
    bool aborts;
};

static void note_closed(void *user)
{
    atomic_fetch_add(&((struct author *)user)->closed, 1);
}

static void note_drained(void *user)
{
    atomic_fetch_add(&((struct author *)user)->drained, 1);
}

static void write_on(struct author *author, const char *bytes, size_t size)
{
    int drained = atomic_load(&author->drained);
    while (!rh_pipe_write(author->pipe, bytes, size) && !rh_pipe_gone(author->pipe)) {
        atomic_fetch_add(&author->refused, 1);
        while (atomic_load(&author->drained) == drained && !rh_pipe_gone(author->pipe))
            usleep(1000);
        drained = atomic_load(&author->drained);
    }
}

static void *write_lines(void *user)
{
    struct author *author = user;
    for (unsigned i = 0; i < LINES; i++) {
        char line[32];
        write_on(author, line, (size_t)snprintf(line, sizeof line, "line %u\n", i));
        if (i % 500 == 0)
            usleep(2000);
    }
    if (author->aborts)
        rh_pipe_abort(author->pipe);
    else
        rh_pipe_close(author->pipe);
    return NULL;
}

static void *write_much(void *user)
{
    struct author *author = user;
    static char block[10000];
    memset(block, 'x', sizeof block);
    for (size_t done = 0; done < LARGE; done += sizeof block)
        write_on(author, block, sizeof block);
    rh_pipe_close(author->pipe);
    return NULL;
}

static void open_pipe(rh_request *request, void *user)
{
    struct author *author = user;
    rh_pipe_options options = { .type = "text/plain", .queue_max = 20000, .drained = note_drained,
                                .closed = note_closed, .user = author };
    author->pipe = rh_pipe_open(request, options);
    if (author->pipe == NULL || rh_pipe_open(request, options) != NULL || rh_pipe_queued(author->pipe) != 0)
        abort();
    atomic_fetch_add(&author->begun, 1);
    pthread_create(&author->thread, NULL, author->run, author);
}

static void open_later(rh_request *request, void *user)
{
    rh_background(request, open_pipe, user);
}

/* On the loop, so that nothing leaves the queue meanwhile. */
static void overfill(rh_request *request, void *user)
{
    static const char large[50000] = { 'x' };
    rh_pipe *pipe = rh_pipe_open(request, (rh_pipe_options){ .queue_max = 20000 });
    (void)user;
    if (!rh_pipe_write(pipe, large, sizeof large) || rh_pipe_write(pipe, "x", 1) ||
        rh_pipe_write(pipe, large, sizeof large) || rh_pipe_queued(pipe) != sizeof large)
        abort();
    rh_pipe_close(pipe);
}

static void *write_events(void *user)
{
    struct author *author = user;
    bool sent = rh_event_send(author->pipe, (rh_event){ .name = "tick", .id = "1", .data = "one\ntwo" }) &&
                rh_event_send(author->pipe, (rh_event){ .retry_ms = 10 }) &&
                rh_event_send(author->pipe, (rh_event){ .data = NULL });
    errno = 0;
    if (rh_event_send(author->pipe, (rh_event){ .name = "a\nb" }) || errno != EINVAL || !sent)
        abort();
    atomic_store(&author->written, 1);
    while (!rh_pipe_gone(author->pipe))
        usleep(1000);
    rh_pipe_close(author->pipe);
    return NULL;
}

static void open_events(rh_request *request, void *user)
{
    struct author *author = user;
    author->pipe = rh_events_open(request, (rh_pipe_options){ .closed = note_closed, .user = author });
    atomic_fetch_add(&author->begun, 1);
    pthread_create(&author->thread, NULL, author->run, author);
}

struct scene {
    rh_server *server;
    struct author author;
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    scene->server = make_server(NULL);
    scene->author.run = write_lines;
    add_route(scene->server, "GET /pipe", open_pipe, &scene->author);
    add_route(scene->server, "GET /overfull", overfill, NULL);
    add_route(scene->server, "GET /later", open_later, &scene->author);
    add_route(scene->server, "GET /events", open_events, &scene->author);
    start_server(scene->server);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    if (atomic_load(&scene->author.begun) > 0)
        pthread_join(scene->author.thread, NULL);
    rh_server_free(scene->server);
    assert_int_equal(atomic_load(&scene->author.closed), atomic_load(&scene->author.begun));
    free(scene);
    return 0;
}

/* The content of chunks, and whether the last one is there. */
static bool join_chunks(struct reply *reply, char **text)
{
    char *from = reply->body, *to = reply->body, *end = reply->bytes + strlen(reply->bytes);
    *text = to;
    for (;;) {
        char *rest;
        size_t size = strtoul(from, &rest, 16);
        if (rest == from || strncmp(rest, "\r\n", 2) != 0 || (size_t)(end - rest) < size + 4)
            break;
        memmove(to, rest + 2, size);
        to += size;
        from = rest + 2 + size + 2;
        if (size == 0) {
            *to = '\0';
            return true;
        }
    }
    *to = '\0';
    return false;
}

static void check_lines(const char *text)
{
    for (unsigned i = 0; i < LINES; i++) {
        char line[32];
        int size = snprintf(line, sizeof line, "line %u\n", i);
        assert_memory_equal(text, line, size);
        text += size;
    }
    assert_string_equal(text, "");
}

static void says_what_was_written(void **state)
{
    struct scene *scene = *state;
    char *text;
    struct reply *reply = ask(scene->server, "GET /pipe");
    assert_int_equal(reply->status, 200);
    assert_true(has_line(reply, "Content-Type: text/plain"));
    assert_true(join_chunks(reply, &text));
    check_lines(text);
}

static void opens_on_another_thread(void **state)
{
    struct scene *scene = *state;
    char *text;
    struct reply *reply = ask(scene->server, "GET /later");
    assert_true(join_chunks(reply, &text));
    check_lines(text);
}

static void breaks_off(void **state)
{
    struct scene *scene = *state;
    char *text;
    scene->author.aborts = true;
    assert_false(join_chunks(ask(scene->server, "GET /pipe"), &text));
}

static void has_nothing_for_head(void **state)
{
    struct scene *scene = *state;
    struct reply *reply = ask(scene->server, "HEAD /pipe");
    assert_int_equal(reply->status, 200);
    assert_int_equal(reply->body_size, 0);
}

static void ends_with_the_connection_for_1_0(void **state)
{
    static struct reply reply;
    struct scene *scene = *state;
    int fd = client_connect(scene->server);
    client_send(fd, "GET /pipe HTTP/1.0\r\n\r\n");
    client_read(fd, &reply);
    check_lines(reply.body);
}

/* The client takes nothing for a while: the queue fills up, and its writer waits. */
static void is_bounded(void **state)
{
    struct scene *scene = *state;
    static char bytes[LARGE];
    scene->author.run = write_much;
    int fd = client_connect(scene->server);
    client_send(fd, "GET /pipe HTTP/1.0\r\n\r\n");
    int before = -1, drained = -2;
    for (int i = 0; before != drained || atomic_load(&scene->author.refused) == drained; i++) { /* until it is stuck */
        assert_true(i < PATIENCE_S * 10);
        before = atomic_load(&scene->author.drained);
        usleep(200000);
        drained = atomic_load(&scene->author.drained);
    }
    assert_in_range(rh_pipe_queued(scene->author.pipe), 1, 20000);
    size_t got = 0;
    for (ssize_t size; (size = recv(fd, bytes, sizeof bytes, 0)) > 0;)
        got += (size_t)size;
    close(fd);
    assert_in_range(got, LARGE, 2 * LARGE);
    assert_true(atomic_load(&scene->author.drained) > 0);
}

static void takes_one_long_write_and_no_more(void **state)
{
    struct scene *scene = *state;
    char *text;
    assert_true(join_chunks(ask(scene->server, "GET /overfull"), &text));
}

static void learns_that_the_client_has_gone(void **state)
{
    struct scene *scene = *state;
    scene->author.run = write_much;
    int fd = client_connect(scene->server);
    client_send(fd, "GET /pipe HTTP/1.1\r\nHost: a\r\n\r\n");
    while (atomic_load(&scene->author.refused) == 0)
        usleep(1000);
    client_reset(fd);
}

static void sends_events_until_the_server_drains(void **state)
{
    static struct reply reply;
    struct scene *scene = *state;
    char *text;
    scene->author.run = write_events;
    int fd = client_connect(scene->server);
    client_send(fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    while (atomic_load(&scene->author.written) == 0 || rh_pipe_queued(scene->author.pipe) > 0)
        usleep(1000);
    usleep(20000);
    rh_drain(scene->server);
    client_read(fd, &reply);
    assert_true(has_line(&reply, "Content-Type: text/event-stream"));
    assert_true(has_line(&reply, "Cache-Control: no-store"));
    assert_true(join_chunks(&reply, &text));
    assert_string_equal(text, "event: tick\nid: 1\ndata: one\ndata: two\n\nretry: 10\n\n:\n\n");
}

/* A tab that is closed while nothing happens: no write would find it out. */
static void ends_events_when_the_client_sends_no_more(void **state)
{
    static struct reply reply;
    struct scene *scene = *state;
    scene->author.run = write_events;
    int fd = client_connect(scene->server);
    client_send(fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    while (atomic_load(&scene->author.written) == 0 || rh_pipe_queued(scene->author.pipe) > 0)
        usleep(1000);
    shutdown(fd, SHUT_WR);
    client_read(fd, &reply);
    assert_true(strstr(reply.body, ":\n\n") != NULL);
    while (atomic_load(&scene->author.closed) == 0)
        usleep(1000);
}

static void *write_after_a_while(void *user)
{
    struct author *author = user;
    while (!atomic_load(&author->released))
        usleep(1000);
    if (!rh_pipe_write(author->pipe, "late", 4))
        abort();
    rh_pipe_close(author->pipe);
    return NULL;
}

static void goes_on_when_the_client_sends_no_more(void **state)
{
    static struct reply reply;
    struct scene *scene = *state;
    char *text;
    scene->author.run = write_after_a_while;
    int fd = client_connect(scene->server);
    client_send(fd, "GET /pipe HTTP/1.1\r\nHost: a\r\n\r\n");
    shutdown(fd, SHUT_WR);
    while (atomic_load(&scene->author.begun) == 0)
        usleep(1000);
    usleep(20000);
    atomic_store(&scene->author.released, 1);
    client_read(fd, &reply);
    assert_true(join_chunks(&reply, &text));
    assert_string_equal(text, "late");
}

static void *no_thread(void *author)
{
    return author;
}

/* Holds the loop until it is released, and then writes. */
static void write_late(rh_request *request, void *user)
{
    struct author *author = user;
    atomic_fetch_add(&author->refused, 1);
    while (!atomic_load(&author->released))
        usleep(1000);
    rh_pipe_write(author->pipe, "one", 3);
    rh_empty(request);
}

static void write_last(rh_request *request, void *user)
{
    struct author *author = user;
    rh_pipe_write(author->pipe, "two", 3);
    rh_pipe_close(author->pipe);
    rh_empty(request);
}

/* In one turn of the loop: the client's end is seen, so that the content is asked for; more is written; and only then
 * comes what told of the first write. */
static void is_woken_once_for_what_is_there(void **state)
{
    static struct reply reply;
    struct author author = { .run = no_thread };
    rh_server *server = make_server_of(1, NULL);
    char *text;
    (void)state;
    add_route(server, "GET /pipe", open_pipe, &author);
    add_route(server, "GET /late", write_late, &author);
    add_route(server, "GET /last", write_last, &author);
    start_server(server);
    int reader = client_connect(server), last = client_connect(server), late = client_connect(server);
    client_send(last, "GET /last HTTP/1.0\r\nHost: a\r\n");
    client_send(reader, "GET /pipe HTTP/1.1\r\nHost: a\r\n\r\n");
    while (atomic_load(&author.begun) == 0)
        usleep(1000);
    client_send(late, "GET /late HTTP/1.0\r\n\r\n");
    while (atomic_load(&author.refused) == 0)
        usleep(1000);
    shutdown(reader, SHUT_WR);
    client_send(last, "\r\n");
    usleep(20000);
    atomic_store(&author.released, 1);
    client_read(last, &reply);
    client_read(late, &reply);
    client_read(reader, &reply);
    assert_true(join_chunks(&reply, &text));
    assert_string_equal(text, "onetwo");
    pthread_join(author.thread, NULL);
    rh_server_free(server);
}

/* Writers that go on while the server is freed. */
static void outlives_its_server(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        struct author author = { .run = write_much };
        rh_server *server = make_server(NULL);
        add_route(server, "GET /pipe", open_pipe, &author);
        start_server(server);
        int fd = client_connect(server);
        client_send(fd, "GET /pipe HTTP/1.1\r\nHost: a\r\n\r\n");
        while (atomic_load(&author.begun) == 0)
            usleep(100);
        rh_server_free(server);
        pthread_join(author.thread, NULL);
        close(fd);
        assert_int_equal(atomic_load(&author.closed), 1);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

enum { CEILING = (1 << 20) + 3 * 1000, FAR = 64 << 20 };

static void fill(rh_request *request, void *user)
{
    struct author *author = user;
    static char bytes[16 * 1024];
    author->pipe = rh_pipe_open(request, (rh_pipe_options){ .queue_max = FAR, .drained = note_drained,
                                                            .closed = note_closed, .user = author });
    while (rh_pipe_write(author->pipe, bytes, sizeof bytes))
        atomic_fetch_add(&author->written, 1);
    atomic_store(&author->begun, 1);
}

/* What waits in all pipes of a worker is no more than it may lend, whatever each of them may queue. */
static void counts_as_memory_of_the_worker(void **state)
{
    static struct author author, other;
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1, .body_max = 1000,
                                                    .buffer_memory = CEILING });
    (void)state;
    add_route(server, "GET /fill", fill, &author);
    add_route(server, "GET /more", fill, &other);
    start_server(server);
    int fd = client_connect(server), more = client_connect(server);
    client_send(fd, "GET /fill HTTP/1.0\r\n\r\n");
    while (atomic_load(&author.begun) == 0)
        usleep(1000);
    assert_in_range(atomic_load(&author.written), 1, CEILING / (16 * 1024));
    client_send(more, "GET /more HTTP/1.0\r\n\r\n");
    while (atomic_load(&author.drained) == 0) /* and then there is room again */
        recv(fd, (char[4096]){ 0 }, 4096, 0);
    while (atomic_load(&other.begun) == 0)
        usleep(1000);
    assert_in_range(atomic_load(&other.written), 0, CEILING / (16 * 1024));
    rh_pipe_close(author.pipe);
    rh_pipe_close(other.pipe);
    close(fd);
    close(more);
    rh_server_free(server);
    assert_int_equal(atomic_load(&author.closed) + atomic_load(&other.closed), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(says_what_was_written),
        TEST(opens_on_another_thread),
        TEST(breaks_off),
        TEST(has_nothing_for_head),
        TEST(ends_with_the_connection_for_1_0),
        TEST(is_bounded),
        TEST(takes_one_long_write_and_no_more),
        TEST(learns_that_the_client_has_gone),
        TEST(sends_events_until_the_server_drains),
        TEST(ends_events_when_the_client_sends_no_more),
        TEST(goes_on_when_the_client_sends_no_more),
        cmocka_unit_test(is_woken_once_for_what_is_there),
        cmocka_unit_test(outlives_its_server),
        cmocka_unit_test(counts_as_memory_of_the_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
