/* Paths behind basic authentication: who gets in, how it is said, and what becomes of requests that wait for a check:
 * too many of them, clients that go, servers that stop, files that change. Meant to be run in a build with
 * -Db_sanitize=thread, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "api_fixture.h"
#include "credentials.h"
#include "failing_memory.h"
#include "scratch.h"
#include "server/deferred.h"
#include "server/guard.h"

#define PATTERN "/in/\xc3\xa4 \"a\"/{name}"

static struct notes notes = NOTES_INIT;
static struct scratch scratch;
static char file[128], other_file[128];

/* ---- Hashes, as slow as a test wants them ------------------------------------------------------------------- */

static atomic_uint hashed;      /* begun */
static atomic_bool held, no_hash;
static _Atomic(void (*)(void)) while_hashed; /* once */

static void nap(void)
{
    usleep(1000);
}

char *__real_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    void (*event)(void) = atomic_exchange(&while_hashed, NULL);
    atomic_fetch_add(&hashed, 1);
    if (event)
        event();
    while (atomic_load(&held))
        nap();
    errno = ENOMEM;
    return atomic_load(&no_hash) ? NULL : __real_crypt_rn(phrase, setting, data, size);
}

static void wait_for_hashes(unsigned count)
{
    for (int i = 0; atomic_load(&hashed) < count && i < PATIENCE_S * 1000; i++)
        nap();
    assert_int_equal(atomic_load(&hashed), count);
}

/* ---- A server with a path that is guarded ------------------------------------------------------------------- */

static struct {
    rh_server *server;
    struct guard_pool pool;
    struct rules *rules;
    struct guards *guards;
    struct guard *guard;
} scene;

static struct rules *make_rules(const struct rule_spec *specs, size_t count)
{
    char text[WHY_SIZE] = "";
    struct rules *rules = rules_new();
    assert_non_null(rules);
    for (size_t i = 0; i < count; i++)
        if (!rules_add(rules, &specs[i], (struct why){ text, sizeof text }))
            fail_msg("%s", text);
    return rules;
}

static void guarded(rh_request *request, void *user);

static void answer(rh_request *request, void *user)
{
    (void)user;
    rh_json(request, "[%S]", rh_path(request));
}

/* As a dispatcher does: from the beginning. */
static void go_on(struct exchange *exchange)
{
    guarded((rh_request *)exchange, NULL);
}

static void guarded(rh_request *request, void *user)
{
    (void)user;
    if (!guard_admit((struct exchange *)request, scene.guard, go_on))
        return;
    if (rh_query(request, "later").data)
        rh_background(request, answer, NULL);
    else
        answer(request, NULL);
}

/* The arena of the exchange has nothing more to give. */
static void exhaust(rh_request *request)
{
    struct arena *arena = &((struct exchange *)request)->arena;
    arena->at = arena->end;
    arena->ceiling = arena->used;
}

static void guarded_without_memory(rh_request *request, void *user)
{
    exhaust(request);
    guarded(request, user);
}

static void guarded_before_its_body(rh_request *request, void *user)
{
    (void)user;
    if (!guard_refuse((struct exchange *)request, scene.guard))
        rh_text(request, "the body may come");
}

static void begin(const char *htpasswd)
{
    static struct log log = { (void (*)(void *, enum log_level, const char *))note, &notes };
    char text[WHY_SIZE] = "";
    scratch_write(&scratch, "htpasswd", htpasswd);
    scene.server = make_server(&notes);
    add_route(scene.server, "GET /in/{rest...}", guarded, NULL);
    add_route(scene.server, "GET /exhausted", guarded_without_memory, NULL);
    add_route(scene.server, "GET /bare", guarded_before_its_body, NULL);
    start_server(scene.server);
    scene.rules = make_rules((struct rule_spec[]){ { .path = SLICE(PATTERN), .basic_auth = slice_text(file) } }, 1);
    guard_pool_init(&scene.pool, scene.server->store.qsbr, &log);
    if (!guards_new(&scene.guards, &scene.pool, scene.rules, (struct why){ text, sizeof text }))
        fail_msg("%s", text);
    scene.guard = guards_find(scene.guards, slice_text(file));
    assert_non_null(scene.guard);
}

