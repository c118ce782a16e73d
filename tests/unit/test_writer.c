/* The bounded writer: what it writes, and that it never writes a byte too far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "base/writer.h"

#define ASSERT_WRITTEN(w, text) assert_written(w, SLICE(text))

static void assert_written(const struct writer *w, struct slice expected)
{
    assert_false(w->overflowed);
    assert_int_equal(writer_used(w), expected.size);
    assert_memory_equal(w->start, expected.data, expected.size);
}

static void writes_bytes(void **state)
{
    (void)state;
    char buffer[16];
    struct writer w = writer_on(buffer, sizeof buffer);
    ASSERT_WRITTEN(&w, "");
    writer_byte(&w, 'a');
    writer_bytes(&w, "\0b", 2);
    writer_put(&w, SLICE("cd"));
    writer_put(&w, slice_make(NULL, 0));
    writer_text(&w, "");
    writer_text(&w, "efg");
    ASSERT_WRITTEN(&w, "a\0bcdefg");
    assert_true(slice_equal(writer_slice(&w), SLICE("a\0bcdefg")));
}

static void marks_what_does_not_fit(void **state)
{
    (void)state;
    char buffer[5] = "....";
    struct writer w = writer_on(buffer, 4);
    writer_text(&w, "abcd");
    assert_false(w.overflowed);
    writer_bytes(&w, NULL, 0);
    assert_false(w.overflowed);
    writer_byte(&w, 'e');
    assert_true(w.overflowed);
    assert_int_equal(writer_used(&w), 4);
    assert_memory_equal(buffer, "abcd", 5);

    w = writer_on(buffer, 4);
    writer_text(&w, "abcde");
    assert_true(w.overflowed);
    assert_int_equal(writer_used(&w), 0);
    writer_text(&w, "a");
    assert_true(w.overflowed); /* sticky, though that would have fitted */

    w = writer_on(NULL, 0);
    writer_bytes(&w, "", 0);
    assert_false(w.overflowed);
    writer_bytes(&w, "a", SIZE_MAX);
    assert_true(w.overflowed);
}

/* Each size is copied in its own way: nothing beside it is touched, and nothing is read that is not there. */
static void writes_what_is_short(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 70; size++) {
        char *from = malloc(size + 1), expected[72], buffer[72];
        memset(expected, '.', sizeof expected);
        memset(buffer, '.', sizeof buffer);
        for (size_t i = 0; i < size; i++)
            from[i] = expected[i + 1] = (char)('0' + i);
        from = realloc(from, size > 0 ? size : 1);
        struct writer w = writer_on(buffer + 1, size);
        writer_short(&w, slice_make(from, size));
        assert_false(w.overflowed);
        assert_int_equal(writer_used(&w), size);
        assert_memory_equal(buffer, expected, sizeof buffer);
        writer_short(&w, SLICE("x"));
        assert_true(w.overflowed);
        assert_memory_equal(buffer, expected, sizeof buffer);
        free(from);
    }
    struct writer none = writer_on(NULL, 0);
    writer_short(&none, slice_make(NULL, 0));
    assert_false(none.overflowed);
    assert_null(writer_take(&none, 1));
    assert_true(none.overflowed);
}

static void writes_numbers(void **state)
{
    (void)state;
    uint64_t value = 0, power = 1;
    for (int step = 0; step < 400; step++) { /* the powers of ten, their neighbours, and numbers between */
        uint64_t tried = step < 60 ? power + (uint64_t)(step % 3) - 1 : step == 60 ? UINT64_MAX : value;
        if (step < 57 && step % 3 == 2)
            power *= 10;
        char expected[32], buffer[20];
        int size = snprintf(expected, sizeof expected, "%llu", (unsigned long long)tried);
        struct writer w = writer_on(buffer, (size_t)size); /* exactly enough */
        writer_uint(&w, tried);
        assert_written(&w, slice_make(expected, (size_t)size));

        w = writer_on(buffer, (size_t)size - 1);
        writer_uint(&w, tried);
        assert_true(w.overflowed);

        size = snprintf(expected, sizeof expected, "%llx", (unsigned long long)tried);
        w = writer_on(buffer, (size_t)size);
        writer_hex(&w, tried);
        assert_written(&w, slice_make(expected, (size_t)size));
        w = writer_on(buffer, (size_t)size - 1);
        writer_hex(&w, tried);
        assert_true(w.overflowed);
        value = value * 3 + (uint64_t)step;
    }
}

