/* The fields of a page that no rule is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/defaults.h"

static void test_cache_control(void **state)
{
    static const char forever[] = "public, max-age=31536000, immutable", each_time[] = "no-cache";
    static const char for_one[] = "private, max-age=31536000, immutable";
    static const struct {
        const char *path, *value, *guarded;
    } rows[] = {
        { "/index.html", each_time, each_time },
        { "/style.css", each_time, each_time },
        { "/", each_time, each_time },
        { "", each_time, each_time },
        { "/assets/app.3f9ac2d1.js", forever, for_one },
        { "/app.3f9ac2d1.html", each_time, each_time },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice path = slice_text(rows[i].path);
        assert_true(slice_equal(defaults_cache_control(path, false), slice_text(rows[i].value)));
        assert_true(slice_equal(defaults_cache_control(path, true), slice_text(rows[i].guarded)));
    }
}

static void test_nosniff(void **state)
{
    (void)state;
    assert_true(slice_equal(defaults_nosniff().name, SLICE("X-Content-Type-Options")));
    assert_true(slice_equal(defaults_nosniff().value, SLICE("nosniff")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cache_control),
        cmocka_unit_test(test_nosniff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
