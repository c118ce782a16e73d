/* Messages compressed and back: the examples of RFC 7692, any size, limits at their edge, what is no DEFLATE, and
 * memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "failing_memory.h"
#include "wire/ws_deflate.h"

#include <zlib.h>

enum { LARGE = 300000 };

static struct pages pages;

/* What zlib takes from malloc itself cannot be made to fail from here. */
static bool no_deflate;

int __real_deflateInit2_(z_streamp, int, int, int, int, int, const char *, int);
int __wrap_deflateInit2_(z_streamp, int, int, int, int, int, const char *, int);

int __wrap_deflateInit2_(z_streamp stream, int level, int method, int bits, int memory, int strategy,
                         const char *version, int size)
{
    if (no_deflate)
        return Z_MEM_ERROR;
    return __real_deflateInit2_(stream, level, method, bits, memory, strategy, version, size);
}

static int open_pages(void **state)
{
    (void)state;
    pages_init(&pages, 1 << 20);
    return 0;
}

static int close_pages(void **state)
{
    (void)state;
    bool back = pages.taken_bytes == 0;
    if (back)
        pages_fini(&pages);
    return back ? 0 : -1;
}

static void expect_bytes(struct ws_inflater *inflater, struct slice packed, size_t size_max, enum ws_inflated outcome,
                         struct slice plain)
{
    struct ws_buffer buffer = { 0 };
    char *exact = malloc(packed.size > 0 ? packed.size : 1);
    memcpy(exact, packed.data, packed.size);
    enum ws_inflated got = ws_inflate(inflater, slice_make(exact, packed.size), size_max, &buffer);
    if (got != outcome)
        fail_msg("%d, not %d, of %zu bytes that begin with %02x", got, outcome, packed.size, (uint8_t)exact[0]);
    if (outcome == WS_INFLATED)
        assert_true(slice_equal(ws_buffer_slice(&buffer), plain));
    ws_buffer_free(&buffer, &pages);
    free(exact);
}

#define HELLO SLICE_INIT("Hello")

