/* Percent-encoding: every byte, and back again through the decoder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/target.h"
#include "serve/percent.h"

static void spells(void **state)
{
    static const struct {
        struct slice path, text;
    } cases[] = {
        { SLICE_INIT(""), SLICE_INIT("") },
        { SLICE_INIT("/"), SLICE_INIT("/") },
        { SLICE_INIT("/docs/"), SLICE_INIT("/docs/") },
        { SLICE_INIT("/a b/"), SLICE_INIT("/a%20b/") },
        { SLICE_INIT("/100%/"), SLICE_INIT("/100%25/") },
        { SLICE_INIT("/a?b#c/"), SLICE_INIT("/a%3Fb%23c/") },
        { SLICE_INIT("/gr\xc3\xbc\xc3\x9f" "e/"), SLICE_INIT("/gr%C3%BC%C3%9Fe/") },
        { SLICE_INIT("/-._~!$&'()*+,;=:@/"), SLICE_INIT("/-._~!$&'()*+,;=:@/") },
        { SLICE_INIT("/\"<>[\\]^`{|}/"), SLICE_INIT("/%22%3C%3E%5B%5C%5D%5E%60%7B%7C%7D/") },
        { SLICE_INIT("/a\r\nb\0c\x7f"), SLICE_INIT("/a%0D%0Ab%00c%7F") },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        struct writer w = writer_on(text, sizeof text);
        percent_write(&w, cases[i].path);
        if (!slice_equal(writer_slice(&w), cases[i].text))
            fail_msg("%.*s", (int)writer_used(&w), text);
    }
}

static void spells_a_value_of_a_query(void **state)
{
    char text[256];
    struct writer w = writer_on(text, sizeof text);
    (void)state;

    percent_write_query(&w, SLICE("aZ09-._~ &=+#%/?:@!$'()*,;\xc3\xbc\0"));
    assert_true(slice_equal(writer_slice(&w), SLICE("aZ09-._~%20%26%3D%2B%23%25%2F%3F%3A%40%21%24%27%28%29%2A%2C%3B"
                                                    "%C3%BC%00")));
}

static void spells_what_was_written_as_a_uri(void **state)
{
    char text[256];
    struct writer w = writer_on(text, sizeof text);
    (void)state;

    percent_write_uri(&w, SLICE("/gr\xc3\xbc%C3%9F/?a=b&c+d#e {f}\n"));
    assert_true(slice_equal(writer_slice(&w), SLICE("/gr%C3%BC%C3%9F/?a=b&c+d%23e%20%7Bf%7D%0A")));
}

static void every_byte_comes_back(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 0x80; c++) {
        char path[2] = { '/', (char)c }, text[6], normal[6];
        size_t size = 0;
        struct writer w = writer_on(text, sizeof text);
        if (c == '/' || c == '\\' || c == '.')
            continue; /* not for a name: target refuses or resolves these */
        percent_write(&w, slice_make(path, sizeof path));
        assert_true(target_normalise(writer_slice(&w), normal, &size));
        assert_true(slice_equal(slice_make(normal, size), slice_make(path, sizeof path)));
    }
}

static void three_times_is_enough_and_less_is_noticed(void **state)
{
    char text[9];
    struct slice path = SLICE("\xff\xfe\xfd");
    struct writer w = writer_on(text, sizeof text);
    (void)state;

    percent_write(&w, path);
    assert_false(w.overflowed);
    assert_int_equal(writer_used(&w), sizeof text);
    w = writer_on(text, sizeof text - 1);
    percent_write(&w, path);
    assert_true(w.overflowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spells),
        cmocka_unit_test(spells_a_value_of_a_query),
        cmocka_unit_test(spells_what_was_written_as_a_uri),
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(three_times_is_enough_and_less_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