/* As the server does it: the threads before the exchanges that they send home. */
static void end(void)
{
    rh_stop(scene.server);
    rh_wait(scene.server);
    background_free(scene.server->background);
    scene.server->background = NULL;
    guard_pool_fini(&scene.pool);
    assert_int_equal(atomic_load(&scene.pool.checks), 0);
    rh_server_free(scene.server);
    guards_free(scene.guards);
    rules_free(scene.rules);
}

static int set_up(void **state)
{
    (void)state;
    scratch_open(&scratch);
    snprintf(file, sizeof file, "%s/htpasswd", scratch.folder);
    snprintf(other_file, sizeof other_file, "%s/other", scratch.folder);
    atomic_store(&hashed, 0);
    atomic_store(&held, false);
    atomic_store(&no_hash, false);
    notes.lines[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_close(&scratch);
    return 0;
}

/* To "GET /path", with these credentials, a text such as "anna:secret"; valid until the next one. */
static struct reply *ask_as(const char *line, const char *who)
{
    char field[1200];
    snprintf(field, sizeof field, "Authorization: Basic %s\r\n", credentials(who));
    return ask_with(scene.server, line, field, "");
}

static void expect_in(const char *line, const char *who, const char *body)
{
    struct reply *reply = ask_as(line, who);
    if (reply->status != 200 || strcmp(reply->body, body) != 0)
        fail_msg("%s: %d %s", line, reply->status, reply->body);
    assert_null(strstr(reply->head, "WWW-Authenticate"));
}

static void expect_out(const struct reply *reply)
{
    if (reply->status != 401)
        fail_msg("%d %s", reply->status, reply->body);
    assert_true(has_line(reply, "WWW-Authenticate: Basic realm=\"/in/%C3%A4%20\\\"a\\\"/{name}\", charset=\"UTF-8\""));
    assert_true(has_line(reply, "Cache-Control: no-store"));
}

/* ---- Who gets in -------------------------------------------------------------------------------------------- */

static void turns_away_who_does_not_say_who_they_are(void **state)
{
    static const char *const fields[] = {
        "",
        "Authorization: Basic\r\n",
        "Authorization: Bearer YW5uYTpzZWNyZXQ=\r\n",
        "Authorization: Basic YW5uYTpzZWNyZXQ=\r\nAuthorization: Basic YW5uYTpzZWNyZXQ=\r\n",
    };
    (void)state;
    begin(ANNA);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        expect_out(ask_with(scene.server, "GET /in/1", fields[i], ""));
    struct reply *reply = ask_with(scene.server, "GET /in/1", "Accept: application/json\r\n", "");
    expect_out(reply);
    assert_true(has_line(reply, "Content-Type: application/problem+json"));
    assert_int_equal(atomic_load(&hashed), 0);
    end();
}

static void turns_away_who_is_wrong(void **state)
{
    static const char *const who[] = { "anna:wrong", "anna:", "berta:geheim", "anna", "", "anna:secret\n" };
    (void)state;
    begin(ANNA);
    for (size_t round = 0; round < 2; round++) /* the first time the file is looked at before */
        for (size_t i = 0; i < sizeof who / sizeof who[0]; i++)
            expect_out(ask_as("GET /in/1", who[i]));
    expect_out(ask_with(scene.server, "GET /in/1", "Authorization: Basic ****\r\n", ""));
    end();
}

static void lets_in_who_is_right(void **state)
{
    (void)state;
    begin(ANNA BERTA);
    expect_in("GET /in/1", "anna:secret", "[\"/in/1\"]");
    expect_in("GET /in/%32?later", "berta:geheim", "[\"/in/2\"]");
    assert_int_equal(atomic_load(&hashed), 2);
    for (int i = 0; i < 10; i++)
        expect_in("GET /in/3", "anna:secret", "[\"/in/3\"]");
    assert_int_equal(atomic_load(&hashed), 2); /* remembered */
    expect_out(ask_as("GET /in/1", "anna:geheim"));
    end();
}

static void several_on_one_connection(void **state)
{
    static struct reply reply;
    char text[2048];
    (void)state;
    begin(ANNA);
    snprintf(text, sizeof text,
             "GET /in/1 HTTP/1.1\r\nHost: a\r\nAuthorization: Basic %s\r\n\r\n"
             "GET /in/2 HTTP/1.1\r\nHost: a\r\n\r\n", credentials("anna:secret"));
    snprintf(text + strlen(text), sizeof text - strlen(text),
             "GET /in/3?later HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: basic  %s\r\n\r\n",
             credentials("anna:secret"));
    int fd = client_connect(scene.server);
    client_send(fd, text);
    client_read(fd, &reply);
    assert_int_equal(reply.status, 200);
    const char *first = strstr(reply.body, "[\"/in/1\"]"), *second = strstr(reply.body, "HTTP/1.1 401");
    const char *third = strstr(reply.body, "[\"/in/3\"]");
    assert_true(first && first < second && second < third);
    end();
}

static void refuses_before_a_body_comes(void **state)
{
    (void)state;
    begin(ANNA);
    expect_out(ask(scene.server, "GET /bare"));
    expect_in("GET /bare", "anna:wrong", "the body may come");
    assert_int_equal(atomic_load(&hashed), 0);
    end();
}

/* ---- Files that change -------------------------------------------------------------------------------------- */

static void forgets_with_the_file(void **state)
{
    (void)state;
    begin(ANNA);
    expect_in("GET /in/1", "anna:secret", "[\"/in/1\"]");
    scratch_write(&scratch, "htpasswd", BERTA);
    usleep(1100000);
    expect_out(ask_as("GET /in/1", "anna:secret"));
    assert_true(noted(&notes, "has changed and was read again"));
    expect_in("GET /in/1", "berta:geheim", "[\"/in/1\"]");
    scratch_write(&scratch, "htpasswd", "berta");
    usleep(1100000);
    unsigned before = atomic_load(&hashed);
    expect_in("GET /in/1", "berta:geheim", "[\"/in/1\"]");
    assert_int_equal(atomic_load(&hashed), before); /* still remembered */
    assert_true(noted(&notes, "htpasswd:1: no colon; "));
    end();
}

/* Longer than a look at the file is good for. */
static void change_meanwhile(void)
{
    scratch_write(&scratch, "htpasswd", BERTA);
    usleep(1100000);
}

/* Whoever goes on asks the guard again: if that looked again, a slow hash would never come to an end. */
static void is_let_in_once_and_for_all(void **state)
{
    (void)state;
    begin(ANNA);
    atomic_store(&while_hashed, change_meanwhile);
    expect_in("GET /in/1", "anna:secret", "[\"/in/1\"]");
    assert_int_equal(atomic_load(&hashed), 1);
    expect_out(ask_as("GET /in/1", "anna:secret"));
    end();
}

/* ---- Too much, too late ------------------------------------------------------------------------------------- */

static int send_as(const char *who)
{
    char text[1500];
    int fd = client_connect(scene.server);
    snprintf(text, sizeof text, "GET /in/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Basic %s\r\n\r\n",
             credentials(who));
    client_send(fd, text);
    return fd;
}

static void wait_for_checks(unsigned count)
{
    for (int i = 0; atomic_load(&scene.pool.checks) < count && i < PATIENCE_S * 1000; i++)
        nap();
    assert_int_equal(atomic_load(&scene.pool.checks), count);
}

static void answers_503_when_too_many_wait(void **state)
{
    static struct reply reply;
    int fds[GUARD_CHECKS_MAX];
    (void)state;
    begin(ANNA BERTA);
    expect_in("GET /in/1", "berta:geheim", "[\"/in/1\"]");
    atomic_store(&held, true);
    for (unsigned i = 0; i < GUARD_CHECKS_MAX; i++)
        fds[i] = send_as(i % 2 ? "anna:secret" : "anna:wrong");
    wait_for_checks(GUARD_CHECKS_MAX);
    for (unsigned round = 0; round < 2; round++) { /* at once, and where the file is looked at before */
        struct reply *refused = ask_as("GET /in/1", "anna:secret");
        assert_int_equal(refused->status, 503);
        assert_true(has_line(refused, "Retry-After: 1"));
        assert_null(strstr(refused->head, "WWW-Authenticate"));
        expect_in("GET /in/1", "berta:geheim", "[\"/in/1\"]"); /* remembered, whoever else waits */
        expect_out(ask(scene.server, "GET /in/1"));
        usleep(round == 0 ? 1100000 : 0);
    }
    atomic_store(&held, false);
    for (unsigned i = 0; i < GUARD_CHECKS_MAX; i++) {
        client_read(fds[i], &reply);
        assert_int_equal(reply.status, i % 2 ? 200 : 401);
    }
    expect_in("GET /in/1", "anna:secret", "[\"/in/1\"]");
    end();
}

static void wastes_no_hash_on_who_has_gone(void **state)
{
    int fds[GUARD_THREADS + 8];
    (void)state;
    begin(ANNA);
    atomic_store(&held, true);
    for (size_t i = 0; i < GUARD_THREADS + 8; i++) {
        fds[i] = send_as("anna:wrong");
        wait_for_checks((unsigned)i + 1);
    }
    wait_for_hashes(GUARD_THREADS);
    for (size_t i = 0; i < GUARD_THREADS + 8; i++)
        client_reset(fds[i]);
    usleep(100000); /* until the server has seen that */
    atomic_store(&held, false);
    for (int i = 0; atomic_load(&scene.pool.checks) > 0 && i < PATIENCE_S * 1000; i++)
        nap();
    assert_int_equal(atomic_load(&hashed), GUARD_THREADS);
    expect_in("GET /in/1", "anna:secret", "[\"/in/1\"]");
    end();
}

/* They may still be reading. */
static void looks_at_who_has_closed_one_end(void **state)
{
    static struct reply reply;
    int fds[GUARD_THREADS + 4];
    (void)state;
    begin(ANNA);
    atomic_store(&held, true);
    for (size_t i = 0; i < GUARD_THREADS + 4; i++) {
        fds[i] = send_as("anna:secret");
        wait_for_checks((unsigned)i + 1);
        assert_int_equal(shutdown(fds[i], SHUT_WR), 0);
    }
    usleep(100000); /* until the server has seen that */
    atomic_store(&held, false);
    for (size_t i = 0; i < GUARD_THREADS + 4; i++) {
        client_read(fds[i], &reply);
        assert_int_equal(reply.status, 200);
    }
    end();
}

static void *let_go_later(void *user)
{
    (void)user;
    usleep(100000);
    atomic_store(&held, false);
    return NULL;
}

static void ends_while_checks_are_under_way(void **state)
{
    static struct reply reply;
    pthread_t thread;
    int fds[6];
    (void)state;
    begin(ANNA);
    atomic_store(&held, true);
    for (size_t i = 0; i < 6; i++)
        fds[i] = send_as("anna:secret");
    wait_for_checks(6);
    assert_int_equal(pthread_create(&thread, NULL, let_go_later, NULL), 0);
    end();
    pthread_join(thread, NULL);
    for (size_t i = 0; i < 6; i++) {
        client_read(fds[i], &reply);
        assert_int_equal(reply.status, 0); /* cut */
    }
}

/* Once a second. */
static void says_when_a_check_fails(void **state)
{
    const char *failed = "htpasswd: a password could not be checked: Cannot allocate memory\n";
    time_t began = time(NULL), lines = 0;
    (void)state;
    begin(ANNA);
    atomic_store(&no_hash, true);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask_as("GET /in/1", "anna:secret")->status, 503);
    atomic_store(&no_hash, false);
    expect_in("GET /in/1", "anna:secret", "[\"/in/1\"]");
    end();
    for (const char *at = notes.lines; (at = strstr(at, failed)) != NULL; at++)
        lines++;
    assert_in_range(lines, 1, time(NULL) - began + 1);
}

