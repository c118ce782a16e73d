/* The access log where all goes well, and where it cannot begin. */
#include <sys/eventfd.h>

#include "access_log_fixture.h"

/* ---- Faults ---- */

static long allocations_left = -1; /* -1: without end */
static bool eventfd_fails, thread_fails;

void *__real_malloc(size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_eventfd(unsigned value, int flags);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user);
void *__wrap_malloc(size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_eventfd(unsigned value, int flags);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user);

static bool allowed(void)
{
    errno = ENOMEM;
    if (allocations_left < 0)
        return true;
    return allocations_left > 0 && allocations_left-- > 0;
}

void *__wrap_malloc(size_t size)
{
    return allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return allowed() ? __real_aligned_alloc(alignment, size) : NULL;
}

int __wrap_eventfd(unsigned value, int flags)
{
    errno = EMFILE;
    return eventfd_fails ? -1 : __real_eventfd(value, flags);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *user)
{
    return thread_fails ? EAGAIN : __real_pthread_create(thread, attributes, run, user);
}

/* ---- All goes well ---- */

static void test_writes_all_lines(void **state)
{
    (void)state;
    int fd = open_file();
    struct access_log *access_log = open_log(fd, 3);
    for (unsigned i = 0; i < 600; i++)
        put(access_log, i % 3, i);
    assert_int_equal(access_log_lost(access_log), 0);
    access_log_free(access_log);
    assert_int_equal(count_file(fd), 600);
    assert_string_equal(told, "");
    close(fd);
    access_log_free(NULL);
}

static void test_writes_within_a_turn(void **state)
{
    (void)state;
    int fd = open_file();
    struct access_log *access_log = open_log(fd, 1);
    put(access_log, 0, 0);
    for (unsigned i = 0; count_file(fd) == 0; i++) {
        assert_true(i < 500);
        wait_ms(10);
    }
    access_log_free(access_log);
    close(fd);
}

/* Many times round the ring, and the end of a line falls everywhere around its edge. */
static void test_goes_round_the_ring(void **state)
{
    (void)state;
    int fd = open_file();
    struct access_log *access_log = open_log(fd, 1);
    unsigned sent = 0;
    for (; sent < 4000; sent++) {
        put(access_log, 0, sent);
        if (sent % 200 == 199)
            wait_ms(20); /* half full rings the bell, so the thread is ahead of us */
    }
    uint64_t lost = access_log_lost(access_log);
    access_log_free(access_log);
    assert_int_equal(count_file(fd) + lost, sent);
    assert_true(lost < sent / 2);
    close(fd);
}

static void test_colour_form(void **state)
{
    (void)state;
    int fd = open_file();
    struct access_log *access_log = access_log_new(fd, ACCESS_LOG_COLOUR, 1, &logger);
    put(access_log, 0, 0);
    access_log_free(access_log);
    char text[256];
    ssize_t size = pread(fd, text, sizeof text, 0);
    assert_true(size > 0);
    assert_memory_equal(text, "\033[2m08:49:37", 12);
    assert_int_equal(text[size - 1], '\n');
    close(fd);
}

static void test_the_time_is_kept_up(void **state)
{
    (void)state;
    int fd = open_file();
    struct access_log *access_log = open_log(fd, 1);
    struct clock clock = now;
    begin(SLICE("/"));
    for (unsigned i = 0; i < 3; i++) {
        struct access_entry entry = { .exchange = &exchange };
        access_log_line(access_log_writer(access_log, 0), &entry, &clock);
        clock.unix_ms = 124;
        clock.unix_s += i;
    }
    access_log_free(access_log);
    char text[1024];
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    assert_true(size > 0);
    text[size] = '\0';
    assert_non_null(strstr(text, "08:49:37.123Z"));
    assert_non_null(strstr(text, "08:49:37.124Z"));
    assert_non_null(strstr(text, "08:49:38.124Z"));
    close(fd);
}

/* ---- At the start ---- */

static void test_cannot_start(void **state)
{
    (void)state;
    int fd = open_file();
    for (long i = 0; i < 3; i++) {
        allocations_left = i;
        errno = 0;
        struct access_log *access_log = access_log_new(fd, ACCESS_LOG_JSON, 2, &logger);
        allocations_left = -1;
        assert_null(access_log);
        assert_int_equal(errno, ENOMEM);
    }
    bool *const faults[] = { &eventfd_fails, &thread_fails };
    static const int errors[] = { EMFILE, EAGAIN };
    for (size_t i = 0; i < 2; i++) {
        *faults[i] = true;
        assert_null(access_log_new(fd, ACCESS_LOG_JSON, 2, &logger));
        assert_int_equal(errno, errors[i]);
        *faults[i] = false;
    }
    assert_null(access_log_new(-1, ACCESS_LOG_JSON, 2, &logger));
    assert_int_equal(errno, EBADF);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_all_lines),
        cmocka_unit_test(test_writes_within_a_turn),
        cmocka_unit_test(test_goes_round_the_ring),
        cmocka_unit_test(test_colour_form),
        cmocka_unit_test(test_the_time_is_kept_up),
        cmocka_unit_test(test_cannot_start),
    };
    begin_tests();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
