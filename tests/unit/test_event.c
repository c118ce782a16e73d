/* The text of server-sent events, read back by the rules of HTML's section 9.2.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "http/event.h"

#define TEXT(text) SLICE_INIT(text)
#define NONE { NULL, 0 }

static void is_written_in_lines(void **state)
{
    static const struct {
        struct event event;
        const char *text;
    } rows[] = {
        { { NONE, NONE, TEXT("hello"), 0 }, "data: hello\n\n" },
        { { NONE, NONE, TEXT(""), 0 }, "data: \n\n" },
        { { NONE, NONE, TEXT(" two\nlines"), 0 }, "data:  two\ndata: lines\n\n" },
        { { NONE, NONE, TEXT("a\r\nb\rc\n"), 0 }, "data: a\ndata: b\ndata: c\ndata: \n\n" },
        { { NONE, NONE, TEXT("\n\r\n"), 0 }, "data: \ndata: \ndata: \n\n" },
        { { TEXT("tick"), NONE, TEXT("1"), 0 }, "event: tick\ndata: 1\n\n" },
        { { TEXT("tick"), TEXT("7"), TEXT("1"), 2500 }, "event: tick\nid: 7\nretry: 2500\ndata: 1\n\n" },
        { { NONE, TEXT(""), NONE, 0 }, "id: \n\n" },
        { { NONE, NONE, NONE, UINT32_MAX }, "retry: 4294967295\n\n" },
        { { NONE, NONE, NONE, 0 }, ":\n\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t bound = event_bound(&rows[i].event);
        char *text = malloc(bound + 1);
        struct writer w = writer_on(text, bound);
        assert_true(event_valid(&rows[i].event));
        event_write(&w, &rows[i].event);
        assert_false(w.overflowed);
        text[writer_used(&w)] = '\0';
        assert_string_equal(text, rows[i].text);
        free(text);
    }
}

static void refuses_what_would_be_read_otherwise(void **state)
{
    static const struct event rows[] = {
        { TEXT("a\nb"), NONE, NONE, 0 },    { TEXT("a\rb"), NONE, NONE, 0 },   { NONE, TEXT("a\n"), NONE, 0 },
        { NONE, TEXT("\rdata: x"), NONE, 0 }, { NONE, TEXT("a\0b"), NONE, 0 }, { TEXT("\xff"), NONE, NONE, 0 },
        { NONE, TEXT("\xc3"), NONE, 0 },    { NONE, NONE, TEXT("\xed\xa0\x80"), 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_false(event_valid(&rows[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_written_in_lines),
        cmocka_unit_test(refuses_what_would_be_read_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