static void writes_digits(void **state)
{
    (void)state;
    char buffer[24];
    struct writer w = writer_on(buffer, sizeof buffer);
    writer_digits(&w, 0, 2);
    writer_digits(&w, 7, 3);
    writer_digits(&w, 1994, 4);
    writer_digits(&w, 12345, 2); /* exactly two, whatever the number */
    writer_digits(&w, 5, 0);
    ASSERT_WRITTEN(&w, "00007199445");
    w = writer_on(buffer, 20);
    writer_digits(&w, UINT64_MAX, 20);
    ASSERT_WRITTEN(&w, "18446744073709551615");
    w = writer_on(buffer, 3);
    writer_digits(&w, 1, 4);
    assert_true(w.overflowed);
    assert_int_equal(writer_used(&w), 0);
}

static const struct {
    struct slice text, json;
} json_cases[] = {
    { SLICE_INIT(""), SLICE_INIT("") },
    { { NULL, 0 }, SLICE_INIT("") },
    { SLICE_INIT("plain text, and a slash /"), SLICE_INIT("plain text, and a slash /") },
    { SLICE_INIT("\"\\"), SLICE_INIT("\\\"\\\\") },
    { SLICE_INIT("\b\t\n\f\r"), SLICE_INIT("\\b\\t\\n\\f\\r") },
    { SLICE_INIT("\0\x01\v\x1b\x1f\x7f"), SLICE_INIT("\\u0000\\u0001\\u000b\\u001b\\u001f\\u007f") },
    { SLICE_INIT("\x20\x21\x23\x5b\x5d\x7e"), SLICE_INIT(" !#[]~") },
    { SLICE_INIT("ab\"cdefghijklmnop\"q"), SLICE_INIT("ab\\\"cdefghijklmnop\\\"q") },
    { SLICE_INIT("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"), SLICE_INIT("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") },
    { SLICE_INIT("\xFF"), SLICE_INIT("\xEF\xBF\xBD") },
    { SLICE_INIT("a\x80z"), SLICE_INIT("a\xEF\xBF\xBDz") },
    { SLICE_INIT("\xC0\xAF"), SLICE_INIT("\xEF\xBF\xBD\xEF\xBF\xBD") },         /* an overlong slash */
    { SLICE_INIT("\xE2\x82"), SLICE_INIT("\xEF\xBF\xBD\xEF\xBF\xBD") },         /* cut off at the end */
    { SLICE_INIT("\xE2\x82\""), SLICE_INIT("\xEF\xBF\xBD\xEF\xBF\xBD\\\"") },   /* the quote is not swallowed */
    { SLICE_INIT("\xED\xA0\x80"), SLICE_INIT("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") }, /* a surrogate */
};

static void escapes_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof json_cases / sizeof json_cases[0]; i++) {
        char buffer[128];
        struct writer w = writer_on(buffer, sizeof buffer);
        writer_json(&w, json_cases[i].text);
        assert_written(&w, json_cases[i].json);

        w = writer_on(buffer, json_cases[i].json.size);
        writer_json(&w, json_cases[i].text);
        assert_written(&w, json_cases[i].json);
        for (size_t room = 0; room < json_cases[i].json.size; room++) {
            w = writer_on(buffer, room);
            writer_json(&w, json_cases[i].text);
            assert_true(w.overflowed);
        }
    }
}

