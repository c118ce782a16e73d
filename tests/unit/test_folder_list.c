/* Folders without an index page: what their listings say and how, from an empty one to ten thousand entries, while
 * their site is replaced, and when nobody reads them to the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include "api_fixture.h"
#include "scratch.h"
#include "serve/listing.h"
#include "serve/site_folders.h"
#include "server/folder_list.h"

enum {
    MANY = 10000,
    SOME = 4000 /* whose listing is more than a socket takes */
};

static struct notes notes = NOTES_INIT;
static struct scratch scratch;
static rh_server *server;
static const struct vhost *vhost; /* which the handler looks at */

/* ---- Memory that runs out ----------------------------------------------------------------------------------- */

static atomic_size_t refused; /* an allocation of so many bytes fails */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    errno = ENOMEM;
    return size == atomic_load_explicit(&refused, memory_order_relaxed) ? NULL : __real_malloc(size);
}

/* ---- A server that lists ------------------------------------------------------------------------------------ */

/* As many as there can be. */
static void fill_fields(rh_request *request)
{
    for (unsigned i = 0; i < EXCHANGE_FIELDS_MAX; i++)
        rh_set(request, "X-Field", "many");
}

/* The arena has nothing more to give, to this request and to later ones. */
static void exhaust(struct exchange *exchange)
{
    exchange->arena.at = exchange->arena.end;
    exchange->arena.ceiling = exchange->arena.used;
}

static void list(rh_request *request, void *user)
{
    struct exchange *exchange = (struct exchange *)request;
    struct site *site = vhost_generation(vhost)->site;
    struct site_folders *folders = site_folders_new(site);
    size_t folder;
    (void)user;
    bool found = folders && site_folders_find(folders, exchange->request.path, &folder);
    site_folders_free(folders);
    if (rh_query(request, "filled").data)
        fill_fields(request);
    if (rh_query(request, "exhausted").data)
        exhaust(exchange);
    if (found)
        folder_list_begin(exchange, site, folder);
    else
        rh_fail(request, 404, "no such folder");
}

static void begin(void)
{
    char listen[128];
    snprintf(listen, sizeof listen, "127.0.0.1:0 unix:%s/socket", scratch.folder);
    server = rh_server_new((rh_options){ .listen = listen, .workers = 2, .background = 2, .root = scratch.root,
                                         .log = note, .log_user = &notes });
    assert_non_null(server);
    add_route(server, "GET /{path...}", list, NULL);
    start_server(server);
    vhost = server->vhosts[0];
}

static void end(void)
{
    rh_server_free(server);
}

