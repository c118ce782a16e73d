/* Loading modules: what is no module, and that no memory is an error. Modules that are some, and what is wrong with
 * those, are tests/e2e/test_modules.py's. */
#include "main/module.h"

#include "main/option_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "failing_memory.h"

static void begin(struct options *options)
{
    *options = (struct options){ .server = { .access_log = "-" } };
    arena_init(&options->memory, NULL, 0, 1 << 20);
}

static void add(struct options *options, const char *file, struct origin origin)
{
    assert_true(option_add_module(options, (struct module_option){ file, "", origin }));
}

static void none(void **state)
{
    struct options options;
    struct modules modules;
    (void)state;
    begin(&options);
    assert_true(modules_load(&modules, &options));
    assert_true(modules_begin(&modules, NULL));
    modules_end(&modules);
    options_fini(&options);
}

static void what_is_no_module(void **state)
{
    char name[] = "/tmp/rawhttp-test-XXXXXX";
    static const struct {
        const char *bytes, *problem;
        size_t size;
    } cases[] = {
        { "", ": it is no shared object; make one of its source: cc -shared -fPIC", 0 },
        { "\x7f" "EL", ": it is no shared object; make one of its source: cc -shared -fPIC", 3 },
        { "#include", ": it is no shared object; make one of its source: cc -shared -fPIC", 8 },
        { "\x7f" "ELF", ": it cannot be loaded: ", 4 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        struct modules modules;
        int fd = mkstemp(name);
        assert_int_equal(write(fd, cases[i].bytes, cases[i].size), cases[i].size);
        close(fd);
        begin(&options);
        add(&options, name, (struct origin){ .kind = ORIGIN_FLAG });
        assert_false(modules_load(&modules, &options));
        assert_non_null(strstr(options.problem, cases[i].problem));
        modules_end(&modules);
        options_fini(&options);
        unlink(name);
        strcpy(name, "/tmp/rawhttp-test-XXXXXX");
    }
}

static void what_is_not_there(void **state)
{
    struct options options;
    struct modules modules;
    (void)state;
    begin(&options);
    add(&options, "libc.so.6", (struct origin){ .kind = ORIGIN_ENVIRONMENT }); /* not where libraries are */
    assert_false(modules_load(&modules, &options));
    assert_string_equal(options.problem, "RAWHTTP_MODULE: libc.so.6: No such file or directory");
    modules_end(&modules);
    options_fini(&options);
}

/* All that a file names are told, each with its line. */
static void what_a_file_names(void **state)
{
    struct options options;
    struct modules modules;
    (void)state;
    begin(&options);
    add(&options, "/nowhere/a.so", (struct origin){ .kind = ORIGIN_FILE, .line = 3 });
    add(&options, "/", (struct origin){ .kind = ORIGIN_FILE, .line = 5 });
    assert_false(modules_load(&modules, &options));
    assert_int_equal(options.problems.count, 2);
    assert_int_equal(options.problems.at[0].line, 3);
    assert_string_equal(options.problems.at[0].text, "module: /nowhere/a.so: No such file or directory");
    assert_int_equal(options.problems.at[1].line, 5);
    assert_string_equal(options.problems.at[1].text, "module: /: Is a directory");
    modules_end(&modules);
    options_fini(&options);
}

static void no_memory(void **state)
{
    struct options options;
    struct modules modules;
    (void)state;
    for (long i = 0; i < 2; i++) {
        begin(&options);
        add(&options, "/nowhere/a.so", (struct origin){ .kind = ORIGIN_FLAG });
        allocations_left = i;
        assert_false(modules_load(&modules, &options));
        allocations_left = -1;
        assert_non_null(strstr(options.problem, "out of memory"));
        modules_end(&modules);
        options_fini(&options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none),
        cmocka_unit_test(what_is_no_module),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(what_a_file_names),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
