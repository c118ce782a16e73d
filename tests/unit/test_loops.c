/* What a program has on the loops: posted calls, timers, descriptors, its own of each loop. Most of it on a loop that
 * the test runs itself, so that what happens does not depend on who is faster; the rest on workers with threads.
 * Meant to be run in a build with -Db_sanitize=thread, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "api_fixture.h"
#include "failing_memory.h"

static struct notes notes = NOTES_INIT;

static rh_server *make_embedded(void)
{
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .embedded = true, .background = 1,
                                                    .log = note, .log_user = &notes });
    assert_non_null(server);
    return server;
}

static struct {
    rh_server *server;
    rh_loop *loop;
    int fds[2]; /* a pipe */
} scene;

static int start(void **state)
{
    (void)state;
    scene.server = make_embedded();
    start_server(scene.server);
    scene.loop = rh_loop_at(scene.server, 0);
    assert_non_null(scene.loop);
    return pipe2(scene.fds, O_NONBLOCK | O_CLOEXEC);
}

static int finish(void **state)
{
    (void)state;
    allocations_left = -1;
    rh_server_free(scene.server);
    close(scene.fds[0]);
    close(scene.fds[1]);
    return 0;
}

static void turn(int wait_ms)
{
    assert_int_equal(rh_poll(scene.server, wait_ms), 1);
}

/* What was called, by letter. */
static char called[256];

static void *letter(const char *text)
{
    return (void *)text;
}

static void clear_called(void)
{
    memset(called, 0, sizeof called);
}

static void write_down(void *user)
{
    strncat(called, user, sizeof called - strlen(called) - 1);
}

static void turn_until(const char *letters)
{
    for (int i = 0; i < 1000 && strcmp(called, letters) != 0; i++)
        turn(20);
    assert_string_equal(called, letters);
}

/* ---- Posting ---- */

static void post_another(void *user)
{
    write_down(letter("p"));
    assert_true(rh_post(scene.loop, write_down, user));
    assert_string_equal(called + strlen(called) - 1, "p"); /* when this has returned */
}

static void posted_calls_come_in_order(void **state)
{
    (void)state;
    clear_called();
    assert_true(rh_post(scene.loop, write_down, letter("a")));
    assert_true(rh_post(scene.loop, post_another, letter("z")));
    assert_true(rh_post(scene.loop, write_down, letter("b")));
    assert_string_equal(called, "");
    turn(0);
    assert_string_equal(called, "apb");
    turn(0);
    assert_string_equal(called, "apbz");
}

static void posting_takes_memory(void **state)
{
    (void)state;
    clear_called();
    allocations_left = 0;
    assert_false(rh_post(scene.loop, write_down, letter("a")));
    allocations_left = -1;
    turn(0);
    assert_string_equal(called, "");
}

struct poster {
    rh_loop *loop;
    atomic_uint *calls;
    unsigned posted; /* those that were taken */
};

static void count_call(void *user)
{
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void *post_until_it_has_ended(void *user)
{
    struct poster *poster = user;
    while (rh_post(poster->loop, count_call, poster->calls))
        poster->posted++;
    return NULL;
}

static void stop_on_its_thread(void *user)
{
    rh_stop(user);
}

/* What was taken is called, though both loops end while two threads are posting. */
static void what_is_taken_is_called(void **state)
{
    (void)state;
    rh_server *server = make_server(&notes);
    start_server(server);
    atomic_uint calls = 0;
    struct poster posters[2];
    pthread_t threads[2];
    for (unsigned i = 0; i < 2; i++) {
        posters[i] = (struct poster){ rh_loop_at(server, i), &calls, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, post_until_it_has_ended, &posters[i]), 0);
    }
    while (atomic_load(&calls) < 100)
        usleep(100);
    assert_true(rh_post(rh_loop_at(server, 1), stop_on_its_thread, server));
    rh_wait(server);
    unsigned posted = 0;
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        posted += posters[i].posted;
    }
    assert_int_equal(atomic_load(&calls), posted);
    assert_false(rh_post(rh_loop_at(server, 0), count_call, &calls));
    rh_server_free(server);
}

/* ---- Timers ---- */

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void note_time(void *user)
{
    *(int64_t *)user = now_us();
}

static void a_timer_is_never_early(void **state)
{
    static const uint32_t waits_ms[] = { 0, 1, 2, 5, 20, 70 };
    (void)state;
    for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
        int64_t end = 0, begin = now_us();
        rh_timer timer = rh_after(scene.loop, waits_ms[i], note_time, &end);
        assert_ptr_equal(timer.loop, scene.loop);
        while (end == 0)
            turn(-1);
        assert_true(end - begin >= (int64_t)waits_ms[i] * 1000);
    }
}

static struct {
    rh_timer timer;
    unsigned calls;
} regular;

