/* The map: its hash against an independent computation, finding among many, keys that collide, and missing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "base/map.h"

static bool no_memory, no_random, no_auxiliary;
static unsigned callocs;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    callocs++;
    return no_memory ? NULL : __real_calloc(count, size);
}

ssize_t __real_getrandom(void *data, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags)
{
    return no_random ? -1 : __real_getrandom(data, size, flags);
}

unsigned long __real_getauxval(unsigned long type);
unsigned long __wrap_getauxval(unsigned long type);
unsigned long __wrap_getauxval(unsigned long type)
{
    return no_auxiliary ? 0 : __real_getauxval(type);
}

static int start(void **state)
{
    (void)state;
    no_memory = no_random = no_auxiliary = false;
    callocs = 0;
    return 0;
}

/* SipHash-1-3 of the bytes 0, 1, 2 ... by their number, under the key 00 01 .. 0f, from a program of its own, which
 * also yields the published value of SipHash-2-4. */
static const uint64_t hashes[] = {
    UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93), UINT64_C(0x82cb9b024dc7d44d),
    UINT64_C(0x8bf80ab8e7ddf7fb), UINT64_C(0xcf75576088d38328), UINT64_C(0xdef9d52f49533b67),
    UINT64_C(0xc50d2b50c59f22a7), UINT64_C(0xd3927d989bb11140), UINT64_C(0x369095118d299a8e),
    UINT64_C(0x25a48eb36c063de4), UINT64_C(0x79de85ee92ff097f), UINT64_C(0x70c118c1f94dc352),
    UINT64_C(0x78a384b157b4d9a2), UINT64_C(0x306f760c1229ffa7), UINT64_C(0x605aa111c0f95d34),
    UINT64_C(0xd320d86d2a519956), UINT64_C(0xcc4fdd1a7d908b66), UINT64_C(0x9cf2689063dbd80c),
    UINT64_C(0x8ffc389cb473e63e), UINT64_C(0xf21f9de58d297d1c), UINT64_C(0xc0dc2f46a6cce040),
    UINT64_C(0xb992abfe2b45f844), UINT64_C(0x7ffe7b9ba320872e), UINT64_C(0x525a0e7fdae6c123),
};

static void hashes_as_siphash_1_3(void **state)
{
    static const uint64_t seed[2] = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
    char key[64];
    (void)state;
    for (size_t size = 0; size < sizeof hashes / sizeof hashes[0]; size++) {
        key[size] = (char)size;
        char *exactly = malloc(size + 1); /* reading beyond the key is seen at its end */
        memcpy(exactly + 1, key, size);
        assert_true(map_hash(seed, slice_make(exactly + 1, size)) == hashes[size]); /* unaligned too */
        free(exactly);
    }
    assert_true(map_hash(seed, slice_make(NULL, 0)) == hashes[0]);
}

static void finds_what_was_added(void **state)
{
    struct map map;
    int a, b, c;
    (void)state;
    map_init(&map);
    assert_null(map_find(&map, SLICE("a")));
    assert_int_equal(callocs, 0);
    assert_int_equal(map_add(&map, SLICE("a"), &a), MAP_ADDED);
    assert_int_equal(map_add(&map, SLICE("a\0"), &b), MAP_ADDED); /* the size counts, and NUL is a byte */
    assert_int_equal(map_add(&map, SLICE(""), &c), MAP_ADDED);
    assert_int_equal(map.count, 3);
    assert_ptr_equal(map_find(&map, SLICE("a")), &a);
    assert_ptr_equal(map_find(&map, SLICE("a\0")), &b);
    assert_ptr_equal(map_find(&map, SLICE("")), &c);
    assert_ptr_equal(map_find(&map, slice_make(NULL, 0)), &c);
    assert_null(map_find(&map, SLICE("A")));
    assert_null(map_find(&map, SLICE("ab")));

    assert_int_equal(map_add(&map, SLICE("a"), &b), MAP_EXISTS);
    assert_ptr_equal(map_find(&map, SLICE("a")), &a); /* the first stays */
    assert_int_equal(map.count, 3);
    map_fini(&map);
    assert_null(map_find(&map, SLICE("a")));
    map_fini(&map); /* twice does no harm */
}

enum { MANY = 5000 };

