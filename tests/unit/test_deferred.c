/* Answers that come later: from threads of the program, from the background, after the client has gone, and while the
 * server drains, stops and is freed. Meant to be run in a build with -Db_sanitize=thread, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "api_fixture.h"
#include "server/deferred.h"
#include "scratch.h"

static struct notes notes = NOTES_INIT;

/* A request that was given away, and the thread that waits to answer it. */
static struct {
    _Atomic(rh_request *) request; /* given away, not taken yet */
    atomic_bool may_answer;
    atomic_bool seen_gone;
} desk;

static void nap(void)
{
    usleep(1000);
}

static void give_away(rh_request *request, void *user)
{
    (void)user;
    rh_defer(request);
    rh_defer(request); /* a second time does nothing */
    atomic_store(&desk.request, request);
}

static rh_request *take_request(void)
{
    rh_request *request;
    while ((request = atomic_exchange(&desk.request, NULL)) == NULL)
        nap();
    return request;
}

/* Answers one request: all that was sent can still be looked at, long after the worker has gone on. */
static void *answer_one(void *user)
{
    (void)user;
    rh_request *request = take_request();
    while (!atomic_load(&desk.may_answer))
        nap();
    rh_set(request, "X-From", "thread");
    rh_json(request, "[%S,%S,%S,%S,%S]", rh_method(request), rh_path(request), rh_param(request, "id"),
            rh_query(request, "q"), rh_peer(request));
    rh_complete(request);
    return NULL;
}

static pthread_t start_thread(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, argument), 0);
    return thread;
}

static int clear_desk(void **state)
{
    (void)state;
    atomic_store(&desk.request, NULL);
    atomic_store(&desk.may_answer, false);
    atomic_store(&desk.seen_gone, false);
    return 0;
}

static rh_server *serve(rh_handler *handler, void *user)
{
    rh_server *server = make_server(&notes);
    add_route(server, "GET /later/{id}", handler, user);
    start_server(server);
    return server;
}

static void is_answered_by_another_thread(void **state)
{
    rh_server *server = serve(give_away, NULL);
    pthread_t thread = start_thread(answer_one, NULL);
    (void)state;
    atomic_store(&desk.may_answer, true);
    struct reply *reply = ask(server, "GET /later/%37?q=a%20b");
    assert_int_equal(reply->status, 200);
    assert_true(has_line(reply, "X-From: thread"));
    assert_string_equal(reply->body, "[\"GET\",\"/later/7\",\"7\",\"a b\",\"127.0.0.1\"]");
    pthread_join(thread, NULL);
    rh_server_free(server);
}

static void *complete_without_answer(void *user)
{
    (void)user;
    rh_complete(take_request());
    return NULL;
}

static void becomes_a_500_without_an_answer(void **state)
{
    rh_server *server = serve(give_away, NULL);
    pthread_t thread = start_thread(complete_without_answer, NULL);
    (void)state;
    assert_int_equal(ask(server, "GET /later/none")->status, 500);
    assert_true(noted(&notes, "GET /later/none: the handler of GET /later/{id} gave no answer"));
    pthread_join(thread, NULL);
    rh_server_free(server);
}

/* The answer comes before the handler has returned. */
static void complete_at_once(rh_request *request, void *user)
{
    (void)user;
    rh_defer(request);
    rh_text(request, "at once");
    rh_complete(request);
}

static void may_be_complete_before_the_handler_returns(void **state)
{
    rh_server *server = serve(complete_at_once, NULL);
    (void)state;
    expect(server, "GET /later/1", 200, "at once");
    rh_server_free(server);
}

/* Pipelined behind a deferred one, the second request waits its turn. */
static void keeps_the_order(void **state)
{
    static struct reply reply;
    rh_server *server = serve(give_away, NULL);
    pthread_t thread = start_thread(answer_one, NULL);
    (void)state;
    int fd = client_connect(server);
    client_send(fd, "GET /later/1 HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    usleep(20000);
    atomic_store(&desk.may_answer, true);
    client_read(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "HTTP/1.1 404"));
    pthread_join(thread, NULL);
    rh_server_free(server);
}