static int set_up(void **state)
{
    (void)state;
    scratch_open(&scratch);
    atomic_store(&refused, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_close(&scratch);
    return 0;
}

/* Of version 1.0, so that the body comes as it is. Valid until the next one. */
static struct reply *ask_plainly(const char *line, const char *fields)
{
    static struct reply reply;
    char text[1024];
    snprintf(text, sizeof text, "%s HTTP/1.0\r\nHost: a\r\n%s\r\n", line, fields);
    int fd = client_connect(server);
    client_send(fd, text);
    client_read(fd, &reply);
    return &reply;
}

static struct reply *ask_json(const char *line)
{
    return ask_plainly(line, "Accept: application/json\r\n");
}

static void expect_json(const char *line, const char *body)
{
    struct reply *reply = ask_json(line);
    if (reply->status != 200 || strcmp(reply->body, body) != 0)
        fail_msg("%s: %d %s", line, reply->status, reply->body);
}

static size_t count(const char *text, const char *piece)
{
    size_t found = 0;
    for (text = strstr(text, piece); text; text = strstr(text + strlen(piece), piece))
        found++;
    return found;
}

/* ---- What is said ------------------------------------------------------------------------------------------- */

#define ENTRY(name, size, date) "{\"name\":\"" name "\",\"type\":\"file\",\"size\":" size ",\"modified\":" date "}"
#define FOLDER(name) "{\"name\":\"" name "\",\"type\":\"folder\",\"size\":null,\"modified\":null}"
#define DAY(day) "\"2001-09-" day "T01:46:40Z\""

static void put(const char *path, const char *text, int64_t seconds)
{
    scratch_write(&scratch, path, text);
    scratch_date(&scratch, path, seconds, 0);
}

static void make_docs(void)
{
    scratch_mkdir(&scratch, "root/docs");
    scratch_mkdir(&scratch, "root/docs/z");
    scratch_mkdir(&scratch, "root/docs/.git");
    put("root/docs/file10", "0123456789", 1000000000);
    put("root/docs/file9", "", 1000000000 + 86400);
    put("root/docs/page.js", "let a = 1", 1000000000 + 2 * 86400);
    put("root/docs/page.js.gz", "-", 1000000000 + 3 * 86400);
    put("root/docs/old", "x", -5);
    put("root/docs/.htaccess", "x", 1000000000);
    put("root/docs/z/in", "x", 1000000000);
    put("root/_headers", "/*\n  X-A: b\n", 1000000000);
}

static void lists_what_is_there(void **state)
{
    (void)state;
    make_docs();
    begin();
    expect_json("GET /docs/",
                "[\n" FOLDER("z") ",\n" ENTRY("file9", "0", DAY("10")) ",\n" ENTRY("file10", "10", DAY("09")) ",\n"
                ENTRY("old", "1", "null") ",\n" ENTRY("page.js", "9", DAY("11")) "\n]\n");
    expect_json("GET /docs/z/", "[\n" ENTRY("in", "1", DAY("09")) "\n]\n");
    expect_json("GET /", "[\n" FOLDER("docs") "\n]\n"); /* _headers is nobody's page */
    expect_json("GET /?sort=size", "[\n" FOLDER("docs") "\n]\n");
    assert_int_equal(ask_json("GET /docs/.git/")->status, 404);
    end();
}

static void sorts(void **state)
{
    (void)state;
    make_docs();
    begin();
    expect_json("GET /docs/?sort=size&order=desc",
                "[\n" FOLDER("z") ",\n" ENTRY("file10", "10", DAY("09")) ",\n" ENTRY("page.js", "9", DAY("11")) ",\n"
                ENTRY("old", "1", "null") ",\n" ENTRY("file9", "0", DAY("10")) "\n]\n");
    expect_json("GET /docs/?order=asc&sort=date",
                "[\n" FOLDER("z") ",\n" ENTRY("old", "1", "null") ",\n" ENTRY("file10", "10", DAY("09")) ",\n"
                ENTRY("file9", "0", DAY("10")) ",\n" ENTRY("page.js", "9", DAY("11")) "\n]\n");
    end();
}

static void is_a_page_for_people(void **state)
{
    (void)state;
    make_docs();
    begin();
    struct reply *reply = ask(server, "GET /docs/");
    assert_int_equal(reply->status, 200);
    assert_true(has_line(reply, "Content-Type: text/html; charset=utf-8"));
    assert_true(has_line(reply, "Vary: Accept"));
    assert_true(has_line(reply, "Cache-Control: no-cache"));
    assert_true(has_line(reply, "X-Content-Type-Options: nosniff"));
    assert_true(has_line(reply, "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
                                "base-uri 'none'; form-action 'none'"));
    assert_true(has_line(reply, "Transfer-Encoding: chunked"));
    assert_null(strstr(reply->head, "Last-Modified"));
    assert_null(strstr(reply->head, "ETag"));
    assert_non_null(strstr(reply->body, "<title>Index of docs/"));
    assert_non_null(strstr(reply->body, "href=\"./file10\""));
    assert_non_null(strstr(reply->body, "href=\"./z/\""));

    reply = ask_json("GET /docs/");
    assert_true(has_line(reply, "Content-Type: application/json"));
    assert_true(has_line(reply, "Vary: Accept"));
    assert_null(strstr(reply->head, "Content-Security-Policy"));
    end();
}

static void tells_its_head_alone(void **state)
{
    (void)state;
    make_docs();
    begin();
    static const char *const accepted[] = { "", "Accept: application/json\r\n" };
    for (size_t i = 0; i < 2; i++) {
        struct reply *reply = ask_with(server, "HEAD /docs/", accepted[i], "");
        assert_int_equal(reply->status, 200);
        assert_int_equal(reply->body_size, 0);
        assert_true(has_line(reply, i ? "Content-Type: application/json" : "Content-Type: text/html; charset=utf-8"));
        assert_true(has_line(reply, "Vary: Accept"));
        assert_true(has_line(reply, "Cache-Control: no-cache"));
        assert_true(has_line(reply, "Transfer-Encoding: chunked"));
    }
    end();
}

/* A folder's name is not what is in it, however it looks. */
static void is_asked_for_again(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/app-3f9a1c7be2d04856.js");
    begin();
    struct reply *reply = ask(server, "GET /app-3f9a1c7be2d04856.js/");
    assert_int_equal(reply->status, 200);
    assert_true(has_line(reply, "Cache-Control: no-cache"));
    assert_true(has_line(reply, "X-Content-Type-Options: nosniff"));
    end();
}

static void may_be_empty(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/empty");
    scratch_write(&scratch, "root/page.html", "x");
    begin();
    expect_json("GET /empty/", "[]\n");
    struct reply *reply = ask(server, "GET /empty/");
    assert_int_equal(reply->status, 200);
    assert_non_null(strstr(reply->body, "Index of empty/"));
    assert_non_null(strstr(reply->body, "</html>\n"));
    end();
}

static void leaves_out_what_has_no_address(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/a");
    scratch_link(&scratch, "root/a/loop", "../a");
    scratch_link(&scratch, "root/a/out", "../../..");
    scratch_write(&scratch, "root/a/back\\slash", "x");
    scratch_write(&scratch, "root/a/bad\xff", "x");
    put("root/a/b", "x", 1000000000);
    begin();
    expect_json("GET /a/", "[\n" ENTRY("b", "1", DAY("09")) "\n]\n");
    end();
}

static void takes_names_as_they_are(void **state)
{
    static const struct {
        const char *name, *json, *link;
    } rows[] = {
        { "a & b", "a & b", "./a%20&amp;b" },
        { "<script>\"'", "<script>\\\"'", "./%3Cscript%3E%22&#39;" },
        { "100%?#;", "100%?#;", "./100%25%3F%23;" },
        { "javascript:x", "javascript:x", "./javascript:x" },
        { "a\nb\x01", "a\\nb\\u0001", "./a%0Ab%01" },
        { "\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac", "./%C3%A4%E2%82%AC" },
    };
    char path[64], json[256], link[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(path, sizeof path, "root/%s", rows[i].name);
        scratch_write(&scratch, path, "x");
    }
    begin();
    struct reply *reply = ask_json("GET /");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(json, sizeof json, "{\"name\":\"%s\",", rows[i].json);
        if (!strstr(reply->body, json))
            fail_msg("%s: %s", json, reply->body);
    }
    reply = ask_plainly("GET /", "");
    for (size_t i = 1; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(link, sizeof link, "href=\"%s\"", rows[i].link);
        if (!strstr(reply->body, link))
            fail_msg("%s: %s", link, reply->body);
    }
    assert_null(strstr(reply->body, "<script>"));
    end();
}

