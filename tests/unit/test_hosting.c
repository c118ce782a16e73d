/* The hosts of a server, by the public header: which one a request is for, what is said about a mistake in them, and
 * programs that were built with an older header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "scratch.h"

static struct notes notes = NOTES_INIT;
static struct scratch scratch;

static char *folder(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", scratch.folder, name);
    return path;
}

static void write_site(const char *name)
{
    char path[128];
    scratch_mkdir(&scratch, name);
    snprintf(path, sizeof path, "%s/index.html", name);
    scratch_write(&scratch, path, name);
}

static int start(void **state)
{
    (void)state;
    notes.lines[0] = '\0';
    scratch_open(&scratch);
    write_site("one");
    write_site("two");
    write_site("stars");
    return 0;
}

static int end(void **state)
{
    (void)state;
    scratch_close(&scratch);
    return 0;
}

static rh_server *make(const char *root)
{
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1, .root = root, .log = note,
                                                    .log_user = &notes });
    assert_non_null(server);
    return server;
}

static void add_host(rh_server *server, rh_host_options host)
{
    if (rh_host(server, &host) != 0)
        fail_msg("%s", rh_error(server));
}

/* `host` NULL: HTTP/1.0 without that field. */
static struct reply *ask_host(const rh_server *server, const char *target, const char *host)
{
    static struct reply reply;
    char request[512];
    if (host)
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host);
    else
        snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", target);
    int fd = client_connect(server);
    client_send(fd, request);
    client_read(fd, &reply);
    return &reply;
}

static void expect_host(const rh_server *server, const char *target, const char *host, const char *body)
{
    struct reply *reply = ask_host(server, target, host);
    if (reply->status != 200 || strcmp(reply->body, body) != 0)
        fail_msg("%s at %s: %d \"%s\"", target, host ? host : "(none)", reply->status, reply->body);
}

static void by_name_by_star_or_the_default(void **state)
{
    rh_server *server = make(scratch.root);
    (void)state;
    scratch_write(&scratch, "root/index.html", "default");
    add_host(server, (rh_host_options){ .names = "one.example www.one.example", .root = folder("one") });
    add_host(server, (rh_host_options){ .names = "two.stars.example", .root = folder("two") });
    add_host(server, (rh_host_options){ .names = "*.stars.example", .root = folder("stars") });
    start_server(server);
    expect_host(server, "/", "one.example", "one");
    expect_host(server, "/", "WWW.One.Example:8080", "one");
    expect_host(server, "/", "two.stars.example", "two");
    expect_host(server, "/", "a.stars.example.", "stars");
    expect_host(server, "/", "stars.example", "default");
    expect_host(server, "/", "elsewhere.example", "default");
    expect_host(server, "/", "127.0.0.1", "default");
    expect_host(server, "/", NULL, "default");
    expect_host(server, "http://one.example/", "two.stars.example", "one"); /* RFC 9112 3.2.2 */
    assert_int_equal(rh_site(server).pages, 4);
    rh_server_free(server);
}

static void hello(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "hello");
}

/* Nobody's name is refused; a route answers for all names. */
static void without_a_default(void **state)
{
    rh_server *server = make(NULL);
    (void)state;
    add_route(server, "GET /hello", hello, NULL);
    add_host(server, (rh_host_options){ .names = "one.example", .root = folder("one") });
    add_host(server, (rh_host_options){ .names = "two.example", .root = folder("two") });
    start_server(server);
    expect_host(server, "/", "one.example", "one");
    expect_host(server, "/", "two.example", "two");
    expect_host(server, "/hello", "elsewhere.example", "hello");
    assert_int_equal(ask_host(server, "/", "elsewhere.example")->status, 421);
    assert_int_equal(ask_host(server, "/", "www.one.example")->status, 421);
    assert_int_equal(ask_host(server, "/", NULL)->status, 421);
    rh_server_free(server);
}

static void one_name_without_a_default(void **state)
{
    rh_server *server = make(NULL);
    (void)state;
    add_host(server, (rh_host_options){ .names = "one.example", .root = folder("one") });
    start_server(server);
    expect_host(server, "/", "one.example", "one");
    assert_int_equal(ask_host(server, "/", "elsewhere.example")->status, 421);
    rh_server_free(server);
}

/* Without pages, but with a rule: it is there. */
static void a_default_that_only_redirects(void **state)
{
    const rh_rule rule = { .path = "/{rest...}", .redirect = "https://one.example/{rest}", .status = 308 };
    rh_server *server = make(NULL);
    (void)state;
    add_host(server, (rh_host_options){ .rules = &rule, .rule_count = 1 });
    add_host(server, (rh_host_options){ .names = "one.example", .root = folder("one") });
    start_server(server);
    expect_host(server, "/", "one.example", "one");
    struct reply *reply = ask_host(server, "/a/b?c=d", "elsewhere.example");
    assert_int_equal(reply->status, 308);
    assert_true(has_line(reply, "Location: https://one.example/a/b?c=d"));
    rh_server_free(server);
}

static void without_hosts_nothing_is_refused(void **state)
{
    rh_server *server = make(NULL);
    (void)state;
    start_server(server);
    assert_int_equal(ask_host(server, "/", "a.example")->status, 404);
    rh_server_free(server);
}