static void stop_at_third(void *user)
{
    (void)user;
    if (++regular.calls == 3)
        rh_timer_stop(regular.timer);
}

static void a_regular_one_stops_itself(void **state)
{
    (void)state;
    for (uint32_t ms = 0; ms < 3; ms++) { /* 0 is 1 */
        regular.calls = 0;
        regular.timer = rh_every(scene.loop, ms, stop_at_third, NULL);
        while (regular.calls < 3)
            turn(-1);
        int64_t end = 0;
        rh_after(scene.loop, 20, note_time, &end);
        while (end == 0)
            turn(-1);
        assert_int_equal(regular.calls, 3);
    }
}

static void stopping_what_is_over_does_nothing(void **state)
{
    (void)state;
    clear_called();
    rh_timer first = rh_after(scene.loop, 1, write_down, letter("a"));
    turn_until("a");
    rh_timer second = rh_after(scene.loop, 1, write_down, letter("b")), none = { NULL, 0 };
    rh_timer_stop(first);
    rh_timer_stop(first);
    rh_timer_stop(none);
    turn_until("ab");
    rh_timer_stop(second);
    rh_timer third = rh_after(scene.loop, 1, write_down, letter("c"));
    rh_timer_stop(third);
    rh_after(scene.loop, 5, write_down, letter("d"));
    turn_until("abd");
}

static void a_timer_takes_memory(void **state)
{
    (void)state;
    allocations_left = 0;
    rh_timer timer = rh_after(scene.loop, 1, write_down, letter("a"));
    allocations_left = -1;
    assert_null(timer.loop);
    rh_timer_stop(timer);
}

/* ---- Descriptors ---- */

static struct watched {
    rh_watcher *watcher, *other;
    unsigned events, calls, stop_at, change_at;
} watched;

static void see(void *user, unsigned events)
{
    struct watched *seen = user;
    seen->events = events;
    seen->calls++;
    if (seen->calls == seen->change_at)
        assert_true(rh_watch_change(seen->other, 0));
    if (seen->calls == seen->stop_at) {
        rh_watch_stop(seen->watcher);
        rh_watch_stop(seen->other);
    }
}

static void watch(int fd, unsigned events)
{
    watched = (struct watched){ .watcher = rh_watch(scene.loop, fd, events, see, &watched) };
    assert_non_null(watched.watcher);
}

static void calls_while_it_is_ready(void **state)
{
    (void)state;
    watch(scene.fds[0], RH_READABLE);
    turn(0);
    assert_int_equal(watched.calls, 0);
    assert_int_equal(write(scene.fds[1], "x", 1), 1);
    turn(0);
    turn(0);
    assert_int_equal(watched.calls, 2); /* nobody has read */
    assert_int_equal(watched.events, RH_READABLE);
    char byte;
    assert_int_equal(read(scene.fds[0], &byte, 1), 1);
    turn(0);
    assert_int_equal(watched.calls, 2);
    rh_watch_stop(watched.watcher);
    assert_int_equal(write(scene.fds[1], "x", 1), 1);
    turn(0);
    assert_int_equal(watched.calls, 2);
}

static void can_be_watched_for_something_else(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    watch(ends[0], 0);
    turn(0);
    assert_int_equal(watched.calls, 0);
    assert_true(rh_watch_change(watched.watcher, RH_WRITABLE));
    turn(0);
    assert_int_equal(watched.events, RH_WRITABLE);
    assert_true(rh_watch_change(watched.watcher, RH_WRITABLE)); /* as it is */
    assert_true(rh_watch_change(watched.watcher, RH_READABLE | RH_WRITABLE));
    assert_int_equal(write(ends[1], "x", 1), 1);
    turn(0);
    assert_int_equal(watched.events, RH_READABLE | RH_WRITABLE);
    assert_true(rh_watch_change(watched.watcher, 0));
    close(ends[1]); /* an end would be told of though nothing is wanted */
    turn(0);
    assert_int_equal(watched.calls, 2);
    assert_true(rh_watch_change(watched.watcher, RH_WRITABLE));
    turn(0);
    assert_int_equal(watched.calls, 3);
    assert_int_equal(watched.events, RH_WRITABLE);
    rh_watch_stop(watched.watcher);
    close(ends[0]);
}

static void an_end_counts_as_readable(void **state)
{
    (void)state;
    watch(scene.fds[0], RH_READABLE);
    close(scene.fds[1]);
    scene.fds[1] = -1;
    turn(0);
    assert_int_equal(watched.events, RH_READABLE);
    rh_watch_stop(watched.watcher);
}

