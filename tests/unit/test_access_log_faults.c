/* The access log where the file or the reader fails it: lines are written whole, or lost, counted and reported once. */
#include <poll.h>

#include "access_log_fixture.h"

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);

/* What write does to the log's file: each call takes the next step, the last one is repeated. */
struct step {
    int error;    /* errno, or 0 */
    size_t taken; /* no more than so many bytes; 0: all */
};

enum { STEPS_MAX = 32 };

static struct {
    pthread_mutex_t lock;
    int fd; /* -1: no file is meddled with */
    struct step steps[STEPS_MAX];
    unsigned count, at;
} meddling = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

static atomic_uint bells;   /* written by the workers' side */
static atomic_uint unended; /* writes that were to end within a line */

/* The next step for this file. False: nobody meddles with it. */
static bool next_step(int fd, struct step *step)
{
    pthread_mutex_lock(&meddling.lock);
    bool meddled = fd == meddling.fd;
    if (meddled) {
        *step = meddling.steps[meddling.at];
        meddling.at += meddling.at + 1 < meddling.count;
    }
    pthread_mutex_unlock(&meddling.lock);
    return meddled;
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    struct step step;
    if (!next_step(fd, &step)) {
        if (size == sizeof(uint64_t))
            atomic_fetch_add(&bells, 1);
        return __real_write(fd, data, size);
    }
    atomic_fetch_add(&unended, ((const char *)data)[size - 1] != '\n');
    errno = step.error;
    if (step.error)
        return -1;
    return __real_write(fd, data, step.taken && step.taken < size ? step.taken : size);
}

static void meddle(int fd, const struct step *steps, unsigned count)
{
    pthread_mutex_lock(&meddling.lock);
    for (unsigned i = 0; i < count; i++)
        meddling.steps[i] = steps[i];
    meddling.count = count;
    meddling.at = 0;
    meddling.fd = fd;
    pthread_mutex_unlock(&meddling.lock);
}

static void leave_alone(void)
{
    meddle(-1, NULL, 0);
}

/* ---- Faults of the file ---- */

static void test_short_and_interrupted_writes(void **state)
{
    (void)state;
    int fd = open_file();
    struct access_log *access_log = open_log(fd, 2);
    static const struct step steps[] = { { 0, 1 }, { EINTR, 0 }, { 0, 100 }, { 0, 7 },
                                         { EINTR, 0 }, { EINTR, 0 }, { 0, 5000 }, { 0, 333 } };
    meddle(fd, steps, sizeof steps / sizeof steps[0]);
    for (unsigned i = 0; i < 200; i++)
        put(access_log, i % 2, i);
    access_log_free(access_log);
    leave_alone();
    assert_int_equal(count_file(fd), 200);
    assert_string_equal(told, "");
    close(fd);
}

/* Many times round two rings. A line lies in one piece even where it crosses a ring's end, so each write is of whole
 * lines, but for the rest of one that was torn. */
static void test_short_writes_round_the_ring(void **state)
{
    (void)state;
    int fd = open_file();
    struct access_log *access_log = open_log(fd, 2);
    static const struct step steps[] = { { 0, 777 } };
    meddle(fd, steps, 1);
    for (unsigned sent = 0; sent - access_log_lost(access_log) < 4000; sent++) {
        put(access_log, sent % 2, sent);
        if (sent % 200 == 199)
            wait_ms(10);
    }
    access_log_free(access_log);
    leave_alone();
    assert_int_equal(count_file(fd), 4000);
    assert_int_equal(atomic_load(&unended), 0);
    close(fd);
}

/* The disk is full in the middle of a line, for longer than the ring lasts; then there is room again, for the rest of
 * that line first, although another ring would have its turn. */
static void test_a_full_disk(void **state)
{
    (void)state;
    int fd = open_file();
    struct access_log *access_log = open_log(fd, 2);
    static const struct step full[] = { { 0, 150 }, { ENOSPC, 0 } }, mended[] = { { 0, 0 } };
    meddle(fd, full, 2);
    unsigned sent = 0;
    for (; sent < 20; sent++)
        put(access_log, 1, sent);
    await_told("The access log cannot be written (No space left on device); its lines are lost until that is mended|");
    assert_int_equal(access_log_lost(access_log), 0); /* there is room in the ring */
    for (; sent < 3000; sent++)
        put(access_log, sent % 2, sent);
    uint64_t lost = access_log_lost(access_log);
    assert_true(lost > 1000);

    meddle(fd, mended, 1);
    await_told("can be written again");
    unsigned after = sent;
    for (; sent < after + 10; sent++)
        put(access_log, 0, sent);
    assert_int_equal(access_log_lost(access_log), lost);
    access_log_free(access_log);
    leave_alone();
    assert_int_equal(count_file(fd) + lost, sent);
    char expected[512];
    snprintf(expected, sizeof expected,
             "The access log cannot be written (No space left on device); its lines are lost until that is mended|"
             "The access log can be written again; %u lines were lost|", (unsigned)lost);
    assert_string_equal(told, expected); /* no more than that */
    close(fd);
}

