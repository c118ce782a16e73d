/* How much memory a site takes that has nothing in memory but its table: at most 200 bytes a file beside its path, all
 * allocations counted, with what malloc adds to each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>

#include "site_fixture.h"

enum { BYTES_A_FILE = 200, MALLOC_OVERHEAD = sizeof(size_t) };

static size_t taken; /* bytes */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *at, size_t count, size_t size);
void __real_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *at, size_t count, size_t size);
void __wrap_free(void *at);

static size_t size_of(void *at)
{
    return at ? malloc_usable_size(at) + MALLOC_OVERHEAD : 0;
}

static void *count(void *at)
{
    taken += size_of(at);
    return at;
}

void *__wrap_malloc(size_t size)
{
    return count(__real_malloc(size));
}

void *__wrap_calloc(size_t elements, size_t size)
{
    return count(__real_calloc(elements, size));
}

void *__wrap_reallocarray(void *at, size_t elements, size_t size)
{
    taken -= size_of(at);
    return count(__real_reallocarray(at, elements, size));
}

void __wrap_free(void *at)
{
    taken -= size_of(at);
    __real_free(at);
}

static int start(void **state)
{
    (void)state;
    site = NULL;
    fixture_open(1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_unref(site);
    fixture_close();
    return 0;
}

/* So many files, a hundred in a folder: links that all lead to one, which spares the disk most of the work. */
static void make_files(unsigned files, const char *suffix)
{
    char path[64];

    scratch_mkdir(&scratch, "root/.folder");
    for (unsigned i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "root/.folder/%u%s", i, suffix);
        scratch_write(&scratch, path, "x");
    }
    for (unsigned i = 0; i < files / 100; i++) {
        snprintf(path, sizeof path, "root/%u", i);
        scratch_link(&scratch, path, ".folder");
    }
}

static size_t path_bytes(void)
{
    size_t sum = 0;
    for (size_t i = 0; i < site->tree.count; i++)
        sum += site->tree.pages[i]->path_size;
    return sum;
}

static void takes_at_most_its_bytes(unsigned files)
{
    size_t before = taken;
    build();
    assert_int_equal(site->tree.count, files);
    size_t bytes = (taken - before - path_bytes()) / site->tree.count;
    if (bytes > BYTES_A_FILE)
        fail_msg("%zu bytes a file", bytes);
    site_unref(site);
    site = NULL;
    assert_int_equal(taken, before);
}

static void files_with_one_address(void **state)
{
    (void)state;
    make_files(20000, "");
    takes_at_most_its_bytes(20000);
}

static void files_with_two_addresses(void **state)
{
    (void)state;
    make_files(20000, ".html");
    takes_at_most_its_bytes(20000);
}

/* Each in a folder of its own, which has three addresses. */
static void files_with_a_folder_each(void **state)
{
    char path[64];
    (void)state;

    scratch_mkdir(&scratch, "root/.folder");
    scratch_write(&scratch, "root/.folder/index.html", "x");
    for (unsigned i = 0; i < 20000; i++) {
        if (i % 100 == 0) {
            snprintf(path, sizeof path, "root/%u", i / 100);
            scratch_mkdir(&scratch, path);
        }
        snprintf(path, sizeof path, "root/%u/%u", i / 100, i);
        scratch_link(&scratch, path, "../.folder");
    }
    takes_at_most_its_bytes(20000);
}

/* Just more than fit into a table of 65,536. */
static void sizes_that_no_table_fits(void **state)
{
    (void)state;
    make_files(21900, ".html");
    takes_at_most_its_bytes(21900);
}

/* A generation beside the one before it takes no pages once more. */
static void the_next_generation(void **state)
{
    struct site *before;
    (void)state;

    make_files(20000, ".html");
    build();
    size_t first = taken;
    RENEW(&before, "7");
    assert_true((taken - first) / site->tree.count <= BYTES_A_FILE / 2);
    site_unref(before);
    assert_true(taken <= first + first / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_with_one_address, start, end),
        cmocka_unit_test_setup_teardown(files_with_two_addresses, start, end),
        cmocka_unit_test_setup_teardown(files_with_a_folder_each, start, end),
        cmocka_unit_test_setup_teardown(sizes_that_no_table_fits, start, end),
        cmocka_unit_test_setup_teardown(the_next_generation, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
