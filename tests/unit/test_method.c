/* Methods: every name, what is nearly one, and the Allow list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/writer.h"
#include "http/method.h"

static const struct {
    const char *name;
    enum method method;
} known[] = {
    { "GET", METHOD_GET },         { "HEAD", METHOD_HEAD },       { "POST", METHOD_POST },
    { "PUT", METHOD_PUT },         { "DELETE", METHOD_DELETE },   { "CONNECT", METHOD_CONNECT },
    { "OPTIONS", METHOD_OPTIONS }, { "TRACE", METHOD_TRACE },     { "PATCH", METHOD_PATCH },
};

static void knows_every_method(void **state)
{
    (void)state;
    assert_int_equal(sizeof known / sizeof known[0], METHOD_COUNT - 1);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_int_equal(method_from(slice_text(known[i].name)), known[i].method);
}

/* Each name with one byte changed, one missing, one more. */
static void knows_nothing_near_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char near[16];
        size_t size = strlen(known[i].name);
        for (size_t at = 0; at < size; at++) {
            memcpy(near, known[i].name, size);
            near[at] = (char)(near[at] | 0x20); /* case matters (RFC 9110 9.1) */
            assert_int_equal(method_from(slice_make(near, size)), METHOD_OTHER);
            near[at] = '_';
            assert_int_equal(method_from(slice_make(near, size)), METHOD_OTHER);
        }
        memcpy(near, known[i].name, size);
        near[size] = 'S';
        assert_int_equal(method_from(slice_make(near, size - 1)), METHOD_OTHER);
        assert_int_equal(method_from(slice_make(near, size + 1)), METHOD_OTHER);
    }
}

static void knows_no_others(void **state)
{
    static const char *const others[] = { "", "G", "GE", "PRI", "LINK", "QUERY", "SEARCH", "BASELINE-CONTROL", "get" };
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(method_from(slice_text(others[i])), METHOD_OTHER);
}

static void writes_allow(void **state)
{
    static const struct {
        unsigned methods;
        const char *text;
    } rows[] = {
        { 0, "" },
        { 1u << METHOD_OTHER, "" },
        { 1u << METHOD_GET, "GET" },
        { 1u << METHOD_GET | 1u << METHOD_HEAD | 1u << METHOD_OPTIONS, "GET, HEAD, OPTIONS" },
        { 1u << METHOD_PATCH | 1u << METHOD_POST, "POST, PATCH" },
        { ~0u, "GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[80];
        struct writer w = writer_on(out, sizeof out);
        method_write_allow(&w, rows[i].methods);
        assert_false(w.overflowed);
        assert_true(slice_equal(writer_slice(&w), slice_text(rows[i].text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_every_method),
        cmocka_unit_test(knows_nothing_near_them),
        cmocka_unit_test(knows_no_others),
        cmocka_unit_test(writes_allow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
