/* Who makes a deferred answer learns that the client has gone: once, in time, not after it has completed, and not at
 * all where nothing is deferred. Meant to be run in a build with -Db_sanitize=thread, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <poll.h>
#include <stdatomic.h>

#include "api_fixture.h"

/* One thread: the test's, which runs the loop. */
static struct {
    rh_server *server;
    rh_request *request; /* deferred */
    unsigned gone, others;
    bool completes;      /* when it learns that the client has gone */
    bool registered;
} desk;

static void note_gone(void *user)
{
    assert(user == desk.request && rh_gone(user));
    desk.gone++;
    if (desk.completes)
        rh_complete(user);
}

static void note_other(void *user)
{
    (void)user;
    desk.others++;
}

static void keep(rh_request *request, void *user)
{
    (void)user;
    desk.request = request;
    desk.registered = rh_on_gone(request, note_gone, request);
    rh_defer(request);
}

static void keep_quietly(rh_request *request, void *user)
{
    (void)user;
    desk.request = request;
    rh_defer(request);
}

static void answer_at_once(rh_request *request, void *user)
{
    (void)user;
    rh_on_gone(request, note_other, NULL);
    char *large = calloc(1, 8 << 20);
    rh_bytes(request, "text/plain", large, 8 << 20);
    free(large);
}

static int start(void **state)
{
    (void)state;
    memset(&desk, 0, sizeof desk);
    desk.server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .embedded = true, .background = 1 });
    add_route(desk.server, "GET /keep", keep, NULL);
    add_route(desk.server, "GET /quiet", keep_quietly, NULL);
    add_route(desk.server, "GET /large", answer_at_once, NULL);
    start_server(desk.server);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    rh_server_free(desk.server);
    return 0;
}

static void turn(void)
{
    assert_int_equal(rh_poll(desk.server, 10), 1);
}

static void turns(int count)
{
    while (count-- > 0)
        turn();
}

static int ask_and_wait(const char *path)
{
    char request[128];
    int fd = client_connect(desk.server);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    client_send(fd, request);
    while (desk.request == NULL)
        turn();
    return fd;
}

static void answer(void)
{
    rh_text(desk.request, "answered");
    rh_complete(desk.request);
}

static void an_end_counts_and_the_answer_is_sent(void **state)
{
    static struct reply reply;
    (void)state;
    int fd = ask_and_wait("/keep");
    turns(3);
    assert_int_equal(desk.gone, 0);
    assert_false(rh_gone(desk.request));
    shutdown(fd, SHUT_WR);
    while (desk.gone == 0)
        turn();
    assert_true(rh_gone(desk.request));
    turns(3);
    answer();
    turns(3);
    assert_int_equal(desk.gone, 1);
    client_read(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "answered");
}

static void a_reset_counts_once(void **state)
{
    (void)state;
    for (int end_first = 0; end_first < 2; end_first++) {
        desk.request = NULL;
        desk.gone = 0;
        int fd = ask_and_wait("/keep");
        if (end_first) {
            shutdown(fd, SHUT_WR);
            while (desk.gone == 0)
                turn();
        }
        client_reset(fd);
        while (desk.gone == 0)
            turn();
        turns(3);
        answer();
        turns(3);
        assert_int_equal(desk.gone, 1);
    }
}

/* The end comes with the request, and behind bytes that nobody reads while the answer is awaited. */
static void an_end_behind_other_requests_counts(void **state)
{
    static struct reply reply;
    (void)state;
    int fd = client_connect(desk.server);
    client_send(fd, "GET /keep HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    shutdown(fd, SHUT_WR);
    while (desk.gone == 0)
        turn();
    answer();
    turns(3);
    client_read(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "HTTP/1.1 404"));
}

static void completing_within_the_call_is_fine(void **state)
{
    static struct reply reply;
    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        desk.request = NULL;
        desk.gone = 0;
        desk.completes = true;
        int fd = ask_and_wait("/keep");
        if (reset)
            client_reset(fd);
        else
            shutdown(fd, SHUT_WR);
        while (desk.gone == 0)
            turn();
        turns(3);
        assert_int_equal(desk.gone, 1);
        if (!reset)
            client_read(fd, &reply);
        assert_true(reset || reply.status == 500); /* nobody has answered */
    }
}

static void is_not_called_once_completed(void **state)
{
    static struct reply reply;
    (void)state;
    int fd = ask_and_wait("/keep");
    answer();
    shutdown(fd, SHUT_WR); /* while it is on its way home */
    turns(5);
    assert_int_equal(desk.gone, 0);
    client_read(fd, &reply);
    assert_string_equal(reply.body, "answered");
}