static void does_without_memory(void **state)
{
    (void)state;
    begin(ANNA);
    assert_int_equal(ask(scene.server, "GET /exhausted")->status, 503);
    assert_int_equal(ask_as("GET /exhausted", "anna:secret")->status, 503);
    expect_in("GET /in/1", "anna:secret", "[\"/in/1\"]");
    assert_int_equal(ask_as("GET /exhausted", "anna:other")->status, 503);
    end();
}

/* ---- Many at once ------------------------------------------------------------------------------------------- */

static void *ask_often(void *user)
{
    const char *who = user;
    size_t good = 0;
    for (int i = 0; i < 25; i++) {
        struct reply *reply = malloc(sizeof *reply);
        client_read(send_as(who), reply);
        good += reply->status == (strstr(who, "wrong") ? 401 : 200);
        free(reply);
    }
    return (void *)good;
}

static void serves_many_at_once(void **state)
{
    static const char *const who[] = { "anna:secret", "berta:geheim", "anna:wrong", "anna:secret" };
    pthread_t threads[4];
    (void)state;
    begin(ANNA BERTA);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, (void *)who[i]), 0);
    for (unsigned i = 0; i < 3; i++) {
        usleep(30000);
        scratch_write(&scratch, "next", i % 2 ? ANNA BERTA : BERTA ANNA);
        assert_int_equal(renameat(scratch.fd, "next", scratch.fd, "htpasswd"), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_int_equal((size_t)good, 25);
    }
    end();
}

