/* Topics whose members are responses: events and plain content, clients that go away, and some that do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <stdatomic.h>

#include "api_fixture.h"

struct stand {
    rh_server *server;
    rh_topic *topic;
    _Atomic(rh_pipe *) pipe; /* the last one that was opened */
    atomic_int closed;
};

static void note_closed(void *user)
{
    atomic_fetch_add(&((struct stand *)user)->closed, 1);
}

static void join(struct stand *stand, rh_pipe *pipe)
{
    rh_topic_join_pipe(stand->topic, pipe);
    atomic_store(&stand->pipe, pipe);
}

static void open_events(rh_request *request, void *user)
{
    join(user, rh_events_open(request, (rh_pipe_options){ .closed = note_closed, .user = user }));
}

static void open_content(rh_request *request, void *user)
{
    join(user, rh_pipe_open(request, (rh_pipe_options){ .type = "text/plain", .closed = note_closed, .user = user,
                                                        .queue_max = 100000 }));
}

static void open_topic(rh_request *request, void *user)
{
    rh_topic_events(((struct stand *)user)->topic, request);
}

static void open_no_topic(rh_request *request, void *user)
{
    (void)user;
    rh_topic_events(NULL, request);
}

static void open_after_an_answer(rh_request *request, void *user)
{
    rh_text(request, "answered");
    open_topic(request, user);
}

static void set_up(struct stand *stand, rh_topic_options options)
{
    *stand = (struct stand){ .server = make_server(NULL) };
    stand->topic = rh_topic_new(stand->server, options);
    add_route(stand->server, "GET /events", open_events, stand);
    add_route(stand->server, "GET /content", open_content, stand);
    add_route(stand->server, "GET /topic", open_topic, stand);
    add_route(stand->server, "GET /no-topic", open_no_topic, stand);
    add_route(stand->server, "GET /answered", open_after_an_answer, stand);
    start_server(stand->server);
}

static int listen_to(struct stand *stand, const char *path)
{
    char request[256];
    int fd = client_connect(stand->server);
    atomic_store(&stand->pipe, NULL);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
    client_send(fd, request);
    while (atomic_load(&stand->pipe) == NULL)
        sched_yield();
    return fd;
}

static void await_members(struct stand *stand, size_t count)
{
    while (rh_topic_members(stand->topic) != count)
        sched_yield();
}

static void tear_down(struct stand *stand)
{
    rh_topic_free(stand->topic);
    rh_server_free(stand->server);
}

static void each_hears_it_in_its_own_way(void **state)
{
    static struct reply reply;
    struct stand stand;
    (void)state;
    set_up(&stand, (rh_topic_options){ 0 });
    int events = listen_to(&stand, "/events");
    rh_pipe *first = atomic_load(&stand.pipe);
    int content = listen_to(&stand, "/content");
    rh_pipe *second = atomic_load(&stand.pipe);
    assert_true(rh_topic_send(stand.topic, RH_TEXT, "one\ntwo", 7));
    assert_true(rh_topic_send(stand.topic, RH_BINARY, "three", 5));
    while (rh_pipe_queued(second) > 0 || rh_topic_members(stand.topic) < 2)
        sched_yield();
    assert_true(rh_topic_leave_pipe(stand.topic, second));
    await_members(&stand, 1);
    assert_true(rh_topic_send(stand.topic, RH_TEXT, "four", 4));
    assert_true(rh_topic_leave_pipe(stand.topic, first)); /* behind it */
    await_members(&stand, 0);
    rh_pipe_close(first);
    rh_pipe_close(second);
    client_read(events, &reply);
    assert_non_null(strstr(reply.body, "data: one\ndata: two\n\n"));
    assert_non_null(strstr(reply.body, "data: four\n\n"));
    assert_null(strstr(reply.body, "three"));
    client_read(content, &reply);
    assert_non_null(strstr(reply.body, "one\ntwo"));
    assert_non_null(strstr(reply.body, "three"));
    assert_null(strstr(reply.body, "four"));
    assert_int_equal(rh_topic_missed(stand.topic), 0);
    tear_down(&stand);
}