static void the_last_one_holds(void **state)
{
    (void)state;
    int fd = ask_and_wait("/keep");
    assert_true(desk.registered);
    assert_true(rh_on_gone(desk.request, note_other, NULL));
    client_reset(fd);
    while (desk.others == 0)
        turn();
    assert_int_equal(desk.gone, 0);
    answer();

    desk.request = NULL;
    fd = ask_and_wait("/keep");
    assert_true(rh_on_gone(desk.request, NULL, NULL)); /* nobody */
    client_reset(fd);
    while (!rh_gone(desk.request))
        turn();
    turns(3);
    assert_int_equal(desk.gone + desk.others, 1);
    answer();
}

static void who_asks_too_late_is_told(void **state)
{
    (void)state;
    int fd = ask_and_wait("/quiet");
    client_reset(fd);
    while (!rh_gone(desk.request))
        turn();
    assert_false(rh_on_gone(desk.request, note_other, NULL));
    turns(3);
    assert_int_equal(desk.others, 0);
    answer();
}

/* The connection breaks while the response is on its way: nobody makes it any more. */
static void is_not_called_for_what_was_answered(void **state)
{
    (void)state;
    int fd = client_connect(desk.server);
    client_send(fd, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    char byte;
    while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0)
        turn();
    client_reset(fd);
    turns(5);
    assert_int_equal(desk.others, 0);
}

static void the_end_of_the_server_counts(void **state)
{
    (void)state;
    desk.completes = true;
    int fd = ask_and_wait("/keep");
    rh_stop(desk.server);
    while (rh_poll(desk.server, 10) == 1)
        continue;
    assert_int_equal(desk.gone, 1);
    close(fd);
}

/* ---- With threads ---- */

/* What is done for a request, by whichever thread; freed on the loop. */
struct job {
    rh_request *request;
    rh_loop *loop;
    atomic_bool cancelled;
};

static struct {
    _Atomic(struct job *) waiting;
    atomic_bool over;
    atomic_uint cancelled, freed;
} shop;

static void cancel(void *user)
{
    struct job *job = user;
    atomic_store(&job->cancelled, true);
    atomic_fetch_add(&shop.cancelled, 1);
}

static void free_job(void *user)
{
    free(user);
    atomic_fetch_add(&shop.freed, 1);
}

static void hand_over(rh_request *request, void *user)
{
    struct job *job = malloc(sizeof *job), *none = NULL;
    (void)user;
    *job = (struct job){ .request = request, .loop = rh_loop_of(request) };
    rh_defer(request);
    rh_on_gone(request, cancel, job);
    while (!atomic_compare_exchange_weak(&shop.waiting, &none, job))
        none = NULL;
}

static void *work(void *user)
{
    struct job *job;
    (void)user;
    while (!atomic_load(&shop.over)) {
        if ((job = atomic_exchange(&shop.waiting, NULL)) == NULL)
            continue;
        rh_text(job->request, "done");
        rh_complete(job->request);
        if (!rh_post(job->loop, free_job, job))
            free_job(job);
    }
    return NULL;
}

/* The client goes about when the answer is completed on another thread. */
static void races_with_completion(void **state)
{
    enum { ROUNDS = 200 };
    pthread_t thread;
    (void)state;
    rh_server *server = make_server(NULL);
    add_route(server, "GET /job", hand_over, NULL);
    start_server(server);
    memset(&shop, 0, sizeof shop);
    assert_int_equal(pthread_create(&thread, NULL, work, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        int fd = client_connect(server);
        client_send(fd, "GET /job HTTP/1.1\r\nHost: a\r\n\r\n");
        if (i % 3 == 0)
            shutdown(fd, SHUT_WR);
        for (int spin = 0; spin < i * 50; spin++)
            atomic_load(&shop.over);
        client_reset(fd);
    }
    rh_drain(server);
    rh_wait(server);
    while (atomic_load(&shop.waiting) != NULL)
        usleep(1000);
    atomic_store(&shop.over, true);
    pthread_join(thread, NULL);
    rh_server_free(server);
    assert_in_range(atomic_load(&shop.cancelled), 0, atomic_load(&shop.freed));
    assert_in_range(atomic_load(&shop.freed), 1, ROUNDS); /* of some the reset came before they were read */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_end_counts_and_the_answer_is_sent),
        TEST(a_reset_counts_once),
        TEST(an_end_behind_other_requests_counts),
        TEST(completing_within_the_call_is_fine),
        TEST(is_not_called_once_completed),
        TEST(the_last_one_holds),
        TEST(who_asks_too_late_is_told),
        TEST(is_not_called_for_what_was_answered),
        TEST(the_end_of_the_server_counts),
        cmocka_unit_test(races_with_completion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