static void test_a_full_disk_at_the_end(void **state)
{
    (void)state;
    int fd = open_file();
    struct access_log *access_log = open_log(fd, 2);
    static const struct step full[] = { { 0, 150 }, { ENOSPC, 0 } };
    meddle(fd, full, 2);
    for (unsigned i = 0; i < 500; i++)
        put(access_log, i % 2, 3 * 37 * 100); /* the same, some 180 bytes */
    access_log_free(access_log);
    leave_alone();
    assert_true(was_told("The access log has ended; 500 lines were lost|"));
    close(fd);
}

static void test_one_line_lost(void **state)
{
    (void)state;
    int fd = open_file();
    struct access_log *access_log = open_log(fd, 1);
    static const struct step broken[] = { { EIO, 0 } };
    meddle(fd, broken, 1);
    put(access_log, 0, 0);
    access_log_free(access_log);
    leave_alone();
    assert_true(was_told("The access log has ended; 1 line was lost|"));
    close(fd);
}

/* ---- A reader at the other end ---- */

static void test_a_reader_that_is_too_slow(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0); /* blocking: the log must not block in it */
    struct access_log *access_log = open_log(ends[1], 2);
    unsigned sent = 0;
    atomic_store(&bells, 0);
    for (; sent < 4000; sent++)
        put(access_log, sent % 2, sent);
    uint64_t lost = access_log_lost(access_log);
    assert_true(lost > 1000);
    unsigned rung = atomic_load(&bells);
    assert_true(rung >= 2 && rung < 40); /* once when a ring gets half full, never for each line */
    await_told("The access log cannot be written as fast as requests come in; some of its lines are lost|");

    size_t size = 0, room = 4 * 1024 * 1024;
    char *data = malloc(room);
    struct pollfd readable = { .fd = ends[0], .events = POLLIN };
    while (poll(&readable, 1, 400) == 1) {
        ssize_t got = read(ends[0], data + size, room - size);
        assert_true(got > 0);
        size += (size_t)got;
    }
    assert_int_equal(read_lines(data, size) + lost, sent);
    await_told("can be written again");
    assert_int_equal(access_log_lost(access_log), lost);
    access_log_free(access_log);
    free(data);
    close(ends[0]);
    close(ends[1]);
}

static void *read_slowly(void *user)
{
    const int *fd = user;
    char *data = malloc(1024 * 1024);
    size_t size = 0;
    ssize_t got;
    wait_ms(300);
    while ((got = read(*fd, data + size, 3000)) > 0) {
        size += (size_t)got;
        wait_ms(1);
    }
    unsigned lines = read_lines(data, size);
    free(data);
    return (void *)(uintptr_t)lines;
}

/* At the end a reader that goes on is waited for, and nothing is lost. */
static void test_a_reader_is_waited_for_at_the_end(void **state)
{
    (void)state;
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(fcntl(ends[1], F_SETFL, flags), 0);
        struct access_log *access_log = open_log(ends[1], 1);
        pthread_t reader;
        assert_int_equal(pthread_create(&reader, NULL, read_slowly, &ends[0]), 0);
        for (unsigned i = 0; i < 400; i++)
            put(access_log, 0, i);
        assert_int_equal(access_log_lost(access_log), 0);
        access_log_free(access_log);
        close(ends[1]);
        void *lines;
        pthread_join(reader, &lines);
        assert_int_equal((uintptr_t)lines, 400);
        assert_string_equal(told, "");
        close(ends[0]);
    }
}

static void test_a_reader_that_never_reads(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct access_log *access_log = open_log(ends[1], 1);
    for (unsigned i = 0; i < 400; i++)
        put(access_log, 0, i);
    access_log_free(access_log); /* returns all the same */
    close(ends[1]);
    char data[128 * 1024];
    size_t size = 0;
    ssize_t got;
    while ((got = read(ends[0], data + size, sizeof data - size)) > 0)
        size += (size_t)got;
    char expected[128];
    snprintf(expected, sizeof expected, "The access log has ended; %u lines were lost|", 400 - read_lines(data, size));
    assert_string_equal(told, expected);
    close(ends[0]);
}

/* No SIGPIPE: it would end this test. */
static void test_a_reader_that_has_gone(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    struct access_log *access_log = open_log(ends[1], 1);
    for (unsigned i = 0; i < 10; i++)
        put(access_log, 0, i);
    await_told("The access log cannot be written (Broken pipe); its lines are lost until that is mended|");
    access_log_free(access_log);
    assert_true(was_told("The access log has ended; 10 lines were lost|"));
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_and_interrupted_writes),
        cmocka_unit_test(test_short_writes_round_the_ring),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_a_full_disk_at_the_end),
        cmocka_unit_test(test_one_line_lost),
        cmocka_unit_test(test_a_reader_that_is_too_slow),
        cmocka_unit_test(test_a_reader_is_waited_for_at_the_end),
        cmocka_unit_test(test_a_reader_that_never_reads),
        cmocka_unit_test(test_a_reader_that_has_gone),
    };
    begin_tests();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
