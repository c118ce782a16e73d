/* The outbox: what is put side by side, what stands in line, when it is full, and who is let go of. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/outbox.h"

static char buffer[64];

static unsigned gone_count;

static void gone(struct hold *hold)
{
    (void)hold;
    gone_count++;
}

static unsigned count_of(struct hold *hold)
{
    return atomic_load(&hold->count);
}

static void put(struct outbox *out, const char *text)
{
    char *at = outbox_reserve(out, strlen(text));
    assert_non_null(at);
    memcpy(at, text, strlen(text));
    outbox_commit(out, strlen(text));
}

static void puts_copies_side_by_side(void **state)
{
    struct outbox out;
    (void)state;
    outbox_init(&out, buffer, sizeof buffer);
    put(&out, "abc");
    put(&out, "");
    put(&out, "de");
    assert_int_equal(out.count, 1);
    assert_int_equal(out.used, 5);
    assert_int_equal(out.spans[0].kind, SPAN_COPIED);
    assert_ptr_equal(out.spans[0].data, buffer);
    assert_int_equal(out.spans[0].size, 5);
    assert_memory_equal(buffer, "abcde", 5);
    assert_null(out.spans[0].hold);
}

/* Reserving much and committing little leaves the rest for the next one. */
static void commits_what_was_written(void **state)
{
    struct outbox out;
    (void)state;
    outbox_init(&out, buffer, sizeof buffer);
    assert_ptr_equal(outbox_reserve(&out, sizeof buffer), buffer);
    assert_int_equal(out.count, 0);
    outbox_commit(&out, 10);
    assert_ptr_equal(outbox_reserve(&out, sizeof buffer - 10), buffer + 10);
    assert_null(outbox_reserve(&out, sizeof buffer - 9));
    outbox_commit(&out, 0);
    assert_int_equal(out.used, 10);
    outbox_commit(&out, sizeof buffer - 10);
    assert_non_null(outbox_reserve(&out, 0));
    assert_null(outbox_reserve(&out, 1));
    assert_int_equal(out.count, 1);
    assert_int_equal(out.spans[0].size, sizeof buffer);
}

static void keeps_the_order(void **state)
{
    struct outbox out;
    struct hold memory, file;
    struct steady steady;
    (void)state;
    hold_init(&memory, gone);
    hold_init(&file, gone);
    outbox_init(&out, buffer, sizeof buffer);
    put(&out, "head");
    assert_true(outbox_memory(&out, SLICE("body"), &memory));
    put(&out, "more");
    put(&out, "!");
    assert_true(outbox_file(&out, &(struct body){ .kind = BODY_FILE, .fd = 7, .offset = 1000, .hold = &file,
                                                    .size = UINT64_C(5000000000), .steady = &steady }));
    assert_true(outbox_memory(&out, SLICE("static"), NULL));

    assert_int_equal(out.count, 5);
    assert_int_equal(out.spans[1].kind, SPAN_MEMORY);
    assert_int_equal(out.spans[1].size, 4);
    assert_ptr_equal(out.spans[1].hold, &memory);
    assert_int_equal(out.spans[2].kind, SPAN_COPIED);
    assert_ptr_equal(out.spans[2].data, buffer + 4);
    assert_int_equal(out.spans[2].size, 5);
    assert_int_equal(out.spans[3].kind, SPAN_FILE);
    assert_int_equal(out.spans[3].fd, 7);
    assert_int_equal(out.spans[3].offset, 1000);
    assert_ptr_equal(out.spans[3].steady, &steady);
    assert_true(out.spans[3].size == UINT64_C(5000000000));
    assert_null(out.spans[4].hold);
    assert_int_equal(count_of(&memory), 2);
    assert_int_equal(count_of(&file), 2);
    outbox_clear(&out);
}

static void adds_nothing_for_size_0(void **state)
{
    struct outbox out;
    struct hold hold;
    (void)state;
    hold_init(&hold, gone);
    outbox_init(&out, buffer, sizeof buffer);
    assert_true(outbox_memory(&out, SLICE(""), &hold));
    assert_true(outbox_file(&out, &(struct body){ .kind = BODY_FILE, .fd = 3, .offset = 10, .hold = &hold }));
    assert_int_equal(out.count, 0);
    assert_int_equal(count_of(&hold), 1);

    for (unsigned i = 0; i < OUTBOX_SPANS; i++)
        assert_true(outbox_memory(&out, SLICE("x"), NULL));
    assert_true(outbox_memory(&out, SLICE(""), &hold));
    assert_int_equal(count_of(&hold), 1);
}

static void says_when_the_spans_are_full(void **state)
{
    struct outbox out;
    struct hold hold;
    (void)state;
    hold_init(&hold, gone);
    outbox_init(&out, buffer, sizeof buffer);
    for (unsigned i = 0; i < OUTBOX_SPANS; i++) {
        assert_int_equal(outbox_fits(&out, 1, 1), i + 2 <= OUTBOX_SPANS);
        assert_true(outbox_memory(&out, SLICE("x"), &hold));
    }
    assert_false(outbox_memory(&out, SLICE("x"), &hold));
    assert_false(outbox_file(&out, &(struct body){ .kind = BODY_FILE, .fd = 3, .size = 1, .hold = &hold }));
    assert_null(outbox_reserve(&out, 1));
    assert_int_equal(out.count, OUTBOX_SPANS);
    assert_int_equal(count_of(&hold), 1 + OUTBOX_SPANS);
    outbox_clear(&out);
    assert_int_equal(count_of(&hold), 1);
    assert_non_null(outbox_reserve(&out, 1));
}