/* One byte among `size` spaces: it must come out as it does alone, with the quotes and without. */
static void assert_escaped_at(size_t at, size_t size, unsigned char byte)
{
    char alone[8], buffer[64], expected[64];
    char *text = malloc(size); /* of its own, so that reading beyond it is seen */
    struct writer one = writer_on(alone, sizeof alone), e = writer_on(expected, sizeof expected);
    writer_json(&one, slice_make((char[]){ (char)byte }, 1));
    memset(text, ' ', size);
    text[at] = (char)byte;
    writer_byte(&e, '"');
    writer_bytes(&e, "                                        ", at);
    writer_put(&e, writer_slice(&one));
    writer_bytes(&e, "                                        ", size - 1 - at);
    writer_byte(&e, '"');

    struct writer w = writer_on(buffer, sizeof buffer);
    writer_json(&w, slice_make(text, size));
    assert_written(&w, slice_make(expected + 1, writer_used(&e) - 2));
    w = writer_on(buffer, writer_used(&e));
    writer_json_string(&w, slice_make(text, size));
    assert_written(&w, writer_slice(&e));
    w = writer_on(buffer, writer_used(&e) - 1);
    writer_json_string(&w, slice_make(text, size));
    assert_true(w.overflowed);
    free(text);
}

/* Every byte, at every place of texts of all the sizes that are looked at in different steps. */
static void escapes_json_anywhere(void **state)
{
    static const size_t sizes[] = { 1, 3, 4, 7, 8, 15, 16, 17, 33 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (size_t at = 0; at < sizes[i]; at++)
            for (unsigned byte = 0; byte < 256; byte++)
                assert_escaped_at(at, sizes[i], (unsigned char)byte);
}

static void json_is_always_valid_utf8(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        char text[24], buffer[6 * sizeof text];
        size_t size = random % (sizeof text + 1);
        for (size_t i = 0; i < size; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = (char)(random >> 24);
            if (random & 0x800000)
                text[i] = (char)(0xC0 | (unsigned char)text[i]);
        }
        random = random * 1664525 + 1013904223;
        struct writer w = writer_on(buffer, sizeof buffer);
        writer_json(&w, slice_make(text, size));
        assert_false(w.overflowed);
        assert_true(utf8_valid(writer_slice(&w)));
        for (const char *at = w.start; at < w.at; at++)
            assert_false((unsigned char)*at < 0x20 || *at == 0x7f);
    }
}

static void escapes_html(void **state)
{
    static const struct {
        struct slice text, html;
    } cases[] = {
        { SLICE_INIT(""), SLICE_INIT("") },
        { { NULL, 0 }, SLICE_INIT("") },
        { SLICE_INIT("plain\n"), SLICE_INIT("plain\n") },
        { SLICE_INIT("&<>\"'"), SLICE_INIT("&amp;&lt;&gt;&quot;&#39;") },
        { SLICE_INIT("a<b c>d"), SLICE_INIT("a&lt;b c&gt;d") },
        { SLICE_INIT("<script>"), SLICE_INIT("&lt;script&gt;") },
        { SLICE_INIT("&amp;"), SLICE_INIT("&amp;amp;") },
        { SLICE_INIT("\xC3\xA9\0"), SLICE_INIT("\xC3\xA9\0") },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buffer[64];
        struct writer w = writer_on(buffer, cases[i].html.size);
        writer_html(&w, cases[i].text);
        assert_written(&w, cases[i].html);
        for (size_t room = 0; room < cases[i].html.size; room++) {
            w = writer_on(buffer, room);
            writer_html(&w, cases[i].text);
            assert_true(w.overflowed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_bytes),          cmocka_unit_test(marks_what_does_not_fit),
        cmocka_unit_test(writes_what_is_short),
        cmocka_unit_test(writes_numbers),        cmocka_unit_test(writes_digits),
        cmocka_unit_test(escapes_json),          cmocka_unit_test(escapes_json_anywhere),
        cmocka_unit_test(json_is_always_valid_utf8), cmocka_unit_test(escapes_html),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
