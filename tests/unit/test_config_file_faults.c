/* A configuration file with every allocation of ours failing in turn: it is read whole, or it is said why not, and
 * nothing is lost. (Those within libConfuse cannot fail: it would not survive that.) */
#include "main/config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *at, size_t count, size_t size);
FILE *__real_open_memstream(char **text, size_t *size);
FILE *__real_fmemopen(void *text, size_t size, const char *mode);

static unsigned countdown; /* 0: nothing fails; 1: the next does */

static bool is_due(void)
{
    return countdown > 0 && --countdown == 0;
}

void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return is_due() ? NULL : __real_malloc(size);
}

void *__wrap_reallocarray(void *at, size_t count, size_t size);
void *__wrap_reallocarray(void *at, size_t count, size_t size)
{
    return is_due() ? NULL : __real_reallocarray(at, count, size);
}

void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return is_due() ? NULL : __real_calloc(count, size);
}

FILE *__wrap_open_memstream(char **text, size_t *size);
FILE *__wrap_open_memstream(char **text, size_t *size)
{
    return is_due() ? NULL : __real_open_memstream(text, size);
}

FILE *__wrap_fmemopen(void *text, size_t size, const char *mode);
FILE *__wrap_fmemopen(void *text, size_t size, const char *mode)
{
    return is_due() ? NULL : __real_fmemopen(text, size, mode);
}

static const char text[] = "root = a\nlisten = \":80\"\ntypes = \"a b/c\"\nerror_pages = \"404 /d\"\n"
                           "rule \"/e/{f}\" { redirect = \"/{f}\" headers = {\"A: b\"} cors = \"*\" basic_auth = g }\n"
                           "rule /h { rewrite = /i status = 404 cache_control = j }\n"
                           "host \"k l\" { root = m fallback = /n rule /o { } certificate s { } }\n"
                           "certificate t { key = u ocsp = v }\n"
                           "module p { settings = q }\nmodule r { }\n";

static void each_allocation_in_turn(void **state)
{
    unsigned failures = 0;
    bool taken = false;
    (void)state;
    for (unsigned i = 1; !taken && i < 1000; i++) {
        struct options options = { .server = { .access_log = "-" }, .folder = strdup("/etc") };
        arena_init(&options.memory, NULL, 0, 1 << 20);
        countdown = i;
        taken = config_file_parse(&options, slice_text(text));
        bool failed = countdown == 0;
        countdown = 0;
        assert_int_equal(taken, !failed);
        assert_int_equal(taken, !problems_any(&options.problems));
        failures += failed;
        options_fini(&options);
    }
    assert_true(taken);
    assert_in_range(failures, 10, 500);
}

/* The same for the memory of the options, which has a ceiling. */
static void no_room_for_the_options(void **state)
{
    bool taken = false;
    (void)state;
    for (size_t ceiling = 0; !taken && ceiling < 64 << 10; ceiling += 1024) {
        struct options options = { .server = { .access_log = "-" }, .folder = strdup("/etc") };
        arena_init(&options.memory, NULL, 0, ceiling);
        taken = config_file_parse(&options, slice_text(text));
        if (!taken)
            assert_non_null(strstr(options.problems.at[0].text, "out of memory"));
        options_fini(&options);
    }
    assert_true(taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_in_turn),
        cmocka_unit_test(no_room_for_the_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