/* The last span can still grow when there is no room for another one. */
static void grows_the_last_span_when_full(void **state)
{
    struct outbox out;
    (void)state;
    outbox_init(&out, buffer, sizeof buffer);
    for (unsigned i = 1; i < OUTBOX_SPANS; i++)
        assert_true(outbox_memory(&out, SLICE("x"), NULL));
    put(&out, "a");
    put(&out, "b");
    assert_int_equal(out.count, OUTBOX_SPANS);
    assert_int_equal(out.spans[OUTBOX_SPANS - 1].size, 2);
    assert_false(outbox_fits(&out, 1, 1));
}

static void fits_by_bytes(void **state)
{
    struct outbox out;
    (void)state;
    outbox_init(&out, buffer, sizeof buffer);
    assert_true(outbox_fits(&out, sizeof buffer, 1));
    assert_false(outbox_fits(&out, sizeof buffer + 1, 1));
    assert_false(outbox_fits(&out, SIZE_MAX, 1));
    put(&out, "abc");
    assert_true(outbox_fits(&out, sizeof buffer - 3, 1));
    assert_false(outbox_fits(&out, sizeof buffer - 2, 1));
    assert_null(outbox_reserve(&out, SIZE_MAX));
}

static void fits_by_spans(void **state)
{
    struct outbox out;
    (void)state;
    outbox_init(&out, buffer, sizeof buffer);
    assert_true(outbox_fits(&out, 1, OUTBOX_SPANS - 1));
    assert_false(outbox_fits(&out, 1, OUTBOX_SPANS));
    assert_false(outbox_fits(&out, 1, UINT_MAX));
    for (unsigned i = 0; i < 10; i++)
        assert_true(outbox_memory(&out, SLICE("x"), NULL));
    assert_true(outbox_fits(&out, 1, OUTBOX_SPANS - 11));
    assert_false(outbox_fits(&out, 1, OUTBOX_SPANS - 10));
    for (unsigned i = 10; i < OUTBOX_SPANS; i++)
        assert_true(outbox_memory(&out, SLICE("x"), NULL));
    assert_false(outbox_fits(&out, 1, 0));
}

static void copies_while_there_is_room(void **state)
{
    struct outbox out;
    (void)state;
    outbox_init(&out, buffer, 5);
    assert_true(outbox_copy(&out, SLICE("abc")));
    assert_false(outbox_copy(&out, SLICE("def")));
    assert_int_equal(out.used, 3);
    assert_true(outbox_copy(&out, SLICE("de")));
    assert_int_equal(out.count, 1);
    assert_memory_equal(out.spans[0].data, "abcde", 5);
    assert_false(outbox_copy(&out, SLICE("f")));
    assert_true(outbox_copy(&out, slice_make(NULL, 0)));

    outbox_init(&out, buffer, sizeof buffer);
    for (unsigned i = 0; i < OUTBOX_SPANS; i++)
        assert_true(outbox_memory(&out, SLICE("x"), NULL));
    assert_false(outbox_copy(&out, SLICE("a")));
    assert_true(outbox_copy(&out, SLICE("")));
    assert_int_equal(out.used, 0);
    assert_int_equal(out.count, OUTBOX_SPANS);
}

/* Whoever sends moves the front of a span along; what is added still joins it, and never what it is not next to. */
static void joins_what_is_half_sent(void **state)
{
    struct outbox out;
    (void)state;
    outbox_init(&out, buffer, sizeof buffer);
    put(&out, "abcdef");
    out.spans[0].data += 4;
    out.spans[0].size -= 4;
    put(&out, "gh");
    assert_int_equal(out.count, 1);
    assert_int_equal(out.spans[0].size, 4);
    assert_memory_equal(out.spans[0].data, "efgh", 4);

    out.spans[0].size = 1; /* its end is no longer where the next byte goes */
    put(&out, "i");
    assert_int_equal(out.count, 2);
    assert_ptr_equal(out.spans[1].data, buffer + 8);
}

static void lets_go_when_cleared(void **state)
{
    struct outbox out;
    struct hold hold;
    (void)state;
    gone_count = 0;
    hold_init(&hold, gone);
    outbox_init(&out, buffer, sizeof buffer);
    put(&out, "a");
    assert_true(outbox_memory(&out, SLICE("b"), &hold));
    assert_true(outbox_memory(&out, SLICE("c"), NULL));
    hold_unref(&hold);
    assert_int_equal(gone_count, 0);
    outbox_clear(&out);
    assert_int_equal(gone_count, 1);
    assert_int_equal(out.count, 0);
    assert_int_equal(out.used, 0);
    outbox_clear(&out);
    assert_int_equal(gone_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_copies_side_by_side),
        cmocka_unit_test(commits_what_was_written),
        cmocka_unit_test(keeps_the_order),
        cmocka_unit_test(adds_nothing_for_size_0),
        cmocka_unit_test(says_when_the_spans_are_full),
        cmocka_unit_test(grows_the_last_span_when_full),
        cmocka_unit_test(fits_by_bytes),
        cmocka_unit_test(fits_by_spans),
        cmocka_unit_test(copies_while_there_is_room),
        cmocka_unit_test(joins_what_is_half_sent),
        cmocka_unit_test(lets_go_when_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
