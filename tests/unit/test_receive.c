/* Bodies that are taken as they come, through the public header. The session's part of it is in tests/wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>

#include "api_fixture.h"

enum { LARGE = 8 << 20 };

struct sum {
    uint64_t bytes, sum;
    unsigned pieces;
};

static void say(rh_request *request, const struct sum *sum)
{
    rh_json(request, "{\"bytes\":%llu,\"sum\":%llu}", (unsigned long long)sum->bytes, (unsigned long long)sum->sum);
}

static void add_up(struct sum *sum, rh_slice piece)
{
    sum->bytes += piece.size;
    sum->pieces++;
    for (size_t i = 0; i < piece.size; i++)
        sum->sum += (unsigned char)piece.data[i];
}

/* ---- As it comes ---------------------------------------------------------------------------------------------- */

static void take(rh_request *request, void *user, rh_slice piece, bool last)
{
    struct sum *sum = user;
    add_up(sum, piece);
    if (last)
        say(request, sum);
}

static void begin(rh_request *request, void *user)
{
    *(struct sum *)user = (struct sum){ 0 };
    if (rh_body(request).size > 0)
        rh_fail(request, 500, "the body was collected");
    rh_receive(request, take, user);
}

/* ---- Slowly: each piece goes to a background thread ---------------------------------------------------------- */

struct slow {
    struct sum sum;
    atomic_int busy, most_busy; /* pieces at work at a time: never more than one */
    atomic_uint pieces;         /* of the last body */
    char piece[256 << 10];
    size_t size;
};

static void work(rh_request *request, void *user)
{
    struct slow *slow = user;
    (void)request;
    if (atomic_fetch_add(&slow->busy, 1) > 0)
        atomic_store(&slow->most_busy, 2);
    add_up(&slow->sum, (rh_slice){ slow->piece, slow->size });
    atomic_fetch_sub(&slow->busy, 1);
}

static void take_slowly(rh_request *request, void *user, rh_slice piece, bool last)
{
    struct slow *slow = user;
    if (last) {
        atomic_store(&slow->pieces, slow->sum.pieces);
        say(request, &slow->sum);
        return;
    }
    if (piece.size > sizeof slow->piece) {
        rh_fail(request, 500, "a piece larger than the input buffer");
        return;
    }
    memcpy(slow->piece, piece.data, piece.size);
    slow->size = piece.size;
    rh_background(request, work, slow);
}

static void begin_slowly(rh_request *request, void *user)
{
    struct slow *slow = user;
    slow->sum = (struct sum){ 0 };
    rh_receive(request, take_slowly, slow);
}

/* ---- Other ways ------------------------------------------------------------------------------------------------ */

static void refuse(rh_request *request, void *user)
{
    (void)user;
    rh_set(request, "WWW-Authenticate", "Bearer");
    rh_fail(request, 401, NULL);
}

static void nothing(rh_request *request, void *user)
{
    (void)request, (void)user;
}

static void forget(rh_request *request, void *user, rh_slice piece, bool last)
{
    (void)request, (void)user, (void)piece, (void)last;
}

static void begin_forgetting(rh_request *request, void *user)
{
    rh_receive(request, forget, user);
}

/* Who may see it is found out before anything is read. */
static void look_up(rh_request *request, void *user)
{
    (void)user;
    if (!rh_slice_is(rh_field(request, "x-token"), "open"))
        rh_fail(request, 403, NULL);
}

/* For each piece again, and nothing is left in the scene by it. */
static void take_and_look_up(rh_request *request, void *user, rh_slice piece, bool last)
{
    (void)user, (void)piece;
    if (last)
        rh_empty(request);
    else
        rh_background(request, look_up, NULL);
}

static void begin_looking_up(rh_request *request, void *user)
{
    rh_receive(request, take_and_look_up, user);
}

static void begin_later(rh_request *request, void *user)
{
    begin(request, user);
    rh_background(request, look_up, NULL);
}

static void stop_at_once(rh_request *request, void *user, rh_slice piece, bool last)
{
    (void)user, (void)piece, (void)last;
    rh_fail(request, 422, NULL);
}

static void begin_stopping(rh_request *request, void *user)
{
    rh_receive(request, stop_at_once, user);
}

struct scene {
    rh_server *server;
    struct notes notes;
    struct sum sum;
    struct slow slow;
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    scene->notes = (struct notes)NOTES_INIT;
    scene->server = make_server_of(1, &scene->notes);
    add_stream(scene->server, "POST /sum", begin, &scene->sum);
    add_stream(scene->server, "POST /slow", begin_slowly, &scene->slow);
    add_stream(scene->server, "POST /looked-up", begin_looking_up, NULL);
    add_stream(scene->server, "POST /refused", refuse, NULL);
    add_stream(scene->server, "POST /nothing", nothing, NULL);
    add_stream(scene->server, "POST /forgotten", begin_forgetting, NULL);
    add_stream(scene->server, "POST /later", begin_later, &scene->sum);
    add_stream(scene->server, "POST /stops", begin_stopping, NULL);
    add_route(scene->server, "POST /whole", begin_forgetting, NULL);
    rh_route_with(scene->server, (rh_route_options){ .pattern = "POST /small", .handler = refuse, .body_max = 10 });
    start_server(scene->server);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    rh_server_free(scene->server);
    free(scene);
    return 0;
}

