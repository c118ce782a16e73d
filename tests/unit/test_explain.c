/* What explain says of a server that has handlers, and of one that cannot start; how controls are shown. What it says
 * of pages and rules has tests/e2e/test_explain.py, beside what the program really sends. */
#include "server/explain.h"
#include "server/sheet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static void hello(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "hello");
}

static void later(rh_request *request, void *user)
{
    rh_background(request, hello, user);
}

static long pull(void *user, char *out, size_t size)
{
    unsigned *rest = user;
    (void)size;
    if (*rest == 0)
        return 0;
    --*rest;
    memset(out, 'x', 1000);
    return 1000;
}

static void stream(rh_request *request, void *user)
{
    rh_stream(request, "text/plain", pull, NULL, user);
}

/* The text of an explanation, to be freed; NULL: there was none. */
static char *explain(rh_server *server, const char *request)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    bool told = server_explain(server, slice_text(request), out, false);
    assert_int_equal(fclose(out), 0);
    if (told)
        return text;
    assert_int_equal(size, 0);
    free(text);
    return NULL;
}

enum { PIECES = 3 }; /* of the first journey; for the second one nothing is left */

static void says(const char *request, const char *const *words)
{
    unsigned rest = PIECES;
    rh_server *server = rh_server_new((rh_options){ .listen = "localhost:0", .workers = 2 });
    assert_int_equal(rh_route(server, "GET /hello", hello, NULL), 0);
    assert_int_equal(rh_route(server, "GET /later", later, NULL), 0);
    assert_int_equal(rh_route(server, "GET /stream", stream, &rest), 0);
    char *text = explain(server, request);
    assert_non_null(text);
    for (; *words; words++)
        if (!strstr(text, *words))
            fail_msg("\"%s\" is not in:\n%s", *words, text);
    assert_null(explain(server, request)); /* it has been started */
    free(text);
    rh_server_free(server);
}

#define SAYS(request, ...) says(request " HTTP/1.1\r\nHost: a\r\n\r\n", (const char *const[]){ __VA_ARGS__, NULL })

static void a_handler(void **state)
{
    (void)state;
    SAYS("GET /hello?x", "route\n  found       a handler answers\n", "  HTTP/1.1 200 OK\n", "  query       x\n",
         "  sent        5 bytes, copied behind the head\n");
    SAYS("GET /later", "a handler answers", "200 OK", "5 bytes");
}

static void what_is_made_on_the_way(void **state)
{
    (void)state;
    SAYS("GET /stream", "a handler answers", "Transfer-Encoding: chunked", "made while it is sent");
}

static void no_handler(void **state)
{
    (void)state;
    SAYS("GET /nothing", "route\n  found       none has this path\n", "this host has no pages", "404 Not Found");
    SAYS("POST /hello", "this path has none for the method", "405 Method Not Allowed", "Allow: GET, HEAD, OPTIONS");
}

static void no_server(void **state)
{
    (void)state;
    rh_server *server = rh_server_new((rh_options){ .root = "/nonexistent" });
    assert_null(explain(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_non_null(strstr(rh_error(server), "/nonexistent"));
    rh_server_free(server);
    server = rh_server_new((rh_options){ .listen = "nowhere:at:all" });
    assert_null(explain(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    rh_server_free(server);
}

static unsigned descriptors_left = 1000;

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags)
{
    if (descriptors_left == 0) {
        errno = EMFILE;
        return -1;
    }
    descriptors_left--;
    return __real_eventfd(count, flags);
}

/* One for the worker's mailbox, and one for each journey. */
static void without_descriptors(void **state)
{
    (void)state;
    for (unsigned left = 0; left <= 3; left++) {
        rh_server *server = rh_server_new((rh_options){ .listen = "localhost:0" });
        descriptors_left = left;
        char *text = explain(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_int_equal(text != NULL, left == 3);
        free(text);
        rh_server_free(server);
    }
    descriptors_left = 1000;
}

static char *write_sheet(bool colour)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct sheet sheet = { .out = out, .colour = colour };
    sheet_step(&sheet, "one");
    sheet_fact(&sheet, "label", "%.*s, %d", SHEET_SLICE(SLICE("a\x1b\r\x7f\xc3\xa9")), 5);
    sheet_fact(&sheet, "", "on");
    sheet_step(&sheet, "two");
    sheet_line(&sheet, SLICE("a\tb"));
    assert_int_equal(fclose(out), 0);
    return text;
}

static void a_sheet(void **state)
{
    (void)state;
    char *plain = write_sheet(false), *coloured = write_sheet(true);
    assert_string_equal(plain, "one\n  label       a\\x1b\\x0d\\x7f\xc3\xa9, 5\n              on\n\ntwo\n  a\\x09b\n");
    assert_non_null(strstr(coloured, "\x1b[1mone\x1b[0m\n"));
    free(plain);
    free(coloured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler), cmocka_unit_test(what_is_made_on_the_way), cmocka_unit_test(no_handler),
        cmocka_unit_test(no_server), cmocka_unit_test(without_descriptors),
        cmocka_unit_test(a_sheet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
