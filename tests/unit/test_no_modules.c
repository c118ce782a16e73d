/* A static program, which has no modules: src/main/no_modules.c in the place of module.c. */
#include "main/module.h"

#include "main/option_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void refuses_them(void **state)
{
    struct options options = { .config = NULL };
    struct modules modules;
    (void)state;
    arena_init(&options.memory, NULL, 0, 1 << 20);
    assert_true(modules_load(&modules, &options));
    assert_true(modules_begin(&modules, NULL));
    modules_end(&modules);
    assert_true(option_add_module(&options, (struct module_option){ "a.so", "", { .kind = ORIGIN_FLAG } }));
    assert_false(modules_load(&modules, &options));
    assert_string_equal(options.problem, "module: a.so: this rawhttpd is static, and cannot load modules; take one "
                                         "that was built without -Dstatic=true");
    modules_end(&modules);
    options_fini(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