/* ---- The background ------------------------------------------------------------------------------------------ */

static void send_numbers(rh_request *request)
{
    for (int i = 0; i < 20000; i++)
        rh_json_add(request, "%d,", i);
    rh_json_send(request);
}

static void work(rh_request *request, void *user)
{
    usleep(1000);
    if (rh_query(request, "fail").data != NULL)
        rh_fail(request, 409, "in the way");
    else if (rh_query(request, "send").data != NULL)
        rh_send(request, user);
    else if (rh_query(request, "none").data != NULL)
        rh_json_send(request);
    else if (rh_query(request, "long").data == NULL)
        rh_text(request, "worked");
    else
        send_numbers(request);
}

static void hand_to_background(rh_request *request, void *user)
{
    rh_background(request, work, user);
}

static void *ask_often(void *user)
{
    rh_server *server = user;
    size_t good = 0;
    for (int i = 0; i < 25; i++) {
        struct reply *reply = malloc(sizeof *reply);
        int fd = client_connect(server);
        client_send(fd, "GET /later/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        client_read(fd, reply);
        good += reply->status == 200 && strcmp(reply->body, "worked") == 0;
        free(reply);
    }
    return (void *)good;
}

static void works_in_the_background(void **state)
{
    rh_answer *answer = rh_answer_new(200, "text/plain", "constant", 8, NULL);
    rh_server *server = serve(hand_to_background, answer);
    pthread_t threads[4];
    (void)state;
    expect(server, "GET /later/1", 200, "worked");
    expect(server, "GET /later/1?send", 200, "constant");
    assert_int_equal(ask(server, "GET /later/1?fail")->status, 409);
    assert_int_equal(ask(server, "GET /later/1?none")->status, 500); /* nothing is not JSON */
    assert_int_equal(ask(server, "GET /later/1?long")->body_size, 108890);
    for (size_t i = 0; i < 4; i++)
        threads[i] = start_thread(ask_often, server);
    for (size_t i = 0; i < 4; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_int_equal((size_t)good, 25);
    }
    rh_server_free(server);
    rh_answer_free(answer);
}

/* ---- More than once ------------------------------------------------------------------------------------------- */

static void answer_at_home(struct exchange *exchange)
{
    rh_text((rh_request *)exchange, "at last");
}

static void go_away_again(struct exchange *exchange)
{
    deferred_begin(exchange);
    deferred_complete(exchange, exchange->request.target.query.size > 0 ? NULL : answer_at_home);
}

static void hand_to_background_at_home(struct exchange *exchange)
{
    hand_to_background((rh_request *)exchange, NULL);
}

static void give_away_at_home(struct exchange *exchange)
{
    give_away((rh_request *)exchange, NULL);
}

static void come_home_to(rh_request *request, void *user)
{
    void (**finish)(struct exchange *exchange) = user;
    rh_defer(request);
    deferred_complete((struct exchange *)request, *finish);
}

static void can_be_deferred_again_at_home(void **state)
{
    static void (*again)(struct exchange *exchange) = go_away_again;
    rh_server *server = serve(come_home_to, &again);
    (void)state;
    expect(server, "GET /later/1", 200, "at last");
    assert_int_equal(ask(server, "GET /later/1?unanswered")->status, 500);
    rh_server_free(server);
}

static void goes_home_to_the_background(void **state)
{
    static void (*again)(struct exchange *exchange) = hand_to_background_at_home;
    rh_server *server = serve(come_home_to, &again);
    pthread_t threads[4];
    (void)state;
    for (size_t i = 0; i < 4; i++)
        threads[i] = start_thread(ask_often, server);
    for (size_t i = 0; i < 4; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_int_equal((size_t)good, 25);
    }
    rh_server_free(server);
}

static void *answer_when_gone(void *user);

static void may_lose_its_client_the_second_time(void **state)
{
    static void (*again)(struct exchange *exchange) = give_away_at_home;
    rh_server *server = serve(come_home_to, &again);
    pthread_t thread = start_thread(answer_when_gone, NULL);
    (void)state;
    int fd = client_connect(server);
    client_send(fd, "GET /later/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    usleep(20000);
    client_reset(fd);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&desk.seen_gone));
    rh_server_free(server);
}