static void grows(void **state)
{
    struct map map;
    static char keys[2 * MANY][8];
    static int values[MANY];
    (void)state;
    map_init(&map);
    for (int i = 0; i < 2 * MANY; i++)
        snprintf(keys[i], sizeof keys[i], "/%d", i);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(map_add(&map, slice_text(keys[i]), &values[i]), MAP_ADDED);
        assert_int_equal(map.count, i + 1);
        assert_int_equal(map.room & (map.room - 1), 0);
        assert_true(map.count * 2 <= map.room);
    }
    assert_true(map.room <= 4 * MANY);
    for (int i = 0; i < MANY; i++) {
        assert_ptr_equal(map_find(&map, slice_text(keys[i])), &values[i]);
        assert_null(map_find(&map, slice_text(keys[MANY + i])));
    }
    map_fini(&map);
}

/* With the seed known, keys that want the last place can be sought out: they wrap around and crowd the first. */
static void keeps_colliding_keys_apart(void **state)
{
    struct map map;
    static char keys[7][16];
    int values[7], found = 0;
    (void)state;
    map_init(&map);
    for (unsigned i = 0; found < 7; i++) {
        snprintf(keys[found], sizeof keys[found], "%u", i);
        if ((map_hash(map.seed, slice_text(keys[found])) & 15) == 15)
            found++;
    }
    for (int i = 0; i < 6; i++)
        assert_int_equal(map_add(&map, slice_text(keys[i]), &values[i]), MAP_ADDED);
    assert_int_equal(map.room, 16);
    for (int i = 0; i < 6; i++)
        assert_ptr_equal(map_find(&map, slice_text(keys[i])), &values[i]);
    assert_null(map_find(&map, slice_text(keys[6])));
    map_fini(&map);
}

/* Two keys of one hash cannot be found, so one entry is given another key behind the map's back. */
static void looks_at_the_key_itself(void **state)
{
    struct map map;
    (void)state;
    map_init(&map);
    assert_int_equal(map_add(&map, SLICE("a"), &map), MAP_ADDED);
    for (size_t i = 0; i < map.room; i++)
        map.entries[i].key = SLICE("b");
    assert_null(map_find(&map, SLICE("a")));
    map_fini(&map);
}

static void survives_lack_of_memory(void **state)
{
    struct map map;
    int values[9];
    char keys[9][2] = { "0", "1", "2", "3", "4", "5", "6", "7", "8" };
    (void)state;
    map_init(&map);
    no_memory = true;
    assert_int_equal(map_add(&map, SLICE("a"), &map), MAP_NO_MEMORY);
    assert_int_equal(map.count, 0);
    assert_null(map_find(&map, SLICE("a")));
    no_memory = false;
    for (int i = 0; i < 8; i++)
        assert_int_equal(map_add(&map, slice_text(keys[i]), &values[i]), MAP_ADDED);
    no_memory = true;
    assert_int_equal(map_add(&map, slice_text(keys[8]), &values[8]), MAP_NO_MEMORY);
    assert_int_equal(map_add(&map, slice_text(keys[0]), &values[8]), MAP_EXISTS); /* that needs no memory */
    assert_int_equal(map.count, 8);
    for (int i = 0; i < 8; i++)
        assert_ptr_equal(map_find(&map, slice_text(keys[i])), &values[i]);
    no_memory = false;
    assert_int_equal(map_add(&map, slice_text(keys[8]), &values[8]), MAP_ADDED);
    assert_int_equal(map.room, 32);
    map_fini(&map);
}

static void is_seeded(void **state)
{
    struct map a, b, c;
    (void)state;
    map_init(&a);
    map_init(&b);
    assert_memory_not_equal(a.seed, b.seed, sizeof a.seed);
    no_random = true;
    map_init(&c); /* a sandbox without getrandom: still not zero */
    assert_true(c.seed[0] != 0 || c.seed[1] != 0);
    no_auxiliary = true;
    map_init(&c); /* and without anything it works, if not unpredictably */
    assert_int_equal(map_add(&c, SLICE("a"), &a), MAP_ADDED);
    assert_ptr_equal(map_find(&c, SLICE("a")), &a);
    map_fini(&c);
    map_fini(&b);
    map_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(hashes_as_siphash_1_3, start),
        cmocka_unit_test_setup(finds_what_was_added, start),
        cmocka_unit_test_setup(grows, start),
        cmocka_unit_test_setup(keeps_colliding_keys_apart, start),
        cmocka_unit_test_setup(looks_at_the_key_itself, start),
        cmocka_unit_test_setup(survives_lack_of_memory, start),
        cmocka_unit_test_setup(is_seeded, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
