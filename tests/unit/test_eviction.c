/* Both policies against naive models of themselves: who leaves, object by object, over random hits, arrivals,
 * departures and spared ones. And what the models do not have: marks that change while somebody is sought, clocks that
 * differ, an order that runs empty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/eviction.h"

enum { OBJECTS = 40, STEPS = 60000, NOBODY = -1 };

/* The objects by number, oldest first, each with its mark; the hand at the number of one, or at nobody. */
struct model {
    int at[OBJECTS];
    int count;
    int hand;
    uint64_t marks[OBJECTS];
};

struct scene {
    struct eviction order;
    struct evictable objects[OBJECTS];
    bool inside[OBJECTS];
    struct model model;
    uint64_t random;
};

static unsigned draw(struct scene *scene, unsigned below)
{
    scene->random ^= scene->random << 13;
    scene->random ^= scene->random >> 7;
    scene->random ^= scene->random << 17;
    return (unsigned)((scene->random >> 20) % below);
}

static void begin(struct scene *scene, const char *policy, uint64_t seed)
{
    *scene = (struct scene){ .random = seed, .model.hand = NOBODY };
    eviction_init(&scene->order, eviction_policy_named(slice_text(policy)));
}

static uint64_t mark_of(const struct scene *scene, int number)
{
    return atomic_load(&scene->objects[number].mark);
}

/* ---- The models ------------------------------------------------------------------------------------------------ */

static int place_of(const struct model *model, int number)
{
    int place = 0;
    while (model->at[place] != number)
        place++;
    return place;
}

static void model_add(struct model *model, int number, uint64_t mark)
{
    model->at[model->count++] = number;
    model->marks[number] = mark;
}

static void model_remove(struct model *model, int number)
{
    int place = place_of(model, number);

    if (model->hand == number)
        model->hand = place + 1 < model->count ? model->at[place + 1] : NOBODY;
    memmove(&model->at[place], &model->at[place + 1], (size_t)(model->count - place - 1) * sizeof(int));
    model->count--;
}

/* The algorithm as it was published, with the spared one passed over as if it were not there. */
static int model_sieve(struct model *model, int spare)
{
    int place = model->hand == NOBODY ? 0 : place_of(model, model->hand);

    while (model->at[place] == spare || model->marks[model->at[place]] != 0) {
        if (model->at[place] != spare)
            model->marks[model->at[place]] = 0;
        place = (place + 1) % model->count;
    }
    model->hand = model->at[place];
    return model->at[place];
}

static uint64_t model_oldest_mark(const struct model *model, int spare)
{
    uint64_t oldest = UINT64_MAX;

    for (int i = 0; i < model->count; i++)
        if (model->at[i] != spare && model->marks[model->at[i]] < oldest)
            oldest = model->marks[model->at[i]];
    return oldest;
}

/* ---- One step of a random run ---------------------------------------------------------------------------------- */

static void add(struct scene *scene, int number, uint64_t mark)
{
    eviction_add(&scene->order, &scene->objects[number], mark);
    model_add(&scene->model, number, mark);
    scene->inside[number] = true;
}

static void remove_one(struct scene *scene, int number)
{
    eviction_remove(&scene->order, &scene->objects[number]);
    model_remove(&scene->model, number);
    scene->inside[number] = false;
}

static void hit(struct scene *scene, int number, uint64_t stamp)
{
    eviction_mark(&scene->objects[number], stamp);
    if (scene->model.marks[number] < stamp)
        scene->model.marks[number] = stamp;
    assert_int_equal(mark_of(scene, number), scene->model.marks[number]);
}

static void take(struct scene *scene, int spare)
{
    struct evictable *taken = eviction_take(&scene->order, spare == NOBODY ? NULL : &scene->objects[spare]);

    if (scene->model.count == (spare == NOBODY ? 0 : 1)) {
        assert_null(taken);
        return;
    }
    assert_non_null(taken);
    int number = (int)(taken - scene->objects);
    assert_int_not_equal(number, spare);
    if (scene->order.policy->time_bits == 0)
        assert_int_equal(number, model_sieve(&scene->model, spare));
    else
        assert_int_equal(mark_of(scene, number), model_oldest_mark(&scene->model, spare));
    model_remove(&scene->model, number);
    scene->inside[number] = false;
}

static void step(struct scene *scene, uint64_t stamp)
{
    int number = (int)draw(scene, OBJECTS);
    unsigned what = draw(scene, 100);

    if (!scene->inside[number]) {
        if (what < 60)
            add(scene, number, what < 20 ? stamp & scene->order.policy->time_bits : stamp);
    } else if (what < 70)
        hit(scene, number, stamp);
    else if (what < 74)
        remove_one(scene, number);
    else if (what < 87)
        take(scene, number);
    if (what >= 80)
        take(scene, NOBODY);
    assert_int_equal(scene->order.count, scene->model.count);
}

/* Some of the runs with a clock that stands still for a while, or leaps. */
static void run(const char *policy, uint64_t seed)
{
    struct scene scene;
    uint64_t now_ms = 1;

    begin(&scene, policy, seed);
    for (int i = 0; i < STEPS; i++) {
        unsigned pace = draw(&scene, 1000);
        if (pace < 300)
            now_ms += seed % 3;
        else if (pace == 999)
            now_ms += (uint64_t)1 << draw(&scene, 40);
        step(&scene, eviction_stamp(&scene.order, now_ms));
    }
}

static void like_the_models(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        run("sieve", seed * 0x9E3779B97F4A7C15);
        run("lru", seed * 0x9E3779B97F4A7C15);
    }
}

/* ---- What can be said without a model -------------------------------------------------------------------------- */