/* ---- Errors, which are made when the request is home ---------------------------------------------------------- */

static void fail_in_background(rh_request *request, void *user)
{
    const char *how = user;
    char detail[8] = "in time";
    if (strcmp(how, "field") == 0)
        rh_set(request, "WWW-Authenticate", "Basic realm=\"a\"");
    if (strcmp(how, "refused") == 0)
        rh_set(request, "bad name", "x");
    if (strcmp(how, "begun") == 0)
        rh_json_add(request, "[%d,", 1);
    rh_fail(request, strcmp(how, "no error") == 0 ? 200 : 401, detail);
    memset(detail, 'x', sizeof detail); /* it has been copied */
    rh_text(request, "nothing comes after an error");
    rh_fail(request, 403, "nor another one");
}

static void fail_later(rh_request *request, void *user)
{
    rh_background(request, fail_in_background, user);
}

/* The same as if the handler had not been deferred, the site's own pages included. */
static void late_errors(void **state)
{
    static const struct api_route routes[] = {
        { "GET /plain", fail_later, "plain" }, { "GET /field", fail_later, "field" },
        { "GET /begun", fail_later, "begun" }, { "GET /refused", fail_later, "refused" },
        { "GET /status", fail_later, "no error" },
    };
    static const char json[] = "Accept: application/json\r\n";
    rh_server *server = make_server(&notes);
    (void)state;
    add_routes(server, routes, sizeof routes / sizeof *routes);
    start_server(server);
    static const char *const all[] = { "GET /plain", "GET /field", "GET /begun" };
    for (size_t i = 0; i < 3; i++) {
        struct reply *reply = ask_with(server, all[i], json, "");
        assert_int_equal(reply->status, 401);
        assert_true(has_line(reply, "Content-Type: application/problem+json"));
        assert_int_equal(has_line(reply, "WWW-Authenticate: Basic realm=\"a\""), i == 1);
        assert_string_equal(reply->body, "{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,"
                                         "\"detail\":\"in time\"}\n");
    }
    assert_non_null(strstr(ask(server, "GET /plain")->body, "<p class=\"detail\">in time</p>"));
    assert_int_equal(ask(server, "GET /status")->status, 500);
    assert_int_equal(ask(server, "GET /refused")->status, 500);
    assert_true(noted(&notes, "GET /refused: the handler of GET /refused set the field"));
    assert_int_equal(ask_with(server, "HEAD /plain", json, "")->body_size, 0);
    rh_server_free(server);
}

/* In a handler of its own, too, between deferring and completing. */
static void fail_between(rh_request *request, void *user)
{
    (void)user;
    rh_defer(request);
    rh_fail(request, 404, "not there");
    rh_complete(request);
}

static void late_errors_of_the_site(void **state)
{
    struct scratch scratch;
    (void)state;
    scratch_open(&scratch);
    scratch_write(&scratch, "root/404.html", "own 404");
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 2, .root = scratch.root });
    assert_non_null(server);
    add_route(server, "GET /later", fail_between, NULL);
    start_server(server);
    expect(server, "GET /later", 404, "own 404");
    rh_server_free(server);
    scratch_close(&scratch);
}

/* ---- Clients that go, servers that end ------------------------------------------------------------------------ */

static void *answer_when_gone(void *user)
{
    rh_request *request = take_request();
    (void)user;
    for (int i = 0; !rh_gone(request) && i < PATIENCE_S * 1000; i++)
        nap();
    atomic_store(&desk.seen_gone, rh_gone(request));
    rh_text(request, "nobody reads this");
    rh_complete(request);
    return NULL;
}

