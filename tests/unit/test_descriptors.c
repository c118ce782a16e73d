/* Kept files: found, replaced, forgotten, so many at most, closed by their last holder and not before. Files are
 * numbers here, and `close` is this test's own. Then the same by many threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "serve/descriptors.h"

enum { PAGES = 100, FIRST_FD = 1000, THREADS = 3, ROUNDS = 4000, FILES = THREADS * ROUNDS };

static atomic_uchar closed[FILES];
static atomic_bool no_memory;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
int __real_close(int fd);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __wrap_close(int fd);

void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return no_memory ? NULL : __real_calloc(count, size);
}

int __wrap_close(int fd)
{
    if (fd < FIRST_FD)
        return __real_close(fd);
    atomic_fetch_add(&closed[fd - FIRST_FD], 1);
    return 0;
}

struct scene {
    struct descriptors descriptors;
    char pages[PAGES][64]; /* as far apart as pages are */
};

static void begin(struct scene *scene, const char *policy, size_t count_max)
{
    for (int i = 0; i < FILES; i++)
        closed[i] = 0;
    assert_true(descriptors_init(&scene->descriptors, eviction_policy_named(slice_text(policy)), count_max));
}

static struct descriptor *find(struct scene *scene, int page)
{
    return descriptors_find(&scene->descriptors, scene->pages[page], descriptors_stamp(&scene->descriptors, 1));
}

static struct descriptor *add(struct scene *scene, int page, int file)
{
    struct descriptor *descriptor = descriptors_add(&scene->descriptors, scene->pages[page], FIRST_FD + file,
                                                    descriptors_stamp(&scene->descriptors, 1));
    assert_non_null(descriptor);
    assert_int_equal(descriptor->fd, FIRST_FD + file);
    return descriptor;
}

static void done(struct descriptor *descriptor)
{
    hold_unref(&descriptor->hold);
}

/* The file that is kept for a page; -1: none. */
static int file_of(struct scene *scene, int page)
{
    struct descriptor *descriptor = find(scene, page);
    int file = descriptor ? descriptor->fd - FIRST_FD : -1;

    if (descriptor)
        done(descriptor);
    return file;
}

static void how_many(void **state)
{
    static const struct {
        uint64_t files_max;
        size_t count;
    } cases[] = { { 0, 0 },         { 15, 0 },          { 16, 1 },          { 1024, 64 },
                  { 8191, 511 },    { 8192, 512 },      { 1048576, 512 },   { UINT64_MAX, 512 } };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(descriptors_default(cases[i].files_max), cases[i].count);
}

static void found_until_forgotten(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene, "sieve", 8);
    assert_null(find(&scene, 0));
    done(add(&scene, 0, 10));
    done(add(&scene, 1, 11));
    assert_int_equal(file_of(&scene, 0), 10);
    assert_int_equal(file_of(&scene, 1), 11);
    assert_int_equal(closed[10], 0);

    descriptors_forget(&scene.descriptors, scene.pages[0]);
    assert_int_equal(closed[10], 1);
    assert_int_equal(file_of(&scene, 0), -1);
    descriptors_forget(&scene.descriptors, scene.pages[0]); /* of what is not there, nothing */
    assert_int_equal(closed[10], 1);
    assert_int_equal(file_of(&scene, 1), 11);
    descriptors_fini(&scene.descriptors);
    assert_int_equal(closed[11], 1);
}

static void closed_by_the_last(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene, "lru", 8);
    struct descriptor *first = add(&scene, 0, 10), *second = find(&scene, 0);
    assert_ptr_equal(first, second);
    descriptors_forget(&scene.descriptors, scene.pages[0]);
    assert_null(find(&scene, 0));
    done(first);
    assert_int_equal(closed[10], 0);
    done(second);
    assert_int_equal(closed[10], 1);

    first = add(&scene, 1, 11);
    descriptors_fini(&scene.descriptors);
    assert_int_equal(closed[11], 0);
    done(first);
    assert_int_equal(closed[11], 1);
}

static void another_file_for_a_page(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene, "sieve", 2);
    done(add(&scene, 0, 10));
    done(add(&scene, 1, 11));
    struct descriptor *before = find(&scene, 0);
    done(add(&scene, 0, 12));
    assert_int_equal(file_of(&scene, 0), 12);
    assert_int_equal(file_of(&scene, 1), 11); /* nobody else had to go */
    assert_int_equal(closed[10], 0);
    done(before);
    assert_int_equal(closed[10], 1);
    descriptors_fini(&scene.descriptors);
}