static void take_in_order(struct scene *scene, const int *numbers, int count)
{
    for (int i = 0; i < count; i++) {
        struct evictable *taken = eviction_take(&scene->order, NULL);
        assert_non_null(taken);
        if (taken - scene->objects != numbers[i])
            fail_msg("%s: %td in place of %d", scene->order.policy->name.data, taken - scene->objects, numbers[i]);
    }
}

/* The example of the paper: what was hit stays, in its place, and the hand goes on where it stood. */
static void sieve_by_hand(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene, "sieve", 1);
    for (int i = 0; i < 7; i++)
        eviction_add(&scene.order, &scene.objects[i], 0);
    eviction_mark(&scene.objects[0], 1);
    eviction_mark(&scene.objects[1], 1);
    eviction_mark(&scene.objects[6], 1);
    take_in_order(&scene, (int[]){ 2 }, 1);
    eviction_add(&scene.order, &scene.objects[7], 0);
    eviction_mark(&scene.objects[0], 1);
    eviction_mark(&scene.objects[3], 1);
    take_in_order(&scene, (int[]){ 4, 5, 7 }, 3); /* 3 and 6 have been passed over; the newest goes before them */
    eviction_add(&scene.order, &scene.objects[8], 0);
    take_in_order(&scene, (int[]){ 1, 3, 6, 8, 0 }, 5); /* from the oldest again: 0 had a mark, 1 has lost its own */
    assert_null(eviction_take(&scene.order, NULL));
}

static void lru_by_hand(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene, "lru", 1);
    for (int i = 0; i < 6; i++)
        eviction_add(&scene.order, &scene.objects[i], (uint64_t)(2 * i + 1));
    eviction_mark(&scene.objects[1], 101);
    eviction_mark(&scene.objects[0], 103);
    eviction_mark(&scene.objects[3], 101);
    take_in_order(&scene, (int[]){ 2, 4 }, 2);
    eviction_mark(&scene.objects[5], UINT64_MAX);
    take_in_order(&scene, (int[]){ 1, 3, 0, 5 }, 4);
    assert_null(eviction_take(&scene.order, NULL));
}

/* What a hit leaves: never nothing, and the time only where it matters. A mark never goes back. */
static void stamps_and_marks(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene, "sieve", 1);
    assert_int_equal(eviction_stamp(&scene.order, 0), 1);
    assert_int_equal(eviction_stamp(&scene.order, 123456), 1);
    begin(&scene, "lru", 1);
    assert_int_equal(eviction_stamp(&scene.order, 0), 1);
    assert_int_equal(eviction_stamp(&scene.order, 123456), 123457);
    assert_int_equal(eviction_stamp(&scene.order, 123457), 123457);
    assert_int_equal(eviction_stamp(&scene.order, UINT64_MAX), UINT64_MAX);

    eviction_add(&scene.order, &scene.objects[0], 0);
    eviction_mark(&scene.objects[0], 9);
    eviction_mark(&scene.objects[0], 7);
    assert_int_equal(mark_of(&scene, 0), 9);
}

static void names(void **state)
{
    (void)state;
    assert_ptr_equal(eviction_policy_named(SLICE("sieve")), &eviction_policies[0]);
    assert_ptr_equal(eviction_policy_named(SLICE("lru")), &eviction_policies[1]);
    assert_null(eviction_policy_named(SLICE("")));
    assert_null(eviction_policy_named(SLICE("LRU")));
    assert_null(eviction_policy_named(SLICE("lru2")));
    assert_null(eviction_policy_named(SLICE("siev")));
}

/* Everybody is always hit, as by other threads meanwhile: someone is found all the same. */
static void everybody_is_marked(void **state)
{
    (void)state;
    for (size_t p = 0; p < EVICTION_POLICIES; p++) {
        struct scene scene;
        begin(&scene, eviction_policies[p].name.data, 1);
        for (int i = 0; i < OBJECTS; i++)
            eviction_add(&scene.order, &scene.objects[i], UINT64_MAX);
        for (int i = OBJECTS - 1; i > 0; i--)
            assert_non_null(eviction_take(&scene.order, &scene.objects[OBJECTS / 2]));
        assert_null(eviction_take(&scene.order, &scene.objects[OBJECTS / 2]));
        assert_ptr_equal(eviction_take(&scene.order, NULL), &scene.objects[OBJECTS / 2]);
        assert_null(eviction_take(&scene.order, NULL));
    }
}

/* Clocks of two workers may differ: marks that go back, even behind those who have left, lose nobody and end. */
static void marks_that_go_back(void **state)
{
    struct scene scene;
    (void)state;

    begin(&scene, "lru", 77);
    for (int round = 0; round < 3000; round++) {
        uint64_t now = (uint64_t)round * 64 + 1;
        for (int i = 0; i < OBJECTS; i++) {
            if (!scene.inside[i])
                eviction_add(&scene.order, &scene.objects[i], now);
            scene.inside[i] = true;
            if (draw(&scene, 3) == 0)
                atomic_store(&scene.objects[i].mark, now - draw(&scene, round ? 200 : 1));
        }
        for (unsigned left = draw(&scene, OBJECTS + 1); left > 0; left--) {
            struct evictable *taken = eviction_take(&scene.order, NULL);
            assert_non_null(taken);
            assert_true(scene.inside[taken - scene.objects]);
            scene.inside[taken - scene.objects] = false;
        }
    }
    while (eviction_take(&scene.order, NULL))
        ;
    assert_int_equal(scene.order.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(stamps_and_marks),
        cmocka_unit_test(sieve_by_hand),
        cmocka_unit_test(lru_by_hand),
        cmocka_unit_test(everybody_is_marked),
        cmocka_unit_test(marks_that_go_back),
        cmocka_unit_test(like_the_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
