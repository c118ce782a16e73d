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
    static const struct {
        const char *path, *value;
    } rows[] = {
        { "/index.html", each_time },
        { "/style.css", each_time },
        { "/", each_time },
        { "", each_time },
        { "/assets/app.3f9ac2d1.js", forever },
        { "/app.3f9ac2d1.html", each_time },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(slice_equal(defaults_cache_control(slice_text(rows[i].path)), slice_text(rows[i].value)));
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