/* Both are ready in the same turn; whoever is called first stops both, or takes away what the other one waits for. */
static void can_be_stopped_within_a_call(void **state)
{
    struct watched two[2];
    int fds[2] = { scene.fds[1], dup(scene.fds[1]) };
    (void)state;
    for (int changes = 1; changes >= 0; changes--) {
        for (int i = 0; i < 2; i++) {
            two[i] = (struct watched){ .stop_at = changes ? 2 : 1, .change_at = changes };
            two[i].watcher = rh_watch(scene.loop, fds[i], RH_WRITABLE, see, &two[i]);
            assert_non_null(two[i].watcher);
        }
        two[0].other = two[1].watcher;
        two[1].other = two[0].watcher;
        for (int turns = 0; turns < 3; turns++)
            turn(0);
        assert_int_equal(two[0].calls + two[1].calls, changes ? 2 : 1);
        assert_true(two[0].calls == 0 || two[1].calls == 0);
    }
    close(fds[1]);
}

static void mistakes_are_refused(void **state)
{
    (void)state;
    int file = open("/dev/null", O_RDWR | O_CLOEXEC), folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct {
        int fd;
        unsigned events;
        int error;
    } rows[] = {
        { -1, RH_READABLE, EBADF }, { folder, RH_READABLE, EPERM }, { scene.fds[0], 4, EINVAL },
        { scene.fds[0], RH_READABLE | 8, EINVAL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        errno = 0;
        assert_null(rh_watch(scene.loop, rows[i].fd, rows[i].events, see, NULL));
        assert_int_equal(errno, rows[i].error);
    }
    watch(scene.fds[0], RH_READABLE);
    assert_null(rh_watch(scene.loop, scene.fds[0], RH_READABLE, see, NULL));
    assert_int_equal(errno, EEXIST);
    assert_false(rh_watch_change(watched.watcher, 16));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(write(scene.fds[1], "x", 1), 1);
    turn(0);
    assert_int_equal(watched.calls, 1); /* as before */
    rh_watch_stop(watched.watcher);
    rh_watch_stop(NULL);
    allocations_left = 0;
    assert_null(rh_watch(scene.loop, scene.fds[0], RH_READABLE, see, NULL));
    allocations_left = -1;
    close(file);
    close(folder);
}

/* ---- What belongs to a loop ---- */

static const char key_a, key_b;

static void remember(rh_loop *loop, void *user)
{
    write_down(user);
    assert_true(rh_loop_set(loop, user, user));
}

static void forget(rh_loop *loop, void *user)
{
    char upper[2] = { (char)(*(char *)user - 32), '\0' };
    assert_ptr_equal(rh_loop_get(loop, user), user);
    write_down(upper);
}

static void try_all_at_the_end(rh_loop *loop, void *user)
{
    (void)user;
    rh_timer timer = rh_after(loop, 0, write_down, letter("!"));
    assert_null(timer.loop);
    assert_null(rh_watch(loop, scene.fds[0], RH_READABLE, see, NULL));
    assert_int_equal(errno, ECANCELED);
    assert_false(rh_post(loop, write_down, letter("!")));
    rh_watch_stop(watched.watcher); /* still can be */
    write_down(letter("-"));
}

static void hooks_begin_and_end_in_order(void **state)
{
    (void)state;
    rh_server *server = make_embedded();
    clear_called();
    assert_int_equal(rh_on_loop(server, NULL, try_all_at_the_end, NULL), 0);
    assert_int_equal(rh_on_loop(server, remember, forget, letter("a")), 0);
    assert_int_equal(rh_on_loop(server, remember, NULL, letter("b")), 0);
    assert_int_equal(rh_on_loop(server, remember, forget, letter("c")), 0);
    start_server(server);
    assert_string_equal(called, "abc");
    rh_loop *loop = rh_loop_at(server, 0);
    assert_int_equal(rh_on_loop(server, remember, forget, letter("d")), -1);
    assert_int_equal(rh_on_loop(NULL, remember, forget, letter("d")), -1);
    rh_after(loop, 60000, write_down, letter("!")); /* left alone: not called, and freed */
    watched = (struct watched){ .watcher = rh_watch(loop, scene.fds[0], RH_READABLE, see, &watched) };
    assert_non_null(rh_watch(loop, scene.fds[1], RH_READABLE, see, NULL));
    assert_true(rh_post(loop, write_down, letter("p")));
    rh_server_free(server);
    assert_string_equal(called, "abcpCA-");
}

static void hooks_take_memory(void **state)
{
    (void)state;
    rh_server *server = make_embedded();
    allocations_left = 0;
    assert_int_equal(rh_on_loop(server, remember, NULL, NULL), -1);
    allocations_left = -1;
    assert_string_equal(rh_error(server), "out of memory");
    assert_int_equal(rh_start(server), -1);
    rh_server_free(server);
}

/* With threads: each loop has its own, whatever begins and ends at once. */
static struct {
    atomic_uint begun, ended, served;
} census;

static void count_begin(rh_loop *loop, void *user)
{
    assert(rh_loop_set(loop, &key_a, loop) && rh_loop_get(loop, &key_b) == user);
    atomic_fetch_add(&census.begun, 1);
}

static void count_end(rh_loop *loop, void *user)
{
    (void)user;
    assert(rh_loop_get(loop, &key_a) == loop);
    atomic_fetch_add(&census.ended, 1);
}

static void tell_loop(rh_request *request, void *user)
{
    rh_loop *loop = rh_loop_of(request);
    rh_server *server = *(rh_server **)user;
    bool known = loop == rh_loop_at(server, 0) || loop == rh_loop_at(server, 1);
    rh_text(request, known && rh_loop_get(loop, &key_a) == loop ? "known" : "unknown");
}

static void every_loop_has_its_own(void **state)
{
    (void)state;
    memset(&census, 0, sizeof census);
    rh_server *server = make_server(&notes);
    assert_null(rh_loop_at(server, 0));
    assert_null(rh_loop_at(NULL, 0));
    assert_int_equal(rh_on_loop(server, count_begin, count_end, NULL), 0);
    add_route(server, "GET /", tell_loop, &server);
    start_server(server);
    for (int i = 0; i < 8; i++)
        expect(server, "GET /", 200, "known");
    assert_non_null(rh_loop_at(server, 1));
    assert_ptr_not_equal(rh_loop_at(server, 0), rh_loop_at(server, 1));
    assert_null(rh_loop_at(server, 2));
    rh_server_free(server);
    assert_int_equal(atomic_load(&census.begun), 2);
    assert_int_equal(atomic_load(&census.ended), 2);
}

static void keys_have_a_limit(void **state)
{
    static const char keys[17];
    (void)state;
    for (int i = 0; i < 16; i++)
        assert_true(rh_loop_set(scene.loop, &keys[i], (void *)&keys[i]));
    assert_false(rh_loop_set(scene.loop, &keys[16], NULL));
    assert_true(rh_loop_set(scene.loop, &keys[3], NULL)); /* one that is there */
    assert_ptr_equal(rh_loop_get(scene.loop, &keys[2]), &keys[2]);
    assert_null(rh_loop_get(scene.loop, &keys[3]));
    assert_null(rh_loop_get(scene.loop, &keys[16]));
}

static void end_too_early(rh_loop *loop, void *user)
{
    (void)loop;
    rh_stop(user); /* nothing listens yet */
    write_down(letter("s"));
}

static void a_hook_may_stop_the_server(void **state)
{
    (void)state;
    rh_server *server = make_embedded();
    clear_called();
    assert_int_equal(rh_on_loop(server, end_too_early, NULL, server), 0);
    assert_int_equal(rh_start(server), 0);
    assert_int_equal(rh_poll(server, 0), 0);
    assert_string_equal(called, "s");
    rh_server_free(server);
}

/* ---- Mistakes that cannot be made good ---- */

static void use_timer(rh_loop *loop)
{
    rh_after(loop, 1, write_down, letter(""));
}

static void use_watch(rh_loop *loop)
{
    rh_watch(loop, 0, RH_READABLE, see, NULL);
}

static void use_value(rh_loop *loop)
{
    rh_loop_get(loop, &key_a);
}

static void err_in(void (*use)(rh_loop *loop), int said)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    dup2(said, STDERR_FILENO);
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1 });
    if (rh_start(server) == 0)
        use(rh_loop_at(server, 0)); /* from here, which is not its thread */
    _exit(0);
}

