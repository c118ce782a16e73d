/* What has just gone from the disk, as a server answers for it to those who have only just been told to ask: like the
 * generation before, and not at all when its grace is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "server/server.h" /* before a fixture that has a `server` of its own */

#include "page_rules_fixture.h"

static atomic_bool shut; /* opening a.txt takes until this is over */
static atomic_uint opened;

int __real_files_open(const struct files *files, const char *path);
int __wrap_files_open(const struct files *files, const char *path);
int __wrap_files_open(const struct files *files, const char *path)
{
    if (strcmp(path, "a.txt") == 0)
        atomic_fetch_add(&opened, 1);
    while (strcmp(path, "a.txt") == 0 && atomic_load(&shut))
        usleep(500);
    return __real_files_open(files, path);
}

static void serve_with_grace(rh_host_options host)
{
    begin(host);
    server->vhosts[0]->grace_ms = PATIENCE_S * 10 * 1000;
    start_server(server);
}

/* Waits until what was done on the disk before is published. */
static void publish(void)
{
    static unsigned count;
    char path[64], request[64];
    snprintf(path, sizeof path, "root/published-%u", ++count);
    snprintf(request, sizeof request, "GET /published-%u", count);
    scratch_write(&scratch, path, path);
    for (int i = 0; strcmp(ask(server, request)->body, path) != 0 && i < PATIENCE_S * 1000; i++)
        usleep(1000);
    gets(request, "", 200, path);
}

static void take_away(const char *path)
{
    assert_int_equal(unlinkat(scratch.fd, path, 0), 0);
}

/* It begins a moment after the generation can be seen. */
static void let_grace_end(void)
{
    struct generation *generation = atomic_load(&server->vhosts[0]->generation);
    while (atomic_load(&generation->before_until_ms) == UINT64_MAX)
        usleep(100);
    atomic_store(&generation->before_until_ms, 0); /* and with the one before go all behind that */
}

static void answers_as_before(void **state)
{
    static char etag[64], match[128];
    (void)state;
    serve_with_grace((rh_host_options){ .names = NULL });
    snprintf(etag, sizeof etag, "ETag: %.32s", value_of(get("GET /a.txt", "", 200), "ETag"));
    snprintf(match, sizeof match, "If-None-Match: %.32s\r\n", etag + strlen("ETag: "));
    take_away("root/a.txt");
    take_away("root/about.html");
    take_away("root/docs/index.html");
    scratch_write(&scratch, "root/lost.html", "<p>found");
    publish();
    gets("GET /a.txt", "", 200, "0123456789");
    has(get("GET /a.txt", "", 200), etag);
    has(get("GET /a.txt", match, 304), etag);
    gets("GET /a.txt", "Range: bytes=2-4\r\n", 206, "234");
    gets("HEAD /a.txt", "", 200, "");
    get("POST /a.txt", "", 405);
    gets("GET /about", "", 200, "<p>about");
    gets("GET /docs/", "", 200, "<p>docs");
    get("GET /docs", "", 404);
    gets("GET /lost", "", 200, "<p>found"); /* what is there is there */
    get("GET /nothing", "", 404);
    let_grace_end();
    get("GET /a.txt", "", 404);
    get("GET /about", "", 404);
    get("GET /docs/", "", 404);
}

static void comes_before_the_fallback(void **state)
{
    (void)state;
    serve_with_grace((rh_host_options){ .fallback = "/index.html", .list = true });
    gets("GET /nothing", NAVIGATES, 200, "<p>home");
    take_away("root/about.html");
    take_away("root/docs/index.html");
    publish();
    gets("GET /about", NAVIGATES, 200, "<p>about");
    gets("GET /docs/", NAVIGATES, 200, "<p>docs");
    gets("GET /nothing", NAVIGATES, 200, "<p>home");
    let_grace_end();
    gets("GET /about", NAVIGATES, 200, "<p>home");
    assert_non_null(strstr(get("GET /docs/", NAVIGATES, 200)->body, "<table"));
}

/* An application of one page that is deployed with such a line, as most are. */
static void comes_before_a_rule_for_what_is_no_page(void **state)
{
    (void)state;
    scratch_write(&scratch, "root/_redirects", "/forced.txt /index.html 302!\n/* /index.html 200\n");
    scratch_write(&scratch, "root/forced.txt", "never seen");
    serve_with_grace(HOST({ .path = "/there", .rewrite = "/a.txt" }));
    gets("GET /there", "", 200, "0123456789");
    take_away("root/a.txt");
    take_away("root/forced.txt");
    publish();
    gets("GET /a.txt", "", 200, "0123456789");
    gets("GET /there", "", 200, "0123456789");
    get("GET /forced.txt", "", 302);
    gets("GET /nothing", "", 200, "<p>home");
    let_grace_end();
    gets("GET /a.txt", "", 200, "<p>home");
    get("GET /there", "", 404);
}

static void is_guarded_as_before(void **state)
{
    (void)state;
    serve_with_grace(HOST({ .path = "/secret.html", .basic_auth = users }, { .path = "/there", .rewrite = "/secret" }));
    take_away("root/secret.html");
    publish();
    get("GET /secret", "", 401);
    get("GET /secret.html", "", 401);
    get("GET /there", "", 401);
    gets("GET /secret", password("anna:secret"), 200, "<p>secret");
    gets("GET /there", password("anna:secret"), 200, "<p>secret");
    let_grace_end();
    get("GET /secret", password("anna:secret"), 404);
    get("GET /secret.html", "", 401);
}

static void exchange_roots(void)
{
    scratch_mkdir(&scratch, "next");
    scratch_write(&scratch, "next/index.html", "<p>next");
    assert_int_equal(renameat(scratch.fd, "root", scratch.fd, "last"), 0);
    assert_int_equal(renameat(scratch.fd, "next", scratch.fd, "root"), 0);
    publish();
}

/* A folder that was only moved away has its files still. */
static void from_its_file(void **state)
{
    (void)state;
    serve_with_grace((rh_host_options){ .names = NULL });
    take_away("root/a.txt");
    publish();
    get("GET /a.txt", "", 404);
    get("GET /about", "", 200);
    exchange_roots();
    gets("GET /", "", 200, "<p>next");
    gets("GET /about", "", 200, "<p>about");
    take_away("last/about.html");
    let_grace_end();
    get("GET /about", "", 404);
}

static bool nothing_is_before(void)
{
    return atomic_load(&atomic_load(&server->vhosts[0]->generation)->before) == NULL;
}

/* The site is held until the request that waits for a file of it has its answer. */
static void a_request_that_outlives_it(void **state)
{
    static struct reply reply;
    (void)state;
    serve_with_grace((rh_host_options){ .names = NULL });
    exchange_roots();
    atomic_store(&opened, 0);
    atomic_store(&shut, true);
    int fd = client_connect(server);
    client_send(fd, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    for (int i = 0; atomic_load(&opened) == 0 && i < PATIENCE_S * 1000; i++)
        usleep(1000);
    let_grace_end();
    for (int i = 0; !nothing_is_before() && i < PATIENCE_S * 1000; i++)
        usleep(1000);
    assert_true(nothing_is_before());
    atomic_store(&shut, false);
    client_read(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "0123456789");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_as_before),
        TEST(comes_before_the_fallback),
        TEST(comes_before_a_rule_for_what_is_no_page),
        TEST(is_guarded_as_before),
        { "from_its_file", from_its_file, start_without_memory, end, NULL },
        { "a_request_that_outlives_it", a_request_that_outlives_it, start_without_memory, end, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