static void takes_the_longest_names(void **state)
{
    char path[300] = "root/", json[300] = "{\"name\":\"";
    (void)state;
    memset(path + 5, 'n', LISTING_NAME_MAX);
    memset(json + 9, 'n', LISTING_NAME_MAX);
    json[9 + LISTING_NAME_MAX] = '"';
    scratch_write(&scratch, path, "x");
    begin();
    assert_non_null(strstr(ask_json("GET /")->body, json));
    end();
}

/* ---- Large ones --------------------------------------------------------------------------------------------- */

static void make_many(unsigned entries)
{
    char path[64];
    scratch_mkdir(&scratch, "root/many");
    scratch_write(&scratch, "file", "");
    for (unsigned i = 0; i < entries; i++) {
        snprintf(path, sizeof path, "root/many/%s%u", i % 100 == 0 ? "d" : "f", i);
        if (i % 100 == 0)
            scratch_mkdir(&scratch, path);
        else
            assert_int_equal(linkat(scratch.fd, "file", scratch.fd, path, 0), 0); /* quicker than a file of its own */
    }
}

static void expect_many(const struct reply *reply, unsigned entries)
{
    assert_int_equal(reply->status, 200);
    assert_int_equal(count(reply->body, "\"type\":\"folder\""), entries / 100);
    assert_int_equal(count(reply->body, "\"type\":\"file\""), entries - entries / 100);
    assert_int_equal(strcmp(reply->body + reply->body_size - 4, "}\n]\n"), 0);
}

