/* Priorities out of fields, the queue that they order, and budgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/h2_flood.h"
#include "wire/h2_priority.h"

static void reads_priorities(void **state)
{
    static const struct {
        const char *text;
        unsigned urgency;
        bool incremental;
    } cases[] = {
        { "", 3, false },           { "u=0", 0, false },          { "u=7, i", 7, true },
        { "i", 3, true },           { "i=?1,u=1", 1, true },      { "i=?0", 3, false },
        { "i, i=?0", 3, false },    { "u=1, u=2", 2, false },     { "u=8", 3, false },
        { "u=-1", 3, false },       { "u=10", 3, false },         { "u", 3, false },
        { "u=", 3, false },         { "U=1", 3, false },          { "i=1", 3, false },
        { "i=?2", 3, false },       { "u=5;x=1, i;y", 5, true },  { "x=\"y\", u=2", 2, false },
        { ",,,", 3, false },        { "  u=4 ,\ti ", 4, true },   { "u=1.0", 3, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct h2_priority got = h2_priority_read(slice_text(cases[i].text));
        if (got.urgency != cases[i].urgency || got.incremental != cases[i].incremental)
            fail_msg("\"%s\": u=%u, i=%d", cases[i].text, got.urgency, got.incremental);
    }
}

enum { TURNS = 6 };

struct queued {
    struct h2_queue queue;
    struct h2_turn turns[TURNS];
};

/* Stream i + 1 gets the i-th of these: a digit for its urgency, and behind it an "i". */
static void fill(struct queued *queued, const char *const priorities[TURNS])
{
    static const unsigned order[TURNS] = { 2, 0, 1, 5, 4, 3 };
    h2_queue_init(&queued->queue);
    assert_true(h2_queue_empty(&queued->queue));
    assert_null(h2_queue_first(&queued->queue));
    for (unsigned i = 0; i < TURNS; i++) {
        unsigned at = order[i];
        queued->turns[at] = (struct h2_turn){ .id = at + 1, .priority = { (uint8_t)(priorities[at][0] - '0'),
                                                                          priorities[at][1] == 'i' } };
        h2_queue_add(&queued->queue, &queued->turns[at]);
        h2_queue_add(&queued->queue, &queued->turns[at]); /* nothing */
    }
}

/* Each has `pieces` to send; who has had its turn is noted. */
static void assert_turns(struct queued *queued, unsigned pieces, const char *expected)
{
    unsigned left[TURNS];
    char order[64];
    size_t used = 0;
    for (unsigned i = 0; i < TURNS; i++)
        left[i] = pieces;
    for (struct h2_turn *turn; (turn = h2_queue_first(&queued->queue)) != NULL;) {
        order[used++] = (char)('0' + turn->id);
        if (--left[turn->id - 1] > 0)
            h2_queue_rotate(&queued->queue, turn);
        else
            h2_queue_remove(&queued->queue, turn);
    }
    order[used] = '\0';
    assert_string_equal(order, expected);
    assert_true(h2_queue_empty(&queued->queue));
    h2_queue_remove(&queued->queue, &queued->turns[0]); /* nothing */
}

static void takes_turns(void **state)
{
    static const struct {
        const char *priorities[TURNS];
        const char *turns;
    } cases[] = {
        { { "3", "3", "3", "3", "3", "3" }, "112233445566" },
        { { "5", "4", "3", "2", "1", "0" }, "665544332211" },
        { { "3i", "3i", "3i", "3i", "3i", "3i" }, "312654312654" },
        { { "3", "7", "3i", "3i", "0i", "0i" }, "656513143422" },
        { { "0", "0", "0i", "7", "7i", "7i" }, "131232464565" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct queued queued;
        fill(&queued, cases[i].priorities);
        assert_turns(&queued, 2, cases[i].turns);
    }
}

static void budgets_fill_up_again(void **state)
{
    struct h2_flood flood = { { 0 } };
    unsigned count = 0;
    (void)state;
    while (h2_flood_allows(&flood, H2_FLOOD_RESETS, 1000))
        count++;
    assert_int_equal(count, 500);
    assert_true(h2_flood_allows(&flood, H2_FLOOD_ASKS, 1000)); /* each has its own */
    flood = (struct h2_flood){ { 0 } };
    for (uint64_t now_ms = UINT32_MAX - 10000; now_ms < UINT64_C(1) + UINT32_MAX + 10000; now_ms += 20)
        assert_true(h2_flood_allows(&flood, H2_FLOOD_RESETS, now_ms)); /* while the low bits wrap around */
    for (count = 0; count < 499; count++)
        assert_true(h2_flood_allows(&flood, H2_FLOOD_RESETS, UINT64_C(1) + UINT32_MAX + 10000));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_priorities),
        cmocka_unit_test(takes_turns),
        cmocka_unit_test(budgets_fill_up_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
