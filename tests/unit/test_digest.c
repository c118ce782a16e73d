/* The hash of content, in memory and piece by piece from a file: the same, whatever the size; and reads that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "serve/digest.h"

static struct scratch scratch;
static int fd;

/* ---- Faults ------------------------------------------------------------------------------------------------- */

static int read_errors; /* reads that fail yet, with this */
static int read_error;
static size_t read_most; /* at once; 0: as many as there are */
static bool hash_is_zero;

/* pread, under the name that it has with 64-bit offsets. */
ssize_t __real_pread64(int file, void *out, size_t size, off_t offset);
ssize_t __wrap_pread64(int file, void *out, size_t size, off_t offset);
ssize_t __wrap_pread64(int file, void *out, size_t size, off_t offset)
{
    if (read_errors > 0) {
        read_errors--;
        errno = read_error;
        return -1;
    }
    return __real_pread64(file, out, read_most && read_most < size ? read_most : size, offset);
}

uint64_t __real_XXH3_64bits(const void *data, size_t size);
uint64_t __wrap_XXH3_64bits(const void *data, size_t size);
uint64_t __wrap_XXH3_64bits(const void *data, size_t size)
{
    return hash_is_zero ? 0 : __real_XXH3_64bits(data, size);
}

static int start(void **state)
{
    (void)state;
    read_errors = 0;
    read_most = 0;
    hash_is_zero = false;
    fd = -1;
    scratch_open(&scratch);
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (fd >= 0)
        close(fd);
    scratch_close(&scratch);
    return 0;
}

static void file_of(const void *content, size_t size)
{
    if (fd >= 0)
        close(fd);
    scratch_write_bytes(&scratch, "x", content, size);
    fd = openat(scratch.fd, "x", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
}

/* ---- Tests -------------------------------------------------------------------------------------------------- */

static void published_values(void **state)
{
    (void)state;
    assert_true(digest_bytes(SLICE("")) == UINT64_C(0x2d06800538d394c2));
    assert_true(digest_bytes(SLICE("abc")) == UINT64_C(0x78af5f94892f3950));
}

/* Around the sizes at which XXH3 and the reading in pieces change their ways. */
static void every_size_both_ways(void **state)
{
    static const size_t sizes[] = { 0,   1,   3,   4,    8,     9,     16,    17,     128,
                                    129, 240, 241, 1024, 65535, 65536, 65537, 131072, 200001 };
    static char content[200001];
    (void)state;

    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 131 >> 3);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t digest = 0;
        file_of(content, sizes[i]);
        for (read_most = 0; read_most <= 7777; read_most += 7777) {
            assert_true(digest_file(fd, sizes[i], &digest));
            assert_true(digest == digest_bytes(slice_make(content, sizes[i])));
        }
        read_most = 0;
    }
}

static void no_more_than_was_asked_for(void **state)
{
    uint64_t digest = 0;
    (void)state;

    file_of("abcdef", 6);
    assert_true(digest_file(fd, 3, &digest));
    assert_true(digest == digest_bytes(SLICE("abc")));
}

static void a_file_that_ends_too_soon(void **state)
{
    uint64_t digest = 7;
    (void)state;

    file_of("abc", 3);
    errno = EIO;
    assert_false(digest_file(fd, 4, &digest));
    assert_int_equal(errno, 0);
    assert_int_equal(digest, 7);
}

static void errors_and_interruptions(void **state)
{
    uint64_t digest = 7;
    (void)state;

    file_of("abc", 3);
    read_errors = 1;
    read_error = EIO;
    assert_false(digest_file(fd, 3, &digest));
    assert_int_equal(errno, EIO);
    assert_int_equal(digest, 7);
    read_errors = 3;
    read_error = EINTR;
    assert_true(digest_file(fd, 3, &digest));
    assert_int_equal(read_errors, 0);
    assert_true(digest == digest_bytes(SLICE("abc")));
}

static void never_zero(void **state)
{
    (void)state;
    hash_is_zero = true;
    assert_int_equal(digest_bytes(SLICE("abc")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(published_values, start, end),
        cmocka_unit_test_setup_teardown(every_size_both_ways, start, end),
        cmocka_unit_test_setup_teardown(no_more_than_was_asked_for, start, end),
        cmocka_unit_test_setup_teardown(a_file_that_ends_too_soon, start, end),
        cmocka_unit_test_setup_teardown(errors_and_interruptions, start, end),
        cmocka_unit_test_setup_teardown(never_zero, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
