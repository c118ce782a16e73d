/* The request that --explain and --header make. */
#include "main/request_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { FIELDS_MAX = 3 };

static size_t count(const char *const fields[FIELDS_MAX])
{
    size_t count = 0;
    while (count < FIELDS_MAX && fields[count])
        count++;
    return count;
}

static const struct {
    const char *line, *fields[FIELDS_MAX], *text;
} made[] = {
    { "GET /", { NULL }, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" },
    { "GET / HTTP/1.0", { NULL }, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n" },
    { "OPTIONS *", { NULL }, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n" },
    { "GET /", { "Accept: a/b" }, "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: a/b\r\n\r\n" },
    { "GET /", { "hOST: x", "A:b" }, "GET / HTTP/1.1\r\nhOST: x\r\nA:b\r\n\r\n" },
    { "GET /", { "Host:" }, "GET / HTTP/1.1\r\nHost:\r\n\r\n" },
    { "GET /", { "Host: a", "Host: b" }, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" }, /* wrong, and sent so */
    { "GET /", { "Hostess: x" }, "GET / HTTP/1.1\r\nHost: localhost\r\nHostess: x\r\n\r\n" },
    { "g\x01t \x7f HTTP/9", { "x" }, "g\x01t \x7f HTTP/9\r\nHost: localhost\r\nx\r\n\r\n" },
};

static void becomes_a_request(void **state)
{
    char text[WHY_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        const struct request_parts parts = { made[i].line, made[i].fields, count(made[i].fields) };
        struct slice request = request_text(&parts, (struct why){ text, sizeof text });
        assert_int_equal(request.size, strlen(made[i].text));
        assert_memory_equal(request.data, made[i].text, request.size);
        free((char *)(uintptr_t)request.data);
    }
}

static const struct {
    const char *line, *fields[FIELDS_MAX], *why;
} refused[] = {
    { "", { NULL }, "a request is a method and a target: 'GET /path'" },
    { "/", { NULL }, "/: a request is a method and a target: 'GET /path'" },
    { "GET", { NULL }, "GET: a request is a method and a target: 'GET /path'" },
    { " /", { NULL }, " /: a request is a method and a target: 'GET /path'" },
    { "GET ", { NULL }, "GET : a request is a method and a target: 'GET /path'" },
    { "GET  /", { NULL }, "GET  /: a request is a method and a target: 'GET /path'" },
    { "GET / ", { NULL }, "GET / : a request is a method and a target: 'GET /path'" },
    { "GET /a b HTTP/1.1", { NULL }, "GET /a b HTTP/1.1: a request is a method and a target: 'GET /path'" },
    { "GET /\nA: b", { NULL }, "GET /?A: b: a request is a method and a target: 'GET /path'" },
    { "GET /", { "A: b", "C: d\r\nE: f" }, "C: d??E: f: a field is one line: 'Name: value'" },
};

static void is_refused(void **state)
{
    char text[WHY_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const struct request_parts parts = { refused[i].line, refused[i].fields, count(refused[i].fields) };
        assert_null(request_text(&parts, (struct why){ text, sizeof text }).data);
        assert_string_equal(text, refused[i].why);
    }
}

static bool starved;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return starved ? NULL : __real_malloc(size);
}

static void without_memory(void **state)
{
    char text[WHY_SIZE];
    const struct request_parts parts = { "GET /", NULL, 0 };
    (void)state;
    starved = true;
    struct slice request = request_text(&parts, (struct why){ text, sizeof text });
    starved = false;
    assert_null(request.data);
    assert_string_equal(text, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes_a_request),
        cmocka_unit_test(is_refused),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