static void reads_the_examples(void **state)
{
    static const struct {
        struct slice packed, plain;
    } rows[] = {
        { SLICE_INIT("\xf2\x48\xcd\xc9\xc9\x07\x00"), HELLO },                             /* 7.2.3.1 */
        { SLICE_INIT("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), HELLO },             /* 7.2.3.3 */
        { SLICE_INIT("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), HELLO },                         /* 7.2.3.4 */
        { SLICE_INIT("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), HELLO },     /* 7.2.3.5 */
        { SLICE_INIT("\x00"), SLICE_INIT("") },                                            /* 7.2.3.6 */
    };
    (void)state;
    struct ws_inflater *inflater = ws_inflater_new(&pages);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_bytes(inflater, rows[i].packed, 100, WS_INFLATED, rows[i].plain);
    ws_inflater_free(inflater);
}

static void refuses_what_is_not_whole(void **state)
{
    static const struct slice rows[] = {
        SLICE_INIT(""),                             /* not even the byte of an empty block */
        SLICE_INIT("\xff\xff\xff\xff"),             /* no such block */
        SLICE_INIT("\xf2\x48\xcd\xc9"),             /* ends within a block */
        SLICE_INIT("\xf3\x48\xcd\xc9\xc9\x07\x00"), /* final, without the byte for our tail */
        SLICE_INIT("\x00\x05\x00\xfa\xff\x48\x65"), /* less than it says */
        SLICE_INIT("\x00\x05\x00\x00\x00"),         /* the size and its complement differ */
        SLICE_INIT("\xf2\x48\x05\x01"),
    };
    (void)state;
    struct ws_inflater *inflater = ws_inflater_new(&pages);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_bytes(inflater, rows[i], 100, WS_INFLATE_BAD, SLICE(""));
    expect_bytes(inflater, SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"), 100, WS_INFLATED, SLICE("Hello")); /* and goes on */
    ws_inflater_free(inflater);
}

/* Text that compresses, but not to nothing. */
static char *make_text(size_t size)
{
    char *text = malloc(size + 1);
    uint32_t state = 12345;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        text[i] = "eeeetaoin shr"[(state >> 24) % 13];
    }
    return text;
}

static void brings_any_size_there_and_back(void **state)
{
    (void)state;
    static const size_t sizes[] = { 60, 100, 4095, 4096, 4097, 65536, LARGE };
    struct ws_inflater *inflater = ws_inflater_new(&pages);
    struct ws_deflater *deflater = ws_deflater_new();
    char *text = make_text(LARGE), *packed = malloc(LARGE);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = ws_deflate(deflater, slice_make(text, sizes[i]), packed, sizes[i]);
        assert_in_range(size, 1, sizes[i] - 1);
        struct slice all = slice_make(packed, size);
        expect_bytes(inflater, all, sizes[i], WS_INFLATED, slice_make(text, sizes[i]));
        expect_bytes(inflater, all, sizes[i] - 1, WS_INFLATE_TOO_BIG, SLICE(""));
        expect_bytes(inflater, all, 0, WS_INFLATE_TOO_BIG, SLICE(""));
        expect_bytes(inflater, all, SIZE_MAX / 4, WS_INFLATED, slice_make(text, sizes[i]));
        assert_int_equal(ws_deflate(deflater, slice_make(text, sizes[i]), packed, size), 0); /* not smaller than that */
    }
    free(text);
    free(packed);
    ws_deflater_free(deflater);
    ws_inflater_free(inflater);
}

static void keeps_nothing_of_the_message_before(void **state)
{
    (void)state;
    struct ws_deflater *deflater = ws_deflater_new();
    char *text = make_text(1000), first[1000], second[1000];
    size_t size = ws_deflate(deflater, slice_make(text, 1000), first, sizeof first);
    assert_int_equal(ws_deflate(deflater, slice_make(text, 1000), second, sizeof second), size);
    assert_memory_equal(first, second, size);
    free(text);
    ws_deflater_free(deflater);
}

static void is_not_worth_it_for_noise(void **state)
{
    (void)state;
    struct ws_deflater *deflater = ws_deflater_new();
    char noise[2000], out[2000];
    uint64_t random = 88172645463325252u;
    for (size_t i = 0; i < sizeof noise; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        noise[i] = (char)(random >> 32);
    }
    assert_int_equal(ws_deflate(deflater, slice_make(noise, sizeof noise), out, sizeof out), 0);
    assert_int_equal(ws_deflate(deflater, SLICE("Hello"), out, 5), 0);
    ws_deflater_free(deflater);
}

/* 16 MiB of zeros are 72 KiB: the limit holds while it is inflated, so no more than that is ever taken. */
static void a_bomb_takes_no_more_than_is_allowed(void **state)
{
    (void)state;
    enum { SIZE = 16 << 20 };
    struct ws_inflater *inflater = ws_inflater_new(&pages);
    struct ws_deflater *deflater = ws_deflater_new();
    char *zeros = calloc(1, SIZE), *packed = malloc(SIZE);
    size_t size = ws_deflate(deflater, slice_make(zeros, SIZE), packed, SIZE);
    assert_in_range(size, 1, SIZE / 200);
    pages_limit(&pages, 256 * 1024);
    expect_bytes(inflater, slice_make(packed, size), 32 * 1024, WS_INFLATE_TOO_BIG, SLICE(""));
    expect_bytes(inflater, slice_make(packed, size), SIZE, WS_INFLATE_NO_MEMORY, SLICE(""));
    free(zeros);
    free(packed);
    ws_deflater_free(deflater);
    ws_inflater_free(inflater);
}

static void lives_without_memory(void **state)
{
    (void)state;
    struct ws_inflater *inflater = NULL;
    long tries = 0;
    for (; inflater == NULL; tries++) {
        allocations_left = tries;
        inflater = ws_inflater_new(&pages);
        allocations_left = -1;
        if (inflater == NULL)
            assert_int_equal(pages.taken_bytes, 0);
    }
    assert_in_range(tries, 2, 10);
    allocations_left = 0;
    assert_null(ws_deflater_new());
    allocations_left = -1;
    no_deflate = true;
    assert_null(ws_deflater_new());
    no_deflate = false;

    struct ws_deflater *deflater = ws_deflater_new();
    char *text = make_text(LARGE), *packed = malloc(LARGE);
    size_t size = ws_deflate(deflater, slice_make(text, LARGE), packed, LARGE);
    enum ws_inflated outcome = WS_INFLATE_NO_MEMORY;
    for (tries = 0; outcome == WS_INFLATE_NO_MEMORY; tries++) {
        struct ws_buffer buffer = { 0 };
        allocations_left = tries;
        outcome = ws_inflate(inflater, slice_make(packed, size), LARGE, &buffer);
        allocations_left = -1;
        ws_buffer_free(&buffer, &pages);
    }
    assert_int_equal(outcome, WS_INFLATED);
    assert_true(tries >= 2);
    free(text);
    free(packed);
    ws_deflater_free(deflater);
    ws_inflater_free(inflater);
    ws_inflater_free(NULL);
    ws_deflater_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_the_examples, open_pages, close_pages),
        cmocka_unit_test_setup_teardown(refuses_what_is_not_whole, open_pages, close_pages),
        cmocka_unit_test_setup_teardown(brings_any_size_there_and_back, open_pages, close_pages),
        cmocka_unit_test(keeps_nothing_of_the_message_before),
        cmocka_unit_test(is_not_worth_it_for_noise),
        cmocka_unit_test_setup_teardown(a_bomb_takes_no_more_than_is_allowed, open_pages, close_pages),
        cmocka_unit_test_setup_teardown(lives_without_memory, open_pages, close_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
