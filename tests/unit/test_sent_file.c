/* Whether a file that is being sent is still what it was: what is written to it shows, save what is only added; what
 * becomes of its name does not matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "scratch.h"
#include "serve/sent_file.h"

enum { LARGE = 1 << 20 };

static struct scratch scratch;
static int fd;
static struct file_print print;

static int start(void **state)
{
    (void)state;
    allocations_left = -1;
    scratch_open(&scratch);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scratch_close(&scratch);
    return 0;
}

static char *noise(size_t size, unsigned seed)
{
    static char bytes[2 * LARGE];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 + (i >> 8) * 17 + seed);
    return bytes;
}

/* A file that was written a while ago, and is looked at now. */
static void look_at(size_t size)
{
    struct stat st;
    scratch_write_bytes(&scratch, "root/x", noise(size, 1), size);
    scratch_date(&scratch, "root/x", 1600000000, 5);
    fd = openat(scratch.fd, "root/x", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    file_print_take(&print, fd, &st);
}

static void holds_is(bool expected)
{
    assert_int_equal(file_print_holds(&print, fd), expected);
    close(fd);
}

/* Without a change of its size or its beginning. */
static void write_at(off_t at, const char *bytes, size_t size)
{
    int out = openat(scratch.fd, "root/x", O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(out, bytes, size, at), (ssize_t)size);
    close(out);
}

static const size_t sizes[] = { 0, 1, 511, 512, 513, 4096, 5000, LARGE };

#define FOR_ALL_SIZES for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)

static void nothing_happens(void **state)
{
    (void)state;
    FOR_ALL_SIZES {
        look_at(sizes[i]);
        holds_is(true);
    }
}

static void its_name_goes(void **state)
{
    (void)state;
    look_at(5000);
    assert_int_equal(renameat(scratch.fd, "root/x", scratch.fd, "root/y"), 0);
    assert_true(file_print_holds(&print, fd));
    scratch_write(&scratch, "root/x", "another one");
    assert_int_equal(renameat(scratch.fd, "root/x", scratch.fd, "root/y"), 0);
    holds_is(true);
}

static void it_grows(void **state)
{
    (void)state;
    FOR_ALL_SIZES {
        look_at(sizes[i]);
        write_at((off_t)sizes[i], "x", 1);
        assert_true(file_print_holds(&print, fd));
        write_at((off_t)sizes[i] + 1, noise(10000, 3), 10000);
        holds_is(true);
    }
}

static void it_shrinks(void **state)
{
    (void)state;
    for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
        look_at(sizes[i]);
        scratch_write_bytes(&scratch, "root/x", noise(sizes[i], 1), sizes[i] - 1);
        holds_is(false);
    }
}

/* The same size: whatever was written, its time says that something was. */
static void it_is_written_to(void **state)
{
    (void)state;
    for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
        look_at(sizes[i]);
        write_at((off_t)sizes[i] / 2, "x", 1);
        holds_is(false);
    }
    look_at(5000);
    scratch_date(&scratch, "root/x", 1600000000, 6);
    holds_is(false);
}

/* Larger than it was, but no longer the same at its beginning. */
static void it_is_written_anew(void **state)
{
    (void)state;
    for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
        look_at(sizes[i]);
        scratch_write_bytes(&scratch, "root/x", noise(sizes[i] + 1, 2), sizes[i] + 1);
        holds_is(false);
    }
}

/* The first byte and the last are always among the samples. */
static void one_byte_of_it_is_other(void **state)
{
    (void)state;
    for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
        for (unsigned last = 0; last < 2; last++) {
            look_at(sizes[i]);
            size_t at = last ? sizes[i] - 1 : 0;
            char other = (char)~noise(sizes[i], 1)[at];
            write_at((off_t)sizes[i], "x", 1);
            write_at((off_t)at, &other, 1);
            holds_is(false);
        }
    }
}

static void cannot_be_looked_at(void **state)
{
    (void)state;
    look_at(1);
    close(fd);
    assert_false(file_print_holds(&print, fd));
}

static struct descriptor *a_descriptor(struct descriptors *descriptors)
{
    look_at(5000);
    assert_true(descriptors_init(descriptors, &eviction_policies[0], 0));
    struct descriptor *descriptor = descriptors_add(descriptors, &scratch, fd, 0);
    assert_non_null(descriptor);
    return descriptor;
}

static void says_what_it_was(void **state)
{
    struct descriptors descriptors;
    struct descriptor *descriptor = a_descriptor(&descriptors);
    struct sent_file *sent = sent_file_new(descriptor, &print, "/the/path", &scratch.log);
    (void)state;
    assert_non_null(sent);
    assert_true(sent->steady.holds(&sent->steady));
    assert_string_equal(scratch.lines, "");
    write_at(0, "x", 1);
    assert_false(sent->steady.holds(&sent->steady));
    assert_string_equal(scratch.lines, "cut off, somebody wrote to it while it was sent: /the/path\n");
    sent_file_free(sent);
    assert_true(fcntl(fd, F_GETFD) < 0); /* its reference was the last one */
    descriptors_fini(&descriptors);
}

static void without_memory(void **state)
{
    struct descriptors descriptors;
    struct descriptor *descriptor = a_descriptor(&descriptors);
    (void)state;
    allocations_left = 0;
    assert_null(sent_file_new(descriptor, &print, "/x", &scratch.log));
    allocations_left = -1;
    hold_unref(&descriptor->hold);
    descriptors_fini(&descriptors);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_happens),
        TEST(its_name_goes),
        TEST(it_grows),
        TEST(it_shrinks),
        TEST(it_is_written_to),
        TEST(it_is_written_anew),
        TEST(one_byte_of_it_is_other),
        TEST(cannot_be_looked_at),
        TEST(says_what_it_was),
        TEST(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