/* The default's root is that of the server's options, unless it says another. */
static void the_default_says_more(void **state)
{
    rh_server *server = make(folder("one"));
    (void)state;
    add_host(server, (rh_host_options){ .names = "", .fallback = "/index.html" });
    start_server(server);
    struct reply *reply = ask_with(server, "GET /nothing", "Accept: text/html\r\n", "");
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body, "one");
    rh_server_free(server);

    server = make(folder("one"));
    add_host(server, (rh_host_options){ .root = folder("two") });
    start_server(server);
    expect(server, "GET /", 200, "two");
    rh_server_free(server);
}

/* ---- Mistakes ----------------------------------------------------------------------------------------------- */

static void what_is_wrong_is_kept(void **state)
{
    rh_server *server = make(NULL);
    (void)state;
    assert_int_equal(rh_host(server, &(rh_host_options){ .names = "a.example", .fallback = "index.html" }), -1);
    assert_string_equal(rh_error(server), "index.html: a fallback is the path of a page; write \"/index.html\"");
    assert_int_equal(rh_host(server, &(rh_host_options){ .names = "b.example" }), 0);
    assert_int_equal(rh_start(server), -1);
    assert_string_equal(rh_error(server), "index.html: a fallback is the path of a page; write \"/index.html\"");
    assert_true(noted(&notes, "index.html: a fallback"));
    rh_server_free(server);
}

static void fails_to_start(rh_server *server, const char *why)
{
    assert_int_equal(rh_start(server), -1);
    if (!strstr(rh_error(server), why))
        fail_msg("%s, not %s", rh_error(server), why);
    rh_server_free(server);
}

static void names_that_cannot_be(void **state)
{
    rh_server *server = make(NULL);
    (void)state;
    add_host(server, (rh_host_options){ .names = "a.example" });
    add_host(server, (rh_host_options){ .names = "b.example a.example" });
    fails_to_start(server, "a.example: two hosts, or one twice, are called so");

    server = make(NULL);
    add_host(server, (rh_host_options){ .names = "https://a.example" });
    fails_to_start(server, "https://a.example: write the name alone");
}

static void what_cannot_be_opened(void **state)
{
    const rh_rule rule = { .path = "/*", .basic_auth = "/nowhere/users" };
    rh_server *server = make(NULL);
    (void)state;
    add_host(server, (rh_host_options){ .names = "a.example", .root = "/nowhere/at/all" });
    fails_to_start(server, "cannot serve /nowhere/at/all: No such file or directory; name a folder that "
                           "this user may read");

    server = make(NULL);
    add_host(server, (rh_host_options){ .names = "a.example", .rules = &rule, .rule_count = 1 });
    fails_to_start(server, "/*: basic_auth: /nowhere/users: No such file or directory");
}

static void too_late_or_nowhere(void **state)
{
    rh_server *server = make(NULL);
    (void)state;
    assert_int_equal(rh_host(NULL, &(rh_host_options){ .names = "a.example" }), -1);
    start_server(server);
    assert_int_equal(rh_host(server, &(rh_host_options){ .names = "a.example" }), -1);
    assert_string_equal(rh_error(server), "");
    assert_true(noted(&notes, "rh_host"));
    assert_int_equal(ask_host(server, "/", "a.example")->status, 404);
    rh_server_free(server);
    assert_int_equal(rh_site(NULL).pages, 0);
}

/* ---- Older programs, and newer ones ------------------------------------------------------------------------- */

/* They know less of a host and of a rule: what is behind that is not theirs. */
static void a_program_with_an_older_header(void **state)
{
    struct { const char *path, *redirect; } rules[] = { { "/a", "/b" }, { "/c", "/d" } };
    rh_host_options host;
    rh_server *server = make(NULL);
    (void)state;
    memset(&host, 0xff, sizeof host);
    host.names = "a.example";
    host.root = folder("one");
    assert_int_equal(rh_host_add(server, &host, offsetof(rh_host_options, fallback), sizeof(rh_rule)), 0);

    host.names = "b.example";
    host.fallback = NULL;
    host.list = false;
    host.rules = (const rh_rule *)rules;
    host.rule_count = 2;
    assert_int_equal(rh_host_add(server, &host, offsetof(rh_host_options, types), sizeof rules[0]), 0);
    start_server(server);
    expect_host(server, "/", "a.example", "one");
    assert_true(has_line(ask_host(server, "/a", "b.example"), "Location: /b"));
    assert_true(has_line(ask_host(server, "/c", "b.example"), "Location: /d"));
    rh_server_free(server);
}

/* What asks for something new is refused: test_sized.c. */
static void a_program_with_a_newer_header(void **state)
{
    struct { rh_rule rule; const char *more; } rules[] = { { { .path = "/a", .redirect = "/b" }, NULL },
                                                           { { .path = "/c", .redirect = "/d" }, NULL } };
    struct { rh_host_options host; const char *more; } host = { { .rules = &rules[0].rule, .rule_count = 2 }, NULL };
    rh_server *server = make(NULL);
    (void)state;
    assert_int_equal(rh_host_add(server, &host.host, sizeof host, sizeof rules[0]), 0);
    start_server(server);
    assert_true(has_line(ask(server, "GET /a"), "Location: /b"));
    assert_true(has_line(ask(server, "GET /c"), "Location: /d"));
    rh_server_free(server);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(by_name_by_star_or_the_default),
        TEST(without_a_default),
        TEST(one_name_without_a_default),
        TEST(a_default_that_only_redirects),
        TEST(without_hosts_nothing_is_refused),
        TEST(the_default_says_more),
        TEST(what_is_wrong_is_kept),
        TEST(names_that_cannot_be),
        TEST(what_cannot_be_opened),
        TEST(too_late_or_nowhere),
        TEST(a_program_with_an_older_header),
        TEST(a_program_with_a_newer_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