static void learns_that_the_client_has_gone(void **state)
{
    rh_server *server = serve(give_away, NULL);
    pthread_t thread = start_thread(answer_when_gone, NULL);
    (void)state;
    int fd = client_connect(server);
    client_send(fd, "GET /later/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    usleep(20000);
    client_reset(fd);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&desk.seen_gone));
    rh_server_free(server);
}

/* A client that has closed its end only still gets the answer. */
static void answers_who_still_reads(void **state)
{
    static struct reply reply;
    rh_server *server = serve(give_away, NULL);
    pthread_t thread = start_thread(answer_one, NULL);
    (void)state;
    int fd = client_connect(server);
    client_send(fd, "GET /later/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    shutdown(fd, SHUT_WR);
    usleep(20000);
    atomic_store(&desk.may_answer, true);
    client_read(fd, &reply);
    assert_int_equal(reply.status, 200);
    pthread_join(thread, NULL);
    rh_server_free(server);
}

static void *read_later(void *user)
{
    static struct reply reply;
    client_read(*(int *)user, &reply);
    return &reply;
}

/* A client that waits for a deferred answer, and the thread that reads it. */
static pthread_t start_client(const rh_server *server)
{
    static int fd;
    fd = client_connect(server);
    client_send(fd, "GET /later/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; atomic_load(&desk.request) == NULL && i < PATIENCE_S * 1000; i++)
        nap();
    assert_non_null(atomic_load(&desk.request));
    return start_thread(read_later, &fd);
}

static void is_waited_for_by_a_drain(void **state)
{
    rh_server *server = serve(give_away, NULL);
    pthread_t client = start_client(server), thread = start_thread(answer_one, NULL);
    struct reply *reply;
    (void)state;
    rh_drain(server);
    usleep(300000); /* more than the listeners get */
    atomic_store(&desk.may_answer, true);
    rh_wait(server);
    pthread_join(client, (void **)&reply);
    assert_int_equal(reply->status, 200);
    assert_true(has_line(reply, "Connection: close"));
    pthread_join(thread, NULL);
    rh_server_free(server);
}

static void outlives_a_stop(void **state)
{
    rh_server *server = serve(give_away, NULL);
    pthread_t client = start_client(server), thread = start_thread(answer_one, NULL);
    struct reply *reply;
    (void)state;
    rh_stop(server);
    rh_wait(server);
    pthread_join(client, (void **)&reply);
    assert_int_equal(reply->status, 0); /* cut */
    atomic_store(&desk.may_answer, true);
    rh_server_free(server); /* waits for the other thread */
    pthread_join(thread, NULL);
}

static void background_work_is_done_before_the_server_is_freed(void **state)
{
    rh_server *server = serve(hand_to_background, NULL);
    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = client_connect(server);
        client_send(fd, "GET /later/1 HTTP/1.1\r\nHost: a\r\n\r\n");
        close(fd);
    }
    rh_server_free(server);
}

/* ---- Mistakes of the program ---------------------------------------------------------------------------------- */

/* In the handler, so that the worker cannot take the letter in before the second one. */
static void complete_twice(rh_request *request, void *user)
{
    complete_at_once(request, user);
    rh_complete(request);
}

static void complete_twice_at_home(struct exchange *exchange)
{
    complete_at_once((rh_request *)exchange, NULL);
    rh_complete((rh_request *)exchange);
}

static void complete_the_second_time_twice(rh_request *request, void *user)
{
    (void)user;
    rh_defer(request);
    deferred_complete((struct exchange *)request, complete_twice_at_home);
}

static void complete_at_home(struct exchange *exchange)
{
    rh_complete((rh_request *)exchange);
}

static void complete_once_home(rh_request *request, void *user)
{
    (void)user;
    rh_defer(request);
    deferred_complete((struct exchange *)request, complete_at_home);
}

static void complete_what_is_not_deferred(rh_request *request, void *user)
{
    (void)user;
    rh_complete(request);
}

static void complete_work(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "worked");
    rh_complete(request);
}