static void who_goes_away_is_no_member(void **state)
{
    struct stand stand;
    (void)state;
    set_up(&stand, (rh_topic_options){ 0 });
    int fd = listen_to(&stand, "/events");
    rh_pipe *pipe = atomic_load(&stand.pipe);
    await_members(&stand, 1);
    client_reset(fd);
    while (!rh_pipe_gone(pipe)) {
        rh_topic_send(stand.topic, RH_TEXT, "are you there?", 14);
        usleep(100);
    }
    await_members(&stand, 0);
    assert_false(rh_topic_join_pipe(stand.topic, pipe));
    assert_true(rh_topic_leave_pipe(stand.topic, pipe));
    rh_pipe_close(pipe);
    tear_down(&stand);
    assert_int_equal(atomic_load(&stand.closed), 1);
}

static void who_does_not_read_misses_it_or_is_cut(void **state)
{
    (void)state;
    for (unsigned cuts = 0; cuts < 2; cuts++) {
        struct stand stand;
        char bytes[50000] = { 'x' };
        set_up(&stand, (rh_topic_options){ .close_slow = cuts });
        int fd = listen_to(&stand, "/content");
        rh_pipe *pipe = atomic_load(&stand.pipe);
        while (rh_topic_missed(stand.topic) == 0) {
            rh_topic_send(stand.topic, RH_BINARY, bytes, sizeof bytes);
            usleep(100);
        }
        while (cuts && !rh_pipe_gone(pipe))
            sched_yield();
        assert_int_equal(rh_pipe_gone(pipe), cuts);
        assert_int_equal(rh_topic_members(stand.topic), !cuts);
        close(fd);
        rh_pipe_close(pipe);
        tear_down(&stand);
        assert_int_equal(atomic_load(&stand.closed), 1);
    }
}

static int listen_to_topic(const struct stand *stand)
{
    int fd = client_connect(stand->server);
    client_send(fd, "GET /topic HTTP/1.1\r\nHost: a\r\n\r\n");
    return fd;
}

/* Until it has come: what is on its way when the server drains may not. */
static void await_text(int fd, const char *text)
{
    char bytes[4096] = "";
    while (strstr(bytes, text) == NULL) {
        ssize_t got = recv(fd, bytes, sizeof bytes - 1, MSG_PEEK);
        assert_true(got > 0);
        bytes[got] = '\0';
        usleep(1000);
    }
}

static void a_topic_is_a_stream_of_events(void **state)
{
    static struct reply reply;
    struct stand stand;
    (void)state;
    set_up(&stand, (rh_topic_options){ 0 });
    int stays = listen_to_topic(&stand), goes = listen_to_topic(&stand);
    await_members(&stand, 2);
    close(goes);
    await_members(&stand, 1);
    assert_true(rh_topic_send(stand.topic, RH_TEXT, "hello", 5));
    await_text(stays, "data: hello\n\n");
    rh_drain(stand.server);
    rh_wait(stand.server);
    client_read(stays, &reply);
    assert_true(has_line(&reply, "Content-Type: text/event-stream"));
    assert_non_null(strstr(reply.body, "data: hello\n\n"));
    assert_non_null(strstr(reply.body, "\r\n0\r\n\r\n"));
    assert_int_equal(rh_topic_members(stand.topic), 0);
    tear_down(&stand);
}

static void no_stream_where_none_can_be(void **state)
{
    struct stand stand;
    (void)state;
    set_up(&stand, (rh_topic_options){ 0 });
    expect(stand.server, "HEAD /topic", 200, "");
    expect(stand.server, "GET /answered", 200, "answered");
    assert_null(strstr(ask(stand.server, "GET /no-topic")->body, "0\r\n\r\n")); /* cut */
    await_members(&stand, 0);
    tear_down(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_hears_it_in_its_own_way),
        cmocka_unit_test(who_goes_away_is_no_member),
        cmocka_unit_test(who_does_not_read_misses_it_or_is_cut),
        cmocka_unit_test(a_topic_is_a_stream_of_events),
        cmocka_unit_test(no_stream_where_none_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