static void another_thread_must_post(void **state)
{
    static void (*const uses[])(rh_loop *loop) = { use_timer, use_watch, use_value };
    (void)state;
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        char said[4096] = "";
        int ends[2], status;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            err_in(uses[i], ends[1]);
        close(ends[1]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(read(ends[0], said, sizeof said - 1) >= 0);
        close(ends[0]);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || strstr(said, "worker_here") == NULL)
            fail_msg("mistake %zu: status %#x, \"%s\"", i, (unsigned)status, said);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(posted_calls_come_in_order),
        TEST(posting_takes_memory),
        TEST(a_timer_is_never_early),
        TEST(a_regular_one_stops_itself),
        TEST(stopping_what_is_over_does_nothing),
        TEST(a_timer_takes_memory),
        TEST(calls_while_it_is_ready),
        TEST(can_be_watched_for_something_else),
        TEST(an_end_counts_as_readable),
        TEST(can_be_stopped_within_a_call),
        TEST(mistakes_are_refused),
        TEST(hooks_begin_and_end_in_order),
        TEST(keys_have_a_limit),
        cmocka_unit_test(another_thread_must_post),
        cmocka_unit_test(hooks_take_memory),
        cmocka_unit_test(every_loop_has_its_own),
        cmocka_unit_test(what_is_taken_is_called),
        cmocka_unit_test(a_hook_may_stop_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