/* The worker is kept from taking the first letter in. */
static void hand_over_what_completes_itself(rh_request *request, void *user)
{
    rh_background(request, complete_work, user);
    sleep(PATIENCE_S);
}

static void hand_over_work_that_does_so(rh_request *request, void *user)
{
    rh_background(request, hand_to_background, user);
}

static void hand_over_what_was_given_away(rh_request *request, void *user)
{
    rh_defer(request);
    rh_background(request, work, user);
}

/* A process that serves one request with this handler; what it says on its standard error goes to `log_fd`. */
static _Noreturn void err_in(rh_handler *handler, int log_fd)
{
    static struct reply reply;
    const struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    dup2(log_fd, STDERR_FILENO);
    rh_server *server = serve(handler, NULL);
    int fd = client_connect(server);
    client_send(fd, "GET /later/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client_read(fd, &reply);
    rh_server_free(server);
    _exit(0);
}

static void *complete_once_told(void *user)
{
    rh_request *request = take_request();
    (void)user;
    for (int i = 0; !noted(&notes, "that nobody has completed: 1") && i < PATIENCE_S * 1000; i++)
        nap();
    rh_complete(request);
    return NULL;
}

static void whoever_frees_is_told_what_is_missing(void **state)
{
    rh_server *server = serve(give_away, NULL);
    int fd = client_connect(server);
    (void)state;
    client_send(fd, "GET /later/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; atomic_load(&desk.request) == NULL && i < PATIENCE_S * 1000; i++)
        nap();
    pthread_t thread = start_thread(complete_once_told, NULL);
    rh_server_free(server);
    pthread_join(thread, NULL);
    assert_true(noted(&notes, "rh_server_free waits for deferred requests that nobody has completed: 1"));
    close(fd);
}

static void mistakes_fail_an_assertion(void **state)
{
    static const struct {
        rh_handler *handler;
        const char *where;
    } rows[] = {
        { complete_twice, "deferred_complete" },
        { complete_the_second_time_twice, "deferred_complete" },
        { complete_once_home, "deferred_complete" },
        { complete_what_is_not_deferred, "deferred_complete" },
        { hand_over_what_completes_itself, "deferred_complete" },
        { hand_over_work_that_does_so, "rh_background" },
        { hand_over_what_was_given_away, "rh_background" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char said[4096] = "";
        int ends[2], status;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            err_in(rows[i].handler, ends[1]);
        close(ends[1]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(read(ends[0], said, sizeof said - 1) >= 0);
        close(ends[0]);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || strstr(said, rows[i].where) == NULL)
            fail_msg("mistake %zu: status %#x, \"%s\"", i, (unsigned)status, said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(is_answered_by_another_thread, clear_desk),
        cmocka_unit_test_setup(becomes_a_500_without_an_answer, clear_desk),
        cmocka_unit_test_setup(may_be_complete_before_the_handler_returns, clear_desk),
        cmocka_unit_test_setup(keeps_the_order, clear_desk),
        cmocka_unit_test_setup(works_in_the_background, clear_desk),
        cmocka_unit_test_setup(can_be_deferred_again_at_home, clear_desk),
        cmocka_unit_test_setup(goes_home_to_the_background, clear_desk),
        cmocka_unit_test_setup(may_lose_its_client_the_second_time, clear_desk),
        cmocka_unit_test_setup(late_errors, clear_desk),
        cmocka_unit_test_setup(late_errors_of_the_site, clear_desk),
        cmocka_unit_test_setup(learns_that_the_client_has_gone, clear_desk),
        cmocka_unit_test_setup(answers_who_still_reads, clear_desk),
        cmocka_unit_test_setup(is_waited_for_by_a_drain, clear_desk),
        cmocka_unit_test_setup(outlives_a_stop, clear_desk),
        cmocka_unit_test_setup(background_work_is_done_before_the_server_is_freed, clear_desk),
        cmocka_unit_test_setup(whoever_frees_is_told_what_is_missing, clear_desk),
        cmocka_unit_test_setup(mistakes_fail_an_assertion, clear_desk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
