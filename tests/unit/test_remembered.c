/* Secrets that were right: for how long they are remembered, how many, by several threads; and what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "serve/remembered.h"

/* ---- The system, which can be made to refuse ---------------------------------------------------------------- */

static struct {
    bool no_map, no_lock, no_random;
    const char *map;
    size_t map_size, locked, kept_out_of_dumps, unmapped;
} kernel;

void *__real_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (kernel.no_map) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    kernel.map_size = size;
    void *map = __real_mmap64(at, size, protection, flags, fd, offset);
    kernel.map = map;
    return map;
}

int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const char *)at)[i] != 0)
            fail_msg("a byte that is not zero is given back");
    kernel.unmapped = size;
    return __real_munmap(at, size);
}

int __wrap_mlock(const void *at, size_t size);
int __wrap_mlock(const void *at, size_t size)
{
    assert_ptr_equal(at, kernel.map);
    kernel.locked = size;
    errno = EPERM;
    return kernel.no_lock ? -1 : 0;
}

int __wrap_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice)
{
    assert_ptr_equal(at, kernel.map);
    assert_int_equal(advice, MADV_DONTDUMP);
    kernel.kept_out_of_dumps = size;
    errno = EINVAL;
    return kernel.no_lock ? -1 : 0;
}

ssize_t __real_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags)
{
    if (!kernel.no_random)
        return __real_getrandom(out, size, flags);
    errno = ENOSYS;
    return -1;
}

/* ---- Tests -------------------------------------------------------------------------------------------------- */

static struct remembered *make(void)
{
    struct remembered *remembered = remembered_new();
    assert_non_null(remembered);
    return remembered;
}

static void remembers_for_a_while(void **state)
{
    struct remembered *remembered = make();
    (void)state;
    assert_false(remembered_has(remembered, SLICE("YTpi"), 0));
    remembered_add(remembered, SLICE("YTpi"), 1000);
    assert_true(remembered_has(remembered, SLICE("YTpi"), 1000));
    assert_true(remembered_has(remembered, SLICE("YTpi"), 1000 + REMEMBERED_MS - 1)); /* asking does not prolong it */
    assert_false(remembered_has(remembered, SLICE("YTpi"), 1000 + REMEMBERED_MS));
    assert_false(remembered_has(remembered, SLICE("YTpi"), UINT64_MAX));

    remembered_add(remembered, SLICE("YTpi"), 20000); /* to be added again does */
    assert_true(remembered_has(remembered, SLICE("YTpi"), 20000 + REMEMBERED_MS - 1));
    remembered_free(remembered);
}

static void remembers_the_whole_secret(void **state)
{
    static const char *const others[] = { "", "Y", "YTp", "YTpj", "yTpi", "YTpi ", "YTpiYTpi", "XTpi" };
    struct remembered *remembered = make();
    (void)state;
    remembered_add(remembered, SLICE("YTpi"), 0);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(remembered_has(remembered, slice_text(others[i]), 0));
    remembered_free(remembered);
}

static struct slice numbered(char *out, size_t size, unsigned number)
{
    return slice_make(out, (size_t)snprintf(out, size, "secret %u", number));
}

/* Far more than there is room for: the newest one is always there, and not more than there is room for are. */
static void forgets_what_is_too_much(void **state)
{
    enum { ROOM = REMEMBERED_SETS * REMEMBERED_WAYS, COUNT = 20 * ROOM };
    struct remembered *remembered = make();
    char text[32];
    unsigned there = 0, of_the_last = 0;
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        remembered_add(remembered, numbered(text, sizeof text, i), i / 10);
        assert_true(remembered_has(remembered, numbered(text, sizeof text, i), COUNT / 10));
    }
    for (unsigned i = 0; i < COUNT; i++) {
        bool has = remembered_has(remembered, numbered(text, sizeof text, i), COUNT / 10);
        there += has;
        of_the_last += has && i >= COUNT - 4 * ROOM;
    }
    assert_int_equal(there, ROOM);
    assert_true(of_the_last > ROOM * 9 / 10); /* the oldest ones go first */
    remembered_free(remembered);
}