/* ---- The guards of a host ----------------------------------------------------------------------------------- */

static struct guard_pool pool;

static bool make_guards(struct guards **guards, const struct rules *rules, char text[static WHY_SIZE])
{
    static const struct log silence;
    strcpy(text, "");
    guard_pool_init(&pool, NULL, &silence);
    return guards_new(guards, &pool, rules, (struct why){ text, WHY_SIZE });
}

static void has_none_without_files(void **state)
{
    char text[WHY_SIZE];
    struct guards *guards;
    const struct rule_spec unguarded = { .path = SLICE("/a"), .cache_control = SLICE("no-store") };
    struct rules *rules = make_rules(&unguarded, 1);
    (void)state;
    assert_true(make_guards(&guards, NULL, text));
    assert_null(guards);
    assert_true(make_guards(&guards, rules, text));
    assert_null(guards);
    assert_null(pool.threads);
    assert_null(guards_find(NULL, SLICE("/a")));
    guards_free(NULL);
    guard_pool_fini(&pool);
    rules_free(rules);
}

static struct rules *two_files(void)
{
    return make_rules((struct rule_spec[]){
        { .path = SLICE("/c/*"), .basic_auth = slice_text(other_file) },
        { .path = SLICE("/b/*"), .cache_control = SLICE("no-store") },
        { .path = SLICE("/a/*"), .basic_auth = slice_text(file) },
        { .path = SLICE("/d/*"), .basic_auth = slice_text(other_file) },
    }, 4);
}

