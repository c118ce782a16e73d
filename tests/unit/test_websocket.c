/* rh_websocket in a server that runs: who may connect, what is agreed on, answers that come later, and that each socket
 * is told its end once, whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <stdatomic.h>

#include "api_fixture.h"

#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static struct {
    atomic_int opened, closed, code, refused;
    _Atomic(rh_socket *) kept;
} book;

static void opened(rh_socket *socket, void *user)
{
    (void)socket;
    (void)user;
    atomic_fetch_add(&book.opened, 1);
}

static void closed(rh_socket *socket, void *user, unsigned code, rh_slice reason)
{
    (void)socket;
    (void)user;
    (void)reason;
    atomic_store(&book.code, (int)code);
    atomic_fetch_add(&book.closed, 1);
}

static void keep(rh_socket *socket, void *user)
{
    opened(socket, user);
    atomic_store(&book.kept, rh_socket_ref(socket));
}

static void begin(rh_request *request, void *options)
{
    rh_set(request, "X-Before", "is sent");
    if (!rh_websocket(request, options, NULL))
        atomic_fetch_add(&book.refused, 1);
}

static void await(atomic_int *number, int wanted)
{
    while (atomic_load(number) < wanted)
        sched_yield();
}

/* The head of the answer to a handshake; the connection stays open. */
static int shake_hands(const rh_server *server, const char *path, const char *fields, struct reply *reply)
{
    char request[4096];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: chat.example\r\n%s\r\n", path, fields);
    int fd = client_connect(server);
    client_send(fd, request);
    *reply = (struct reply){ 0 };
    size_t used = 0;
    while (strstr(reply->bytes, "\r\n\r\n") == NULL && used < 4096) {
        ssize_t got = recv(fd, reply->bytes + used, 1, 0);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    reply->head = reply->bytes;
    reply->status = used > 12 ? atoi(reply->bytes + 9) : 0;
    return fd;
}

static void expect_status(const rh_server *server, const char *path, const char *fields, int status)
{
    static struct reply reply;
    close(shake_hands(server, path, fields, &reply));
    if (reply.status != status)
        fail_msg("%s: %d, not %d, for %s", path, reply.status, status, fields);
}

static rh_server *start(struct notes *notes, rh_handler *handler, const rh_websocket_options *options)
{
    memset(&book, 0, sizeof book);
    rh_server *server = make_server(notes);
    add_route(server, "GET /", handler, (void *)options);
    start_server(server);
    return server;
}

/* ---- Who may connect ---- */

static void origins_that_are_named_may_connect(void **state)
{
    static const rh_websocket_options some = { .origins = "https://a.example http://b.example:8080" };
    static const rh_websocket_options any = { .origins = "*" };
    (void)state;
    rh_server *server = make_server(NULL);
    add_route(server, "GET /some", begin, (void *)&some);
    add_route(server, "GET /any", begin, (void *)&any);
    start_server(server);
    expect_status(server, "/some", UPGRADE, 101);
    expect_status(server, "/some", UPGRADE "Origin: https://a.example\r\n", 101);
    expect_status(server, "/some", UPGRADE "Origin: http://b.example:8080\r\n", 101);
    expect_status(server, "/some", UPGRADE "Origin: http://b.example\r\n", 403);
    expect_status(server, "/some", UPGRADE "Origin: https://chat.example\r\n", 101); /* its own pages */
    expect_status(server, "/some", UPGRADE "Origin: null\r\n", 403);
    expect_status(server, "/any", UPGRADE "Origin: https://evil.example\r\n", 101);
    expect_status(server, "/any", UPGRADE "Origin: null\r\n", 101);
    rh_server_free(server);
}

static void the_host_of_an_absolute_target_counts(void **state)
{
    (void)state;
    static const rh_websocket_options options = { .opened = opened };
    rh_server *server = start(NULL, begin, &options);
    expect_status(server, "http://other.example/", UPGRADE "Origin: http://other.example\r\n", 101);
    expect_status(server, "http://other.example/", UPGRADE "Origin: http://chat.example\r\n", 403);
    rh_server_free(server);
}

static void origins_that_cannot_be_are_the_programs_mistake(void **state)
{
    static const rh_websocket_options options = { .origins = "a.example" };
    struct notes notes = NOTES_INIT;
    (void)state;
    rh_server *server = start(&notes, begin, &options);
    expect_status(server, "/", UPGRADE, 500);
    assert_true(noted(&notes, "rh_websocket: origins: a.example"));
    rh_server_free(server);
}

/* ---- The answer ---- */

static void the_answer_has_what_was_set_and_agreed(void **state)
{
    static const rh_websocket_options options = { .protocols = "v1 v2", .opened = opened, .closed = closed };
    static struct reply reply;
    (void)state;
    rh_server *server = start(NULL, begin, &options);
    int fd = shake_hands(server, "/", UPGRADE "Sec-WebSocket-Protocol: v3, v2\r\n"
                                              "Sec-WebSocket-Extensions: permessage-deflate\r\n", &reply);
    assert_int_equal(reply.status, 101);
    assert_true(has_line(&reply, "X-Before: is sent"));
    assert_true(has_line(&reply, "Connection: Upgrade"));
    assert_true(has_line(&reply, "Upgrade: websocket"));
    assert_true(has_line(&reply, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_true(has_line(&reply, "Sec-WebSocket-Protocol: v2"));
    assert_true(has_line(&reply, "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                                 "client_no_context_takeover"));
    await(&book.opened, 1);
    client_reset(fd);
    await(&book.closed, 1);
    assert_int_equal(atomic_load(&book.code), 1006);
    rh_server_free(server);
    assert_int_equal(atomic_load(&book.closed), 1);
}

static void a_refusal_says_what_would_be_right(void **state)
{
    static const rh_websocket_options options = { .closed = closed };
    static struct reply reply;
    (void)state;
    rh_server *server = start(NULL, begin, &options);
    close(shake_hands(server, "/", "", &reply));
    assert_int_equal(reply.status, 426);
    assert_true(has_line(&reply, "Upgrade: websocket"));
    assert_true(has_line(&reply, "Connection: Upgrade"));
    assert_true(has_line(&reply, "Sec-WebSocket-Version: 13"));
    assert_true(has_line(&reply, "X-Before: is sent"));
    expect_status(server, "/", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", 400);
    await(&book.refused, 2);
    rh_server_free(server);
    assert_int_equal(atomic_load(&book.closed), 0); /* it was false: nothing follows */
}

static void begin_old(rh_request *request, void *options)
{
    rh_websocket_begin(request, options, offsetof(rh_websocket_options, no_compression), NULL);
}

static void begin_bare(rh_request *request, void *options)
{
    (void)options;
    rh_websocket_begin(request, NULL, 0, NULL);
}

static void a_program_may_know_fewer_options(void **state)
{
    static const rh_websocket_options options = { .no_compression = true }; /* which it does not know */
    static struct reply reply;
    (void)state;
    rh_server *server = start(NULL, begin_old, &options);
    close(shake_hands(server, "/", UPGRADE "Sec-WebSocket-Extensions: permessage-deflate\r\n", &reply));
    assert_int_equal(reply.status, 101);
    assert_non_null(strstr(reply.head, "Sec-WebSocket-Extensions"));
    rh_server_free(server);
    server = start(NULL, begin_bare, NULL);
    expect_status(server, "/", UPGRADE, 101);
    rh_server_free(server);
}

static void begin_twice(rh_request *request, void *options)
{
    rh_text(request, "first");
    begin(request, options);
}

static void a_second_answer_is_none(void **state)
{
    static const rh_websocket_options options = { .closed = closed };
    struct notes notes = NOTES_INIT;
    (void)state;
    rh_server *server = start(&notes, begin_twice, &options);
    expect_status(server, "/", UPGRADE, 200);
    await(&book.refused, 1);
    assert_true(noted(&notes, "answers a second time"));
    rh_server_free(server);
    assert_int_equal(atomic_load(&book.closed), 0);
}

/* ---- Later ---- */

static void begin_in_background(rh_request *request, void *options)
{
    rh_background(request, begin, options);
}

static void it_may_be_answered_in_the_background(void **state)
{
    static const rh_websocket_options options = { .opened = opened, .closed = closed };
    (void)state;
    rh_server *server = start(NULL, begin_in_background, &options);
    expect_status(server, "/", UPGRADE, 101);
    await(&book.closed, 1);
    expect_status(server, "/", "", 426);
    rh_server_free(server);
    assert_int_equal(atomic_load(&book.opened), 1);
    assert_int_equal(atomic_load(&book.closed), 1);
}

/* Waits until the client is gone before it answers. */
static void begin_too_late(rh_request *request, void *options)
{
    while (!rh_gone(request))
        sched_yield();
    begin(request, options);
}

static void defer_for_too_long(rh_request *request, void *options)
{
    rh_background(request, begin_too_late, options);
}

static void one_whose_client_has_gone_is_told_its_end(void **state)
{
    static const rh_websocket_options options = { .opened = opened, .closed = closed };
    (void)state;
    rh_server *server = start(NULL, defer_for_too_long, &options);
    int fd = client_connect(server);
    client_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n" UPGRADE "\r\n");
    usleep(1000);
    client_reset(fd);
    await(&book.closed, 1);
    rh_server_free(server);
    assert_int_equal(atomic_load(&book.opened), 0);
    assert_int_equal(atomic_load(&book.closed), 1);
    assert_int_equal(atomic_load(&book.code), 1006);
}

static void a_socket_outlives_its_server(void **state)
{
    static const rh_websocket_options options = { .opened = keep, .closed = closed };
    static struct reply reply;
    (void)state;
    rh_server *server = start(NULL, begin, &options);
    rh_topic *topic = rh_topic_new(server, (rh_topic_options){ 0 });
    int fd = shake_hands(server, "/", UPGRADE, &reply);
    await(&book.opened, 1);
    rh_socket *socket = atomic_load(&book.kept);
    assert_true(rh_topic_join(topic, socket));
    rh_stop(server);
    rh_wait(server);
    assert_int_equal(atomic_load(&book.closed), 1);
    assert_true(rh_topic_send(topic, RH_TEXT, "nobody is there", 15)); /* a letter that only rh_server_free opens */
    rh_topic_free(topic);
    rh_server_free(server);
    assert_false(rh_socket_send(socket, RH_TEXT, "x", 1));
    assert_false(rh_socket_ping(socket, "", 0));
    rh_socket_close(socket, 1000, NULL);
    rh_socket_unref(socket);
    close(fd);
}

/* Sent from another thread than the worker's. */
static void what_others_send_arrives(void **state)
{
    static const rh_websocket_options options = { .opened = keep, .closed = closed };
    static struct reply reply;
    char frames[1024];
    (void)state;
    rh_server *server = start(NULL, begin, &options);
    int fd = shake_hands(server, "/", UPGRADE, &reply);
    await(&book.opened, 1);
    rh_socket *socket = atomic_load(&book.kept);
    for (unsigned i = 0; i < 100; i++)
        assert_true(rh_socket_send(socket, RH_BINARY, &i, sizeof i));
    for (size_t used = 0; used < 600;) {
        ssize_t got = recv(fd, frames + used, sizeof frames - used, 0);
        assert_true(got > 0);
        used += (size_t)got;
    }
    for (unsigned i = 0; i < 100; i++) {
        assert_memory_equal(frames + 6 * i, "\x82\x04", 2);
        assert_memory_equal(frames + 6 * i + 2, &i, sizeof i);
    }
    rh_socket_close(socket, 1000, "done");
    assert_int_equal(recv(fd, frames, sizeof frames, 0), 8);
    assert_memory_equal(frames, "\x88\x06\x03\xe8" "done", 8);
    client_send(fd, "\x88\x80mask");
    await(&book.closed, 1);
    assert_int_equal(atomic_load(&book.code), 1005);
    assert_int_equal(recv(fd, frames, sizeof frames, 0), 0);
    close(fd);
    rh_socket_unref(socket);
    rh_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_that_are_named_may_connect),
        cmocka_unit_test(the_host_of_an_absolute_target_counts),
        cmocka_unit_test(origins_that_cannot_be_are_the_programs_mistake),
        cmocka_unit_test(the_answer_has_what_was_set_and_agreed),
        cmocka_unit_test(a_refusal_says_what_would_be_right),
        cmocka_unit_test(a_program_may_know_fewer_options),
        cmocka_unit_test(a_second_answer_is_none),
        cmocka_unit_test(it_may_be_answered_in_the_background),
        cmocka_unit_test(one_whose_client_has_gone_is_told_its_end),
        cmocka_unit_test(a_socket_outlives_its_server),
        cmocka_unit_test(what_others_send_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