static void lists_ten_thousand(void **state)
{
    (void)state;
    make_many(MANY);
    begin();
    struct reply *reply = ask_json("GET /many/?order=desc");
    expect_many(reply, MANY);
    assert_true(strncmp(reply->body, "[\n{\"name\":\"d9900\"", 17) == 0);
    reply = ask_plainly("GET /many/", "");
    assert_int_equal(reply->status, 200);
    assert_non_null(strstr(reply->body, "d0/"));
    end();
}

/* How many pages there are once the change has been seen. */
static void wait_for_pages(size_t pages)
{
    for (int i = 0; rh_site(server).pages != pages && i < PATIENCE_S * 1000; i++)
        usleep(1000);
    assert_int_equal(rh_site(server).pages, pages);
}

/* One whose answer has begun and is not read any further for now: by a unix socket, because a TCP socket to the same
 * machine takes a few MiB that nobody reads. */
static int begin_reading(char *first)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(name.sun_path, sizeof name.sun_path, "%s/socket", scratch.folder);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
    client_send(fd, "GET /many/ HTTP/1.0\r\nAccept: application/json\r\n\r\n");
    assert_int_equal(recv(fd, first, 1, 0), 1);
    return fd;
}

static void goes_on_with_the_site_it_began(void **state)
{
    static struct reply reply;
    int sent;
    char first;
    (void)state;
    make_many(SOME);
    begin();
    size_t pages = rh_site(server).pages;
    int fd = begin_reading(&first);
    scratch_write(&scratch, "root/many/new", "");
    wait_for_pages(pages + 1);
    assert_int_equal(renameat(scratch.fd, "root/many", scratch.fd, "root/less"), 0);
    assert_int_equal(unlinkat(scratch.fd, "root/less/new", 0), 0);
    wait_for_pages(pages);
    assert_int_equal(ioctl(fd, FIONREAD, &sent), 0);
    client_read(fd, &reply);
    assert_true(reply.body_size > (size_t)sent); /* the changes came in the middle of it */
    size_t files = count(reply.bytes, "\"type\":\"file\"") + count(reply.body, "\"type\":\"file\"");
    assert_true(files >= SOME - SOME / 100); /* the head has lost its first byte, and so it is not one */
    assert_null(strstr(reply.body, "\"new\""));
    end();
}

static void is_left_in_the_middle(void **state)
{
    char first;
    (void)state;
    make_many(SOME);
    begin();
    for (int i = 0; i < 8; i++) {
        int fd = begin_reading(&first);
        if (i % 2)
            client_reset(fd);
        else
            close(fd);
    }
    for (int i = 0; i < 8; i++) { /* before it has begun */
        int fd = client_connect(server);
        client_send(fd, "GET /many/ HTTP/1.1\r\nHost: a\r\n\r\n");
        client_reset(fd);
    }
    expect_many(ask_json("GET /many/"), SOME);
    int fd = begin_reading(&first);
    end(); /* and the server goes in the middle of one */
    close(fd);
}

static void is_sent_to_who_has_closed_one_end(void **state)
{
    static struct reply reply;
    (void)state;
    make_many(SOME);
    begin();
    for (int i = 0; i < 8; i++) {
        int fd = client_connect(server);
        client_send(fd, "GET /many/ HTTP/1.0\r\nHost: a\r\nAccept: application/json\r\n\r\n");
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        client_read(fd, &reply);
        expect_many(&reply, SOME);
    }
    end();
}

/* ---- Faults ------------------------------------------------------------------------------------------------- */

static void does_without_memory(void **state)
{
    (void)state;
    make_many(SOME);
    begin();
    atomic_store(&refused, SOME * sizeof(struct listing_entry));
    assert_int_equal(ask_json("GET /many/")->status, 503);
    assert_int_equal(ask(server, "HEAD /many/")->status, 200);
    atomic_store(&refused, 0);
    expect_many(ask_json("GET /many/"), SOME);
    assert_int_equal(ask(server, "GET /many/?filled")->status, 503);
    assert_int_equal(ask(server, "HEAD /many/?filled")->status, 503);
    assert_int_equal(ask(server, "GET /many/?exhausted")->status, 503);
    assert_int_equal(ask(server, "HEAD /many/?exhausted")->status, 503);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_what_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sorts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_a_page_for_people, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_its_head_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_asked_for_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(may_be_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_out_what_has_no_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_names_as_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_the_longest_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_ten_thousand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_with_the_site_it_began, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_left_in_the_middle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_sent_to_who_has_closed_one_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_without_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