static void has_one_for_each_file(void **state)
{
    char text[WHY_SIZE];
    struct guards *guards;
    struct rules *rules = two_files();
    (void)state;
    scratch_write(&scratch, "htpasswd", ANNA);
    scratch_write(&scratch, "other", BERTA);
    assert_true(make_guards(&guards, rules, text));
    struct guard *one = guards_find(guards, slice_text(file)), *other = guards_find(guards, slice_text(other_file));
    assert_true(one && other && one != other);
    assert_ptr_equal(guards_find(guards, rules_at(rules, 3)->basic_auth), other);
    assert_null(guards_find(guards, rules_at(rules, 1)->basic_auth));
    assert_null(guards_find(guards, slice_text(scratch.folder)));
    assert_null(guards_find(guards, SLICE("/zzz")));
    guard_pool_fini(&pool);
    guards_free(guards);
    rules_free(rules);
}

static void says_what_is_wrong_with_a_file(void **state)
{
    char text[WHY_SIZE];
    struct guards *guards;
    struct rules *rules = two_files();
    (void)state;
    scratch_write(&scratch, "other", BERTA);
    assert_false(make_guards(&guards, rules, text));
    assert_non_null(strstr(text, "htpasswd: No such file"));
    assert_memory_equal(text, "/a/*: basic_auth: /", 19);
    guard_pool_fini(&pool);
    scratch_write(&scratch, "htpasswd", ANNA "berta:plain\n");
    assert_false(make_guards(&guards, rules, text));
    assert_non_null(strstr(text, "htpasswd:2: what is behind \"berta:\""));
    assert_null(guards);
    guard_pool_fini(&pool);
    rules_free(rules);
}

static void are_made_or_not(void **state)
{
    char text[WHY_SIZE];
    struct guards *guards = NULL;
    struct rules *rules = two_files();
    (void)state;
    scratch_write(&scratch, "htpasswd", ANNA);
    scratch_write(&scratch, "other", BERTA);
    for (long i = 0; guards == NULL; i++) {
        allocations_left = i;
        errno = ENOMEM; /* as malloc leaves it; what succeeds lets it be */
        bool made = make_guards(&guards, rules, text);
        allocations_left = -1;
        assert_int_equal(made, guards != NULL);
        assert_true(made || strstr(text, "memory"));
        guard_pool_fini(&pool);
        assert_true(i < 100);
    }
    guards_free(guards);
    rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(turns_away_who_does_not_say_who_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(turns_away_who_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lets_in_who_is_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_on_one_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_before_a_body_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgets_with_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_let_in_once_and_for_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_503_when_too_many_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wastes_no_hash_on_who_has_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(looks_at_who_has_closed_one_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_while_checks_are_under_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_when_a_check_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_without_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(serves_many_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(has_none_without_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(has_one_for_each_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_what_is_wrong_with_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(are_made_or_not, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