static void so_many_at_most(void **state)
{
    static const size_t counts[] = { 1, 2, 3, 8, 9, 64 };
    (void)state;

    for (size_t i = 0; i < sizeof counts / sizeof *counts * EVICTION_POLICIES; i++) {
        struct scene scene;
        size_t count_max = counts[i / EVICTION_POLICIES], kept = 0;
        begin(&scene, eviction_policies[i % EVICTION_POLICIES].name.data, count_max);
        for (int page = 0; page < PAGES; page++) {
            done(add(&scene, page, page));
            if (page >= (int)count_max)
                assert_int_equal(closed[page - (int)count_max], 1); /* none was asked for again: the oldest goes */
        }
        for (int page = 0; page < PAGES; page++)
            kept += file_of(&scene, page) == page;
        assert_int_equal(kept, count_max);
        descriptors_fini(&scene.descriptors);
        for (int page = 0; page < PAGES; page++)
            assert_int_equal(closed[page], 1);
    }
}

static void who_is_asked_for_stays(void **state)
{
    (void)state;
    for (size_t p = 0; p < EVICTION_POLICIES; p++) {
        struct scene scene;
        begin(&scene, eviction_policies[p].name.data, 4);
        for (int page = 0; page < 40; page++) {
            uint64_t stamp = descriptors_stamp(&scene.descriptors, 10 * (uint64_t)page);
            struct descriptor *one = descriptors_add(&scene.descriptors, scene.pages[page], FIRST_FD + page, stamp);
            done(one);
            one = descriptors_find(&scene.descriptors, scene.pages[0], stamp);
            assert_non_null(one);
            done(one);
        }
        assert_int_equal(closed[0], 0);
        descriptors_fini(&scene.descriptors);
    }
}

static void none_are_kept(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene, "sieve", 0);
    struct descriptor *descriptor = add(&scene, 0, 10);
    assert_null(find(&scene, 0));
    descriptors_forget(&scene.descriptors, scene.pages[0]);
    assert_int_equal(closed[10], 0);
    done(descriptor);
    assert_int_equal(closed[10], 1);
    descriptors_fini(&scene.descriptors);
}

static void without_memory(void **state)
{
    struct scene scene;
    (void)state;

    no_memory = true;
    bool made = descriptors_init(&scene.descriptors, &eviction_policies[0], 8);
    no_memory = false;
    assert_false(made);

    begin(&scene, "sieve", 8);
    done(add(&scene, 0, 10));
    no_memory = true;
    struct descriptor *descriptor = descriptors_add(&scene.descriptors, scene.pages[0], FIRST_FD + 11, 1);
    no_memory = false;
    assert_null(descriptor);
    assert_int_equal(closed[11], 0); /* still the caller's */
    assert_int_equal(file_of(&scene, 0), 10);
    descriptors_fini(&scene.descriptors);
}

/* ---- By many threads ------------------------------------------------------------------------------------------- */

struct actor {
    struct scene *scene;
    pthread_t thread;
    unsigned number;
    atomic_uint *opened; /* files of all threads so far */
    bool failed;
};

static unsigned draw(uint64_t *random, unsigned below)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (unsigned)((*random >> 20) % below);
}

/* A file in use is open. */
static void *act(void *argument)
{
    struct actor *actor = argument;
    struct descriptors *descriptors = &actor->scene->descriptors;
    uint64_t random = (actor->number + 1) * 0x9E3779B97F4A7C15;

    for (uint64_t round = 0; round < ROUNDS; round++) {
        const void *page = actor->scene->pages[draw(&random, 1 + draw(&random, PAGES))];
        uint64_t stamp = descriptors_stamp(descriptors, round);
        if (draw(&random, 50) == 0)
            descriptors_forget(descriptors, page);
        struct descriptor *descriptor = descriptors_find(descriptors, page, stamp);
        if (!descriptor)
            descriptor = descriptors_add(descriptors, page, FIRST_FD + (int)atomic_fetch_add(actor->opened, 1), stamp);
        actor->failed |= descriptor->page != page || closed[descriptor->fd - FIRST_FD] != 0;
        done(descriptor);
    }
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    for (size_t p = 0; p < EVICTION_POLICIES; p++) {
        struct scene scene;
        struct actor actors[THREADS];
        atomic_uint opened = 0;
        begin(&scene, eviction_policies[p].name.data, 16);
        for (unsigned i = 0; i < THREADS; i++) {
            actors[i] = (struct actor){ .scene = &scene, .number = i, .opened = &opened };
            assert_int_equal(pthread_create(&actors[i].thread, NULL, act, &actors[i]), 0);
        }
        for (unsigned i = 0; i < THREADS; i++) {
            pthread_join(actors[i].thread, NULL);
            assert_false(actors[i].failed);
        }
        assert_true(scene.descriptors.order.count <= 16);
        descriptors_fini(&scene.descriptors);
        for (unsigned i = 0; i < FILES; i++)
            assert_int_equal(closed[i], i < opened);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_many),
        cmocka_unit_test(found_until_forgotten),
        cmocka_unit_test(closed_by_the_last),
        cmocka_unit_test(another_file_for_a_page),
        cmocka_unit_test(so_many_at_most),
        cmocka_unit_test(who_is_asked_for_stays),
        cmocka_unit_test(none_are_kept),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