/* What has ended makes room before anything else does, and one secret takes one place. */
static void uses_a_place_once(void **state)
{
    struct remembered *remembered = make();
    char text[32];
    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        remembered_add(remembered, SLICE("again and again"), i);
    for (unsigned i = 0; i < 3; i++) /* whatever sets they are in, four fit */
        remembered_add(remembered, numbered(text, sizeof text, i), 10000);
    assert_true(remembered_has(remembered, SLICE("again and again"), 10000));
    for (unsigned i = 0; i < 3; i++)
        assert_true(remembered_has(remembered, numbered(text, sizeof text, i), 10000));
    remembered_free(remembered);
}

/* Neither the secret nor the same mark in another table. */
static void keeps_no_secret(void **state)
{
    const struct slice secret = SLICE("QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    struct remembered *one = make();
    const char *one_map = kernel.map;
    size_t size = kernel.map_size;
    struct remembered *other = make();
    const char *other_map = kernel.map;
    unsigned equal = 0;
    (void)state;
    remembered_add(one, secret, 0);
    remembered_add(other, secret, 0);
    for (size_t at = 0; at + 8 <= size; at++)
        for (size_t part = 0; part + 8 <= secret.size; part++)
            assert_memory_not_equal(one_map + at, secret.data + part, 8);
    for (size_t at = 0; at + 8 <= size; at += 8) {
        static const char zero[8];
        equal += memcmp(one_map + at, zero, 8) != 0 && memcmp(one_map + at, other_map + at, 8) == 0;
    }
    assert_in_range(equal, 0, 2); /* the time, perhaps; and what a mutex may hold */
    remembered_free(one);
    remembered_free(other);
}

static void lies_in_memory_of_its_own(void **state)
{
    struct remembered *remembered = make();
    (void)state;
    assert_true(kernel.map_size >= REMEMBERED_SETS * REMEMBERED_WAYS * 24);
    assert_int_equal(kernel.locked, kernel.map_size);
    assert_int_equal(kernel.kept_out_of_dumps, kernel.map_size);
    remembered_add(remembered, SLICE("YTpi"), 1);
    kernel.unmapped = 0;
    remembered_free(remembered); /* __wrap_munmap looks for zeros */
    assert_int_equal(kernel.unmapped, kernel.map_size);
    remembered_free(NULL);
}

static void makes_do_without_locked_memory(void **state)
{
    kernel.no_lock = true;
    struct remembered *remembered = make();
    kernel.no_lock = false;
    (void)state;
    remembered_add(remembered, SLICE("YTpi"), 1);
    assert_true(remembered_has(remembered, SLICE("YTpi"), 1));
    remembered_free(remembered);
}

static void tells_what_is_missing(void **state)
{
    (void)state;
    kernel.no_map = true;
    assert_null(remembered_new());
    assert_int_equal(errno, ENOMEM);
    kernel.no_map = false;

    kernel.no_random = true;
    kernel.unmapped = 0;
    assert_null(remembered_new());
    assert_int_equal(errno, ENOSYS);
    assert_int_equal(kernel.unmapped, kernel.map_size);
    kernel.no_random = false;
}

/* ---- Several threads ---------------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 2000 };

struct worker {
    pthread_t thread;
    struct remembered *remembered;
    unsigned number, missed;
};

static void *add_and_ask(void *argument)
{
    struct worker *worker = argument;
    char text[32];
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct slice own = numbered(text, sizeof text, worker->number);
        remembered_add(worker->remembered, own, i);
        worker->missed += !remembered_has(worker->remembered, own, i);
        worker->missed += remembered_has(worker->remembered, SLICE("never"), i);
    }
    return NULL;
}

static void serves_several_threads(void **state)
{
    struct worker workers[THREADS];
    struct remembered *remembered = make();
    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .remembered = remembered, .number = i };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, add_and_ask, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].missed, 0);
    }
    remembered_free(remembered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_for_a_while),
        cmocka_unit_test(remembers_the_whole_secret),
        cmocka_unit_test(forgets_what_is_too_much),
        cmocka_unit_test(uses_a_place_once),
        cmocka_unit_test(keeps_no_secret),
        cmocka_unit_test(lies_in_memory_of_its_own),
        cmocka_unit_test(makes_do_without_locked_memory),
        cmocka_unit_test(tells_what_is_missing),
        cmocka_unit_test(serves_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
