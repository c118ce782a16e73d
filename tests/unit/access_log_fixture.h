/* What the tests of the access log share: an exchange to log, lines that number themselves, and a reading of what came
 * out which insists that each is whole and in its order. */
#ifndef TESTS_ACCESS_LOG_FIXTURE_H
#define TESTS_ACCESS_LOG_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/access_log.h"

/* ---- An exchange to log ---- */

static struct exchange exchange;
static const struct clock now = { .now_ms = 5000, .unix_s = 1769849377, .unix_ms = 123 }; /* 2026-01-31T08:49:37.123Z */

static inline void gone(struct hold *hold)
{
    (void)hold;
}

static inline void begin(struct slice target)
{
    exchange_reset(&exchange);
    exchange.request.method_name = SLICE("GET");
    exchange.request.raw_target = target;
    exchange.request.version = 11;
    exchange.request.peer = SLICE("192.0.2.1");
    exchange.response.status = 200;
}

/* ---- The log ---- */

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static char told[2048];

static inline void tell(void *user, enum log_level level, const char *text)
{
    (void)user;
    (void)level;
    pthread_mutex_lock(&told_lock);
    size_t used = strlen(told);
    snprintf(told + used, sizeof told - used, "%s|", text);
    pthread_mutex_unlock(&told_lock);
}

static const struct log logger = { .write = tell };

static inline bool was_told(const char *text)
{
    pthread_mutex_lock(&told_lock);
    bool found = strstr(told, text) != NULL;
    pthread_mutex_unlock(&told_lock);
    return found;
}

static inline void wait_ms(long ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&time, NULL);
}

static inline void await_told(const char *text)
{
    for (unsigned i = 0; !was_told(text); i++) {
        assert_true(i < 1000);
        wait_ms(10);
    }
}

/* Lines are counted; each has to be whole and to name its writer and its place, and those of a writer are in order. */
struct reading {
    char *data;
    size_t size;
    long last[4];
    unsigned lines;
};

static inline void read_line(struct reading *reading, const char *text, size_t size)
{
    static const char start[] = "{\"time\":\"2026-01-31T08:49:37.123Z\",\"peer\":\"192.0.2.1\",\"method\":\"GET\","
                                "\"target\":\"/";
    assert_true(size > sizeof start + 1 && text[size - 1] == '}');
    assert_memory_equal(text, start, sizeof start - 1);
    unsigned writer = 0;
    long number = -1;
    assert_int_equal(sscanf(text + sizeof start - 1, "%u/%ld/", &writer, &number), 2);
    assert_true(writer < 4 && number > reading->last[writer]);
    reading->last[writer] = number;
    reading->lines++;
}

static inline unsigned read_lines(const char *data, size_t size)
{
    struct reading reading = { .last = { -1, -1, -1, -1 } };
    while (size > 0) {
        const char *end = memchr(data, '\n', size);
        assert_non_null(end); /* the last line is whole too */
        read_line(&reading, data, (size_t)(end - data));
        size -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    return reading.lines;
}

static inline unsigned count_file(int fd)
{
    struct stat stat;
    assert_int_equal(fstat(fd, &stat), 0);
    size_t size = (size_t)stat.st_size;
    char *data = malloc(size + 1);
    assert_int_equal(pread(fd, data, size, 0), size);
    unsigned lines = read_lines(data, size);
    free(data);
    return lines;
}

/* A line of some 100 to 1,000 bytes. */
static inline void put(struct access_log *access_log, unsigned writer, unsigned number)
{
    char target[1024];
    int size = snprintf(target, sizeof target, "/%u/%u/%0*u", writer, number, (int)(number * 37 % 900) + 1, 0u);
    begin(slice_make(target, (size_t)size));
    struct access_entry entry = { .exchange = &exchange, .body_bytes = number };
    access_log_line(access_log_writer(access_log, writer), &entry, &now);
}

static inline int open_file(void)
{
    char name[] = "/tmp/test_access_log.XXXXXX";
    int fd = mkostemp(name, O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    unlink(name);
    return fd;
}

static inline struct access_log *open_log(int fd, unsigned writers)
{
    pthread_mutex_lock(&told_lock);
    told[0] = '\0';
    pthread_mutex_unlock(&told_lock);
    struct access_log *access_log = access_log_new(fd, ACCESS_LOG_JSON, writers, &logger);
    assert_non_null(access_log);
    return access_log;
}

static inline void begin_tests(void)
{
    static struct pages pages;
    pages_init(&pages, 0);
    exchange_init(&exchange, &pages, 0, gone);
}

#endif