static void post(const rh_server *server, const char *path, const char *fields, const char *body, int status,
                 const char *expected)
{
    char line[64], all[256];
    snprintf(line, sizeof line, "POST %s", path);
    snprintf(all, sizeof all, "%sContent-Length: %zu\r\n", fields, strlen(body));
    struct reply *reply = ask_with(server, line, all, body);
    if (reply->status != status || (expected && strcmp(reply->body, expected) != 0))
        fail_msg("%s: %d \"%s\"", path, reply->status, reply->body);
}

static void takes_what_comes(void **state)
{
    struct scene *scene = *state;
    post(scene->server, "/sum", "", "abc", 200, "{\"bytes\":3,\"sum\":294}");
    post(scene->server, "/sum", "", "", 200, "{\"bytes\":0,\"sum\":0}");
    post(scene->server, "/slow", "", "abc", 200, "{\"bytes\":3,\"sum\":294}");
    struct reply *reply = ask_with(scene->server, "POST /sum", "Transfer-Encoding: chunked\r\n",
                                   "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
    assert_string_equal(reply->body, "{\"bytes\":3,\"sum\":294}");
}

static void *pour(void *user)
{
    static char bytes[LARGE];
    memset(bytes, 1, sizeof bytes);
    for (size_t done = 0; done < sizeof bytes;) {
        ssize_t sent = send(*(int *)user, bytes + done, sizeof bytes - done, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        done += (size_t)sent;
    }
    return NULL;
}

static void takes_far_more_than_memory_may_hold(void **state)
{
    static const char *const paths[] = { "/sum", "/slow" };
    struct scene *scene = *state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        static struct reply reply;
        char head[128];
        pthread_t thread;
        int fd = client_connect(scene->server);
        snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n",
                 paths[i], LARGE);
        client_send(fd, head);
        assert_int_equal(pthread_create(&thread, NULL, pour, &fd), 0);
        pthread_join(thread, NULL);
        client_read(fd, &reply);
        assert_string_equal(reply.body, "{\"bytes\":8388608,\"sum\":8388608}");
    }
    assert_int_equal(atomic_load(&scene->slow.most_busy), 0);
    assert_true(atomic_load(&scene->slow.pieces) > 50);
}

static void answers_before_the_body(void **state)
{
    struct scene *scene = *state;
    post(scene->server, "/refused", "", "abc", 401, NULL);
    post(scene->server, "/stops", "", "abc", 422, NULL);
    post(scene->server, "/later", "", "abc", 403, NULL);
    post(scene->server, "/later", "X-Token: open\r\n", "abc", 200, "{\"bytes\":3,\"sum\":294}");
    post(scene->server, "/later", "X-Token: open\r\n", "", 200, "{\"bytes\":0,\"sum\":0}");
    post(scene->server, "/looked-up", "", "abc", 403, NULL);
    post(scene->server, "/looked-up", "X-Token: open\r\n", "abc", 204, NULL);
}

static void has_limits(void **state)
{
    struct scene *scene = *state;
    struct reply *reply = ask_with(scene->server, "POST /sum", "Content-Length: 16777217\r\n", "");
    assert_int_equal(reply->status, 413);
    post(scene->server, "/small", "", "0123456789", 401, NULL);
    post(scene->server, "/small", "", "0123456789a", 413, NULL);
}

static void answers_for_who_forgets(void **state)
{
    struct scene *scene = *state;
    post(scene->server, "/nothing", "", "abc", 500, NULL);
    post(scene->server, "/nothing", "", "", 500, NULL);
    post(scene->server, "/forgotten", "", "abc", 500, NULL);
    post(scene->server, "/forgotten", "", "", 500, NULL);
    post(scene->server, "/whole", "", "abc", 500, NULL);
    assert_true(noted(&scene->notes, "POST /forgotten"));
}

/* A client that goes in the middle of its body, while its piece is worked on or not. */
static void loses_its_client(void **state)
{
    static const char *const paths[] = { "/sum", "/looked-up", "/later" };
    struct scene *scene = *state;
    for (size_t i = 0; i < 60; i++) {
        char head[128];
        int fd = client_connect(scene->server);
        snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\nX-Token: open\r\nContent-Length: 100\r\n\r\nabc",
                 paths[i % 3]);
        client_send(fd, head);
        if (i % 2)
            client_reset(fd);
        else
            close(fd);
    }
    post(scene->server, "/sum", "", "abc", 200, "{\"bytes\":3,\"sum\":294}");
}

static void refuses_what_is_no_route(void **state)
{
    static const rh_route_options rows[] = {
        { .pattern = NULL, .handler = nothing },
        { .pattern = "GET /", .handler = NULL },
        { .pattern = "GET /", .handler = nothing, .body_max = UINT64_MAX },
    };
    (void)state;
    assert_int_equal(rh_route_with(NULL, rows[1]), -1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rh_server *server = make_server(NULL);
        assert_int_equal(rh_route_with(server, rows[i]), -1);
        assert_string_not_equal(rh_error(server), "");
        rh_server_free(server);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_what_comes),        TEST(takes_far_more_than_memory_may_hold),
        TEST(answers_before_the_body), TEST(has_limits),
        TEST(answers_for_who_forgets), TEST(loses_its_client),
        cmocka_unit_test(refuses_what_is_no_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
